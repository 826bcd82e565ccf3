"""`charrnn eval`: how well models predict a text, in units that can be compared."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from charrnn.cli.baselines import BaselineComparison
from charrnn.cli.eval_examples import grade
from charrnn.cli.inputs import TextInput, load_model, report_unknown
from charrnn.cli.options import (
    command,
    encoding_option,
    json_option,
    model_argument,
    models_option,
    ngram_option,
    option,
    texts_argument,
    weights_option,
)
from charrnn.display.terminal import Answer, remark
from charrnn.errors import UsageError

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.evaluation.score import Score
    from charrnn.evaluation.verdict import Comparison

MANY = 20_000  # symbols; to adapt to a longer text takes a while


@dataclass(frozen=True)
class Row:
    """The score of a model on (a part of) a text, and its comparison with the baselines, if that was asked for.

    `unknown` counts the symbols of the text that were skipped; `dynamic`: the weights adapted to it.
    """

    path: str
    model: "Model"
    score: "Score"
    texts: tuple[str, ...]
    part: str
    sha256: str
    unknown: dict[str, int]
    comparison: "Comparison | None"
    dynamic: bool

    def as_dict(self) -> dict[str, Any]:
        more = self.comparison.as_dict() if self.comparison else {"dynamic": True} if self.dynamic else {}
        return {"model": self.path, "text": list(self.texts), "part": self.part, **figures(self.score), **more}


@command("eval")
@texts_argument(metavar="[TEXT...]")
@models_option(help="Model file; repeat to compare several in a table, the best first.")
@weights_option()
@ngram_option()
@option("--all", "whole", is_flag=True, help="Use all of the training text, not only its validation split.")
@option(
    "--baselines",
    "compare",
    is_flag=True,
    help="Compare with baselines (uniform, unigram, n-gram, xz) and suggest what to try next.",
)
@option("--dynamic", is_flag=True, help="Adapt the weights to the text while it is scored; the model does not change.")
@encoding_option()
@json_option(help="Write one JSON object per model to stdout.")
def evaluate(
    texts: tuple[str, ...],
    models: tuple[str, ...],
    weights: str,
    no_ngram: bool,
    whole: bool,
    compare: bool,
    dynamic: bool,
    encoding: str | None,
    as_json: bool,
) -> None:
    """Measure how well models predict a text.

    Without TEXT, the validation split of the model's training text is used.
    """
    answer = Answer()
    if compare and whole:
        raise UsageError("--baselines needs text that a model was not trained on: leave --all out.")
    if compare and dynamic:
        raise UsageError("--baselines needs the weights as they were trained: leave --dynamic out.")
    first = load_model(models[0], weights, no_ngram)
    used, missing = ("graded", "the examples") if first.task else ("scored", "the text to score")
    advice = f"name {missing}: charrnn eval TEXT{model_argument(*models)}"
    reader = TextInput(texts, encoding, whole, used, advice)
    if first.task:
        if len(models) > 1 or compare or dynamic:
            options = "--baselines and --dynamic"
            raise UsageError(f"{models[0]} was trained on examples: grade it alone, without {options}.")
        return grade(models[0], first, reader, as_json)
    own = replace(reader, texts=(), encoding=None)
    comparison = BaselineComparison(own.corpus) if compare else None
    scored = scored_rows(models, first, weights, no_ngram, reader, comparison, dynamic)
    rows = sorted(scored, key=lambda row: row.score.bits_per_char)
    different = difference(rows)
    if different:
        remark(f"warning: the models were scored on different {different}: their scores cannot be compared.")
    if as_json:
        for row in rows:
            answer.json(row.as_dict())
    else:
        show_table(answer, rows, comparable=not different)


def scored_rows(
    paths: tuple[str, ...],
    first: "Model",
    weights: str,
    no_ngram: bool,
    reader: TextInput,
    comparison: BaselineComparison | None,
    dynamic: bool,
) -> Iterator[Row]:
    """Scores models one after another, so that only one of them is in memory; `first` is loaded already."""
    from charrnn.evaluation.dynamic import evaluate_dynamic
    from charrnn.evaluation.score import evaluate

    for k, path in enumerate(paths):
        model = load_model(path, weights, no_ngram) if k else first
        if dynamic:
            if model.ngram and model.config.layers:
                remark(f"note: {path} is scored without its n-gram model, which does not adapt.")
            model = model.of_network()
        corpus = reader.corpus(path, model)
        segments, part = reader.segments(path, model, corpus)
        if dynamic and (symbols := sum(map(len, segments))) > MANY:
            remark(f"Adapting the weights of {path} to {symbols:,} symbols, one after another ...")
        result = (evaluate_dynamic if dynamic else evaluate)(model, corpus, segments)
        report_unknown(path, corpus.unknown)
        compared = comparison(path, model, corpus, segments, result) if comparison else None
        names = reader.texts or corpus.names
        yield Row(path, model, result, names, part, corpus.sha256, corpus.unknown, compared, dynamic)


def show_table(answer: Answer, rows: list[Row], comparable: bool) -> None:
    from charrnn.display.console import show
    from charrnn.display.evaluation import comparison, scores

    compared = [(row.path, row.model, row.score, row.comparison) for row in rows if row.comparison]
    if compared:
        show(answer, lambda out: comparison(out, compared))
        return
    lines, parts = [(row.path, row.model, row.score) for row in rows], [row.part for row in rows]
    show(answer, lambda out: scores(out, lines, parts, comparable))


def difference(rows: list[Row]) -> str:
    """What differs between the texts that the models were scored on; empty if nothing does."""
    aspects: dict[str, list[object]] = {
        "texts": [row.sha256 for row in rows],
        "parts of the text": [row.part for row in rows],
        "characters of the text": [(row.unknown, row.score.chars) for row in rows],
    }
    return next((name for name, values in aspects.items() if any(value != values[0] for value in values)), "")


def figures(score: "Score") -> dict[str, float | None]:
    """The figures for JSON, which has no infinity (a perplexity can exceed the largest float)."""
    names = ("nats", "bits_per_char", "bits_per_byte", "perplexity", "accuracy", "chars")
    values = {name: getattr(score, name) for name in names}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
