"""Curves in the terminal: Braille dots in colour, or one letter per curve without colours or Unicode."""

import math
from bisect import bisect_left
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from charrnn.display.heatmap import has_colours
from charrnn.display.panels import Curve, Panel

LETTERS = "*+ox#@"
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # bits of a Braille cell, by row and column
HEIGHT, MAX_WIDTH = 12, 100  # cells
LARGEST = 1e300  # larger values count as infinite
UNICODE, ASCII = tuple("┤│└─┬"), tuple("||+-+")


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
    x_axis = Axis([x for curve in panel.curves for x in curve.xs], panel.log_x)
    y_axis = Axis([y for curve in panel.curves for y in curve.ys], panel.log_y, panel.floor)
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
        key = LETTERS[number % len(LETTERS)] if letters else "--" if plain else "━━" if not curve.quiet else "──"
        note = f"  {curve.note}" if curve.note else ""
        out.print(Text.assemble("  ", (key, style(curve)), f" {curve.name}", (note, "dim"), overflow="fold"))


def ruler(panel: Panel, axis: Axis, columns: int, margin: int, corner: str, floor: str, foot: str) -> list[str]:
    """The x-axis, its tick labels, and its label; tick labels that would touch the one before are left out."""
    line, labels, free = [floor] * columns, [" "] * columns, 0
    for value in panel.xticks or axis.ticks(6):
        column = round(axis.place(value) * (columns - 1))
        text = f"{value:,g}" if value < 1e6 else f"{value:g}"
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
    """2 x 4 dots per cell, joined to lines; a cell has the colour of the curve drawn last, quiet ones first."""
    dots: dict[tuple[int, int], int] = {}
    styles: dict[tuple[int, int], str] = {}
    tall = HEIGHT * 4 - 4  # the ends of the axis are in the middle of the first and last row, as their labels
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
