"""What commands share about models of examples: how a task is asked for, and what is written for a source."""

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from charrnn.cli.common import STDIN, given
from charrnn.display.terminal import Answer, remark
from charrnn.errors import TextError, UsageError

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.training.loop import Training

STRIDE = 7919  # so that the lines of a training show examples from all over
LABEL_TASKS = ("generate", "classify")
WITH_SOURCE = {"models", "weights", "sources", "beam", "as_json"}


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


def weighted(labels: tuple[str, ...], known: tuple[str, ...]) -> dict[str, float]:
    """Labels and their weights: what stands after the last colon, if the whole is no label."""
    found: dict[str, float] = {}
    for label in labels:
        name, _, number = label.rpartition(":")
        try:
            name, weight = (label, 1.0) if label in known or not name else (name, float(number))
        except ValueError:
            name, weight = label, 1.0
        found[name] = found.get(name, 0.0) + weight
    return found


def lines_of(texts: tuple[str, ...]) -> list[str]:
    """The texts themselves; for - the lines of standard input."""
    found: list[str] = []
    for text in texts:
        if text != STDIN:
            found.append(text)
            continue
        if sys.stdin is None:
            raise TextError("standard input is closed: name a text.")
        try:
            found += sys.stdin.buffer.read().decode("utf-8").removeprefix("\ufeff").splitlines()
        except UnicodeDecodeError as error:
            raise TextError(f"standard input is not UTF-8 (at offset {error.start:,}).") from None
    return found


def report_unknown(model: "Model", texts: list[str]) -> None:
    """Says which characters of the texts the model does not know, and leaves out."""
    missing = list(dict.fromkeys(symbol for text in texts for symbol in model.vocab.unknown(text)))
    if missing:
        shown = ", ".join(map(repr, missing[:5])) + (", ..." if len(missing) > 5 else "")
        remark(f"note: {len(missing):,} distinct symbols ({shown}) that the model has never seen are left out.")


def examples_asked(count: int, lines: int) -> int:
    """How many examples of a label to write: --lines, for an example is a line."""
    if count > 1:
        raise UsageError("with --label, --lines N writes N examples: leave --count out.")
    return max(lines, 1)


def labelled(models: "list[tuple[str, Model]]", labels: tuple[str, ...]) -> "Model":
    """A model that writes for these labels."""
    from charrnn.sampling.conditional import by_label

    if len(models) > 1:
        raise UsageError("--label is for one model: leave the other -m out.")
    model = models[0][1]
    return by_label(model, weighted(labels, model.task.labels if model.task else ()))


def write_targets(
    models: tuple[str, ...], weights: str, sources: tuple[str, ...], beam: int | None, as_json: bool
) -> None:
    """What the model writes for each source; with a beam, its best targets with their probabilities."""
    from charrnn.checkpoint.model import load
    from charrnn.sampling.conditional import answers, search

    others = set(given(click.get_current_context(), set(click.get_current_context().params))) - WITH_SOURCE
    if others:
        flags = {p.name: p.opts[-1] for p in click.get_current_context().command.params}
        raise UsageError(f"{flags[min(others)]} is not for --source, which takes --beam and --json.")
    if len(models) > 1:
        raise UsageError("--source is for one model: leave the other -m out.")
    model, texts, answer = load(models[0], weights), lines_of(sources), Answer()
    report_unknown(model, texts)
    best = [[one] for one in answers(model, texts)] if beam is None else [search(model, text, beam) for text in texts]
    for text, found in zip(texts, best, strict=True):
        for one in found:
            if not one.ended:
                remark(f"note: the target of {text!r} was cut off: the model did not end it.")
            if as_json:
                answer.line(json.dumps({"source": text, "target": one.text, "logprob": one.log}))
            else:
                answer.line(one.text if beam is None else f"{one.log:9.4f}  {one.text}")


def example_line(training: "Training", step: int) -> str:
    """What the network makes of an example at this moment."""
    from itertools import takewhile

    from charrnn.evaluation.classification import classify
    from charrnn.sampling.conditional import answers, by_label
    from charrnn.sampling.sample import sample
    from charrnn.text.examples import Examples

    model, examples = training.latest, training.source
    assert isinstance(examples, Examples)
    one, other = examples.rows[(step * STRIDE) % len(examples.rows)]
    if examples.task.kind == "pairs":
        return f"{one} > {answers(model, [one])[0].text}"
    if examples.task.kind == "classify":
        return f"{other} > {examples.task.labels[int(classify(model, [other]).argmax())]}"
    text = takewhile(lambda character: character != "\n", sample(by_label(model, {one: 1.0}), 70, temp=0.7, seed=step))
    return f"{one} > {''.join(text)}"
