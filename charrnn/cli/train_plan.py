"""The start of a run: read the text; plan what was not given, and print the reasons; or resume what is in the file."""

import shlex
from typing import TYPE_CHECKING, Any

from charrnn.checks import check_float, declared, flag
from charrnn.cli.options import model_argument
from charrnn.display.charts import counted, duration
from charrnn.display.terminal import remark
from charrnn.errors import UsageError
from charrnn.options import LENGTHS, MINUTES, NGRAM, STDIN, Options

if TYPE_CHECKING:
    from charrnn.text.corpus import Corpus
    from charrnn.text.examples import Examples
    from charrnn.text.vocab import Vocab
    from charrnn.training.loop import Training
    from charrnn.training.plan import Plan

LABEL_TASKS = ("generate", "classify")
TASK_FLAGS = {"text": [], "pairs": ["--pairs"], **{task: ["--labelled", "--task", task] for task in LABEL_TASKS}}


def clock_seconds(minutes: float | None, given: dict[str, Any]) -> float | None:
    """The time for the run; None if its length is given in steps or epochs."""
    length = next((name for name in LENGTHS if name in given), None)
    if minutes is None:
        return None if length else 60.0 * MINUTES
    check_float("minutes", minutes, above=0.0, at_most=1e6)
    if length:
        raise UsageError(f"--minutes and {flag(length)} both set the length of the run: use one of them.")
    return 60.0 * minutes


def read(
    texts: tuple[str, ...], options: Options, quiet: bool, vocab: "Vocab | None" = None, beside: "Vocab | None" = None
) -> "Corpus | Examples":
    """The text as ids of `vocab`, or of a vocabulary of its symbols and those of `beside`; with a progress bar."""
    from charrnn.display.reading import ReadProgress
    from charrnn.text.dataset import read_dataset

    with ReadProgress(texts, quiet) as reading:
        return read_dataset(texts, options, vocab, beside, reading.progress)


def print_plan(plan: "Plan", training: "Training", seconds: float | None, init_from: str | None) -> None:
    """Prints the plan with its reasons, and what is kept of `init_from`."""
    options, reasons = training.options, dict(plan.reasons)
    time_limit = "" if seconds is None else f" for {duration(seconds)}"
    network = f"{options.cell.upper()} {options.layers} x {options.hidden_size}"
    remark(f"plan{time_limit}: {network}, {counted(training.end, 'step')}")
    if reasons.get("layers") == reasons.get("hidden_size"):
        reasons.pop("layers", None)
    for name, reason in reasons.items():
        value = getattr(options, name)
        remark(f"  {flag(name)} {value if isinstance(value, str) else format(value, 'g')}: {reason}")
    if training.transfer is not None:
        from charrnn.display.info import carried_over

        for line in carried_over(str(init_from), training.transfer, training.source.occurring):
            remark(line)


def repeating_command(training: "Training", model: str, init_from: str | None) -> str:
    """The command line that repeats this run bit for bit, and replaces its model file."""
    from charrnn.training.ngram_training import NGRAM_OPTIONS

    ranks = training.group.size
    words = [*(["mpiexec", "-n", str(ranks)] if ranks > 1 else []), "charrnn", "train"]
    words += map(shlex.quote, training.source.names)
    for name, _, _, _, default, setting in declared(Options):
        value = getattr(training.options, name)
        if training.options.cell == NGRAM and name not in NGRAM_OPTIONS:
            continue
        if name == "task":
            words += TASK_FLAGS[value]
        elif isinstance(value, bool):
            words += [flag(name)] * value
        elif value is not None and (setting.chosen or value != default):
            words += [flag(name), shlex.quote(str(value))]
    words += ["--init-from", shlex.quote(init_from)] if init_from else []
    return " ".join(words) + f"{model_argument(model)} --force" + " < TEXT" * (STDIN in training.source.names)


def task_from_flags(labelled: bool, pairs: bool, task: str | None, resume: bool) -> dict[str, Any]:
    """The option `task`, if the flags set it; a resumed run keeps its own."""
    if pairs and (labelled or task):
        raise UsageError(f"--pairs and {'--labelled' if labelled else '--task'} are different tasks: use one of them.")
    if task and not (labelled or resume):
        raise UsageError(f"--task {task} needs labelled examples: add --labelled.")
    chosen = "pairs" if pairs else task or (LABEL_TASKS[0] if labelled and not resume else None)
    return {"task": chosen} if chosen else {}
