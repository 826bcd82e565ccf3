"""The curves of a run: losses, learning rate and gradient over the steps or the seconds."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from charrnn.checkpoint.model import Model
from charrnn.errors import UsageError

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

    Points are means over the steps before them, but for `val`; a file of an older charrnn tells no rate and no norm.
    Raises UsageError where the file does not tell what is asked.
    """
    run = model.run
    if run is None or not run.history.train:
        raise UsageError(f"{path} holds no training, so it has no curve.")
    history = run.history
    steps = [history.stride * (k + 1) for k in range(len(history.train))]
    clock = Clock(path, steps, history.seconds) if against == "seconds" else None
    at = clock.at if clock else (lambda some: [float(step) for step in some])

    def known(series: list[float | None]) -> Curve:
        pairs = [(step, value) for step, value in zip(steps, series, strict=True) if value is not None]
        return at([step for step, _ in pairs]), [value for _, value in pairs]

    return Curves(
        against,
        (at(steps), list(history.train)),
        (at([step for step, _ in history.val]), [loss for _, loss in history.val]),
        known(history.rate),
        known(history.norm),
        run.options.clip,
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
