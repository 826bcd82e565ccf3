"""What a training says of itself: each step, the losses of a run, and how it fares."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from charrnn.options import check_float, check_int

LIMIT = 1000
LOSSES = {"at_least": -1.0, "at_most": 1e39}  # what float32 can make of one; rounding may take 0 a little lower


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

    When either reaches `LIMIT` points it is halved: neighbours are averaged, every second evaluation is kept.
    """

    stride: int = 1
    train: list[float] = field(default_factory=list)
    val: list[tuple[int, float]] = field(default_factory=list)
    pending: float = 0.0
    count: int = 0

    def add(self, loss: float) -> None:
        self.pending, self.count = self.pending + loss, self.count + 1
        if self.count == self.stride:
            self.train.append(self.pending / self.stride)
            self.pending, self.count = 0.0, 0
        if len(self.train) == LIMIT:
            pairs = zip(self.train[::2], self.train[1::2], strict=True)
            self.train = [(first + second) / 2 for first, second in pairs]
            self.stride *= 2

    def add_val(self, step: int, loss: float) -> None:
        self.val.append((step, loss))
        if len(self.val) == LIMIT:
            self.val = self.val[1::2]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "History":
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
        return history


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

    def jumps(self, loss: float) -> bool:
        """Whether the loss has left what it was; a text that does this again and again is taken for what it is."""
        if self.lowest is None or len(self.setbacks) >= MOST_SETBACKS:
            return False
        return self.smoothed(loss) > self.lowest + JUMP

    def set_back(self, step: int) -> None:
        self.setbacks.append(step)
        self.recent = self.lowest = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Health":
        recent, lowest, setbacks = values["recent"], values["lowest"], values["setbacks"]
        if len(setbacks) > MOST_SETBACKS or not all(type(step) is int and step > 0 for step in setbacks):
            raise ValueError("setbacks")
        for value in (recent, lowest):
            if value is not None:
                check_float("loss", value, **LOSSES)
        return cls(recent, lowest, list(setbacks))
