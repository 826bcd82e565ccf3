"""Curves and axes as data: drawn in a terminal by terminal_plot, in a file by svg_plot or matplotlib_plot."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle

from charrnn.display.terminal import safe
from charrnn.see.curve import Curves
from charrnn.see.gradients import GradientNorms
from charrnn.see.memory import Memory

COLOURS = ("cyan", "magenta", "yellow", "green", "red", "blue")
SMALLEST = 1e-6  # share of a gradient that is still drawn
LARGEST = 1e300  # larger values count as infinite


@dataclass(frozen=True)
class Curve:
    """Points sorted by x; a `quiet` curve is drawn thinner, `note` follows the name in the legend."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    colour: str
    quiet: bool = False
    note: str = ""


class Axis:
    """Maps values to places in 0..1, linearly or by their logarithm."""

    def __init__(self, values: Sequence[float], log: bool, floor: float = 0.0) -> None:
        self.log = log
        values = [value for value in values if abs(value) < LARGEST and (value > 1.0 / LARGEST or not log)] or [1.0]
        low, high = min(values), max(values)
        if log:
            low = max(low, min(floor, high))
        if high - low <= 1e-9 * max(abs(low), abs(high)):
            room = 0.5 * max(abs(low), abs(high)) or 0.5
            low, high = (low / 2, high * 2) if log else (low - room, high + room)
        self.low, self.high = low, high

    def place(self, value: float) -> float:
        """The place of a value; outside 0..1 if it is off the axis."""
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        low, high = math.log(self.low), math.log(self.high)
        return (math.log(value) - low) / (high - low) if value > 0.0 else -1.0

    def ticks(self, most: int) -> list[float]:
        """Round values on the axis, about `most` or fewer."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            every = max(1, math.ceil(len(powers) / most))
            wide = [10.0**power for power in powers if (powers[-1] - power) % every == 0]
            fine = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
            inside = [[tick for tick in ticks if -1e-9 <= self.place(tick) <= 1.0 + 1e-9] for ticks in (wide, fine)]
            return inside[0] if len(inside[0]) > 1 else inside[1] or [self.low, self.high]
        step = 10.0 ** math.floor(math.log10((self.high - self.low) / most))
        step *= next(factor for factor in (1, 2, 5, 10) if (self.high - self.low) / (step * factor) <= most)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(k * step, 12) for k in range(first, last + 1)]


@dataclass(frozen=True)
class Panel:
    """One pair of axes. `tick` formats a value of y; empty `xticks` are chosen automatically.

    A logarithmic y-axis starts at `floor` at the lowest.
    """

    title: str
    x_label: str
    curves: list[Curve]
    log_x: bool = False
    log_y: bool = False
    tick: Callable[[float], str] = "{:g}".format
    xticks: Sequence[float] = field(default=())
    floor: float = 0.0

    def axes(self) -> tuple[Axis, Axis]:
        x_axis = Axis([x for curve in self.curves for x in curve.xs], self.log_x)
        return x_axis, Axis([y for curve in self.curves for y in curve.ys], self.log_y, self.floor)


def heights(curve: Curve, x_axis: Axis, y_axis: Axis, columns: int) -> list[float | None]:
    """The curve's place on the y-axis per column: the mean of its points there, else interpolated, else None."""
    points = [
        (x_axis.place(x) * (columns - 1), y_axis.place(y))
        for x, y in zip(curve.xs, curve.ys, strict=True)
        if abs(y) < LARGEST
    ]
    places = [x for x, _ in points]
    result: list[float | None] = []
    for column in range(columns):
        after = bisect_left(places, column)
        if inside := points[bisect_left(places, column - 0.5) : bisect_left(places, column + 0.5)]:
            result.append(sum(y for _, y in inside) / len(inside))
        elif 0 < after < len(points):
            (x0, y0), (x1, y1) = points[after - 1 : after + 1]
            result.append(y0 + (y1 - y0) * (column - x0) / (x1 - x0))
        else:
            result.append(None)
    return result


def x_tick(value: float) -> str:
    return f"{value:,g}" if value < 1e6 else f"{value:g}"


def share_tick(share: float) -> str:
    """A share in per cent; from 10 on, as a multiple."""
    return f"{100 * share:g} %" if share < 10.0 else f"{share:,.0f} x" if share < 1e9 else f"{share:.0e} x"


def curve_panels(runs: Sequence[tuple[str, Curves]]) -> list[Panel]:
    """Losses, learning rate, and gradient norm."""
    x_label = runs[0][1].against
    losses, rates, norms = [], [], []
    for (path, run), colour in zip(runs, cycle(COLOURS), strict=False):
        name = safe(path)
        losses.append(Curve(f"{name}, training", *run.train, colour, quiet=True))
        if run.val[0]:
            losses.append(Curve(f"{name}, validation", *run.val, colour, note=f"best {min(run.val[1]):.3f}"))
        if run.rate[0]:
            rates.append(Curve(name, *run.rate, colour))
        if run.norm[0]:
            clip = f"clipped above {run.clip:g}" if run.clip else "never clipped"
            norms.append(Curve(name, *run.norm, colour, note=clip))
    panels = [
        Panel("loss, nats", x_label, losses),
        Panel("learning rate", x_label, rates),
        Panel("gradient norm before clipping", x_label, norms, log_y=True),
    ]
    return [panel for panel in panels if panel.curves]


def gradient_panels(rows: Sequence[tuple[str, GradientNorms]]) -> list[Panel]:
    """The norm of the gradient relative to lag 0, over the lag."""
    curves = []
    for (path, result), colour in zip(rows, cycle(COLOURS), strict=False):
        name, lags = safe(path), range(len(result.share))
        if "c" in result.total:
            total = result.total["c"]
            if total[0]:
                curves.append(Curve(f"{name}, c", lags, (total / total[0]).tolist(), colour, quiet=True))
            name += ", h"
        curves.append(Curve(name, lags, result.share.tolist(), colour, note=" ".join(result.course)))
    title = "share of the loss gradient that reaches k characters back"
    return [Panel(title, "k", curves, log_y=True, tick=share_tick, floor=SMALLEST)]


def memory_panels(rows: Sequence[tuple[str, Memory]]) -> list[Panel]:
    """The loss over the interval of state resets, and the cosine over the length of the truncated windows."""
    losses, cosines = [], []
    for (path, result), colour in zip(rows, cycle(COLOURS), strict=False):
        name, (every, values) = safe(path), zip(*result.cleared, strict=True)
        losses.append(Curve(name, every, values, colour, note=f"never: {result.never:.3f}"))
        if cuts := result.truncated:
            cosines.append(Curve(name, [cut.window for cut in cuts], [cut.cosine for cut in cuts], colour))
    panels = {
        "loss, nats, if the state is reset every n characters": losses,
        "cosine of the gradient truncated every n characters and the full gradient": cosines,
    }
    return [Panel(title, "n", curves, log_x=True, xticks=curves[0].xs) for title, curves in panels.items() if curves]
