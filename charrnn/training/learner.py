"""The weights of a training, and how one step changes them: gradient by all workers, norm, clipping, update."""

import math
import time
from collections.abc import Callable

import numpy as np

from charrnn.arrays import Array
from charrnn.nn.optim import Status, clip_scale, norm
from charrnn.nn.params import Params
from charrnn.text.batches import Batch
from charrnn.training.step import Job, Phase
from charrnn.training.workers import WorkerPool


class Learner:
    """`params`, `grads` and their `norm`, the `vectors` of the optimizer, and `carried`: the states (layers, B, H)
    after the last complete step. It is independent of texts and schedules.
    """

    def __init__(self, job: Job) -> None:
        self.pool = WorkerPool(job)
        self.params, self.grads, self.norm = self.pool.params, self.pool.grads, 0.0
        self.vectors, self.carried = self.pool.vectors, self.pool.before
        self.next_start = Phase.RESET
        self.broken = False  # an update failed halfway: some weights are updated, others are not

    def load(self, weights: Params, optimizer: dict[str, Array], state: dict[str, Array]) -> None:
        """Continues from these weights, vectors of the optimizer, and carried states."""
        self.params.flat[:] = weights.flat
        for name, vector in self.vectors.items():
            vector[:] = optimizer[name]
        for name, values in self.carried.items():
            values[:] = state[name]
        self.next_start = Phase.LOAD

    def restart(self, weights: Params) -> None:
        """Continues from these weights, with a new optimizer and zero states."""
        self.params.flat[:] = weights.flat
        for values in (*self.vectors.values(), *self.carried.values()):
            values.fill(0.0)
        self.next_start = Phase.RESET

    def gradient(self, batch: Batch, step: int, reset: bool) -> float:
        """The loss of the batch; leaves its gradient, the sum of all shards, in `grads`, and its norm in `norm`."""
        start = Phase.RESET if reset else self.next_start
        self.next_start = Phase.LOAD  # unless this step is completed, the next one restores the carried states
        self.pool.set_batch(batch)
        own, *others = self.pool.broadcast(start, step)
        self.norm = math.sqrt(sum(self.pool.broadcast(Phase.ADD, step)))
        return own + sum(others)

    def average(self, average: Callable[[Array], None]) -> None:
        """Calls a function that averages `grads` with those of other processes, in place."""
        average(self.grads.flat)
        self.norm = norm(self.grads.flat)

    def update(self, lr: float, step: int, weight_decay: float, clip: float) -> Status:
        """The `step`-th step of the optimizer, with the gradient clipped to the norm `clip`; the worst status of all
        workers, as in `Optimizer.update`.
        """
        scale = clip_scale(self.norm, clip)
        try:
            return Status(int(max(self.pool.broadcast(Phase.UPDATE, step, lr, weight_decay, scale))))
        except Exception:  # a worker died, or this process has no memory left
            self.broken = True
            raise

    def commit(self) -> None:
        """Completes the step: the next one carries on from the states after it."""
        for name, values in self.carried.items():
            values[:] = self.pool.after[name]
        self.next_start = Phase.CARRY

    def probe(self, batch: Batch, clip: float, seconds: float) -> float:
        """Seconds per step on an undisturbed machine, measured before the first step; changes nothing."""
        times, started = list[float](), time.perf_counter()
        while len(times) < 3 or time.perf_counter() - started < seconds:
            start = time.perf_counter()
            self.gradient(batch, 1, reset=True)
            self.grads.flat.fill(0.0)  # with a gradient and a learning rate of 0 an update changes nothing
            self.update(0.0, 1, 0.0, clip)
            times.append(time.perf_counter() - start)
        self.next_start = Phase.RESET
        return float(np.percentile(times[1:], 20))
