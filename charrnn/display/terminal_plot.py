"""Curves drawn with characters: dots of braille in colour, or one letter a curve where there is neither."""

import math
from bisect import bisect_left
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from charrnn.display.panels import Curve, Panel

GLYPHS = "*+ox#@"
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a braille cell, by row and column
HEIGHT, WIDEST = 12, 100  # cells
LARGEST = 1e300  # what is beyond counts as infinite
UNICODE, ASCII = tuple("┤│└─┬"), tuple("||+-+")


class Axis:
    """Values to places 0..1, straight or by their logarithm."""

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
        """Outside 0..1 for what is off the axis."""
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        low, high = math.log(self.low), math.log(self.high)
        return (math.log(value) - low) / (high - low) if value > 0.0 else -1.0

    def ticks(self, most: int) -> list[float]:
        """Round values on the axis, at most so many."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            every = max(1, math.ceil(len(powers) / most))
            wide = [10.0**power for power in powers if (powers[-1] - power) % every == 0]
            fine = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
            inside = [[tick for tick in ticks if -1e-9 <= self.place(tick) <= 1.0 + 1e-9] for ticks in (wide, fine)]
            return inside[0] if len(inside[0]) > 1 else inside[1] or [self.low, self.high]
        step = 10.0 ** math.floor(math.log10((self.high - self.low) / most))
        step *= next(factor for factor in (1, 2, 5, 10) if (self.high - self.low) / (step * factor) <= most)
        first = math.ceil(self.low / step - 1e-9)
        return [round(k * step, 12) for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


def heights(curve: Curve, x_axis: Axis, y_axis: Axis, columns: int) -> list[float | None]:
    """The curve's place on the y-axis in every column: the mean of its points there, or the line between them."""
    known = [
        (x_axis.place(x) * (columns - 1), y_axis.place(y))
        for x, y in zip(curve.xs, curve.ys, strict=True)
        if abs(y) < LARGEST
    ]
    places = [x for x, _ in known]
    found: list[float | None] = []
    for column in range(columns):
        inside = known[bisect_left(places, column - 0.5) : bisect_left(places, column + 0.5)]
        if inside:
            found.append(sum(y for _, y in inside) / len(inside))
            continue
        after = bisect_left(places, column)
        if not 0 < after < len(known):
            found.append(None)
            continue
        (x0, y0), (x1, y1) = known[after - 1], known[after]
        found.append(y0 + (y1 - y0) * (column - x0) / (x1 - x0))
    return found


def draw(out: Console, panel: Panel) -> None:
    """The panel on this console, as wide as it allows, with a legend below."""
    plain = out.options.ascii_only
    letters = plain or out.color_system is None or out.no_color
    tick, wall, corner, floor, foot = ASCII if plain else UNICODE
    x_axis = Axis([x for curve in panel.curves for x in curve.xs], panel.log_x)
    y_axis = Axis([y for curve in panel.curves for y in curve.ys], panel.log_y, panel.floor)
    labels = {round((1.0 - y_axis.place(y)) * (HEIGHT - 1)): panel.tick(y) for y in y_axis.ticks(5)}
    margin = max(map(len, labels.values()))
    columns = max(8, min(WIDEST, out.width) - margin - 2)
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
        key = GLYPHS[number % len(GLYPHS)] if letters else "--" if plain else "━━" if not curve.quiet else "──"
        note = f"  {curve.note}" if curve.note else ""
        out.print(Text.assemble("  ", (key, style(curve)), f" {curve.name}", (note, "dim"), overflow="fold"))


def ruler(panel: Panel, axis: Axis, columns: int, margin: int, corner: str, floor: str, foot: str) -> list[str]:
    """The x-axis and what stands below it; labels that would touch are left out."""
    line, words, free = [floor] * columns, [" "] * columns, 0
    for value in panel.xticks or axis.ticks(6):
        column = round(axis.place(value) * (columns - 1))
        text = f"{value:,g}" if value < 1e6 else f"{value:g}"
        begin = max(0, min(column - len(text) // 2, columns - len(text)))
        line[column] = foot
        if begin >= free:
            words[begin : begin + len(text)] = text
            free = begin + len(text) + 1
    below = " " * (margin + 2)
    label = f"{panel.x_label:>{columns}}" if len(panel.x_label) < columns else panel.x_label
    return [" " * (margin + 1) + corner + "".join(line), below + "".join(words).rstrip(), below + label]


def style(curve: Curve) -> str:
    return f"dim {curve.colour}" if curve.quiet else curve.colour


Cells = dict[tuple[int, int], tuple[str, str]]


def letter_cells(panel: Panel, x_axis: Axis, y_axis: Axis, columns: int) -> Cells:
    """One letter a curve and column; the first curve lies on top."""
    cells: Cells = {}
    for number, curve in reversed(list(enumerate(panel.curves))):
        for column, height in enumerate(heights(curve, x_axis, y_axis, columns)):
            if height is not None and 0.0 <= height <= 1.0:
                row = round((1.0 - height) * (HEIGHT - 1))
                cells[row, column] = GLYPHS[number % len(GLYPHS)], ""
    return cells


def dot_cells(panel: Panel, x_axis: Axis, y_axis: Axis, columns: int) -> Cells:
    """Two by four dots a cell, joined to a line; a cell has the colour of the curve drawn last, none of them quiet."""
    dots: dict[tuple[int, int], int] = {}
    styles: dict[tuple[int, int], str] = {}
    tall = HEIGHT * 4 - 4  # so that the labels stand at the middle of their rows
    for curve in sorted(panel.curves, key=lambda curve: not curve.quiet):
        last: int | None = None
        for column, height in enumerate(heights(curve, x_axis, y_axis, columns * 2)):
            if height is None:
                last = None
                continue
            row = round((1.0 - max(-1.0, min(2.0, height))) * tall) + 2
            rows = range(row, row + 1) if last is None else range(min(row, last), max(row, last) + 1)
            for dot in rows:
                if 2 <= dot <= tall + 2:
                    cell = dot // 4, column // 2
                    dots[cell] = dots.get(cell, 0) | DOTS[dot % 4][column % 2]
                    styles[cell] = style(curve)
            last = row
    return {cell: (chr(0x2800 + bits), styles[cell]) for cell, bits in dots.items()}
