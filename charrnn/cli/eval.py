"""`charrnn eval`: how well models predict a text, in units that can be compared."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from charrnn.cli.baselines import Judge
from charrnn.cli.eval_examples import graded
from charrnn.cli.options import MODEL, GroupedCommand, option
from charrnn.display.terminal import Answer, remark
from charrnn.errors import UsageError

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.evaluation.score import Score
    from charrnn.evaluation.verdict import Judged
    from charrnn.text.corpus import Corpus, Segment
from charrnn.cli.inputs import Spool, read, report_unknown


@dataclass(frozen=True)
class Row:
    """A model's score, what it was scored on, and how it was judged where that was asked for.

    `unknown` are the characters of the text that were left out.
    """

    path: str
    model: "Model"
    score: "Score"
    texts: tuple[str, ...]
    part: str
    sha256: str
    unknown: dict[str, int]
    judged: "Judged | None"

    def as_dict(self) -> dict[str, Any]:
        more = self.judged.as_dict() if self.judged else {}
        return {"model": self.path, "text": list(self.texts), "part": self.part, **figures(self.score), **more}


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
@option(
    "--baselines",
    "compared",
    is_flag=True,
    show_default=False,
    help="Beside uniform, unigram, the best n-gram and xz, and what to try next.",
)
@option("--encoding", show_default=False, help="Encoding of TEXT.  [default: that of the training]")
@option("--json", "as_json", is_flag=True, show_default=False, help="One JSON object a model.")
def evaluate(
    texts: tuple[str, ...],
    models: tuple[str, ...],
    weights: str,
    whole: bool,
    compared: bool,
    encoding: str | None,
    as_json: bool,
) -> None:
    """Score models on TEXT, or on the text that they were trained on.

    Of that text only the part that was held out is scored, unless --all is given.
    """
    answer = Answer()
    if compared and whole:
        raise UsageError("--baselines is about text that was held out, and --all is not: leave one of them out.")
    from charrnn.checkpoint.model import load

    first = load(models[0], weights)
    if first.task:
        if len(models) > 1 or compared:
            raise UsageError(f"{models[0]} was trained on examples: it is graded by itself, without --baselines.")
        return graded(models[0], first, texts, encoding, whole, as_json)
    loaded = chain([first], (load(path, weights) for path in models[1:]))
    with Spool() as spool:
        judge = Judge(lambda path, model: read(path, model, spool, (), None)) if compared else None
        rows = [
            scored_row(path, model, spool, texts, encoding, whole, judge)
            for path, model in zip(models, loaded, strict=True)
        ]
    rows.sort(key=lambda row: row.score.bits_per_char)
    different = difference(rows)
    if different:
        remark(f"warning: the models were scored on different {different}: their figures cannot be compared.")
    if as_json:
        for row in rows:
            answer.line(json.dumps(row.as_dict()))
        return
    if compared:
        from charrnn.display.console import show
        from charrnn.display.evaluation import comparison

        standings = [(row.path, row.model, row.score, row.judged) for row in rows if row.judged]
        show(answer, lambda out: comparison(out, standings))
        return
    from charrnn.display.console import show
    from charrnn.display.evaluation import scores

    lines, parts = [(row.path, row.model, row.score) for row in rows], [row.part for row in rows]
    show(answer, lambda out: scores(out, lines, parts, comparable=not different))


def scored_row(
    path: str,
    model: "Model",
    spool: "Spool",
    texts: tuple[str, ...],
    encoding: str | None,
    whole: bool,
    judge: Judge | None,
) -> Row:
    """Reads the text of a model, and scores the one on the other."""
    from charrnn.evaluation.score import evaluate as score

    corpus = read(path, model, spool, texts, encoding)
    segments, part = scored(path, model, corpus, whole, bool(texts))
    found = score(model, corpus, segments)
    report_unknown(path, corpus)
    names = texts or (model.run.texts if model.run else ())
    judged = judge(path, model, corpus, segments, found) if judge else None
    return Row(path, model, found, tuple(names), part, corpus.sha256, corpus.unknown, judged)


def difference(rows: list[Row]) -> str:
    """In what the texts differ that the models were scored on; empty where they are the same."""
    kinds: tuple[tuple[str, Callable[[Row], object]], ...] = (
        ("texts", lambda row: row.sha256),
        ("parts of the text", lambda row: row.part),
        ("characters of the text", lambda row: (row.unknown, row.score.chars)),
    )
    for words, of in kinds:
        if any(of(row) != of(rows[0]) for row in rows):
            return words
    return ""


def figures(score: "Score") -> dict[str, float | None]:
    """The figures for JSON, which has no infinity (a perplexity can be too large for a number)."""
    names = ("nats", "bits_per_char", "bits_per_byte", "perplexity", "accuracy", "chars")
    values = {name: getattr(score, name) for name in names}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def scored(path: str, model: "Model", corpus: "Corpus", whole: bool, named: bool) -> "tuple[list[Segment], str]":
    """What of the text to score, and its name; `named` says that the user chose the text."""
    run = model.run
    if run is None:
        return corpus.segments, "all"
    if run.sha256 != corpus.sha256:
        if not named:
            remark(f"note: {corpus.label} has changed since the training: all of it is scored.")
        return corpus.segments, "all"
    if whole:
        return corpus.segments, "all"
    _, held_out = corpus.split(run.options.val_fraction)
    if not held_out:
        remark(f"note: {path} was trained on all of {corpus.label}, and all of it is scored.")
        return corpus.segments, "all"
    remark(f"note: {path} was trained on {corpus.label}: its held-out part is scored (--all for all of it).")
    return held_out, "held-out"
