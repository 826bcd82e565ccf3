"""`charrnn sample` with models of examples: --label and --source."""

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from charrnn.checks import quoted
from charrnn.cli.inputs import load_models, split
from charrnn.cli.options import Completions, given
from charrnn.cli.typed import typed_texts
from charrnn.display.terminal import Answer, remark
from charrnn.errors import CharRNNError, UsageError

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.sampling.mixture import Mixture

WITH_SOURCE = {"models", "weights", "sources", "beam", "as_json"}


def complete_labels(context: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """Labels of the model given with -m; none if it cannot be read."""
    try:
        [(_, model)], _ = load_models(context.params["models"], "best")
    except (CharRNNError, ValueError):  # ValueError: several models
        return []
    known = model.task.labels if model.task else ()
    return [CompletionItem(label) for label in known if label.startswith(incomplete)]


def weighted(labels: tuple[str, ...], known: tuple[str, ...]) -> dict[str, float]:
    """Labels and their weights, as LABEL or LABEL:WEIGHT; a label of the model may itself contain a colon."""
    weights: dict[str, float] = {}
    for label in labels:
        name, weight = split(label, known)
        weights[name] = weights.get(name, 0.0) + weight
    return weights


def labelled(models: "list[tuple[str, Model]]", labels: tuple[str, ...]) -> "Model | Mixture":
    """A model that generates text for these labels."""
    from charrnn.sampling.conditional import for_labels

    if len(models) > 1:
        raise UsageError("--label works with one model: remove the other -m.")
    model = models[0][1]
    return for_labels(model, weighted(labels, model.task.labels if model.task else ()))


def write_targets(
    models: tuple[str, ...], weights: str, sources: tuple[str, ...], beam: int | None, as_json: bool
) -> None:
    """Writes the target that the model generates for each source; with `beam`, the best ones and their ln p."""
    from charrnn.checkpoint.model import load
    from charrnn.sampling.conditional import answers, beam_search, pairs_task

    context = click.get_current_context()
    others = given(context, set(context.params) - WITH_SOURCE)
    if others:
        names = {p.name: next(name for name in p.opts if name.startswith("--")) for p in context.command.params}
        raise UsageError(f"{names[min(others)]} does not work with --source, which takes --beam and --json.")
    if len(models) > 1:
        raise UsageError("--source works with one model: remove the other -m.")
    model, answer = load(models[0], weights), Answer()
    pairs_task(model)
    typed = typed_texts(models[0], model, sources, "source", "target")
    known = [source.text for source in typed if source.known]
    best = [[one] for one in answers(model, known)] if beam is None else [beam_search(model, t, beam) for t in known]
    found = iter(best)
    for text, readable, unknown in typed:
        for target in next(found) if readable else [None]:
            if target and not target.ended:
                remark(f"note: the target of {quoted(text)} was cut off, because the model did not end it.")
            if as_json:
                figures = {"target": target and target.text, "logprob": target and target.logprob, "unknown": unknown}
                answer.json({"source": text, **figures})
            elif target is None:
                answer.line("")
            else:
                answer.line(target.text if beam is None else f"{target.logprob:9.4f}  {target.text}")
