"""What `see` draws on a terminal: panels of curves, tables of figures, coloured texts, numbers line by line."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from charrnn.display import heatmap as heat
from charrnn.display import panels
from charrnn.display.terminal import safe
from charrnn.display.terminal_plot import draw
from charrnn.see.curve import Curves
from charrnn.see.gradients import Flow
from charrnn.see.memory import Truncation
from charrnn.see.neurons import ProbeFit, Ranking
from charrnn.see.step import Line
from charrnn.see.surprise import Surprise, TextLine


def all_panels(out: Console, drawn: Sequence[panels.Panel]) -> None:
    for number, panel in enumerate(drawn):
        if number:
            out.print()
        draw(out, panel)


def curves(out: Console, rows: Sequence[tuple[str, Curves]]) -> None:
    all_panels(out, panels.of_curves(rows))


def flows(out: Console, rows: Sequence[tuple[str, Flow]]) -> None:
    """The curves, then what goes with each network."""
    all_panels(out, panels.of_flows(rows))
    out.print()
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    for path, flow in rows:
        clipped = "" if flow.clipped is None else f"; clipped in training: {flow.clipped:.1%} of the steps"
        grid.add_row(Text(safe(path)), Text(f"over {flow.positions:,} characters{clipped}", "dim"))
        for layer, radii in enumerate(flow.radius):
            named = len(radii) > 1
            found = ", ".join(f"{gate} {radius:.2f}" if named else f"{radius:.2f}" for gate, radius in radii.items())
            grid.add_row("", Text(f"spectral radius of l{layer}.Wh: {found}", "dim"))
    out.print(grid)


def memory(out: Console, rows: Sequence[tuple[str, list[tuple[int, float]], float, list[Truncation]]]) -> None:
    """The curves, and their figures."""
    all_panels(out, panels.of_memory(rows))
    for path, cleared, kept, cuts in rows:
        table = Table(box=SIMPLE_HEAD, pad_edge=False, title=Text(safe(path), "bold"), title_justify="left")
        for name in ("every n", "loss cleared", "cosine cut", "norm cut / full"):
            table.add_column(name, justify="right")
        losses, by_window = dict(cleared), {cut.window: cut for cut in cuts}
        for n in sorted({*losses, *by_window}):
            cut = by_window.get(n)
            angle = ("", "") if cut is None else (f"{cut.cosine:.4f}", f"{cut.ratio:.4f}")
            table.add_row(str(n), f"{losses[n]:.4f}" if n in losses else "", *angle)
        table.add_row("never", f"{kept:.4f}", "1" if cuts else "", "1" if cuts else "", style="green")
        out.print(table)


def found(out: Console, path: str, units: Ranking) -> None:
    """The units that follow something, and how far the gates are open."""
    out.print(Text(f"{safe(path)}, {units.symbols:,} symbols: chosen on the first half, tried on the second", "dim"))
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name, justify in (("probe", "left"), ("unit", "left"), ("fit R²", "right")):
        table.add_column(name, justify="right" if justify == "right" else "left")
    for fit in sorted(units.fits, key=lambda fit: -fit.fit):
        table.add_row(fit.probe.name, str(fit.unit), f"{fit.fit:.3f}", style="green" if fit.fit >= 0.5 else "")
    out.print(table)
    if not units.saturation:
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("layer", "gate", "below 0.1", "above 0.9", "mean"):
        table.add_column(name, justify="right")
    for row in units.saturation:
        table.add_row(str(row.layer), row.gate, f"{row.closed:.1%}", f"{row.open:.1%}", f"{row.mean:.3f}")
    out.print(table)


BITS = heat.Scale(0.0, 10.0, (heat.RED,), " bits or more")


def unit_scale(low: float, high: float) -> heat.Scale:
    """For an activation between these limits: one colour from 0, or two around it."""
    return heat.Scale(low, high, (heat.GREEN,) if low == 0.0 else (heat.BLUE, heat.RED), "")


def unit_title(path: str, unit: str, fit: ProbeFit | None) -> str:
    """What is coloured, for a heading."""
    follows = f", follows {fit.probe.name} (R² {fit.fit:.2f})" if fit else ""
    return f"{safe(path)}: {unit}{follows}"


def activations(
    out: Console, title: str, characters: Sequence[str], values: Sequence[float], scale: heat.Scale
) -> None:
    heat.legend(out, scale, title)
    heat.draw(out, characters, values, scale)


def surprises(out: Console, title: str, surprise: Surprise, lines: Sequence[TextLine]) -> None:
    """All of the text, or these lines of it, each under its number and the bits of its worst character."""
    heat.legend(out, BITS, title)
    bits, characters = surprise.by_character.tolist(), surprise.window.characters
    if not lines:
        heat.draw(out, characters, bits, BITS)
    for line in lines:
        out.print(Text(line_title(line), "dim"))
        heat.draw(out, characters[line.begin : line.end], bits, BITS, line.begin, indent=2)


def surprise_title(path: str, surprise: Surprise) -> str:
    bits = surprise.by_character
    return f"{safe(path)}: {bits.mean():.2f} bits a character over {len(bits):,}"


def line_title(line: TextLine) -> str:
    return f"line {line.number:,}: {line.score:.1f} bits"


def hints(surprise: Surprise) -> list[str]:
    """What to say on each character: its bits, and what was expected; nothing where it was the likeliest by far."""
    said = []
    for bits, guesses in zip(surprise.by_character.tolist(), surprise.guesses(), strict=True):
        expected = ", ".join(f"{safe(symbol)!r} {share:.0%}" for symbol, share in guesses)
        said.append(f"{bits:.1f} bits; expected {expected}" if bits >= 1.0 else "")
    return said


def steps(out: Console, lines: Sequence[Line]) -> None:
    """Name, equation and numbers of every line; a matrix takes a line for each row."""
    heading = ""
    name_width = max(len(line.name) for line in lines) + 1
    widths: dict[str, int] = {}
    for line in lines:
        if line.values.ndim == 1:
            widths[line.heading] = max(widths.get(line.heading, 0), len(safe(line.equation)))
    for line in lines:
        if line.heading != heading:
            heading = line.heading
            out.print(Text(("\n" if line is not lines[0] else "") + safe(heading), "bold"))
        matrix = line.values.ndim == 2
        text = Text(f"  {line.name:<{name_width}}= ", overflow="fold")
        text.append(safe(line.equation) if matrix else f"{safe(line.equation):<{widths[heading]}}", "dim")
        rows = [" ".join(map(decimal, row)) for row in (line.values.tolist() if matrix else [line.values.tolist()])]
        if not matrix and len(text) + 1 + len(rows[0]) <= out.width:
            out.print(Text.assemble(text, " ", (rows[0], "cyan")))
            continue
        text.rstrip()
        out.print(text)
        for row in rows:
            out.print(Text(" " * (name_width + 4) + row, "cyan", overflow="fold"))


def decimal(value: float) -> str:
    """Five decimals, and no minus before a zero."""
    return f"{round(value, 5) + 0.0:>9.5f}"
