"""Exact match, character error rate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from charrnn.checkpoint.model import Model
from charrnn.evaluation.classification import WORST
from charrnn.sampling.conditional import answers
from charrnn.text.examples import Example


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
