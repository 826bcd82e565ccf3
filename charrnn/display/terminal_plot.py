"""Curves in the terminal: Braille dots in colour, or one letter per curve without colours or Unicode."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from charrnn.display.heatmap import has_colours
from charrnn.display.panels import Axis, Curve, Panel, heights, x_tick

LETTERS = "*+ox#@"
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # bits of a Braille cell, by row and column
HEIGHT, MAX_WIDTH = 12, 100  # cells
EVERY = 12  # cells from one marker to the next
UNICODE, ASCII = tuple("┤│└─┬"), tuple("||+-+")


def draw_panels(out: Console, panels: Sequence[Panel]) -> None:
    for number, panel in enumerate(panels):
        if number:
            out.print()
        draw_panel(out, panel)


def draw_panel(out: Console, panel: Panel) -> None:
    """Prints the panel as wide as the console allows, with a legend below."""
    plain = out.options.ascii_only
    letters = plain or not has_colours(out)
    tick, wall, corner, floor, foot = ASCII if plain else UNICODE
    x_axis, y_axis = panel.axes()
    labels = {round((1.0 - y_axis.place(y)) * (HEIGHT - 1)): panel.tick(y) for y in y_axis.ticks(5)}
    margin = max(map(len, labels.values()))
    columns = max(8, min(MAX_WIDTH, out.width) - margin - 2)
    cells = letter_cells(panel, x_axis, y_axis, columns) if letters else dot_cells(panel, x_axis, y_axis, columns)
    out.print(Text(panel.title, "bold", no_wrap=True, overflow="ellipsis"))
    for row in range(HEIGHT):
        line = Text(f"{labels.get(row, ''):>{margin}} {tick if row in labels else wall}", no_wrap=True)
        for column in range(columns):
            line.append(*cells.get((row, column), (" ", "")))
        line.rstrip()
        out.print(line)
    for text in ruler(panel, x_axis, columns, margin, corner, floor, foot):
        out.print(Text(text, no_wrap=True))
    for number, curve in enumerate(panel.curves):
        letter, dash = LETTERS[number % len(LETTERS)], "─" if curve.quiet else "━"
        key = letter if letters else f"{dash}{letter}{dash}" if len(panel.curves) > 1 else dash * 2
        note = f"  {curve.note}" if curve.note else ""
        out.print(Text.assemble("  ", (key, curve.colour), f" {curve.name}", (note, "dim"), overflow="fold"))


def ruler(panel: Panel, axis: Axis, columns: int, margin: int, corner: str, floor: str, foot: str) -> list[str]:
    """The x-axis, its tick labels, and its label; tick labels that would touch the one before are left out."""
    line, labels, free = [floor] * columns, [" "] * columns, 0
    for value in panel.xticks or axis.ticks(6):
        column = round(axis.place(value) * (columns - 1))
        text = x_tick(value)
        start = max(0, min(column - len(text) // 2, columns - len(text)))
        line[column] = foot
        if start >= free:
            labels[start : start + len(text)] = text
            free = start + len(text) + 1
    below = " " * (margin + 2)
    label = f"{panel.x_label:>{columns}}" if len(panel.x_label) < columns else panel.x_label
    return [" " * (margin + 1) + corner + "".join(line), below + "".join(labels).rstrip(), below + label]


def style(curve: Curve) -> str:
    return f"dim {curve.colour}" if curve.quiet else curve.colour


Cells = dict[tuple[int, int], tuple[str, str]]


def letter_cells(panel: Panel, x_axis: Axis, y_axis: Axis, columns: int) -> Cells:
    """One letter per curve and column; the first curve is on top."""
    cells: Cells = {}
    for number, curve in reversed(list(enumerate(panel.curves))):
        for column, height in enumerate(heights(curve, x_axis, y_axis, columns)):
            if height is not None and 0.0 <= height <= 1.0:
                row = round((1.0 - height) * (HEIGHT - 1))
                cells[row, column] = LETTERS[number % len(LETTERS)], ""
    return cells


def dot_cells(panel: Panel, x_axis: Axis, y_axis: Axis, columns: int) -> Cells:
    """2 x 4 dots per cell, joined to lines; a cell has the colour of the curve drawn last, quiet ones first.

    Several curves have their letters as markers, side by side where the curves meet.
    """
    dots: dict[tuple[int, int], int] = {}
    styles: dict[tuple[int, int], str] = {}
    tall = HEIGHT * 4 - 4  # the ends of the axis are in the middle of the first and last row, as their labels
    markers: Cells = {}
    several = len(panel.curves) > 1
    for number, curve in sorted(enumerate(panel.curves), key=lambda item: not item[1].quiet):
        last: int | None = None
        rows_by_column: dict[int, int] = {}
        for column, height in enumerate(heights(curve, x_axis, y_axis, columns * 2)):
            if height is None:
                last = None
                continue
            row = round((1.0 - max(-1.0, min(2.0, height))) * tall) + 2
            if 2 <= row <= tall + 2:
                rows_by_column[column // 2] = row // 4
            last = row if last is None else last
            for dot in range(max(min(row, last), 2), min(max(row, last), tall + 2) + 1):
                cell = dot // 4, column // 2
                dots[cell] = dots.get(cell, 0) | DOTS[dot % 4][column % 2]
                styles[cell] = style(curve)
            last = row
        marked = [column for column in rows_by_column if column % EVERY == (EVERY // 2 + 3 * number) % EVERY]
        for column in (marked or list(rows_by_column)[-1:]) if several else ():
            markers[rows_by_column[column], column] = LETTERS[number % len(LETTERS)], f"bold {curve.colour}"
    return {cell: (chr(0x2800 + bits), styles[cell]) for cell, bits in dots.items()} | markers
