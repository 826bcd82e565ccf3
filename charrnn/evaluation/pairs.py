"""Pairs: how often a generated target is exact, and how many characters of it are wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

from charrnn.checkpoint.model import Model
from charrnn.errors import UsageError
from charrnn.evaluation.classification import WORST, Grade
from charrnn.sampling.conditional import answers
from charrnn.text.tasks import Example


@dataclass(frozen=True)
class Paired(Grade):
    """Graded pairs: `edits` is the sum of the edit distances, `symbols` that of the lengths of the targets.

    `worst` are the pairs with the most edits, as (source, target, generated, edits).
    """

    edits: int
    symbols: int
    worst: list[tuple[str, str, str, int]]

    @property
    def error_rate(self) -> float:
        """The character error rate: edits per symbol of the targets."""
        return self.edits / self.symbols


def grade_pairs(model: Model, rows: Sequence[Example]) -> Paired:
    """Compares the targets of examples (source, target) with those that a model generates.

    Raises UsageError if there are none, or the model is not one of pairs.
    """
    if not rows:
        raise UsageError("there are no examples to grade.")
    generated = [answer.text for answer in answers(model, [source for source, _ in rows])]
    edits = [distance(target, text) for (_, target), text in zip(rows, generated, strict=True)]
    order = sorted(range(len(rows)), key=lambda k: -edits[k])
    worst = [(*rows[k], generated[k], edits[k]) for k in order[:WORST] if edits[k]]
    return Paired(len(rows), edits.count(0), sum(edits), sum(len(target) for _, target in rows), worst)


def distance(one: str, other: str) -> int:
    """The edit distance: the least number of insertions, deletions and replacements (Levenshtein 1966)."""
    if one == other:
        return 0
    row = list(range(len(other) + 1))
    for k, a in enumerate(one, 1):
        before, row[0] = row[0], k
        for i, b in enumerate(other, 1):
            before, row[i] = row[i], min(row[i] + 1, row[i - 1] + 1, before + (a != b))
    return row[-1]
