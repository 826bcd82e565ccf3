"""One window for a network: what goes in, what is to come out, which steps carry a target, and which start afresh."""

from typing import NamedTuple

import numpy as np

from charrnn.arrays import Ids, Mask


class Batch(NamedTuple):
    """`inputs` and `targets` (T, B). `scored` (T, B) marks the steps that carry a target, `fresh` (T, B) those before
    which the state is cleared; None: all of them, and none.
    """

    inputs: Ids
    targets: Ids
    scored: Mask | None = None
    fresh: Mask | None = None

    @property
    def symbols(self) -> int:
        """How many targets there are; 1 where there are none, so that it can be divided by."""
        return self.targets.size if self.scored is None else max(1, int(np.count_nonzero(self.scored)))

    @property
    def scores(self) -> bool:
        """Whether any step carries a target: without one there is no loss."""
        return self.scored is None or bool(self.scored.any())

    def of(self, streams: slice) -> "Batch":
        """The part of these streams."""
        return Batch(*(None if part is None else part[:, streams] for part in self))  # type: ignore[arg-type]
