"""What is drawn as curves, whoever draws it: a terminal with characters, or matplotlib in a file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle

from charrnn.display.terminal import safe
from charrnn.see.curve import Curves
from charrnn.see.gradients import Flow
from charrnn.see.memory import Truncation

COLOURS = ("cyan", "magenta", "yellow", "green", "red", "blue")
SMALLEST = 1e-6  # share of a gradient that is drawn


@dataclass(frozen=True)
class Curve:
    """Points in the order of x; `quiet` is drawn thinner, `note` stands beside the name."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    colour: str
    quiet: bool = False
    note: str = ""


@dataclass(frozen=True)
class Panel:
    """One pair of axes. `tick` writes a value of y; `xticks` are the places to name, none to choose them.

    What is below `floor` is left out of a logarithmic axis.
    """

    title: str
    x_label: str
    curves: list[Curve]
    log_x: bool = False
    log_y: bool = False
    tick: Callable[[float], str] = "{:g}".format
    xticks: Sequence[float] = field(default=())
    floor: float = 0.0


def percent(value: float) -> str:
    """A share; one that has grown as so many times."""
    return f"{100 * value:g} %" if value < 10.0 else f"{value:,.0f} x" if value < 1e9 else f"{value:.0e} x"


def of_curves(rows: Sequence[tuple[str, Curves]]) -> list[Panel]:
    """Losses, learning rate, and the norm of the gradient."""
    x_label = rows[0][1].against
    losses, rates, norms = [], [], []
    for (path, found), colour in zip(rows, cycle(COLOURS), strict=False):
        name = safe(path)
        losses.append(Curve(f"{name}, training", *found.train, colour, quiet=True))
        if found.val[0]:
            losses.append(Curve(f"{name}, held out", *found.val, colour, note=f"at best {min(found.val[1]):.3f}"))
        if found.rate[0]:
            rates.append(Curve(name, *found.rate, colour))
        if found.norm[0]:
            clip = f"clipped above {found.clip:g}" if found.clip else "never clipped"
            norms.append(Curve(name, *found.norm, colour, note=clip))
    norm = "norm of the gradient, before clipping"
    panels = [
        Panel("loss, nats", x_label, losses),
        Panel("learning rate", x_label, rates),
        Panel(norm, x_label, norms, log_y=True),
    ]
    return [panel for panel in panels if panel.curves]


def of_flows(rows: Sequence[tuple[str, Flow]]) -> list[Panel]:
    """The share of the gradient that is left, over the lag."""
    curves = []
    for (path, flow), colour in zip(rows, cycle(COLOURS), strict=False):
        lags = list(range(len(flow.share)))
        left = f"1 % left at {flow.left}" if flow.left is not None else f"more than 1 % left at {lags[-1]}"
        if "c" in flow.total and flow.total["c"][0]:
            shares = (flow.total["c"] / flow.total["c"][0]).tolist()
            curves.append(Curve(f"{safe(path)}, c", lags, shares, colour, quiet=True))
        curves.append(
            Curve(f"{safe(path)}, h" if "c" in flow.total else safe(path), lags, flow.share.tolist(), colour, note=left)
        )
    title = "how much of the gradient of a loss reaches back k characters"
    return [Panel(title, "k", curves, log_y=True, tick=percent, floor=SMALLEST)]


def of_memory(
    rows: Sequence[tuple[str, list[tuple[int, float]], float, list[Truncation]]],
) -> list[Panel]:
    """The loss by how often the state is cleared, and the cosine by where the gradient is cut."""
    losses, cosines = [], []
    for (path, cleared, kept, cuts), colour in zip(rows, cycle(COLOURS), strict=False):
        name = safe(path)
        losses.append(Curve(name, *points(cleared), colour, note=f"never: {kept:.3f}"))
        if cuts:
            cosines.append(Curve(name, [float(cut.window) for cut in cuts], [cut.cosine for cut in cuts], colour))
    first = Panel(
        "loss where the state is cleared every n characters, nats", "n", losses, log_x=True, xticks=losses[0].xs
    )
    if not cosines:
        return [first]
    title = "cosine between the gradient cut every n characters and the full one"
    return [first, Panel(title, "n", cosines, log_x=True, xticks=cosines[0].xs)]


def points(pairs: Sequence[tuple[int, float]]) -> tuple[list[float], list[float]]:
    return [float(x) for x, _ in pairs], [y for _, y in pairs]
