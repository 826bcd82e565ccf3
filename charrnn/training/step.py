"""One step of truncated BPTT for a shard of the streams, and the update of a shard of the weights."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from charrnn.arrays import LINE, Array
from charrnn.nn.dropout import Dropout
from charrnn.nn.fast import engine
from charrnn.nn.loss import cross_entropy
from charrnn.nn.optim import CHUNK, Optimizer, squares
from charrnn.nn.params import Config, Params
from charrnn.text.batches import Batch

# orders: a window, by what becomes of the state before it; and what comes after all have learned from one
CARRY_ON, RESET, LOAD, ADD, UPDATE = range(5)


def shares(streams: int, workers: int) -> list[slice]:
    """The streams of each worker: as equal as can be."""
    return [slice(a, b) for a, b in pairwise([streams * k // workers for k in range(workers + 1)])]


def parts(weights: int, workers: int) -> list[slice]:
    """The weights that each worker updates: whole lines of the cache, as equally many as can be."""
    floats = LINE // 4
    lines = -(-weights // floats)
    return [slice(part.start * floats, min(part.stop * floats, weights)) for part in shares(lines, workers)]


class Share:
    """Forward and backward for some of the streams; its loss and gradients are parts of the whole batch's mean."""

    def __init__(
        self,
        config: Config,
        params: Params,
        grads: Params,
        steps: int,
        streams: slice,
        dropout: float,
        seed: int,
    ) -> None:
        self.streams, self.grads = streams, grads
        self.network = engine.network(config, params, steps, streams.stop - streams.start, training=True)
        self.dropout = Dropout(dropout, seed, config.layers, steps, config.hidden_size, streams)

    def learn(self, batch: Batch, step: int, what: int, state: dict[str, Array]) -> float:
        """The loss of this share of the batch (of all streams); the gradients are in `grads` then.

        `what` is to be done first about the carried-in state; `state` is that of these streams, to LOAD.
        """
        if what == RESET:
            self.network.reset()
        elif what == LOAD:
            self.network.set_state(state)
        inputs, targets, scored, fresh = batch.of(self.streams)
        self.network.pack()
        logits = self.network.forward(inputs, self.dropout.masks(step), fresh)
        loss = cross_entropy(logits, targets, batch.symbols, scored)
        self.network.backward(inputs, logits, self.grads)
        self.network.carry()
        return loss


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


def weights(config: Config) -> int:
    return sum(int(np.prod(shape)) for shape in config.shapes.values())
