"""The rows of a text wrapped to a width, with wide characters, and the positions of characters in them."""

from bisect import bisect_right
from functools import lru_cache
from itertools import pairwise

from rich.cells import cell_len

from charrnn.display.terminal import safe

VISIBLE = str.maketrans("\n\t", "⏎⇥")  # for texts in one line
# terminals disagree on the width of emoji with variation selectors or joiners; a non-joiner has none
SHOWN = {"\t": "    ", "\ufe0e": "", "\ufe0f": "", "\u200d": "", "\u200c": "\u200c"}


@lru_cache(1 << 14)
def shown(character: str) -> str:
    """What the screen shows for a character; never a control character."""
    return SHOWN.get(character, safe(character))


@lru_cache(1 << 14)
def cells(character: str) -> int:
    """The width of a character in columns."""
    return cell_len(shown(character))


@lru_cache(1 << 16)
def wrapped(line: str, width: int) -> tuple[int, ...]:
    """Where the rows of a line start: after the last space that fits, or within a word that is too long."""
    starts, used, space = [0], 0, 0
    for i, character in enumerate(line):
        wide = cells(character)
        while used + wide > width and i > starts[-1]:
            starts.append(space if space > starts[-1] else i)
            used = sum(map(cells, line[starts[-1] : i]))
        used += wide
        if character.isspace():
            space = i + 1
    return tuple(starts)


class TextLayout:
    """The rows of a text: `rows` are their ranges in it, without the newlines; `starts` are where they start."""

    def __init__(self, text: str, width: int) -> None:
        self.text, self.width, self.rows = text, width, list[tuple[int, int]]()
        at = 0
        for line in text.split("\n"):
            self.rows += pairwise(at + edge for edge in (*wrapped(line, max(width, 2)), len(line)))
            at += len(line) + 1
        self.starts = [start for start, _ in self.rows]

    def place(self, index: int) -> tuple[int, int]:
        """The row and the column of the character at this index."""
        row = bisect_right(self.starts, index) - 1
        return row, sum(map(cells, self.text[self.starts[row] : index]))

    def index(self, row: int, column: int) -> int:
        """The index of the character at or before this column; the end of a row that is shorter."""
        start, end = self.rows[min(max(row, 0), len(self.rows) - 1)]
        for i in range(start, end):
            column -= cells(self.text[i])
            if column < 0:
                return i
        # the end of a wrapped row is the start of the next one: stay on this row
        return end if end == len(self.text) or self.text[end] == "\n" else end - 1
