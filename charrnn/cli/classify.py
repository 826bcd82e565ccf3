"""`charrnn classify`: the likeliest labels of texts."""

import json
from math import exp

import click

from charrnn.checks import check_int
from charrnn.cli.inputs import lines_of, report_unknown_characters
from charrnn.cli.options import MODEL, GroupedCommand, option
from charrnn.display.terminal import Answer
from charrnn.errors import UsageError

BEST = 3


@click.command(cls=GroupedCommand)
@click.argument("texts", metavar="TEXT...", nargs=-1, type=str)
@option("-m", "--model", metavar="FILE", default=MODEL, help="The model file, trained with --labelled.")
@option(
    "--weights",
    type=click.Choice(("best", "last")),
    default="best",
    help="The weights with the best held-out loss, or the last ones.",
)
@option("--best", metavar="N", type=int, default=BEST, help="How many labels to show of each text.")
@option("--json", "as_json", is_flag=True, show_default=False, help="One JSON object a text, with all labels.")
def classify(texts: tuple[str, ...], model: str, weights: str, best: int, as_json: bool) -> None:
    """Tell the label of each TEXT, or with - of each line of standard input.

    A model that was trained to write by label tells labels, too, by Bayes' rule.
    """
    check_int("best", best, 1)
    if not texts:
        raise UsageError("name a text: charrnn classify TEXT, or - for the lines of standard input.")
    from charrnn.checkpoint.model import load
    from charrnn.evaluation.classification import classify as probabilities
    from charrnn.evaluation.classification import tells_labels

    loaded = load(model, weights)
    labels, lines, answer = tells_labels(loaded), lines_of(texts), Answer()
    report_unknown_characters(loaded, lines)
    for line, logs in zip(lines, probabilities(loaded, lines), strict=True):
        ranked = [(labels[k], float(logs[k])) for k in (-logs).argsort(kind="stable").tolist()]
        if as_json:
            answer.line(json.dumps({"text": line, "labels": {label: exp(log) for label, log in ranked}}))
        else:
            shown = ", ".join(f"{label} {exp(log):.1%}" for label, log in ranked[:best])
            answer.line(f"{line}\t{shown}")
