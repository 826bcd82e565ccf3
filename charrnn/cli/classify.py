"""`charrnn classify`: the most likely labels of texts."""

from math import exp

import click

from charrnn.checks import check_int
from charrnn.cli.options import command, json_option, model_option, option, weights_option
from charrnn.cli.typed import typed_texts
from charrnn.display.terminal import Answer
from charrnn.errors import UsageError

BEST = 3
NEWLINE, SHOWN = "\n", "\u240a"  # an answer is one line
NOTHING = "no known symbol"  # instead of labels


@command()
@click.argument("texts", metavar="TEXT...", nargs=-1, type=str)
@model_option(help="Model file, trained with --labelled, or :names (built in).")
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
    import numpy as np

    from charrnn.checkpoint.model import load
    from charrnn.evaluation.classification import classify as log_probabilities
    from charrnn.evaluation.classification import labels_of

    loaded = load(model, weights)
    labels, answer = labels_of(loaded), Answer()
    lines = typed_texts(model, loaded, texts, "text", "label")
    found = iter(log_probabilities(loaded, [line.text for line in lines if line.known]))
    for text, known, unknown in lines:
        logs = next(found) if known else np.empty(0)
        ranked = [(labels[k], exp(logs[k])) for k in (-logs).argsort(kind="stable").tolist()]
        if as_json:
            answer.json({"text": text, "labels": dict(ranked) or None, "unknown": unknown})
        else:
            shares = ", ".join(f"{label} {p:.1%}" for label, p in ranked[:best])
            answer.line(f"{text.replace(NEWLINE, SHOWN)}\t{shares or NOTHING}")
