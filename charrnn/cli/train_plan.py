"""A run that is planned: what the user left open, chosen from the text and the clock, and said in words."""

import os
import shlex
import time
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from charrnn.checks import check_float, flag
from charrnn.cli.options import MODEL, STDIN
from charrnn.display.charts import duration
from charrnn.display.terminal import remark
from charrnn.errors import TextError, UsageError
from charrnn.options import LENGTHS, MINUTES, Options

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.text.corpus import Corpus
    from charrnn.text.examples import Examples
    from charrnn.text.vocab import Vocab
    from charrnn.training.loop import Training
    from charrnn.training.plan import Deadline, Plan

CHOSEN = ("layers", "hidden_size", "dropout", "seq_length", "batch_size", "lr", "weight_decay", "patience", "workers")
LARGEST_ERROR = 1.5  # of the speed that sizes were chosen by; beyond it they are chosen again


@dataclass(frozen=True)
class Start:
    """What a run starts from: `model`, from the file `path`, or fresh weights."""

    path: str | None = None
    model: "Model | None" = None

    @property
    def vocab(self) -> "Vocab | None":
        return self.model.vocab if self.model else None

    def settled(self, given: dict[str, Any]) -> dict[str, Any]:
        """The options that the user gave, and those that the model settles."""
        from charrnn.training.transfer import options_from_model

        return options_from_model(self.model, given) if self.model else given

    def explain(self, training: "Training") -> None:
        """Says what was kept of the model, and what is new."""
        if training.transfer is None:
            return
        from charrnn.display.info import carried_over

        for line in carried_over(str(self.path), training.transfer, training.source.occurring):
            remark(line)


def clock_seconds(minutes: float | None, given: dict[str, Any]) -> float | None:
    """The time that the run has, None where its length is given otherwise."""
    length = next((name for name in LENGTHS if name in given), None)
    if minutes is None:
        return None if length else 60.0 * MINUTES
    check_float("minutes", minutes, above=0.0, at_most=1e6)
    if length:
        raise UsageError(f"--minutes and {flag(length)} both set the length of the run: use one of them.")
    return 60.0 * minutes


def planned(
    corpus: "Corpus | Examples",
    given: dict[str, Any],
    seconds: float | None,
    begin: float,
    quiet: bool,
    model: str,
    start: Start,
) -> "tuple[Training, Deadline | None]":
    """A training with all that was left open chosen; and when it has to end, where a clock runs."""
    from charrnn.system.resources import cores
    from charrnn.training.cost import multiply_rate
    from charrnn.training.loop import Training
    from charrnn.training.plan import Deadline, choose, settle_length

    options = Options(**given)
    symbols = max(1, int(corpus.symbols * (1.0 - options.val_fraction)))
    rate = None if seconds is None else multiply_rate(512, 5) * (options.workers or cores())
    sizes = {"share": corpus.share, "example": corpus.example}
    plan = choose(given, symbols, corpus.alphabet, rate, seconds or 60.0 * MINUTES, **sizes)
    training = Training.new(corpus, plan.options, start.model)
    deadline = None
    if seconds is not None and rate is not None:
        ratio, scoring = settle_length(training, plan, begin + seconds - time.monotonic())
        if not 1 / LARGEST_ERROR < ratio < LARGEST_ERROR:
            training.close()
            plan = choose(given, symbols, corpus.alphabet, rate * ratio, seconds, **sizes)
            training = Training.new(corpus, plan.options, start.model)
            _, scoring = settle_length(training, plan, begin + seconds - time.monotonic())
        deadline = Deadline(begin, seconds - scoring)
    if not quiet:
        say(plan, training, seconds, model, start)
    return training, deadline


def say(plan: "Plan", training: "Training", seconds: float | None, model: str, start: Start) -> None:
    """The plan, the reason for each choice, and the command that repeats it."""
    options, reasons = training.options, dict(plan.reasons)
    time_limit = "" if seconds is None else f" for {duration(seconds)}"
    remark(f"plan{time_limit}: {options.cell.upper()} {options.layers} x {options.hidden_size}, {training.end:,} steps")
    if reasons.get("layers") == reasons.get("hidden_size"):
        reasons.pop("layers", None)
    for name, why in reasons.items():
        value = getattr(options, name)
        remark(f"  {flag(name)} {value if isinstance(value, str) else format(value, 'g')}: {why}")
    if seconds is not None:
        remark(f"The same again, without a clock: {command(training, model, start)}")


def command(training: "Training", model: str, start: Start) -> str:
    """The command line that repeats this run bit for bit."""
    defaults = Options()
    words = ["charrnn", "train", *map(shlex.quote, training.source.names)]
    for field in fields(Options):
        value = getattr(training.options, field.name)
        if field.name == "task":
            words += spelled(value)
        elif value is not None and (field.name in CHOSEN or value != getattr(defaults, field.name)):
            words += [flag(field.name), shlex.quote(str(value))]
    words += ["--init-from", shlex.quote(start.path)] if start.path else []
    return " ".join(words + ([] if model == MODEL else ["-m", shlex.quote(model)]))


LABEL_TASKS = ("generate", "classify")


def chosen_task(labelled: bool, pairs: bool, task: str | None, resume: bool) -> dict[str, Any]:
    """The option `task` as the flags say it; a run that is gone on with has its own."""
    if pairs and (labelled or task):
        raise UsageError(f"--pairs is a task of its own: leave {'--labelled' if labelled else '--task'} out.")
    if pairs:
        return {"task": "pairs"}
    if task or (labelled and not resume):
        if not (labelled or resume):
            raise UsageError(f"--task {task} is for examples with labels: use --labelled, too.")
        return {"task": task or LABEL_TASKS[0]}
    return {}


def spelled(task: str) -> list[str]:
    """The flags that ask for a task."""
    if task in LABEL_TASKS:
        return ["--labelled", "--task", task]
    return ["--pairs"] if task == "pairs" else []


def started(path: str | None) -> Start:
    from charrnn.checkpoint.model import load

    return Start(path, load(path)) if path else Start()


def check_recorded(texts: tuple[str, ...], model: str) -> None:
    """Raises where the text that a model was trained on is not to be found by itself."""
    if STDIN in texts:
        raise UsageError(f"{model} was trained on standard input: give it again, charrnn train --resume - < TEXT.")
    for text in texts:
        if not os.path.exists(text):
            raise TextError(
                f"{text}, which {model} was trained on, is not there: name it, charrnn train --resume TEXT."
            )
