"""A text coloured character by character, in columns that hold: wide characters, tabs and control characters too.

Where there is no colour, a line of digits stands below each line of text.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from charrnn.display.terminal import safe

TAB = 8
NEWLINE, CIRCLE = "↵", "◌"
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Scale:
    """How values become colours: `low` and `high` are the ends; with two `colours` the middle has none.

    `words` say what low and high mean.
    """

    low: float
    high: float
    colours: tuple[Colour, ...]
    words: str
    levels: int = 10

    def level(self, value: float) -> int:
        """From 0 to levels - 1; an infinite or undefined value is at the end."""
        if not math.isfinite(value):
            return self.levels - 1
        share = (value - self.low) / (self.high - self.low)
        return min(self.levels - 1, max(0, int(share * self.levels)))

    def strength(self, level: int) -> tuple[Colour, float] | None:
        """The colour of a level and how strong it is, above 0 to 1; None where it has none."""
        if len(self.colours) == 1:
            return (self.colours[0], level / (self.levels - 1)) if level else None
        middle = (self.levels - 1) / 2
        share = (level - middle) / middle
        return (self.colours[share > 0], abs(share)) if abs(share) > 1.5 / self.levels else None

    def style(self, level: int) -> str:
        """For a terminal: black on a tint, whatever its own colours are."""
        found = self.strength(level)
        if found is None:
            return ""
        r, g, b = mixed((255, 255, 255), *found)
        return f"#000000 on #{r:02x}{g:02x}{b:02x}"


def mixed(ground: Colour, colour: Colour, share: float) -> Colour:
    """`share` of a colour on a ground."""
    r, g, b = (round(a + (c - a) * share) for a, c in zip(ground, colour, strict=True))
    return r, g, b


RED, BLUE, GREEN = (240, 90, 60), (70, 130, 240), (60, 180, 90)


@dataclass
class Tile:
    """What is drawn for the character at `place`, and the columns that it takes."""

    text: str
    width: int
    place: int


def rows(characters: Sequence[str], room: int, newline: str = NEWLINE, begin: int = 0) -> Iterator[list[Tile]]:
    """The characters as rows of tiles, at most `room` columns wide; tabs go to the next multiple of 8 of their line.

    `begin` is the place of the first character. What has no width goes with the character that it changes.
    """
    known: dict[str, tuple[str, int]] = {}
    row: list[Tile] = []
    used = column = 0  # in the row, and in the line, which may take several rows
    for place, character in enumerate(characters, begin):
        if character == "\n":
            if used + 1 <= room:
                row.append(Tile(newline, 1, place))
            yield row
            row, used, column = [], 0, 0
            continue
        if character == "\t":
            width = TAB - column % TAB
            text = " " * width
        else:
            if character not in known:
                shown = safe(character)
                known[character] = shown, cell_len(shown)
            text, width = known[character]
            if not width:
                if row:
                    row[-1].text += text
                    continue
                text, width = CIRCLE + text, 1
        if used + width > room and row:
            yield row
            row, used = [], 0
        row.append(Tile(text, width, place))
        used, column = used + width, column + width
    if row:
        yield row


def draw(
    out: Console, characters: Sequence[str], values: Sequence[float], scale: Scale, begin: int = 0, indent: int = 0
) -> None:
    """The text, each character on the colour of its value; `begin` is the place of the first among the values."""
    colourless = out.color_system is None or out.no_color
    newline = " " if out.options.ascii_only else NEWLINE
    for row in rows(characters, max(1, out.width - indent), newline, begin):
        levels = [scale.level(values[tile.place]) for tile in row]
        line = Text(" " * indent, no_wrap=True, overflow="ignore", end="\n")
        for text, level in runs(row, levels):
            line.append(text, "" if colourless else scale.style(level))
        out.print(line, crop=False, soft_wrap=True)
        if colourless:
            marks = "".join(f"{mark(scale, level):<{tile.width}}" for tile, level in zip(row, levels, strict=True))
            out.print(Text(" " * indent + marks), crop=False, soft_wrap=True)


def mark(scale: Scale, level: int) -> str:
    """A digit, nothing for the lowest level of a scale that begins with no colour."""
    return " " if len(scale.colours) == 1 and level == 0 else str(level)


def runs(row: Sequence[Tile], levels: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Neighbours of one level together."""
    begin = 0
    for end in range(1, len(row) + 1):
        if end == len(row) or levels[end] != levels[begin]:
            yield "".join(tile.text for tile in row[begin:end]), levels[begin]
            begin = end


def legend(out: Console, scale: Scale, title: str) -> None:
    """One line: what is shown, and the colours from low to high."""
    line = Text(title, "bold", overflow="fold")
    line.append(f"  {scale.low:g} ", "not bold")
    colourless = out.color_system is None or out.no_color
    for level in range(scale.levels):
        line.append(str(level) if colourless else " ", "not bold" if colourless else "not bold " + scale.style(level))
    line.append(f" {scale.high:g}{scale.words}", "not bold")
    out.print(line)
