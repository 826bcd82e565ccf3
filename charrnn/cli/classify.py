"""`charrnn classify`: the most likely labels of texts."""

from math import exp

import click

from charrnn.checks import check_int
from charrnn.cli.inputs import lines_of, report_unknown, unknown_symbols
from charrnn.cli.options import command, json_option, model_option, option, weights_option
from charrnn.display.terminal import Answer
from charrnn.errors import UsageError

BEST = 3


@command()
@click.argument("texts", metavar="TEXT...", nargs=-1, type=str)
@model_option(help="Model file, trained with --labelled.")
@weights_option()
@option("--best", type=int, default=BEST, help="Show the N most likely labels of each text.")
@json_option(help="Write one JSON object per text, with all labels.")
def classify(texts: tuple[str, ...], model: str, weights: str, best: int, as_json: bool) -> None:
    """Print the most likely labels of texts.

    Classifies each TEXT, or with - each line of standard input. Models trained with --task generate classify by Bayes'
    rule.
    """
    check_int("best", best, 1)
    if not texts:
        raise UsageError("no text was given: charrnn classify TEXT, or - for the lines of standard input.")
    from charrnn.checkpoint.model import load
    from charrnn.evaluation.classification import classify as log_probabilities
    from charrnn.evaluation.classification import labels_of

    loaded = load(model, weights)
    labels, lines, answer = labels_of(loaded), lines_of(texts), Answer()
    report_unknown(model, unknown_symbols(loaded, lines))
    for line, logs in zip(lines, log_probabilities(loaded, lines), strict=True):
        ranked = [(labels[k], exp(logs[k])) for k in (-logs).argsort(kind="stable").tolist()]
        if as_json:
            answer.json({"text": line, "labels": dict(ranked)})
        else:
            answer.line(f"{line}\t" + ", ".join(f"{label} {p:.1%}" for label, p in ranked[:best]))
