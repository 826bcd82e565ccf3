"""Curves as data: drawn in a terminal by terminal_plot, in a file by matplotlib_plot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle

from charrnn.display.terminal import safe
from charrnn.see.curve import Curves
from charrnn.see.gradients import GradientNorms
from charrnn.see.memory import Memory

COLOURS = ("cyan", "magenta", "yellow", "green", "red", "blue")
SMALLEST = 1e-6  # share of a gradient that is still drawn


@dataclass(frozen=True)
class Curve:
    """Points sorted by x; a `quiet` curve is drawn thinner, `note` follows the name in the legend."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    colour: str
    quiet: bool = False
    note: str = ""


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
