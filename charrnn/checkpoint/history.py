"""What a training says of itself: each step, the losses of a run, and how it fares."""

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from charrnn.checks import check_float, check_int

LIMIT = 1000
LARGEST_GRADIENT = 1e19
LOSSES = {"at_least": -1.0, "at_most": 1e39}  # what float32 can make of one; rounding may take 0 a little lower
MEANS = ("norm", "clipped", "rate")  # over as many steps as a point of `train`
SERIES = (*MEANS, "seconds")


@dataclass(frozen=True)
class Step:
    """What one step of training says of itself.

    `loss` and `val_loss` (None where the step ended without an evaluation) are mean nats per symbol,
    `grad_norm` is the norm before clipping, `seconds` the time spent in the run so far, and `epoch` how often
    the training text has been read. `setback` says why the training went back to its best weights before this step.
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

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class History:
    """`train` holds the mean loss of every `stride` steps, `val` pairs of step and held-out loss; in nats.

    As long as `train` are `norm`, the mean norm of the gradients before clipping, `clipped`, the share of the steps
    whose gradient was clipped, `rate`, the mean learning rate, and `seconds`, the time spent in the run after them;
    None where a model file is too old to tell. When `train` or `val` reaches `LIMIT` points it is halved: neighbours
    are averaged (of the seconds the later is kept), every second evaluation is kept. `sums` are those of `MEANS`
    since the last point.
    """

    stride: int = 1
    train: list[float] = field(default_factory=list)
    val: list[tuple[int, float]] = field(default_factory=list)
    pending: float = 0.0
    count: int = 0
    norm: list[float | None] = field(default_factory=list)
    clipped: list[float | None] = field(default_factory=list)
    rate: list[float | None] = field(default_factory=list)
    seconds: list[float | None] = field(default_factory=list, compare=False, repr=False)  # never the same twice
    sums: list[float | None] = field(default_factory=lambda: [0.0] * len(MEANS))

    def add(self, loss: float, norm: float, clipped: bool, rate: float, seconds: float) -> None:
        """One more step: loss, norm of the gradient, whether it was clipped, learning rate, time spent so far."""
        self.pending, self.count = self.pending + loss, self.count + 1
        values = (norm, float(clipped), rate)
        self.sums = [joined(total, value, 1.0) for total, value in zip(self.sums, values, strict=True)]
        if self.count == self.stride:
            self.train.append(self.pending / self.stride)
            for series, total in zip(self.means, self.sums, strict=True):
                series.append(joined(total, 0.0, 1.0 / self.stride))
            self.seconds.append(seconds)
            self.pending, self.count, self.sums = 0.0, 0, [0.0] * len(MEANS)
        if len(self.train) == LIMIT:
            pairs = zip(self.train[::2], self.train[1::2], strict=True)
            self.train = [(first + second) / 2 for first, second in pairs]
            for series in self.means:
                series[:] = [joined(one, two, 0.5) for one, two in zip(series[::2], series[1::2], strict=True)]
            self.seconds = self.seconds[1::2]
            self.stride *= 2

    @property
    def means(self) -> list[list[float | None]]:
        return [getattr(self, name) for name in MEANS]

    def add_val(self, step: int, loss: float) -> None:
        self.val.append((step, loss))
        if len(self.val) == LIMIT:
            self.val = self.val[1::2]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "History":
        if "norm" not in values:  # an older file
            unknown: list[None] = [None] * len(values["train"])
            values = {**values, **{name: list(unknown) for name in SERIES}, "sums": [None] * len(MEANS)}
        history = cls(**values)
        if set(values) != {each.name for each in fields(cls)}:
            raise ValueError("history")
        for points in (history.train, history.val):
            if not isinstance(points, list) or len(points) >= LIMIT:
                raise ValueError("history")
        history.val = [(step, loss) for step, loss in history.val]
        check_int("stride", history.stride, 1)
        check_int("count", history.count, 0, history.stride - 1)
        for step, _ in history.val:
            check_int("step", step, 1)
        for loss in (*history.train, *(loss for _, loss in history.val)):
            check_float("loss", loss, **LOSSES)
        check_float("pending", history.pending)
        lengths = {**dict.fromkeys(SERIES, len(history.train)), "sums": len(MEANS)}
        for name, length in lengths.items():
            series = getattr(history, name)
            if not isinstance(series, list) or len(series) != length:
                raise ValueError("history")
            for value in series:
                if value is not None:
                    check_float(name, value, at_least=0.0, at_most=1.0 if name == "clipped" else math.inf)
        return history


def joined(one: float | None, other: float | None, scale: float) -> float | None:
    """(one + other) scale; unknown where either is."""
    return None if one is None or other is None else (one + other) * scale


MOST_SETBACKS = 3
JUMP = 1.0  # nats above the lowest, for the mean of about ten steps
KEEP = 0.9


@dataclass
class Health:
    """How a training fares: its loss, smoothed, the lowest that it has been, and the steps at which it was set back."""

    recent: float | None = None
    lowest: float | None = None
    setbacks: list[int] = field(default_factory=list)

    def smoothed(self, loss: float) -> float:
        return loss if self.recent is None else KEEP * self.recent + (1.0 - KEEP) * loss

    def add(self, loss: float) -> None:
        self.recent = self.smoothed(loss)
        self.lowest = self.recent if self.lowest is None else min(self.lowest, self.recent)

    def wrong(self, loss: float, grad_norm: float, clip: float, jumps: bool = True) -> str:
        """What keeps the weights from being changed by a step of this loss; nothing, mostly. `jumps` is looked for."""
        if not math.isfinite(loss):
            return "the loss is no longer a finite number"
        # its squares have to be finite numbers, too
        if not min(grad_norm, clip or math.inf) < LARGEST_GRADIENT or not math.isfinite(grad_norm):
            return "the gradient is no longer a finite number, or its square is none"
        return f"the loss jumped to {loss:.2f} nats" if jumps and self.jumps(loss) else ""

    def jumps(self, loss: float) -> bool:
        """Whether the loss has left what it was; a text that does this again and again is taken for what it is."""
        if self.lowest is None or len(self.setbacks) >= MOST_SETBACKS:
            return False
        return self.smoothed(loss) > self.lowest + JUMP

    def set_back(self, step: int) -> None:
        self.setbacks = [*self.setbacks[: MOST_SETBACKS - 1], step]
        self.recent = self.lowest = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any], step: int) -> "Health":
        """What a file says of a run of `step` steps; raises UsageError or ValueError where that cannot be."""
        recent, lowest, setbacks = values["recent"], values["lowest"], values["setbacks"]
        if len(setbacks) > MOST_SETBACKS or not all(type(at) is int and 0 < at <= step + 1 for at in setbacks):
            raise ValueError("setbacks")
        for value in (recent, lowest):
            if value is not None:
                check_float("loss", value, **LOSSES)
        return cls(recent, lowest, list(setbacks))
