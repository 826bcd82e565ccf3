"""The page: the text with a continuation shown at the cursor, and the keys that type and move."""

import re
from collections.abc import Callable
from itertools import groupby
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Offset, Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from charrnn.editor.document import MODEL, ORIGINAL, TYPED, Document
from charrnn.editor.predictions import SURROGATE
from charrnn.editor.text_layout import TextLayout, shown

GHOST = "g"
STYLES = {ORIGINAL: Style(), TYPED: Style(), MODEL: Style(color="cyan"), GHOST: Style(dim=True, italic=True)}
CURSOR = Style(reverse=True)
VERTICAL = ("up", "down", "pageup", "pagedown")
MOVES = (*VERTICAL, "left", "right", "home", "end", "ctrl+left", "ctrl+right", "ctrl+home", "ctrl+end")
WORD_BEFORE, WORD_AFTER = re.compile(r"\S*\s*$"), re.compile(r"\s*\S*")
LONGEST_WORD = 1000  # characters searched for the start of a word


class Page(ScrollView, can_focus=True):
    """Shows and edits a document, and calls `changed` after each change of its text or its cursor.

    `ghost` is the continuation shown at the cursor.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *((key, f"move('{key}')") for key in MOVES),
        ("tab", "app.take('word')"),  # here, because screens bind it, too
        ("backspace", "delete('left')"),
        ("delete", "delete('right')"),
        ("ctrl+w", "delete('ctrl+left')"),
    ]

    def __init__(self, document: Document, changed: Callable[[], None]) -> None:
        super().__init__()
        self.document, self.changed = document, changed
        self.ghost = self.authors = ""
        self.column: int | None = None  # that vertical moves aim at
        self.width = 0
        self.layout_now = TextLayout("", 1)

    def on_resize(self) -> None:
        self.show()

    def show(self) -> None:
        """Lays out the current text, and scrolls to the cursor."""
        self.width = max(self.scrollable_content_region.width - 1, 2)  # the cursor may be after the last column
        (text, authors), cursor, ghost = self.document.state, self.document.cursor, self.visible_ghost
        self.authors = authors[:cursor] + GHOST * len(ghost) + authors[cursor:]
        wanted = (text[:cursor] + ghost + text[cursor:], self.width)
        if wanted != (self.layout_now.text, self.layout_now.width):
            self.layout_now = TextLayout(*wanted)
        self.virtual_size = Size(self.width + 1, len(self.layout_now.rows))
        row, column = self.layout_now.place(cursor)
        self.scroll_to_region(Region(column, row, 1, 1), animate=False, immediate=True, x_axis=False)
        self.app.cursor_position = self.content_region.offset + Offset(column, row - self.scroll_offset.y)
        self.refresh()

    @property
    def visible_ghost(self) -> str:
        """The shown part of the continuation: all at the end of the text, its first line at the end of a line."""
        text, cursor = self.document.text, self.document.cursor
        if cursor == len(text):
            return self.ghost
        return self.ghost.split("\n")[0] if text[cursor] == "\n" else ""

    def render_line(self, y: int) -> Strip:
        row, layout = y + self.scroll_offset.y, self.layout_now
        if row >= len(layout.rows):
            return Strip.blank(self.size.width, STYLES[ORIGINAL])
        start, end = layout.rows[row]
        cursor, segments = self.document.cursor, []
        for (author, here), group in groupby(range(start, end), lambda i: (self.authors[i], i == cursor)):
            text = "".join([shown(layout.text[i]) for i in group])
            segments.append(Segment(text, STYLES[author] + CURSOR if here else STYLES[author]))
        if cursor == end and layout.place(cursor)[0] == row:
            segments.append(Segment(" ", CURSOR))
        return Strip(segments).extend_cell_length(self.size.width, STYLES[ORIGINAL])

    def put(self, new: str, author: str = TYPED) -> None:
        """Inserts text at the cursor."""
        self.replace(self.document.cursor, self.document.cursor, new, author)

    def replace(self, start: int, end: int, new: str, author: str = TYPED) -> None:
        self.document.put(start, end, new, author)
        self.column = None
        self.changed()

    def on_key(self, event: events.Key) -> None:
        typed = "\n" if event.key in ("enter", "ctrl+j") else event.character if event.is_printable else None
        if typed:
            event.stop()
            event.prevent_default()
            self.put(typed)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.document.stop()
        self.put(SURROGATE.sub("", event.text.replace("\r\n", "\n").replace("\r", "\n")))
        self.document.stop()

    def on_click(self, event: events.Click) -> None:
        if (offset := event.get_content_offset(self)) is not None:
            self.move_to(self.text_index(self.layout_now.index(offset.y + self.scroll_offset.y, offset.x)))

    def action_move(self, key: str) -> None:
        row, column = self.layout_now.place(self.document.cursor)
        column = column if self.column is None else self.column
        self.move_to(self.vertical_goal(key, row, column) if key in VERTICAL else self.goal(key))
        self.column = column if key in VERTICAL else None

    def action_delete(self, key: str) -> None:
        start, end = sorted((self.document.cursor, self.goal(key)))
        if start < end:
            self.replace(start, end, "")

    def move_to(self, index: int) -> None:
        self.document.stop()
        if index != self.document.cursor:
            self.document.cursor = index
            self.changed()

    def goal(self, key: str) -> int:
        """The index to which a key moves the cursor, within a row or to another word."""
        text, cursor = self.document.text, self.document.cursor
        if key in ("home", "end"):
            row = self.layout_now.place(cursor)[0]
            return self.text_index(self.layout_now.index(row, 0 if key == "home" else self.width + 1))
        if key == "ctrl+left":
            word = WORD_BEFORE.search(text, max(cursor - LONGEST_WORD, 0), cursor)
            return word.start() if word else cursor
        if key == "ctrl+right":
            word = WORD_AFTER.match(text, cursor)
            return word.end() if word else cursor
        return {"left": max(cursor - 1, 0), "right": min(cursor + 1, len(text)), "ctrl+home": 0}.get(key, len(text))

    def vertical_goal(self, key: str, row: int, column: int) -> int:
        """The index in another row, at this column; rows that only show the continuation are skipped."""
        page = max(self.size.height - 1, 1)
        by = {"up": -1, "down": 1, "pageup": -page, "pagedown": page}[key]
        layout, cursor = self.layout_now, self.document.cursor
        while 0 <= (row := row + by) < len(layout.rows):
            index = self.text_index(layout.index(row, column))
            if (index < cursor) if by < 0 else (index > cursor):
                return index
        return 0 if by < 0 else len(self.document.text)

    def text_index(self, index: int) -> int:
        """The index in the text of an index on the page, which includes the shown continuation."""
        cursor = self.document.cursor
        return index if index <= cursor else max(cursor, index - len(self.visible_ghost))
