"""A text coloured character by character, with correct columns for wide characters, tabs and control characters.

Without colours, a line of digits below each line of text shows the levels.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from charrnn.display.terminal import CONTEXT, safe

TAB, LEVELS = 8, 10
NEWLINE, CIRCLE = "↵", "◌"
Colour = tuple[int, int, int]
RED, BLUE, GREEN, GREY = (240, 90, 60), (70, 130, 240), (60, 180, 90), (128, 128, 128)
WEAK = 0.4  # opacity up to which a colour is not used as background


@dataclass(frozen=True)
class Scale:
    """Maps values from `low` to `high` to colours; with two `colours` the middle of the range has none.

    `suffix` follows the high end in a legend.
    """

    low: float
    high: float
    colours: tuple[Colour, ...]
    suffix: str

    def level(self, value: float) -> int:
        """From 0 to 9; infinities and NaN have the highest level."""
        share = (value - self.low) / (self.high - self.low) if math.isfinite(value) else 1.0
        return int(min(max(share * LEVELS, 0.0), LEVELS - 1))

    def strength(self, level: int) -> tuple[Colour, float] | None:
        """The colour of a level and its opacity, above 0 to 1; None if it has none."""
        if len(self.colours) == 1:
            return (self.colours[0], level / (LEVELS - 1)) if level else None
        share = 2 * level / (LEVELS - 1) - 1
        return (self.colours[share > 0], abs(share)) if abs(share) > 0.15 else None

    def style(self, level: int) -> str:
        """The style of a level on a terminal, the more prominent the stronger, on a light and on a dark ground.

        Without a colour it is dim; a weak colour is that of the text and its underline, a strong one is behind it.
        """
        strength = self.strength(level)
        if not strength:
            return "dim"
        colour = blend(GREY, *strength)
        return f"#000000 on {colour}" if strength[1] > WEAK else f"underline {colour}"


def blend(background: Colour, colour: Colour, opacity: float) -> str:
    """The colour over the background, as #rrggbb."""
    return "#" + "".join(f"{round(a + (c - a) * opacity):02x}" for a, c in zip(background, colour, strict=True))


@dataclass
class Tile:
    """The text drawn for the character at `place`, and its width in columns."""

    text: str
    width: int
    place: int


@lru_cache(1 << 14)
def shown(character: str, before: str = "") -> tuple[str, int]:
    """What a terminal shows for a character after others, and its width in columns."""
    text = safe(character, before)
    return text, cell_len(text)


def rows(characters: Sequence[str], room: int, newline: str = NEWLINE, start: int = 0) -> Iterator[list[Tile]]:
    """The characters as rows of tiles, at most `room` columns wide; a tab ends at a multiple of 8 of its line.

    `start` is the place of the first character. A combining character joins the tile of its base character.
    """
    row: list[Tile] = []
    used = column = 0  # columns of the row, and of the line, which may take several rows
    for place, character in enumerate(characters, start):
        if character == "\n":
            yield [*row, Tile(newline, 1, place)] if used < room else row
            row, used, column = [], 0, 0
            continue
        text, width = shown(character)
        if text != character:  # unless it belongs to what precedes it
            at = place - start
            text, width = shown(character, "".join(characters[max(at - CONTEXT, 0) : at]))
        if character == "\t":
            width = TAB - column % TAB
            text = " " * width
        elif not width and row:
            row[-1].text += text
            continue
        elif not width:
            text, width = CIRCLE + text, 1
        if used + width > room and row:
            yield row
            row, used = [], 0
        row.append(Tile(text, width, place))
        used, column = used + width, column + width
    if row:
        yield row


def has_colours(out: Console) -> bool:
    return out.color_system is not None and not out.no_color


def draw_text(
    out: Console, characters: Sequence[str], values: Sequence[float], scale: Scale, start: int = 0, indent: int = 0
) -> None:
    """The text, each character on the colour of its value; `start` is the place of the first among the values."""
    newline = " " if out.options.ascii_only else NEWLINE
    digits = " 123456789" if len(scale.colours) == 1 else "0123456789"  # a level 0 of one colour has none
    for row in rows(characters, max(1, out.width - indent), newline, start):
        levels = [scale.level(values[tile.place]) for tile in row]
        lines = [Text(" " * indent, no_wrap=True, overflow="ignore")]
        for text, level in runs(row, levels):
            lines[0].append(text, scale.style(level) if has_colours(out) else "")
        if not has_colours(out):
            marks = "".join(f"{digits[level]:<{tile.width}}" for tile, level in zip(row, levels, strict=True))
            lines.append(Text(" " * indent + marks))
        for line in lines:
            out.print(line, crop=False, soft_wrap=True)


def runs(row: Sequence[Tile], levels: Sequence[int]) -> Iterator[tuple[str, int]]:
    """The row as texts of one level."""
    for level, run in groupby(zip(row, levels, strict=True), itemgetter(1)):
        yield "".join(tile.text for tile, _ in run), level


def legend(out: Console, scale: Scale, title: str) -> None:
    """One line: the title, and the levels from low to high."""
    line = Text(title, "bold", overflow="fold")
    line.append(f"  {scale.low:g} ", "not bold")
    for level in range(LEVELS):
        line.append(str(level), f"not bold {scale.style(level)}" if has_colours(out) else "not bold")
    line.append(f" {scale.high:g}{scale.suffix}", "not bold")
    out.print(line)
