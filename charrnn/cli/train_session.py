"""One sitting of a training: what it shows, records and saves, and how it ends."""

import json
import os
import shlex
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from charrnn.cli.options import MODEL, STDIN
from charrnn.cli.signals import Stop
from charrnn.display.charts import duration
from charrnn.display.terminal import Answer, ReaderLeft, is_terminal, remark
from charrnn.errors import CharRNNError, DivergedError, ModelFileError, WorkerError

if TYPE_CHECKING:
    from charrnn.checkpoint.history import Step
    from charrnn.training.loop import Training
    from charrnn.training.plan import Deadline

SAVE_SECONDS = 60.0
SAVE_SHARE = 0.01  # of the time, at most, that saving takes where nothing else is asked for


class Records:
    """Steps as JSON lines on stdout, every so many; a reader who leaves does not end the training."""

    def __init__(self, every: int) -> None:
        self.every, self.answer = every, Answer()
        self.steps, self.busy = 0, 0.0
        self.open = True

    def add(self, record: "Step", last: bool, saved: int | None) -> None:
        """`saved` is the step that is safe in the model file."""
        self.steps += 1
        self.busy += 1.0 / record.chars_per_second
        if not (record.step % self.every == 0 or record.val_loss is not None or last):
            return
        speed = round(self.steps / self.busy, 1)
        values = {**record.as_dict(), "chars_per_second": speed, "saved_step": saved}
        self.steps, self.busy = 0, 0.0
        self.put(values)

    def put(self, values: dict[str, Any]) -> None:
        if not self.open:
            return
        try:
            self.answer.line(json.dumps(values))
        except ReaderLeft:
            self.open = False
        except OSError as error:
            self.open = False
            remark(f"warning: the records cannot be written: {error.strerror or error}. The training goes on.")


class Session:
    """One sitting of a training: its display, its records, its saves, and how it ends."""

    def __init__(
        self,
        training: "Training",
        model: str,
        save_every: int,
        records: Records | None,
        quiet: bool,
        compare: bool = True,
    ) -> None:
        self.training, self.model, self.save_every = training, model, save_every
        self.records, self.quiet, self.compare = records, quiet, compare
        self.deadline: Deadline | None = None
        self.begin = self.saved_at = time.monotonic()
        self.wait = SAVE_SECONDS
        self.saved: int | None = training.run.step or None  # the step that is safe in the model file

    def run(self, stop: Stop) -> int:
        from charrnn.display.training import display

        training = self.training
        live = self.records is None or not is_terminal(sys.stdout)
        with display(training, self.line, self.quiet, live) as screen:
            for record in self.records_of(training):
                self.heed(record)
                last = stop or record.step == training.end
                if not last and self.due(record.step):
                    self.save_if_possible()
                if self.records is not None:
                    self.records.add(record, record.step == training.end, self.saved)
                screen.show(record)
                if stop:
                    break
        self.save_at_last()
        if stop and training.run.step < training.end and not training.stale:
            self.remark(f"Stopped at step {training.run.step:,}, saved in {self.model}. To go on: {self.command()}")
            return 128 + stop.signal
        self.summary()
        task = self.training.source.task
        if self.compare and not stop and not task and (self.records or not self.quiet):
            self.comparison()
        self.remark(f"Now: {task.command(self.option()) if task else f'charrnn sample{self.option()} --temp 0.8'}")
        return 128 + stop.signal if stop else 0

    def records_of(self, training: "Training") -> "Iterator[Step]":
        """The steps; what has been learned is kept where the system refuses something on the way."""
        try:
            yield from training
        except DivergedError as error:
            if self.training.run.step:
                self.save_if_possible("")
            raise DivergedError(f"{error} {self.kept()}") from None
        except (OSError, MemoryError, WorkerError):
            if self.training.run.step and self.save_if_possible("What was learned since is lost."):
                self.remark(f"Saved at step {self.training.run.step:,}. To go on: {self.command()}")
            raise

    def heed(self, record: "Step") -> None:
        """Says that the run was set back, and shortens one that would be late."""
        if record.setback:
            self.remark(f"note: {record.setback}")
        total = self.deadline.shortened(self.training) if self.deadline else None
        if total is not None:
            before = self.training.end
            self.training.cut(total)
            cut = self.training.options.cut
            self.remark(
                f"note: slower than planned: {total:,} steps instead of {before:,}; the same again needs --cut {cut}."
            )

    def due(self, step: int) -> bool:
        by_step = self.save_every and step % self.save_every == 0
        return bool(by_step) or time.monotonic() - self.saved_at >= self.wait

    def save(self) -> None:
        begin = time.monotonic()
        try:
            self.training.model.save(self.model)
            self.saved = self.training.run.step
        finally:
            self.saved_at = time.monotonic()
            self.wait = max(SAVE_SECONDS, (self.saved_at - begin) / SAVE_SHARE)

    def save_if_possible(self, otherwise: str = "The training goes on.") -> bool:
        """A save that fails is no reason to lose what has been learned: it is tried again later."""
        try:
            self.save()
        except CharRNNError as error:
            remark(f"warning: {error} {otherwise}")
            return False
        return True

    def save_at_last(self) -> None:
        """The save that nothing comes after."""
        try:
            self.save()
        except ModelFileError as error:
            raise ModelFileError(f"{error} What was learned since is lost. {self.kept()}") from None

    def kept(self) -> str:
        return "Nothing was saved before." if self.saved is None else f"{self.model} holds step {self.saved:,}."

    def line(self, step: int) -> str:
        """A line of text that the network writes at this moment."""
        from charrnn.sampling.sample import sample

        if self.training.source.task:
            return example_line(self.training, step)
        text = "".join(sample(self.training.latest, 70, temp=0.7, seed=step))
        return " ".join(text.split())

    def remark(self, text: str) -> None:
        if not self.quiet:
            remark(text)

    def command(self) -> str:
        text = " - < TEXT" if STDIN in self.training.run.texts else ""
        return f"charrnn train --resume{self.option()}{text}"

    def option(self) -> str:
        return "" if self.model == MODEL else f" -m {shlex.quote(self.model)}"

    def summary(self) -> None:
        run = self.training.run
        size = os.path.getsize(self.model) / 1e6
        took = duration(time.monotonic() - self.begin)
        if run.best_loss is None:
            loss = "not scored yet" if self.training.held_out else "nothing was held out"
        else:
            bits = self.training.bits_per_char(run.best_loss)
            each = "label" if self.training.options.task == "classify" else "character"
            loss = f"held out {run.best_loss:.3f} nats ({bits:.2f} bits per {each}) at step {run.best_step:,}"
        self.remark(f"Trained in {took}: {loss}, in {self.model} ({size:.1f} MB).")
        if self.training.stale:
            self.remark(
                f"Ended at step {run.step:,} of {self.training.end:,}: the held-out loss no longer falls (--patience)."
            )
        elif run.step < self.training.span:
            self.remark(f"Step {run.step:,} of {self.training.span:,} that the schedule spans.")

    def comparison(self) -> None:
        """Is it good? The model beside the baselines, when the training is over and saved."""
        from charrnn.cli.baselines import compare_training

        found, run = compare_training(self.training, self.remark), self.training.run
        if found is None or run.best_loss is None:
            return
        bits = self.training.bits_per_char(run.best_loss)
        figures = ", ".join(f"{row.name} {row.bits_per_char:.2f}" for row in found.baselines.rows)
        self.remark(f"Bits per character: {figures}, this model {bits:.2f}.")
        self.remark(found.verdict)
        if self.records:
            result = {"step": run.step, "best_step": run.best_step, "val_loss": run.best_loss, "bits_per_char": bits}
            self.records.put({**result, **found.as_dict()})


STRIDE = 7919  # so that the lines of a training show examples from all over


def example_line(training: "Training", step: int) -> str:
    """What the network makes of an example at this moment."""
    from itertools import takewhile

    from charrnn.evaluation.classification import classify
    from charrnn.sampling.conditional import answers, for_labels
    from charrnn.sampling.sample import sample
    from charrnn.text.examples import Examples

    model, examples = training.latest, training.source
    assert isinstance(examples, Examples)
    one, other = examples.rows[(step * STRIDE) % len(examples.rows)]
    if examples.task.kind == "pairs":
        return f"{one} > {answers(model, [one])[0].text}"
    if examples.task.kind == "classify":
        return f"{other} > {examples.task.labels[int(classify(model, [other]).argmax())]}"
    text = sample(for_labels(model, {one: 1.0}), 70, temp=0.7, seed=step)
    return f"{one} > {''.join(takewhile(lambda character: character != chr(10), text))}"
