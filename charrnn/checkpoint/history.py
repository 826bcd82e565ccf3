"""The record of a training: its steps, its curves, and signs of divergence."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.checks import check_float, check_int, from_file, require

LIMIT = 1000
LARGEST_GRADIENT = 1e19
LOSSES = {"at_least": -1.0, "at_most": 1e39}  # the range of float32; rounding may take 0 slightly lower
SERIES = ("loss", "norm", "clipped", "rate", "seconds")
LOWEST, HIGHEST = (-1.0, 0.0, 0.0, 0.0, 0.0), (1e39, math.inf, 1.0, math.inf, math.inf)  # of each of them
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """The record of one training step.

    `loss` and `val_loss` (None for a step without an evaluation) are mean nats per symbol, `grad_norm` is the norm
    before clipping, `seconds` the time spent in the run so far, and `epoch` the number of passes through the training
    text. `setback` says why the training went back to its best weights before this step, `note` why the decay of
    the learning rate begins early.
    """

    step: int
    epoch: float
    loss: float
    val_loss: float | None
    lr: float
    grad_norm: float
    chars_per_second: float
    seconds: float
    setback: str | None = None
    note: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(eq=False)
class History:
    """The curves of a run. `points` (n, 5) has one row per `stride` steps, with the columns `SERIES`: the mean training
    loss in nats, norm of the gradient before clipping, share of clipped steps and learning rate, and the seconds spent
    in the run after them. `val` are pairs of step and validation loss.

    At `LIMIT` points their number is halved: of two neighbours the mean is kept (the later one of the seconds), of two
    evaluations the later. `sums` (5,) are those of the `count` steps since the last point.
    """

    stride: int = 1
    points: Points = field(default_factory=lambda: np.zeros((0, len(SERIES))))
    val: list[tuple[int, float]] = field(default_factory=list)
    sums: Points = field(default_factory=lambda: np.zeros(len(SERIES)))
    count: int = 0

    def add(self, loss: float, norm: float, clipped: bool, rate: float, seconds: float) -> None:
        """Adds a step: loss, norm of the gradient, whether it was clipped, learning rate, time spent so far."""
        self.sums += (loss, norm, clipped, rate, 0.0)
        self.count += 1
        if self.count < self.stride:
            return
        self.points = np.vstack([self.points, self.sums / self.stride])
        self.points[-1, -1] = seconds
        self.sums[:], self.count = 0.0, 0
        if len(self.points) == LIMIT:
            pairs = self.points.reshape(-1, 2, len(SERIES))
            self.points = pairs.mean(axis=1)
            self.points[:, -1] = pairs[:, 1, -1]
            self.stride *= 2

    def add_val(self, step: int, loss: float) -> None:
        self.val.append((step, loss))
        if len(self.val) == LIMIT:
            self.val = self.val[1::2]

    def best_after(self, step: int) -> int:
        """The step of the best evaluation after `step`; `step` if there is none."""
        return min(((loss, at) for at, loss in self.val if at > step), default=(0.0, step))[1]

    def series(self, name: str) -> list[float]:
        """A column of `points`."""
        return list(self.points[:, SERIES.index(name)].tolist())

    @property
    def steps(self) -> list[int]:
        """The step of each point."""
        return [self.stride * (k + 1) for k in range(len(self.points))]

    @property
    def train(self) -> list[float]:
        return self.series("loss")

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "points": self.points.tolist(), "sums": self.sums.tolist()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "History":
        """The history in a model file; raises CharRNNError, TypeError or ValueError if it cannot be one."""
        history = from_file(cls, values)
        check_int("stride", history.stride, 1)
        check_int("count", history.count, 0, history.stride - 1)
        rows, columns = len(history.points), len(SERIES)
        history.points = np.array(history.points, dtype=np.float64).reshape(rows, columns)
        history.sums = np.array(history.sums, dtype=np.float64).reshape(columns)
        finite = np.isfinite(history.points).all() and np.isfinite(history.sums).all()
        in_range = (history.points >= LOWEST).all() and (history.points <= HIGHEST).all()
        require(bool(finite and in_range), "history")
        require(isinstance(history.val, list), "history")
        history.val = [(step, loss) for step, loss in history.val]
        for step, loss in history.val:
            check_int("step", step, 1)
            check_float("loss", loss, **LOSSES)
        require(max(len(history.points), len(history.val)) < LIMIT, "history")
        return history


MOST_SETBACKS = 3
JUMP = 1.0  # nats above the lowest, for the mean of about ten steps
KEEP = 0.9


@dataclass
class Health:
    """Whether a training diverges: its smoothed loss, the lowest value of that, and the steps of its setbacks.

    A new learning rate makes it forget the setbacks, except that the optimizer was restarted after step `forgotten`.
    """

    recent: float | None = None
    lowest: float | None = None
    setbacks: list[int] = field(default_factory=list)
    forgotten: int = 0

    @property
    def restarted_at(self) -> int:
        """The step after which the optimizer last started anew."""
        return self.setbacks[-1] - 1 if self.setbacks else self.forgotten

    def forget(self) -> None:
        self.forgotten, self.setbacks = self.restarted_at, []

    def smoothed(self, loss: float) -> float:
        return loss if self.recent is None else KEEP * self.recent + (1.0 - KEEP) * loss

    def add(self, loss: float) -> None:
        self.recent = self.smoothed(loss)
        self.lowest = self.recent if self.lowest is None else min(self.lowest, self.recent)

    def problem(self, loss: float, grad_norm: float, clip: float) -> str:
        """Why a step must not change the weights; "" if it may. The loss must not rise far above its lowest
        value, but if that happens again and again, the text is the reason.
        """
        if not math.isfinite(loss):
            return "the loss is not finite"
        # clipped or not, the squares of the gradient have to be finite, too
        if not math.isfinite(grad_norm) or not min(grad_norm, clip or math.inf) < LARGEST_GRADIENT:
            return "the gradient (or its squared norm) is not finite"
        if self.lowest is None or len(self.setbacks) >= MOST_SETBACKS:
            return ""
        return f"the loss jumped to {loss:.2f} nats" if self.smoothed(loss) > self.lowest + JUMP else ""

    def set_back(self, step: int) -> None:
        self.setbacks = [*self.setbacks[: MOST_SETBACKS - 1], step]
        self.recent = self.lowest = None

    @classmethod
    def from_dict(cls, values: dict[str, Any], step: int) -> "Health":
        """The health of a run of `step` steps in a model file; raises CharRNNError, TypeError or ValueError."""
        health = from_file(cls, values)
        for value in (health.recent, health.lowest):
            if value is not None:
                check_float("loss", value, **LOSSES)
        require(isinstance(health.setbacks, list) and len(health.setbacks) <= MOST_SETBACKS, "setbacks")
        check_int("forgotten", health.forgotten, 0, step)
        for at in health.setbacks:
            check_int("setback", at, 1, step + 1)
        return health
