"""`charrnn see` on a terminal: plots, tables, coloured texts, and the numbers of one step."""

from collections.abc import Sequence
from html import escape
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from charrnn.checks import quoted
from charrnn.display import heatmap
from charrnn.display.console import Draw, preformatted, svg
from charrnn.display.html import page
from charrnn.display.panels import Panel
from charrnn.display.svg_plot import css, figures
from charrnn.display.tables import new_table
from charrnn.display.terminal import safe
from charrnn.display.terminal_plot import draw_panels
from charrnn.see.gradients import GradientNorms
from charrnn.see.memory import Memory
from charrnn.see.neurons import ProbeFit, Ranking
from charrnn.see.step import Line as Equation
from charrnn.see.surprise import Surprise, TextLine

BITS = heatmap.Scale(0.0, 10.0, (heatmap.RED,), " bits or more")
GOOD_FIT = 0.5  # R² from which a unit is highlighted


def concluded(panels: Sequence[Panel], draw: Draw | None, summary: str) -> Draw:
    """Draws the panels, the rest, and the sentence that interprets them."""

    def drawing(out: Console) -> None:
        draw_panels(out, panels)
        if draw:
            draw(out)
        out.print()
        out.print(Text(safe(summary), overflow="fold"))

    return drawing


def picture(path: str, title: str, panels: Sequence[Panel], draw: Draw | None, summary: str, plotted: bool) -> bytes:
    """The contents of a picture file: with `plotted`, the panels by matplotlib; else everything, as HTML or SVG."""
    ending = Path(path).suffix.lower()
    if plotted:
        from charrnn.display.matplotlib_plot import plot

        return plot(panels, ending[1:])
    if ending == ".svg":
        return svg(title, concluded(panels, draw, summary)).encode()
    body = f"{figures(panels)}{preformatted(draw) if draw else ''}<p>{escape(safe(summary))}</p>"
    return page(title, body, css() if panels else "", wrap="pre").encode()


def gradients(out: Console, rows: Sequence[tuple[str, GradientNorms]]) -> None:
    """The number of positions, the clipping rate and the spectral radii of each network."""
    out.print()
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    for path, result in rows:
        clipped = "" if result.clipped is None else f"; clipped in training: {result.clipped:.1%} of the steps"
        grid.add_row(Text(safe(path)), Text(f"over {result.positions:,} characters{clipped}", "dim"))
        for layer, radii in enumerate(result.radius):
            values = [f"{gate} {radius:.2f}" if len(radii) > 1 else f"{radius:.2f}" for gate, radius in radii.items()]
            grid.add_row("", Text(f"spectral radius of l{layer}.Wh: {', '.join(values)}", "dim"))
    out.print(grid)


def memory(out: Console, rows: Sequence[tuple[str, Memory]]) -> None:
    """A table of the values of the plots."""
    for path, result in rows:
        table = new_table(("every n", "loss, reset", "cosine, truncated", "norm ratio"))
        table.title, table.title_justify = Text(safe(path), "bold"), "left"
        losses = {n: f"{loss:.4f}" for n, loss in result.cleared}
        gradients = {cut.window: (f"{cut.cosine:.4f}", f"{cut.ratio:.4f}") for cut in result.truncated}
        for n in sorted({*losses, *gradients}):
            table.add_row(str(n), losses.get(n, ""), *gradients.get(n, ("", "")))
        full = "1" if result.truncated else ""
        table.add_row("never", f"{result.never:.4f}", full, full, style="green")
        out.print(table)


def neurons(out: Console, path: str, result: Ranking) -> None:
    """The units that follow the probe targets best, and the saturation of the gates."""
    halves = "units selected on the first half, R² measured on the second"
    out.print(Text(f"{safe(path)}, {result.symbols:,} symbols: {halves}", "dim"))
    table = new_table(("probe", "unit", "R²"))
    for fit in sorted(result.fits, key=lambda fit: -fit.fit):
        table.add_row(fit.probe.name, str(fit.unit), f"{fit.fit:.3f}", style="green" if fit.fit >= GOOD_FIT else "")
    out.print(table)
    if result.saturation:
        table = new_table(("layer", "gate", "below 0.1", "above 0.9", "mean"))
        for row in result.saturation:
            table.add_row(str(row.layer), row.gate, f"{row.closed:.1%}", f"{row.open:.1%}", f"{row.mean:.3f}")
        out.print(table)


def unit_scale(low: float, high: float) -> heatmap.Scale:
    """For an activation in this range: one colour from 0, or two around 0."""
    return heatmap.Scale(low, high, (heatmap.GREEN,) if low == 0.0 else (heatmap.BLUE, heatmap.RED), "")


def unit_title(path: str, unit: str, fit: ProbeFit | None) -> str:
    follows = f", follows {fit.probe.name} (R² {fit.fit:.2f})" if fit else ""
    return f"{safe(path)}: {unit}{follows}"


def activations(
    out: Console, title: str, characters: Sequence[str], values: Sequence[float], scale: heatmap.Scale
) -> None:
    heatmap.legend(out, scale, title)
    heatmap.draw_text(out, characters, values, scale)


def surprise(out: Console, title: str, result: Surprise, lines: Sequence[TextLine]) -> None:
    """The whole text, or only these lines, each below its number and the bits of its worst character."""
    heatmap.legend(out, BITS, title)
    bits, characters = result.by_character.tolist(), result.window.characters
    if not lines:
        heatmap.draw_text(out, characters, bits, BITS)
    for line in lines:
        out.print(Text(line_title(line), "dim"))
        heatmap.draw_text(out, characters[line.begin : line.end], bits, BITS, line.begin, indent=2)


def surprise_title(path: str, result: Surprise) -> str:
    bits = result.by_character
    return f"{safe(path)}: {bits.mean():.2f} bits per character over {len(bits):,} characters"


def line_title(line: TextLine) -> str:
    return f"line {line.number:,}: {line.score:.1f} bits"


def hints(result: Surprise) -> list[str]:
    """Per character its bits and the most likely characters there; empty where it was expected (below 1 bit)."""
    return [
        f"{bits:.1f} bits; expected " + ", ".join(f"{quoted(safe(symbol))} {share:.0%}" for symbol, share in guesses)
        if bits >= 1.0
        else ""
        for bits, guesses in zip(result.by_character.tolist(), result.guesses(), strict=True)
    ]


def step(out: Console, lines: Sequence[Equation]) -> None:
    """Name, equation and values of every line; a vector follows its equation if there is room."""
    name_width = max(len(line.name) for line in lines) + 1
    for number, (heading, group) in enumerate(groupby(lines, attrgetter("heading"))):
        out.print(Text(("\n" if number else "") + safe(heading), "bold"))
        part = list(group)
        width = max((len(safe(line.equation)) for line in part if line.values.ndim == 1), default=0)
        for line in part:
            step_line(out, line, name_width, width)


def step_line(out: Console, line: Equation, name_width: int, equation_width: int) -> None:
    vector = line.values.ndim == 1
    text = Text(f"  {line.name:<{name_width}}= ", overflow="fold")
    text.append(f"{safe(line.equation):<{equation_width if vector else 0}}", "dim")
    rows = [" ".join(map(decimal, row)) for row in line.values.reshape(-1, line.values.shape[-1]).tolist()]
    if vector and len(text) + 1 + len(rows[0]) <= out.width:
        out.print(Text.assemble(text, " ", (rows[0], "cyan")))
        return
    text.rstrip()
    out.print(text)
    labels = [f"{safe(label)} " for label in line.rows] or [""] * len(rows)
    margin = name_width + 4 + max(map(cell_len, labels))
    if line.columns:
        # as wide as a number of `decimal`
        columns = " ".join(" " * (9 - cell_len(label)) + label for label in map(safe, line.columns))
        out.print(Text(" " * margin + columns, "dim", overflow="fold"))
    for label, row in zip(labels, rows, strict=True):
        out.print(Text.assemble(" " * (margin - cell_len(label)), (label, "dim"), (row, "cyan"), overflow="fold"))


def decimal(value: float) -> str:
    """Five decimals, without a minus sign before zero."""
    return f"{round(value, 5) + 0.0:>9.5f}"
