"""The page: the text with what the model would go on with behind the cursor, and the keys that type and move."""

import re
from itertools import groupby
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from charrnn.editor.document import GIVEN, HAND, MODEL, Document
from charrnn.editor.text_layout import Layout, shown

GHOST = "g"
STYLES = {
    GIVEN: Style(),
    HAND: Style(),
    MODEL: Style(color="cyan"),
    GHOST: Style(dim=True, italic=True),
}
CURSOR = Style(reverse=True)
MOVES = (
    *("left", "right", "up", "down", "pageup", "pagedown", "home", "end"),
    *("ctrl+left", "ctrl+right", "ctrl+home", "ctrl+end"),
)
WORD_BEFORE, WORD_AFTER = re.compile(r"\S*\s*$"), re.compile(r"\s*\S*")


class Page(ScrollView, can_focus=True):
    """Shows and edits a document. `ghost` is the continuation that is shown behind the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"move('{key}')", show=False) for key in MOVES),
        Binding("tab", "app.take('word')", show=False),  # here, because a screen has its own use for it
        Binding("backspace", "delete('left')", show=False),
        Binding("delete", "delete('right')", show=False),
        Binding("ctrl+w", "delete('ctrl+left')", show=False),
    ]

    class Changed(Message):
        """The text is another one."""

    class Moved(Message):
        """The cursor is somewhere else."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document = document
        self.ghost = ""
        self.column: int | None = None  # where up and down would like to go
        self.width = 0
        self.layout_now = Layout("", 1)

    def on_mount(self) -> None:
        self.show()

    def on_resize(self) -> None:
        self.show()

    def show(self) -> None:
        """Lays the text out as it is now, and brings the cursor into view."""
        self.width = max(self.scrollable_content_region.width - 1, 2)  # the cursor may stand behind the last column
        text, cursor = self.document.text, self.document.cursor
        laid = (text[:cursor] + self.ghost_here + text[cursor:], self.width)
        if laid != (self.layout_now.text, self.layout_now.width):
            self.layout_now = Layout(*laid)
        self.virtual_size = Size(self.width + 1, len(self.layout_now.rows))
        row, column = self.layout_now.place(cursor)
        self.scroll_to_region(Region(column, row, 1, 1), animate=False, immediate=True, x_axis=False)
        self.app.cursor_position = self.content_region.offset + Offset(column, row - self.scroll_offset.y)
        self.refresh()

    @property
    def ghost_here(self) -> str:
        """The continuation as far as it is shown in the text: all of it at the end, within the line elsewhere."""
        text, cursor = self.document.text, self.document.cursor
        if cursor == len(text):
            return self.ghost
        return self.ghost.split("\n")[0] if text[cursor] == "\n" else ""

    def render_line(self, y: int) -> Strip:
        row = y + self.scroll_offset.y
        layout = self.layout_now
        if row >= len(layout.rows):
            return Strip.blank(self.size.width, STYLES[GIVEN])
        begin, end = layout.rows[row]
        cursor, authors, ghost = self.document.cursor, self.document.authors, len(self.ghost_here)

        def kind(i: int) -> tuple[str, bool]:
            if cursor <= i < cursor + ghost:
                return GHOST, i == cursor
            return authors[i if i < cursor else i - ghost], i == cursor

        segments = []
        for (author, here), group in groupby(range(begin, end), kind):
            text = "".join(shown(layout.text[i]) for i in group)
            segments.append(Segment(text, STYLES[author] + CURSOR if here else STYLES[author]))
        if cursor == end and layout.place(cursor)[0] == row:
            segments.append(Segment(" ", CURSOR))
        return Strip(segments).extend_cell_length(self.size.width, STYLES[GIVEN])

    def put(self, new: str, author: str = HAND) -> None:
        """Writes at the cursor."""
        cursor = self.document.cursor
        self.document.put(cursor, cursor, new, author)
        self.changed()

    def changed(self) -> None:
        self.column = None
        self.post_message(self.Changed())

    def on_key(self, event: events.Key) -> None:
        typed = "\n" if event.key in ("enter", "ctrl+j") else event.character if event.is_printable else None
        if typed:
            event.stop()
            event.prevent_default()
            self.put(typed)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        self.document.stop()
        self.put("".join(c for c in text if not "\ud800" <= c <= "\udfff"))
        self.document.stop()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None:
            self.move_to(self.real(self.layout_now.index(offset.y + self.scroll_offset.y, offset.x)))

    def action_move(self, key: str) -> None:
        column = self.column
        self.move_to(self.goal(key))
        if key in ("up", "down", "pageup", "pagedown"):
            self.column = column if column is not None else self.column_before
        else:
            self.column = None

    def action_delete(self, key: str) -> None:
        cursor, goal = self.document.cursor, self.goal(key)
        if goal != cursor:
            self.document.put(min(cursor, goal), max(cursor, goal), "")
            self.changed()

    def move_to(self, index: int) -> None:
        self.document.stop()
        self.column_before = self.layout_now.place(self.document.cursor)[1]
        if index != self.document.cursor:
            self.document.cursor = index
            self.post_message(self.Moved())

    def goal(self, key: str) -> int:
        """Where a key leads from the cursor."""
        text, cursor = self.document.text, self.document.cursor
        if key in ("up", "down", "pageup", "pagedown"):
            return self.rows_away(key)
        if key in ("home", "end"):
            row = self.layout_now.place(cursor)[0]
            return self.real(self.layout_now.index(row, 0 if key == "home" else self.width + 1))
        if key == "ctrl+left":
            match = WORD_BEFORE.search(text, max(cursor - 1000, 0), cursor)
            return match.start() if match and match.start() < cursor else max(cursor - 1, 0)
        if key == "ctrl+right":
            match = WORD_AFTER.match(text, cursor)
            return match.end() if match else cursor
        goals = {"left": max(cursor - 1, 0), "right": min(cursor + 1, len(text)), "ctrl+home": 0}
        return goals.get(key, len(text))

    def rows_away(self, key: str) -> int:
        """Up and down by rows or pages; rows of the continuation are passed over."""
        page = max(self.size.height - 1, 1)
        by = {"up": -1, "down": 1, "pageup": -page, "pagedown": page}[key]
        layout, cursor = self.layout_now, self.document.cursor
        row, column = layout.place(cursor)
        column = column if self.column is None else self.column
        while 0 <= (row := row + by) < len(layout.rows):
            index = self.real(layout.index(row, column))
            if (index < cursor) if by < 0 else (index > cursor):
                return index
        return 0 if by < 0 else len(self.document.text)

    def real(self, index: int) -> int:
        """The index in the text of one on the page, where the continuation stands behind the cursor."""
        cursor, ghost = self.document.cursor, len(self.ghost_here)
        return index if index <= cursor else max(cursor, index - ghost)
