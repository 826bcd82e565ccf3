"""The curves of a run: losses, learning rate and gradient over the steps or the seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from charrnn.checkpoint.model import Model
from charrnn.checkpoint.notebook import plot
from charrnn.errors import UsageError
from charrnn.see.result import Result
from charrnn.see.sentence import sentence

Curve = tuple[list[float], list[float]]  # places on the x-axis, values


@dataclass(frozen=True, repr=False)
class Curves(Result):
    """Each curve as its places and its values: `train` and `val` in nats, `rate`, and `norm` before clipping."""

    against: str
    train: Curve
    val: Curve
    rate: Curve
    norm: Curve
    clip: float

    def __repr__(self) -> str:
        lowest = f", validation loss {min(self.val[1]):.2f}" if self.val[1] else ""
        return f"Curves({len(self.train[0]):,} points{lowest})"

    def figure(self) -> str:
        return plot({"training loss": self.train, "validation loss": self.val}, self.against)

    def conclusion(self) -> str:
        return summary(["the model"], [self])

    def as_dict(self) -> dict[str, Any]:
        return {
            name: dict(zip("xy", value, strict=True)) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
        }


def training_curves(path: str, model: Model, against: str) -> Curves:
    """The curves of the run in a model file, against `steps` or `seconds`.

    Points are means over the steps before them, except for `val`. Raises UsageError if there is no run.
    """
    run = model.of_network().run
    if run is None or not run.history.train:
        raise UsageError(f"{path} has no training history: there is no curve to draw.")
    history = run.history
    steps = history.steps

    def places(some: list[int]) -> list[float]:
        found = np.interp(some, [0, *steps], [0.0, *history.series("seconds")]) if against == "seconds" else some
        return [float(place) for place in found]

    return Curves(
        against,
        (places(steps), history.train),
        (places([step for step, _ in history.val]), [loss for _, loss in history.val]),
        (places(steps), history.series("rate")),
        (places(steps), history.series("norm")),
        run.options.clip,
    )


def summary(names: Sequence[str], runs: Sequence[Curves]) -> str:
    """One sentence on where the losses of the models with these names are lowest."""
    clauses = []
    for name, run in zip(names, runs, strict=True):
        kind, (x, loss) = ("validation", run.val) if run.val[1] else ("training", run.train)
        best = int(np.argmin(loss))
        place = f"step {x[best]:,.0f}" if run.against == "steps" else f"{x[best]:,.0f} seconds"
        rise = f", then rises by {loss[-1] - loss[best]:.3f}" if best < len(loss) - 1 else ", at the end of the run"
        clauses.append(f"{name}'s {kind} loss is lowest at {place} ({loss[best]:.3f} nats){rise}")
    return sentence("; ".join(clauses))
