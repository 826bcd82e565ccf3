"""What commands share about models of examples: how a task is asked for, and what is written for a source."""

import json
from typing import TYPE_CHECKING

import click

from charrnn.cli.inputs import lines_of, report_unknown_characters
from charrnn.cli.options import given
from charrnn.display.terminal import Answer, remark
from charrnn.errors import UsageError

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model

WITH_SOURCE = {"models", "weights", "sources", "beam", "as_json"}


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
    report_unknown_characters(model, texts)
    best = [[one] for one in answers(model, texts)] if beam is None else [search(model, text, beam) for text in texts]
    for text, found in zip(texts, best, strict=True):
        for one in found:
            if not one.ended:
                remark(f"note: the target of {text!r} was cut off: the model did not end it.")
            if as_json:
                answer.line(json.dumps({"source": text, "target": one.text, "logprob": one.log}))
            else:
                answer.line(one.text if beam is None else f"{one.log:9.4f}  {one.text}")
