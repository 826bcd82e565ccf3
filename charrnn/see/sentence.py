"""Sentences that interpret a figure: how they name models, and their form."""

import math
from collections.abc import Sequence

from charrnn.checkpoint.model import Model


def model_names(models: Sequence[tuple[str, Model]]) -> list[str]:
    """Names for models in a sentence: their cells if these differ, else their files."""
    cells = [f"the {model.config.cell.upper()}" for _, model in models]
    return cells if len(set(cells)) == len(cells) else [path for path, _ in models]


def characters(n: int) -> str:
    return f"{n:,} character{'s' * (n != 1)}"


def finite(value: float) -> float | None:
    """The number for JSON, which has no infinity and no NaN."""
    return value if math.isfinite(value) else None


def sentence(clause: str) -> str:
    """The clause as a sentence; a file name at its start keeps its case."""
    first = clause.split(" ", 1)[0]
    return f"{clause[0].upper() if first in ('the', 'context') else clause[0]}{clause[1:]}."
