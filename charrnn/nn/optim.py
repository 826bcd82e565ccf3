"""Optimizers on flat vectors, clipping by norm, and learning-rate schedules.

An optimizer keeps its vectors in `state`, by name; this is how they are saved and resumed.
"""

import math
from collections.abc import Callable
from enum import IntEnum

import numpy as np

from charrnn.arrays import Array, empty, zeros

CHUNK = 1 << 15  # so that the vectors of one pass stay in the cache
WARM_UP_STEPS = 50
DECAY_PERCENT = 30  # of the steps of `wsd`


class Status(IntEnum):
    """The result of an update, the worst last: all numbers are finite, or which of them are not."""

    FINITE = 0
    BAD_MEAN = 1
    BAD_WEIGHT = 2


NOT_FINITE = {Status.BAD_WEIGHT: "a weight is not finite", Status.BAD_MEAN: "a mean of squares is not finite"}


class Optimizer:
    """Steps params (n,) against grads (n,), in place; `step` counts from 1. `state` are its vectors, if they exist."""

    vectors: tuple[str, ...] = ()

    def __init__(self, params: Array, state: dict[str, Array] | None = None) -> None:
        self.state = state or {name: zeros(params.shape, params.dtype) for name in self.vectors}
        self._scratch = empty((min(CHUNK, len(params)),), params.dtype)

    def update(
        self, params: Array, grads: Array, lr: float, step: int, weight_decay: float = 0.0, scale: float = 1.0
    ) -> Status:
        """One step against scale · grads; with decay every weight first shrinks by lr · weight_decay (Loshchilov &
        Hutter 2019). Returns whether all numbers are still finite.
        """
        status = Status.FINITE
        for begin in range(0, len(params), CHUNK):
            part = slice(begin, begin + CHUNK)
            some, state = params[part], [vector[part] for vector in self.state.values()]
            if scale != 1.0:
                grads[part] *= scale
            if weight_decay:
                some *= 1.0 - lr * weight_decay
            self.rule(some, grads[part], *state, lr=lr, step=step)
            # all of it is still in the cache; a sum that is none may also be one of large numbers
            if not math.isfinite(some.sum()) and not np.isfinite(some).all():
                return Status.BAD_WEIGHT
            # anything else in there that is none has reached the weights; this stops them silently
            if any(vector.max() == np.inf for vector in state):
                status = Status.BAD_MEAN
        return status

    def rule(self, params: Array, grads: Array, *state: Array, lr: float, step: int) -> None:
        raise NotImplementedError

    def descend(self, params: Array, numerator: Array, squares: Array, lr: float, eps: float) -> None:
        """params -= lr * numerator / (sqrt(squares) + eps)"""
        scratch = self._scratch[: len(params)]
        np.sqrt(squares, out=scratch)
        scratch += eps
        np.divide(numerator, scratch, out=scratch)
        scratch *= lr
        params -= scratch

    def blend(self, average: Array, value: Array, decay: float) -> None:
        """average = decay * average + (1 - decay) * value"""
        scratch = self._scratch[: len(average)]
        average *= decay
        np.multiply(value, 1.0 - decay, out=scratch)
        average += scratch

    def blend_square(self, average: Array, value: Array, decay: float) -> None:
        """average = decay * average + (1 - decay) * value²"""
        scratch = self._scratch[: len(average)]
        average *= decay
        np.multiply(value, value, out=scratch)
        scratch *= 1.0 - decay
        average += scratch


class SGD(Optimizer):
    """Steepest descent with momentum: v = 0.9 v + g, w -= lr v (Polyak 1964)."""

    vectors = ("v",)
    momentum = 0.9

    def rule(self, params: Array, grads: Array, *state: Array, lr: float, step: int) -> None:
        (v,) = state
        scratch = self._scratch[: len(params)]
        v *= self.momentum
        v += grads
        np.multiply(v, lr, out=scratch)
        params -= scratch


class RMSprop(Optimizer):
    """s = 0.95 s + 0.05 g², w -= lr g / (sqrt(s) + eps) (Hinton 2012)."""

    vectors = ("s",)
    decay, eps = 0.95, 1e-8

    def rule(self, params: Array, grads: Array, *state: Array, lr: float, step: int) -> None:
        (s,) = state
        self.blend_square(s, grads, self.decay)
        self.descend(params, grads, s, lr, self.eps)


class Adagrad(Optimizer):
    """s += g², w -= lr g / (sqrt(s) + eps) (Duchi et al. 2011)."""

    vectors = ("s",)
    eps = 1e-8

    def rule(self, params: Array, grads: Array, *state: Array, lr: float, step: int) -> None:
        (s,) = state
        scratch = self._scratch[: len(params)]
        np.multiply(grads, grads, out=scratch)
        s += scratch
        self.descend(params, grads, s, lr, self.eps)


class Adam(Optimizer):
    """m = β1 m + (1-β1) g, v = β2 v + (1-β2) g², both bias-corrected (Kingma & Ba 2015)."""

    vectors = ("m", "v")
    beta1, beta2, eps = 0.9, 0.999, 1e-8

    def rule(self, params: Array, grads: Array, *state: Array, lr: float, step: int) -> None:
        m, v = state
        self.blend(m, grads, self.beta1)
        self.blend_square(v, grads, self.beta2)
        # w -= lr (m / c1) / (sqrt(v / c2) + eps), with the corrections moved out of the vectors
        c1, c2 = 1.0 - self.beta1**step, math.sqrt(1.0 - self.beta2**step)
        self.descend(params, m, v, lr * c2 / c1, self.eps * c2)


OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "rmsprop": RMSprop, "adagrad": Adagrad, "sgd": SGD}


def squares(values: Array) -> float:
    """The sum of the squares, in float64: in float32 large gradients overflow."""
    wide = values.astype(np.float64)
    return float(wide @ wide)


def clip_scale(length: float, limit: float) -> float:
    """The factor that scales a gradient of norm `length` to the norm `limit` if it is longer; 0 disables clipping."""
    return limit / length if limit and limit < length < math.inf else 1.0


def decay_start(steps: int) -> int:
    """The last step before the decay of `wsd`, in a run of this many steps."""
    return steps - steps * DECAY_PERCENT // 100


def steps_if_decayed(step: int) -> int:
    """The length of the run whose `decay_start` is this step."""
    return step * 100 // (100 - DECAY_PERCENT)


def wsd(step: int, steps: int) -> float:
    """Warm-up, stable, decay: 1, then linearly to 0 (Hu et al. 2024). The length matters only from its decay on."""
    return min(1.0, (steps + 1 - step) / (steps + 1 - decay_start(steps)))


def cosine(step: int, steps: int) -> float:
    """From 1 to 0 along half a cosine (Loshchilov & Hutter 2017)."""
    return 0.5 * (1.0 + math.cos(math.pi * min((step - 1) / steps, 1.0)))


def constant(step: int, steps: int) -> float:
    return 1.0


SCHEDULES: dict[str, Callable[[int, int], float]] = {"wsd": wsd, "cosine": cosine, "constant": constant}


def learning_rate(schedule: str, peak: float, step: int, steps: int, restarted: int = 0) -> float:
    """The learning rate of step 1..steps: a linear warm-up to `peak`, of a fixed length, times the schedule.

    `restarted` is the step after which the optimizer last started anew, and the warm-up with it.
    """
    return peak * min(1.0, (step - restarted) / WARM_UP_STEPS) * SCHEDULES[schedule](step, steps)
