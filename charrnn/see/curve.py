"""The curves of a training run: losses, learning rate and gradient norm against steps or seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from charrnn.checkpoint.model import Model
from charrnn.errors import UsageError

Curve = tuple[list[float], list[float]]  # x, y


@dataclass(frozen=True)
class Curves:
    """Losses in nats, `train` and `val`; learning `rate`; gradient `norm` before clipping."""

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


def training_curves(path: str, model: Model, against: str) -> Curves:
    """The curves of a model's training run, against `steps` or `seconds`.

    Every point is the mean over the steps since the point before, except in `val`. Raises UsageError if the file has
    no training history, or no times that are asked for.
    """
    run = model.run
    if run is None or not run.history.train:
        raise UsageError(f"{path} has no training history: there is no curve to draw.")
    history = run.history
    steps = [history.stride * (k + 1) for k in range(len(history.train))]
    if against == "seconds" and None in history.seconds:
        raise UsageError(f"{path} was written by an older charrnn without times: use --against steps.")

    def curve(points: Sequence[tuple[int, float | None]]) -> Curve:
        known = [(step, value) for step, value in points if value is not None]
        x = [float(step) for step, _ in known]
        if against == "seconds":
            x = np.interp(x, [0, *steps], np.array([0.0, *history.seconds], np.float64)).tolist()
        return x, [value for _, value in known]

    train, rate, norm = (
        curve(list(zip(steps, series, strict=True))) for series in (history.train, history.rate, history.norm)
    )
    return Curves(against, train, curve(history.val), rate, norm, run.options.clip)
