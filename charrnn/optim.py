"""Optimizers on flat vectors, clipping by norm, and learning-rate schedules.

An optimizer keeps its vectors in `state`, by name; they are saved and resumed with no more code.
"""

from collections.abc import Sequence

from charrnn.arrays import Array
from charrnn.nn.optim import CHUNK, Optimizer, squares


class Part:
    """Some of the weights, which one process updates: it adds the gradients of all shares of the batch to `grads`."""

    def __init__(self, optimizer: Optimizer, params: Array, grads: Array, others: Sequence[Array] = ()) -> None:
        self.optimizer, self.params, self.grads, self.others = optimizer, params, grads, others

    def add(self) -> float:
        """Adds the others' gradients, in their order; the sum of the squares of what comes of it."""
        total = 0.0
        for begin in range(0, len(self.grads), CHUNK):
            part = slice(begin, begin + CHUNK)
            mine = self.grads[part]
            for other in self.others:
                mine += other[part]
            total += squares(mine)
        return total

    def update(self, lr: float, step: int, weight_decay: float, scale: float) -> int:
        """One step of the optimizer, with what `Optimizer.update` returns."""
        return self.optimizer.update(self.params, self.grads, lr, step, weight_decay, scale)
