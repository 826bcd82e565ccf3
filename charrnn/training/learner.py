"""The weights of a training, and how one step changes them: gradient by all workers, norm, clipping, update."""

import math
import time
import zlib
from dataclasses import replace

import numpy as np

from charrnn.arrays import Array
from charrnn.errors import WorkerError
from charrnn.evaluation.score import ScoreBatches, total_scores
from charrnn.nn.optim import Status, clip_scale
from charrnn.nn.params import Params
from charrnn.text.batches import Batch
from charrnn.training.group import Group, MPIGroup
from charrnn.training.scoring import RankScorer
from charrnn.training.step import Job, ParamShard, Phase, param_shards, stream_shards
from charrnn.training.workers import WorkerPool

CHECK_EVERY = 100  # steps, after which the weights of all ranks are compared


class Learner:
    """`params`, `grads` and their `norm`, the `vectors` of the optimizer, and `carried`: the states (layers, B, H)
    after the last complete step. It is independent of texts and schedules.

    In a group of several ranks each has a learner; those of the others call the methods that rank 0 gives orders for.
    """

    def __init__(self, job: Job, group: Group) -> None:
        group.order("start", job.to_json())
        self.group, self.job = group, replace(job, rank=group.rank, ranks=group.size)
        self.pool = WorkerPool(self.job)
        self.params, self.grads, self.norm = self.pool.params, self.pool.grads, 0.0
        self.vectors, self.carried = self.pool.vectors, self.pool.before
        self.next_start = Phase.RESET
        self.complete = True  # `carried` has the streams of all ranks, not only of this one
        self.scorer = RankScorer(group, job.config, self.params) if isinstance(group, MPIGroup) else None
        self.broken = False  # an update failed halfway: some weights are updated, others are not

    def load(self, weights: Params, optimizer: dict[str, Array], state: dict[str, Array]) -> None:
        """Continues from these weights, vectors of the optimizer, and carried states."""
        self.params.flat[:] = weights.flat
        for name, vector in self.vectors.items():
            vector[:] = optimizer[name]
        for name, values in self.carried.items():
            values[:] = state[name]
        self.next_start = Phase.LOAD
        self.copy()

    def restart(self, weights: Params) -> None:
        """Continues from these weights, with a new optimizer and zero states."""
        self.params.flat[:] = weights.flat
        for values in (*self.vectors.values(), *self.carried.values()):
            values.fill(0.0)
        self.next_start = Phase.RESET
        self.copy()

    def copy(self) -> None:
        """Copies the weights, the vectors of the optimizer and the carried states of rank 0 to all ranks."""
        self.group.order("copy")
        self.group.copy(self.params.flat, *self.vectors.values(), *self.carried.values())
        self.complete = True

    def collect(self) -> None:
        """Completes the carried states with those of the streams of other ranks."""
        if self.group.rank == 0 and (self.complete or self.group.size == 1):
            return
        self.group.order("collect")
        shards = stream_shards(self.job.streams, self.job.ranks)
        for values in self.carried.values():
            for number, shard in enumerate(shards):
                if number != self.group.rank:
                    values[:, shard] = 0.0
            self.group.add(values.reshape(-1), [])
        self.complete = True

    def gradient(self, batch: Batch, step: int, reset: bool) -> float:
        """The loss of the batch; leaves its gradient, the sum of all shards, in `grads`, and its norm in `norm`."""
        start = Phase.RESET if reset else self.next_start
        self.next_start = Phase.LOAD  # unless this step is completed, the next one restores the carried states
        self.pool.set_batch(batch)
        return self.window(start, step)

    def window(self, start: int, step: int) -> float:
        """One window of all streams, see `gradient`."""
        group = self.group
        group.order("window", start, step)
        with group.together():
            group.copy(*(values for values in self.pool.worker.batch if values is not None))
            self.pool.broadcast(Phase.PACK, step)
            losses, sums = self.pool.broadcast(Phase(start), step), self.pool.broadcast(Phase.ADD, step)
            if group.size > 1:
                losses, sums = self.add_ranks(losses, step), self.squares()
        self.norm = math.sqrt(sum(sums))
        return losses[0] + sum(losses[1:])

    def add_ranks(self, losses: list[float], step: int) -> list[float]:
        """Adds up the gradients of all ranks; returns the losses of all their workers."""
        checksum = zlib.crc32(self.params.flat) if step % CHECK_EVERY == 0 else 0  # type: ignore[arg-type]
        rows = self.group.add(self.grads.flat, [float(checksum), *losses])
        if wrong := [rank for rank, row in enumerate(rows) if row[0] != rows[0][0]]:
            raise WorkerError(
                f"the weights of rank {wrong[0]} differ from those of rank 0 at step {step:,}: resume from the last "
                "save, without this machine if the error is repeated."
            )
        return [loss for row in rows for loss in row[1:]]

    def squares(self) -> list[float]:
        """The sums of squares of the gradient, by the shards of as many workers of one rank: with the same rounding."""
        optimizer = self.pool.worker.params.optimizer
        shards = param_shards(self.job.weights, self.job.processes) if self.group.rank == 0 else []
        return [ParamShard(optimizer, self.params.flat[shard], self.grads.flat[shard]).add() for shard in shards]

    def update(self, lr: float, step: int, weight_decay: float, clip: float) -> Status:
        """The `step`-th step of the optimizer, with the gradient clipped to the norm `clip`; the worst status of all
        workers, as in `Optimizer.update`.
        """
        return self.apply(lr, step, weight_decay, clip_scale(self.norm, clip))

    def apply(self, lr: float, step: int, weight_decay: float, scale: float) -> Status:
        """The update with the gradient times `scale`, see `update`."""
        self.group.order("apply", lr, step, weight_decay, scale)
        try:
            return Status(int(max(self.pool.broadcast(Phase.UPDATE, step, lr, weight_decay, scale))))
        except Exception:  # a worker died, or this process has no memory left
            self.broken = True
            raise

    def commit(self) -> None:
        """Completes the step: the next one carries on from the states after it."""
        self.group.order("commit")
        for name, values in self.carried.items():
            values[:] = self.pool.after[name]
        self.next_start = Phase.CARRY
        self.complete = False

    def probe(self, batch: Batch, clip: float, seconds: float) -> float:
        """Seconds per step on an undisturbed machine, measured before the first step; changes nothing."""
        times, started = list[float](), time.perf_counter()
        while len(times) < 3 or time.perf_counter() - started < seconds:
            start = time.perf_counter()
            self.gradient(batch, 1, reset=True)
            self.clear()  # with a gradient and a learning rate of 0 an update changes nothing
            self.update(0.0, 1, 0.0, clip)
            times.append(time.perf_counter() - start)
        self.next_start = Phase.RESET
        return float(np.percentile(times[1:], 20))

    @property
    def score_batches(self) -> ScoreBatches:
        """Scores batches with the weights as they are, by all ranks."""
        return self.scorer.scores if self.scorer else total_scores

    def score(self, *values: int) -> None:
        """See `RankScorer.score`."""
        assert self.scorer is not None
        self.scorer.score(*values)

    def clear(self) -> None:
        """Sets the gradient to 0."""
        self.group.order("clear")
        self.grads.flat.fill(0.0)

    def close(self) -> None:
        """Ends the worker processes of all ranks; the weights and the states remain."""
        if self.pool.close.alive and not self.group.failed and self.group.rank == 0:
            self.collect()
            self.group.order("close")
        self.pool.close()
