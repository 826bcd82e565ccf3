"""The verdict on a model of examples: its answers on the validation split, compared with the simplest ones."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from charrnn.arrays import ceil_div
from charrnn.checkpoint.model import Model
from charrnn.evaluation.baselines import compute_baselines
from charrnn.evaluation.classification import grade_labels
from charrnn.evaluation.pairs import grade_pairs
from charrnn.evaluation.score import Scorer
from charrnn.evaluation.verdict import FitSummary, advice, fit_of_run, problem, verdict
from charrnn.text.corpus import Corpus
from charrnn.text.examples import Examples
from charrnn.text.tasks import Example

MOST = 200  # examples that are graded
FEW = 1000  # examples
NEARLY_ALL = 0.99


@dataclass(frozen=True)
class Graded:
    """The `figures` of a model on examples, by name, and the verdict in words."""

    figures: dict[str, float]
    verdict: str

    def as_dict(self) -> dict[str, Any]:
        return {**self.figures, "verdict": self.verdict}


def graded(model: Model, examples: Examples) -> Graded | None:
    """Grades a model on at most `MOST` examples of the validation split of its run; None if there are none."""
    run = model.run
    train, held = examples.split(run.options.val_fraction, run.options.seed) if run else ([], [])
    if not held or not run or run.best_loss is None:
        return None
    scorer, seen = Scorer(model), spread(train, len(held))
    fit = fit_of_run(model, scorer.score(examples.numbered(seen)).nats, run.best_loss, len(train))
    if examples.task.kind == "generate":
        return compared(model, examples, train, held, scorer, fit)
    rows, pairs = spread(held, MOST), examples.task.kind == "pairs"
    known = Counter(target if pairs else label for label, target in train)
    simplest = known.most_common(1)[0][0]
    simple = sum(row[1 if pairs else 0] == simplest for row in rows) / len(rows)
    figures: dict[str, float]
    if pairs:
        found = grade_pairs(model, rows)
        right = found.accuracy
        figures = {"examples": len(rows), "exact": right, "character_error_rate": found.error_rate}
        answers = f"Exact on {found.exact:,} of {len(rows):,} validation pairs ({right:.1%}"
        errors = "above 100%" if found.error_rate > 1.0 else f"{found.error_rate:.1%}"
        sentence = f"{answers}, character error rate {errors}); the most frequent target: {simple:.1%}."
    else:
        right = grade_labels(model, rows).accuracy
        figures = {"examples": len(rows), "accuracy": right}
        answers = f"Correct for {round(right * len(rows)):,} of {len(rows):,} validation examples ({right:.1%})"
        sentence = f"{answers}; the most frequent label, {simplest}: {simple:.1%}."
    figures["most_frequent"] = simple
    more = "" if right >= NEARLY_ALL else f" {what_to_try(fit, right <= simple, len(train))}"
    return Graded(figures, sentence + more)


def what_to_try(fit: FitSummary, nothing_learned: bool, examples: int) -> str:
    small = f"There are few training examples ({examples:,}): more of them would help most." if examples < FEW else ""
    return problem(fit, True, nothing_learned and examples >= FEW) or advice(fit, "examples", small)


def compared(
    model: Model, examples: Examples, train: list[Example], held: list[Example], scorer: Scorer, fit: FitSummary
) -> Graded:
    """Compares a model that generates text by label with the baselines, which ignore the labels."""
    before, corpus = (
        Corpus.from_text("".join(f"{text}\n" for _, text in rows), model.vocab.unit, model.vocab)
        for rows in (train, held)
    )
    baselines = compute_baselines(before.ids, corpus, corpus.segments)
    bits = scorer.score(examples.numbered(held)).total / math.log(2) / corpus.count_chars(corpus.segments)
    figures = {"bits_per_char": bits, "ngram": baselines.best.bits_per_char, "unigram": baselines.unigram.bits_per_char}
    fitted = replace(fit, symbols=len(before.ids)) if model.config.layers else None
    return Graded(figures, verdict(bits, baselines, fitted))


def spread(rows: Sequence[Example], most: int) -> Sequence[Example]:
    """At most this number of examples, at equal distances."""
    return rows[:: max(1, ceil_div(len(rows), most))]
