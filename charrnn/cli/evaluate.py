"""`charrnn eval`: how well models predict a text, in units that can be compared."""

import json
from typing import TYPE_CHECKING, Any

import click

from charrnn.cli.common import MODEL, GroupedCommand, notes, option
from charrnn.errors import TextError
from charrnn.show.terminal import Answer, remark

if TYPE_CHECKING:
    from charrnn.checkpoint import Model
    from charrnn.evaluation import Score
    from charrnn.text.corpus import Corpus, Segment


@click.command("eval", cls=GroupedCommand)
@click.argument("texts", metavar="[TEXT...]", nargs=-1, type=str)
@option(
    "-m",
    "--model",
    "models",
    metavar="FILE",
    multiple=True,
    default=[MODEL],
    help="A model file; several give a table, the best first.",
)
@option(
    "--weights",
    type=click.Choice(("best", "last")),
    default="best",
    help="The weights with the best held-out loss, or the last ones.",
)
@option(
    "--all",
    "whole",
    is_flag=True,
    show_default=False,
    help="Score all of a text that the model was trained on, not only its held-out part.",
)
@option("--encoding", show_default=False, help="Encoding of TEXT.  [default: that of the training]")
@option("--json", "as_json", is_flag=True, show_default=False, help="One JSON object a model.")
def evaluate(
    texts: tuple[str, ...],
    models: tuple[str, ...],
    weights: str,
    whole: bool,
    encoding: str | None,
    as_json: bool,
) -> None:
    """Score models on TEXT, or on the text that they were trained on.

    Of that text only the part that was held out is scored, unless --all is given.
    """
    from charrnn.checkpoint import load
    from charrnn.evaluation import evaluate as score

    answer = Answer()
    rows: list[tuple[str, Model, Score, dict[str, Any]]] = []
    for path in models:
        model = load(path, weights)
        corpus = read(path, model, texts, encoding)
        segments, part = scored(path, model, corpus, whole)
        found = score(model, corpus, segments)
        rows.append((path, model, found, {"text": list(corpus.names), "part": part}))
        report_unknown(path, corpus)
    rows.sort(key=lambda row: row[2].bits_per_char)
    if as_json:
        for path, _, found, extra in rows:
            answer.line(json.dumps({"model": path, **extra, **figures(found)}))
        return
    from charrnn.show.tables import scores, show

    lines = [(path, model, found) for path, model, found, _ in rows]
    show(answer, lambda out: scores(out, lines))


def figures(score: "Score") -> dict[str, float]:
    names = ("nats", "bits_per_char", "bits_per_byte", "perplexity", "accuracy", "chars")
    return {name: getattr(score, name) for name in names}


def read(path: str, model: "Model", texts: tuple[str, ...], encoding: str | None) -> "Corpus":
    from charrnn.options import Options
    from charrnn.text.corpus import Corpus

    recorded = model.run.texts if model.run else ()
    if not texts and (not recorded or "-" in recorded):
        raise TextError(f"{path} does not say which file it was trained on: name the text to score.")
    encoding = encoding or (model.run.options.encoding if model.run else "utf-8")
    Options(encoding=encoding)  # refuses an encoding that there is not
    corpus = Corpus.read(texts or recorded, model.vocab.unit, encoding, model.vocab)
    notes(corpus.notes)
    return corpus


def scored(path: str, model: "Model", corpus: "Corpus", whole: bool) -> "tuple[list[Segment], str]":
    """What of the text to score, and its name."""
    run = model.run
    if run is None or run.sha256 != corpus.sha256:
        return corpus.segments, "all"
    if whole:
        return corpus.segments, "all"
    _, held_out = corpus.split(run.options.val_fraction)
    if not held_out:
        remark(f"note: {path} was trained on all of {corpus.label}, and all of it is scored.")
        return corpus.segments, "all"
    remark(f"note: {path} was trained on {corpus.label}: its held-out part is scored (--all for all of it).")
    return held_out, "held-out"


def report_unknown(path: str, corpus: "Corpus") -> None:
    if corpus.unknown:
        number, kinds = sum(corpus.unknown.values()), len(corpus.unknown)
        first = ", ".join(f"{symbol!r}" for symbol in list(corpus.unknown)[:5])
        remark(
            f"note: {number:,} symbols ({kinds:,} distinct: {first}{', ...' if kinds > 5 else ''}) "
            f"that {path} has never seen are left out."
        )
