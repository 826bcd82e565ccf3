"""Curves as PNG, PDF or SVG, by matplotlib (an optional extra, imported in this file only)."""

import io
import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from charrnn.display.panels import Panel
from charrnn.display.svg_plot import LIGHT
from charrnn.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = "os^Dx+"  # one per curve
SIZE = 8.0, 3.6  # inches per panel


def plot(panels: Sequence[Panel], kind: str) -> bytes:
    """The panels, one below the other, as a file of this kind (png, svg, pdf); equal panels give equal bytes.

    Raises UsageError if matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError("plots need matplotlib: pip install 'charrnn[plot]', or write an .html.") from None
    with rc_context({"svg.hashsalt": "charrnn", "svg.fonttype": "path", "font.size": 10}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # names in a script that the font lacks are drawn as boxes
        figure = Figure(figsize=(SIZE[0], SIZE[1] * len(panels)), layout="constrained")
        for number, panel in enumerate(panels, 1):
            draw_panel(figure.add_subplot(len(panels), 1, number), panel)
        data = io.BytesIO()
        undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
        figure.savefig(data, format=kind, dpi=150, metadata=undated)
    return data.getvalue()


def draw_panel(axes: "Axes", panel: Panel) -> None:
    for number, curve in enumerate(panel.curves):
        note = f" ({curve.note})" if curve.note else ""
        width, style = (1.0, "--") if curve.quiet else (1.8, "-")
        marker = MARKERS[number % len(MARKERS)] if len(panel.curves) > 1 else ""
        start = 0.02 + 0.03 * number % 0.15
        # names are not formulas; the zero-width space keeps those that start with _ in the legend
        label = (curve.name + note).replace("$", r"\$")
        (line,) = axes.plot(curve.xs, curve.ys, style, color=LIGHT[curve.colour], linewidth=width)
        line.set(label="\u200b" + label, marker=marker, markersize=5, markevery=(start, 0.15))
    if panel.log_x:
        axes.set_xscale("log")
    if panel.log_y:
        axes.set_yscale("log")
        positive = [y for curve in panel.curves for y in curve.ys if 0.0 < y < math.inf]
        if positive:
            axes.set_ylim(max(min(positive), min(panel.floor, max(positive))) / 1.2, max(positive) * 1.2)
    if panel.xticks:
        axes.set_xticks(list(panel.xticks), [f"{x:g}" for x in panel.xticks])
        axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda y, _: panel.tick(y))
    axes.set_title(panel.title, loc="left", fontsize=11)
    axes.set_xlabel(panel.x_label)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=9)
