"""The losses of a run, thinned so that they never take more room than a picture can show."""

from dataclasses import asdict, dataclass, field
from typing import Any

from charrnn.options import check_float, check_int

LIMIT = 1000
LOSSES = {"at_least": -1.0, "at_most": 1e39}  # what float32 can make of one; rounding may take 0 a little lower


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
        if not isinstance(history.train, list) or len(history.train) >= LIMIT or len(history.val) >= LIMIT:
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
