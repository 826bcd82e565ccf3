"""The curves of a run: losses, learning rate and gradient over the steps or the seconds."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from charrnn.checkpoint import Model
from charrnn.errors import UsageError
from charrnn.optim import learning_rate

Curve = tuple[list[float], list[float]]  # places on the x-axis, values


@dataclass(frozen=True)
class Curves:
    """Each curve as its places and its values: `train` and `val` in nats, `rate`, and `norm` before clipping."""

    against: str
    train: Curve
    val: Curve
    rate: Curve
    norm: Curve
    clip: float

    def as_dict(self) -> dict[str, Any]:
        names = ("train", "val", "rate", "norm")
        series = {name: dict(zip(("x", "y"), getattr(self, name), strict=True)) for name in names}
        return {"against": self.against, **series, "clip": self.clip}


def curves(path: str, model: Model, against: str) -> Curves:
    """What a model file tells of its run, against `steps` or `seconds`.

    Points of `train` and `norm` are means over the steps before them. The rate is that of the schedule as it stands
    now. Raises UsageError where the file does not tell.
    """
    run = model.run
    if run is None or not run.history.train:
        raise UsageError(f"{path} holds no training, so it has no curve.")
    history, options = run.history, run.options
    steps = [history.stride * (k + 1) for k in range(len(history.train))]
    span = options.length(run.windows)[0]
    rates = [learning_rate(options.schedule, options.lr, step, span) for step in steps]
    norms = [(step, norm) for step, norm in zip(steps, history.norm, strict=True) if norm is not None]
    clock = Clock(path, steps, history.seconds) if against == "seconds" else None
    at = clock.at if clock else (lambda some: [float(step) for step in some])
    return Curves(
        against,
        (at(steps), list(history.train)),
        (at([step for step, _ in history.val]), [loss for _, loss in history.val]),
        (at(steps), rates),
        (at([step for step, _ in norms]), [norm for _, norm in norms]),
        options.clip,
    )


class Clock:
    """The seconds spent in a run at its steps, in a straight line between those that are known."""

    def __init__(self, path: str, steps: list[int], seconds: list[float | None]) -> None:
        known = [(step, spent) for step, spent in zip(steps, seconds, strict=True) if spent is not None]
        if len(known) < len(steps):
            raise UsageError(f"{path} comes from an older charrnn, which kept no time: use --against steps.")
        self.steps, self.seconds = [0, *steps], [0.0, *(spent for _, spent in known)]

    def at(self, steps: list[int]) -> list[float]:
        found: list[float] = np.interp(steps, self.steps, self.seconds).tolist()
        return found
