"""Where the characters of a text stand on a page of some width: rows of cells, wide characters, wrapped lines."""

from bisect import bisect_right
from functools import lru_cache

from rich.cells import cell_len

from charrnn.display.terminal import safe

TAB = "    "
HIDDEN = {"\ufe0e", "\ufe0f"}  # they only choose between two looks, and terminals disagree on their width


@lru_cache(1 << 14)
def shown(character: str) -> str:
    """What stands on the screen for a character of the text; nothing in it is obeyed by the terminal."""
    if character == "\t":
        return TAB
    return "" if character in HIDDEN else safe(character)


@lru_cache(1 << 14)
def cells(character: str) -> int:
    """How many columns a character takes."""
    return cell_len(shown(character))


@lru_cache(1 << 16)
def wrapped(line: str, width: int) -> tuple[int, ...]:
    """Where the rows of a line begin: after the last space that fits, or within a word that is too long."""
    begins, used, space = [0], 0, 0
    for i, character in enumerate(line):
        wide = cells(character)
        while used + wide > width and i > begins[-1]:
            begins.append(space if space > begins[-1] else i)
            used = sum(map(cells, line[begins[-1] : i]))
        used += wide
        if character.isspace():
            space = i + 1
    return tuple(begins)


class Layout:
    """The rows of a text: `rows` holds where each begins and ends in it, without the newline."""

    def __init__(self, text: str, width: int) -> None:
        self.text, self.width, self.rows = text, width, list[tuple[int, int]]()
        at = 0
        for line in text.split("\n"):
            begins = wrapped(line, max(width, 2))
            self.rows += zip(
                [at + begin for begin in begins], [at + end for end in (*begins[1:], len(line))], strict=True
            )
            at += len(line) + 1
        self.begins = [begin for begin, _ in self.rows]

    def place(self, index: int) -> tuple[int, int]:
        """The row and the column of the character at this index."""
        row = bisect_right(self.begins, index) - 1
        return row, sum(map(cells, self.text[self.begins[row] : index]))

    def index(self, row: int, column: int) -> int:
        """The character at or before this column; the end of the row, where it is shorter."""
        begin, end = self.rows[min(max(row, 0), len(self.rows) - 1)]
        for i in range(begin, end):
            column -= cells(self.text[i])
            if column < 0:
                return i
        # the end of a wrapped row is the beginning of the next: stay on this one
        return end if end == len(self.text) or self.text[end] == "\n" else end - 1
