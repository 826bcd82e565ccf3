"""One step of truncated BPTT for a shard of the streams, and the update of a shard of the weights.

`StreamShard.run` is the heart of the training; the other files of this room decide when it runs, and in which process.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from itertools import pairwise

from charrnn.arrays import LINE, Array, RandomStream, ceil_div
from charrnn.nn.dropout import Dropout
from charrnn.nn.fast import engine
from charrnn.nn.fast.weights import PackedWeights
from charrnn.nn.loss import cross_entropy
from charrnn.nn.optim import CHUNK, Optimizer, Status, squares
from charrnn.nn.params import Config, Params
from charrnn.text.batches import Batch


@dataclass(frozen=True)
class Job:
    """The sizes and settings that every worker needs: windows are (steps, streams); `masked` batches have a loss mask
    and a reset mask. `workers` are those of the process of this `rank`; there are as many in each of the `ranks`.
    """

    config: Config
    steps: int
    streams: int
    workers: int
    dropout: float
    recurrent_dropout: float
    activation_regularisation: float
    seed: int
    optimizer: str
    masked: bool
    engine: str
    rank: int = 0
    ranks: int = 1

    @property
    def processes(self) -> int:
        """The workers of all ranks, each with a shard of the streams."""
        return self.ranks * self.workers

    @property
    def weights(self) -> int:
        return sum(map(math.prod, self.config.shapes.values()))

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> "Job":
        values = json.loads(text)
        return cls(**{**values, "config": Config(**values["config"])})


class Phase(IntEnum):
    """The parts of a step, which all workers run at the same time: PACK, a window from one of three states, ADD,
    UPDATE.
    """

    CARRY = 0  # from the state at the end of the window before
    RESET = 1  # from the zero state
    LOAD = 2  # from the saved state: at the start of a resumed run, and after an interrupted step
    ADD = 3  # add up the gradients of all workers
    UPDATE = 4  # update the weights
    PACK = 5  # copy the weights into the blocks that the network multiplies with


def stream_shards(streams: int, workers: int) -> list[slice]:
    """The streams of each worker, as evenly as possible."""
    return [slice(a, b) for a, b in pairwise([streams * k // workers for k in range(workers + 1)])]


def param_shards(weights: int, workers: int) -> list[slice]:
    """The weights that each worker updates: whole cache lines, as evenly as possible."""
    floats = LINE // 4
    lines = stream_shards(ceil_div(weights, floats), workers)
    return [slice(shard.start * floats, min(shard.stop * floats, weights)) for shard in lines]


class StreamShard:
    """Forward and backward pass for some of the streams; loss and gradients are its part of the batch's mean.

    The gradients include activation regularisation, the loss is the cross entropy alone.
    """

    def __init__(self, job: Job, streams: slice, params: Params, grads: Params, packed: PackedWeights | None) -> None:
        self.streams, self.params, self.grads = streams, params, grads
        size = streams.stop - streams.start
        self.network = engine.network(job.config, params, job.steps, size, True, job.engine, packed)
        layers, H = job.config.layers, job.config.hidden_size
        self.dropout = Dropout(job.dropout, job.seed, layers, job.steps, H, streams)
        self.recurrent_dropout = Dropout(
            job.recurrent_dropout, job.seed, layers, 1, H, streams, RandomStream.RECURRENT_DROPOUT
        )
        # the gradient of activation_regularisation * mean(y²) is alpha * y; the mean is over all steps of all streams
        self.alpha = 2.0 * job.activation_regularisation / (job.steps * job.streams * H)

    def run(self, batch: Batch, step: int, start: Phase, saved: dict[str, Array]) -> float:
        """One window of truncated backpropagation through time: returns the loss and leaves the gradients in `grads`.

        `batch` has the streams of all shards, `saved` the state of these streams (layers, B, H) for `Phase.LOAD`.
        """
        network = self.network
        if start == Phase.RESET:
            network.reset()
        elif start == Phase.LOAD:
            network.set_state(saved)
        inputs, targets, loss_mask, reset_mask = batch.of(self.streams)
        masks, recurrent_masks = self.dropout.masks(step), self.recurrent_dropout.masks(step)
        logits = network.forward(inputs, masks, reset_mask, recurrent_masks)
        loss = cross_entropy(logits, targets, batch.symbols, loss_mask)  # turns the logits into their gradient
        network.backward(inputs, logits, self.grads, self.alpha)
        network.carry()
        return loss


class ParamShard:
    """Some of the weights, updated by one process. `grads` are its own gradients, `others` those of other workers."""

    def __init__(self, optimizer: Optimizer, params: Array, grads: Array, others: Sequence[Array] = ()) -> None:
        self.optimizer, self.params, self.grads, self.others = optimizer, params, grads, others

    def add(self) -> float:
        """Adds the others' gradients to `grads`, in a fixed order; returns the sum of the squares of the result."""
        total = 0.0
        for first in range(0, len(self.grads), CHUNK):
            chunk = slice(first, first + CHUNK)
            grads = self.grads[chunk]
            for other in self.others:
                grads += other[chunk]
            total += squares(grads)
        return total

    def update(self, lr: float, step: int, weight_decay: float, scale: float) -> Status:
        """One step of the optimizer, as in `Optimizer.update`."""
        return self.optimizer.update(self.params, self.grads, lr, step, weight_decay, scale)
