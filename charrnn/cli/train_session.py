"""A training session on the command line: its display, its JSON records, its saves, and how it ends."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from charrnn.cli.options import model_argument
from charrnn.cli.signals import Stop
from charrnn.cli.train_samples import closing_samples, sample_line, suitable_temp
from charrnn.display.charts import counted, duration
from charrnn.display.terminal import Answer, ReaderLeft, is_terminal, remark, silence
from charrnn.errors import CharRNNError, DivergedError, ModelFileError, WorkerError
from charrnn.options import STDIN

if TYPE_CHECKING:
    from charrnn.checkpoint.history import Step
    from charrnn.evaluation.graded import Graded
    from charrnn.evaluation.verdict import Comparison
    from charrnn.training.loop import Training

SAVE_SECONDS = 60.0
SAVE_SHARE = 0.01  # of the time, at most, that automatic saves take


class Records:
    """JSON lines on stdout, every N steps; the training continues if their reader ends."""

    def __init__(self, every: int) -> None:
        self.every, self.answer = every, Answer()
        self.steps, self.busy = 0, 0.0
        self.open = True

    def add(self, record: "Step", last: bool, saved: int | None) -> None:
        """Counts a step and writes it if it is due; `saved` is the last step in the model file."""
        self.steps += 1
        self.busy += 1.0 / record.chars_per_second
        if not (record.step % self.every == 0 or record.val_loss is not None or last):
            return
        speed = round(self.steps / self.busy, 1)
        self.steps, self.busy = 0, 0.0
        self.put({**record.as_dict(), "chars_per_second": speed, "saved_step": saved})

    def put(self, values: dict[str, Any]) -> None:
        if not self.open:
            return
        try:
            self.answer.json(values)
        except ReaderLeft:
            self.open = False
            silence(sys.stdout)
        except OSError as error:
            self.open = False
            silence(sys.stdout)  # what is buffered would fail again at the end
            remark(f"warning: the JSON records cannot be written: {error.strerror or error}. The training continues.")


@dataclass
class Session:
    """Runs a training until it ends or a signal stops it; `saved` is the last step in the model file."""

    training: "Training"
    model: str
    save_every: int
    records: Records | None
    quiet: bool
    compare: bool
    repeat: Callable[[], str] | None  # the command that repeats the run
    save_interval: float = SAVE_SECONDS

    def __post_init__(self) -> None:
        self.start_time = self.saved_at = self.step_at = time.monotonic()
        self.saved: int | None = self.training.run.step or None

    def run(self, stop: Stop) -> int:
        from charrnn.display.training import display

        training, stop.loss = self.training, self.loss
        live = self.records is None or not is_terminal(sys.stdout)
        with display(training, partial(sample_line, training), self.quiet, live) as screen:
            self.announce_mixing()
            for record in self.steps():
                if stop.resumed:
                    stop.resumed = False
                    self.exclude_pause()
                    screen.resume()
                if other := training.group.signal:  # that another rank has received
                    stop.signal = stop.signal or other
                self.handle_record(record)
                ended = record.step == training.end
                if not (stop or ended) and self.due(record.step):
                    self.save_if_possible()
                if self.records is not None:
                    self.records.add(record, ended, self.saved)
                screen.show(record)
                self.step_at = time.monotonic()
                if stop:
                    break
                self.announce_mixing()
        self.save_finally()
        stop.saved = True
        if stop and (training.unmixed or (training.run.step < training.end and not training.stale)):
            self.remark(f"Stopped at step {training.run.step:,}, saved in {self.model}. To continue: {self.command()}")
            return 128 + stop.signal
        self.conclude(stopped=bool(stop))
        return 128 + stop.signal if stop else 0

    def conclude(self, stopped: bool = False) -> None:
        """Prints the result of a run that is complete: the comparison and samples too, unless a signal came late."""
        self.summary()
        if not stopped and (self.records or not self.quiet):
            self.comparison()
        if not self.quiet:
            self.closing(shown=not stopped)

    def announce_mixing(self) -> None:
        """Prints that n-grams are counted next, if that takes a while."""
        from charrnn.cli.baselines import announce

        if self.training.unmixed and self.training.complete:
            announce(self.training.source.symbols, self.remark, "n-grams")

    def steps(self) -> "Iterator[Step]":
        """The steps; if one fails, what has been learned is saved."""
        try:
            yield from self.training
        except DivergedError as error:
            if self.training.run.step:
                self.save_if_possible("")
            raise DivergedError(f"{error} {self.last_saved()}") from None
        except (OSError, MemoryError, WorkerError) as error:
            if self.training.learner.broken or self.training.group.failed:
                reason = str(error) or "there is not enough memory."
                raise WorkerError(f"{reason} The last step is incomplete. {self.last_saved()}") from None
            if self.training.run.step and self.save_if_possible("Progress since the last save is lost."):
                self.remark(f"Saved at step {self.training.run.step:,}. To continue: {self.command()}")
            raise

    def handle_record(self, record: "Step") -> None:
        """Prints that the run was set back, or that its length has changed."""
        for note in filter(None, (record.setback, record.note)):
            self.remark(f"note: {note}")

    def exclude_pause(self) -> None:
        """The time during which the process was suspended does not count."""
        pause = time.monotonic() - self.step_at
        self.start_time += pause
        if self.training.limit is not None:
            self.training.limit.exclude(pause)

    def loss(self) -> str:
        """What would be lost if the process ended now."""
        return "the whole run" if self.saved is None else f"all steps after step {self.saved:,}"

    def due(self, step: int) -> bool:
        by_step = self.save_every and step % self.save_every == 0
        return bool(by_step) or time.monotonic() - self.saved_at >= self.save_interval

    def save(self) -> None:
        start = time.monotonic()
        try:
            self.training.model.save(self.model)
            self.saved = self.training.run.step
        finally:
            self.saved_at = time.monotonic()
            self.save_interval = max(SAVE_SECONDS, (self.saved_at - start) / SAVE_SHARE)

    def save_if_possible(self, consequence: str = "The training continues.") -> bool:
        """Saves; a failure is printed with its consequence, since a later save may succeed."""
        try:
            self.save()
        except CharRNNError as error:
            if self.training.group.failed:  # no later save can succeed
                raise WorkerError(f"{error} {self.last_saved()}") from None
            remark(f"warning: {error} {consequence}".rstrip())
            return False
        return True

    def save_finally(self) -> None:
        """The last save; raises ModelFileError or WorkerError if it fails."""
        try:
            self.save()
        except (ModelFileError, WorkerError) as error:
            raise type(error)(f"{error} Progress since the last save is lost. {self.last_saved()}") from None

    def last_saved(self) -> str:
        return "Nothing was saved." if self.saved is None else f"{self.model} contains step {self.saved:,}."

    def remark(self, text: str) -> None:
        if not self.quiet:
            remark(text)

    def command(self) -> str:
        text = " - < TEXT" if STDIN in self.training.run.texts else ""
        return f"charrnn train --resume{model_argument(self.model)}{text}"

    def summary(self) -> None:
        run = self.training.run
        size = os.path.getsize(self.model) / 1e6
        took = duration(time.monotonic() - self.start_time)
        if run.best_loss is None:
            loss = "validation loss not computed yet" if self.training.held_out else "no validation split"
        else:
            bits = self.training.bits_per_char(run.best_loss)
            target = "label" if self.training.options.task == "classify" else "character"
            at = f" at step {run.best_step:,}" if self.training.config.layers else ""
            loss = f"validation loss {run.best_loss:.3f} nats ({bits:.2f} bits per {target}){at}"
        did = f"Trained in {took}" if self.training.config.layers else f"Counted in {run.seconds:.1f} s"
        self.remark(f"{did}: {loss}; saved in {self.model} ({size:.1f} MB).")
        if mixing := self.training.mixing:
            bits = self.training.bits_per_char(mixing.loss)
            figures = f"validation loss {mixing.loss:.3f} nats ({bits:.2f} bits per character)"
            self.remark(f"With its {mixing.ngram.name}, which has the weight {mixing.weight:.2f}: {figures}.")
        if self.training.stale and run.step < self.training.end:
            self.remark(
                f"Stopped early at step {run.step:,} of {self.training.end:,}: the validation loss has not improved "
                f"for {counted(self.training.options.patience, 'evaluation')} (--patience)."
            )
        elif run.step < self.training.schedule.span:
            self.remark(f"This is step {run.step:,} of the {self.training.schedule.span:,} that the schedule spans.")

    def comparison(self) -> None:
        """Prints how the model compares to the baselines, after the training is saved."""
        from charrnn.cli.baselines import compare_training, grade_training

        run = self.training.run
        if not self.compare or run.best_loss is None:
            return
        found: Comparison | Graded | None = None
        result: dict[str, Any] = {"step": run.step, "best_step": run.best_step, "val_loss": run.best_loss}
        if self.training.source.task:
            found = grade_training(self.training, self.remark)
        elif found := compare_training(self.training, self.remark):
            result["bits_per_char"] = self.training.bits_per_char(run.best_loss)
            figures = ", ".join(f"{row.name} {row.bits_per_char:.2f}" for row in found.baselines.rows)
            both = ""
            if mixing := self.training.mixing:
                mixed = {"bits_per_char": self.training.bits_per_char(mixing.loss), **mixing.as_dict()}
                result["with_ngram"] = mixed
                both = f", with its {mixing.ngram.name} {mixed['bits_per_char']:.2f}"
            self.remark(f"Bits per character: {figures}, this model {result['bits_per_char']:.2f}{both}.")
        if found:
            self.remark(found.verdict)
            if self.records:
                self.records.put({**result, **found.as_dict()})

    def closing(self, shown: bool) -> None:
        """Prints samples (if `shown`), what to do with the model, and how to repeat the run."""
        task, option = self.training.source.task, model_argument(self.model)
        command = task.command(option) if task else f"charrnn sample{option}"
        if command.startswith("charrnn sample") and not (task and task.kind == "pairs"):
            command += f" --temp {suitable_temp(self.training):g}"
        for line in closing_samples(self.training) if shown else []:
            remark(line)
        remark(f"Now: {command}")
        if self.repeat:
            remark(f"To repeat this run exactly: {self.repeat()}")
