"""The weights of a training, and how one step changes them: forward and back, with or without workers, and update."""

import math
import time
from collections.abc import Callable

import numpy as np

from charrnn.arrays import Array
from charrnn.nn.optim import OPTIMIZERS, SOUND, clip_scale, norm
from charrnn.nn.params import Config, Params
from charrnn.options import Options
from charrnn.text.batches import Batch
from charrnn.training.step import ADD, CARRY_ON, LOAD, RESET, UPDATE, Part, Share, shares
from charrnn.training.workers import Team


class Learner:
    """`params`, `grads` and their `norm`, the `vectors` of the optimizer, and `carried`: the states (layers, B, H)
    after the last complete step.

    `options.workers` processes share the streams of a batch, and the weights when they are updated; `masked` tells
    that batches have masks. Nothing here knows of text or schedules.
    """

    def __init__(
        self, config: Config, options: Options, steps: int, streams: int, weights: Params, masked: bool = False
    ) -> None:
        dropout, seed, workers = options.dropout, options.seed, options.workers
        kind = options.optimizer
        self.team = Team(config, steps, streams, workers, dropout, seed, kind, masked) if workers > 1 else None
        self.params = Params(config.shapes, flat=self.team.params if self.team else None)
        self.params.flat[:] = weights.flat
        self.grads = Params(config.shapes, flat=self.team.grads if self.team else None)
        mine = shares(streams, workers)[0]
        self.share = Share(config, self.params, self.grads, steps, mine, dropout, seed)
        self.part, self.norm = self.team.part if self.team else self._whole(kind), 0.0
        self.vectors = self.team.vectors if self.team else self.part.optimizer.state
        self.carried = self.team.state if self.team else self.share.network.state()
        self.state = RESET

    def _whole(self, optimizer: str) -> Part:
        """All of the weights, where one process does everything."""
        return Part(OPTIMIZERS[optimizer](self.params.flat), self.params.flat, self.grads.flat)

    def take_up(self, optimizer: dict[str, Array], state: dict[str, Array]) -> None:
        """Goes on from these vectors of the optimizer and these carried states."""
        for name, vector in self.vectors.items():
            vector[:] = optimizer[name]
        for name, values in self.carried.items():
            values[:] = state[name]
        self.state = LOAD

    def start_over(self, weights: Params) -> None:
        """From these weights, with an optimizer that knows nothing, and no state."""
        self.params.flat[:] = weights.flat
        for values in (*self.vectors.values(), *self.carried.values()):
            values.fill(0.0)
        self.state = RESET

    def gradient(self, batch: Batch, step: int, reset: bool) -> float:
        """The loss of the batch; its gradient, of all shares, is in `grads` then, and `norm` is how long it is."""
        what, self.state = (RESET if reset else self.state), LOAD  # should this be interrupted
        if self.team:
            self.team.begin(batch, step, what)
        mine = {name: values[:, self.share.streams] for name, values in self.carried.items()}
        loss = self.share.learn(batch, step, what, mine)
        if self.team:
            loss += self.team.finish()
        self.norm = math.sqrt(sum(self.team.together(ADD) if self.team else [self.part.add()]))
        return loss

    def average(self, average: Callable[[Array], None]) -> None:
        """Has `grads` averaged with those of others, by a function that does so in place."""
        average(self.grads.flat)
        self.norm = norm(self.grads.flat)

    def update(self, lr: float, step: int, weight_decay: float, clip: float) -> int:
        """One step of the optimizer, the `step`-th, against the gradient, which is clipped to the norm `clip`.

        Returns what `Optimizer.update` does.
        """
        settings = lr, step, weight_decay, clip_scale(self.norm, clip)
        if self.team is None:
            return self.part.update(*settings)
        return int(min(filter(None, self.team.together(UPDATE, settings)), default=SOUND))

    def commit(self) -> None:
        """The step is complete: the states after it are those to go on from."""
        if self.team:
            for name, values in self.carried.items():
                values[:] = self.team.next[name]
        self.share.network.store_state({n: values[:, self.share.streams] for n, values in self.carried.items()})
        self.state = CARRY_ON

    def probe(self, batch: Batch, clip: float, seconds: float) -> float:
        """Seconds that a step takes when nothing else is in its way, tried before the first one; nothing is changed."""
        times, begin = list[float](), time.perf_counter()
        while len(times) < 3 or time.perf_counter() - begin < seconds:
            start = time.perf_counter()
            self.gradient(batch, 1, reset=True)
            self.grads.flat.fill(0.0)  # with no gradient, and a rate of 0, an update changes nothing
            self.update(0.0, 1, 0.0, clip)
            times.append(time.perf_counter() - start)
        self.state = RESET
        return float(np.percentile(times[1:], 20))

    def close(self) -> None:
        """Lets the workers go; the states stay."""
        if self.team:
            self.carried = {name: values.copy() for name, values in self.carried.items()}
            self.team.close()
