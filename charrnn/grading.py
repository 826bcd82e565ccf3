"""How good a model of examples is: labels that are right, targets that are right, and what it gets wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoint.model import Model
from charrnn.sampling.conditional import answers
from charrnn.shapes import classify, tells_labels
from charrnn.text.examples import Example

WORST = 10  # mistakes that are kept


@dataclass(frozen=True)
class Labelled:
    """`confusion` (L, L): examples of a label (row) that were given one (column); `mistakes` the most confident ones,
    as (text, label, given, p(given)). `f1` is the mean over the labels that have examples (macro-F1).
    """

    labels: tuple[str, ...]
    confusion: NDArray[np.int64]
    mistakes: list[tuple[str, str, str, float]]

    @property
    def examples(self) -> int:
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        return int(np.trace(self.confusion)) / self.examples

    @property
    def error(self) -> float:
        """The standard error of the accuracy."""
        return float(np.sqrt(self.accuracy * (1.0 - self.accuracy) / self.examples))

    @property
    def f1(self) -> float:
        right, rows, columns = np.diag(self.confusion), self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        there = rows > 0
        return float((2.0 * right[there] / (rows + columns)[there]).mean())


@dataclass(frozen=True)
class Paired:
    """`exact` of `examples` targets are right; `edits` single symbols would have to be changed, of `symbols` in all.

    `worst` are the pairs with the most edits, as (source, target, written, edits).
    """

    examples: int
    exact: int
    edits: int
    symbols: int
    worst: list[tuple[str, str, str, int]]

    @property
    def accuracy(self) -> float:
        return self.exact / self.examples

    @property
    def error(self) -> float:
        """The standard error of the share that is exact."""
        return float(np.sqrt(self.accuracy * (1.0 - self.accuracy) / self.examples))

    @property
    def error_rate(self) -> float:
        """Edits a symbol of the targets."""
        return self.edits / self.symbols


def grade_labels(model: Model, rows: Sequence[Example]) -> Labelled:
    """How well a model tells the labels of examples (label, text); all labels have to be the model's."""
    labels = tells_labels(model)
    place = {label: k for k, label in enumerate(labels)}
    wanted = np.array([place[label] for label, _ in rows])
    logs = classify(model, [text for _, text in rows])
    given, confusion = logs.argmax(axis=1), np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (wanted, given), 1)
    wrong = [k for k in np.argsort(-logs.max(axis=1), kind="stable").tolist() if wanted[k] != given[k]]
    mistakes = [(rows[k][1], rows[k][0], labels[given[k]], float(np.exp(logs[k].max()))) for k in wrong[:WORST]]
    return Labelled(labels, confusion, mistakes)


def grade_pairs(model: Model, rows: Sequence[Example]) -> Paired:
    """How well a model writes the targets of examples (source, target)."""
    found = answers(model, [source for source, _ in rows])
    all_edits = [distance(target, one.text) for (_, target), one in zip(rows, found, strict=True)]
    order = sorted(range(len(rows)), key=lambda k: -all_edits[k])
    worst = [(*rows[k], found[k].text, all_edits[k]) for k in order[:WORST] if all_edits[k]]
    return Paired(len(rows), all_edits.count(0), sum(all_edits), sum(len(target) for _, target in rows), worst)


def distance(one: str, other: str) -> int:
    """The fewest characters to insert, leave out or replace that make one text the other (Levenshtein)."""
    if one == other:
        return 0
    row = list(range(len(other) + 1))
    for k, a in enumerate(one, 1):
        before, row[0] = row[0], k
        for i, b in enumerate(other, 1):
            before, row[i] = row[i], min(row[i] + 1, row[i - 1] + 1, before + (a != b))
    return row[-1]
