"""What the model expects: the likeliest next characters, and continuations, each to be taken."""

from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from charrnn.editor.predictions import STREAMS, Continuation
from charrnn.editor.suggestions import Suggestions
from charrnn.editor.text_layout import Layout, cells, shown

NAMES = {" ": "␣", "\n": "⏎", "\t": "⇥", "\u3000": "␣"}
HEADINGS = 3  # lines of the panel that list nothing
LEAST, MOST = 3, 20  # characters that are listed
TALL = 40  # lines from which on there is room for more of each continuation


class Entry(NamedTuple):
    """A line of the panel; `number` tells which suggestion it belongs to, characters first; -1 for none."""

    text: Text
    number: int = -1


class Panel(Widget, can_focus=True):
    """Lists `characters` with their probabilities, and the continuations of `suggestions`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "turn(-1)", show=False),
        Binding("down", "turn(1)", show=False),
        Binding("enter", "take", show=False),
    ]

    class Taken(Message):
        """One was chosen: a character, or (None) the continuation that is chosen in the suggestions."""

        def __init__(self, character: str | None) -> None:
            super().__init__()
            self.character = character

    class Turned(Message):
        """Another continuation is chosen."""

    def __init__(self, suggestions: Suggestions) -> None:
        super().__init__()
        self.suggestions = suggestions
        self.characters: list[tuple[str, float]] = []
        self.at = 0

    @property
    def room(self) -> int:
        """How many characters are listed."""
        return min(max(self.size.height - HEADINGS - STREAMS * (1 + self.rows), LEAST), MOST)

    @property
    def rows(self) -> int:
        """How many rows of a continuation are shown."""
        return 2 if self.size.height < TALL else 4

    @property
    def length(self) -> int:
        """How long continuations are that fit well."""
        return min(max(40, self.rows * (self.size.width - 4)), 120)

    def lines(self) -> list[Entry]:
        width, listed = max(self.size.width, 12), self.characters[: self.room]
        found = [Entry(Text("next character", "bold"))]
        found += [Entry(self.character(*item, width), number) for number, item in enumerate(listed)]
        found += [Entry(Text()), Entry(Text("goes on", "bold"))]
        figures = [figure(item, width - 2) for item in self.suggestions.items]
        for i, text in enumerate(self.suggestions.texts):
            mark = "▸" if i == self.suggestions.chosen else " "
            style = "cyan" if i == self.suggestions.chosen else ""
            number = len(listed) + i
            found.append(Entry(Text(f"{mark} {figures[i] if figures else '...'}", style), number))
            line = "".join(NAMES.get(c, c) if c in "\n\t" else c for c in text)
            for begin, end in Layout(line, width - 2).rows[: self.rows]:
                found.append(Entry(Text("  " + "".join(map(shown, line[begin:end])), style + " dim"), number))
        return found

    def character(self, character: str, probability: float, width: int) -> Text:
        name = NAMES.get(character) or "".join(map(shown, character))
        pad = " " * max(1, 3 - sum(map(cells, name)))
        bar = "█" * round(probability * max(width - 14, 4))
        return Text(f"  {name}{pad}{percent(probability):>7} ").append(bar, "cyan")

    def render(self) -> Text:
        lines = self.lines()
        if self.has_focus:
            for entry in lines:
                if entry.number == self.at:
                    entry.text.stylize("reverse")
        return Text("\n").join(entry.text for entry in lines)

    def action_turn(self, by: int) -> None:
        count = min(self.room, len(self.characters)) + len(self.suggestions.texts)
        if count:
            self.choose((self.at + by) % count)

    def choose(self, number: int) -> None:
        self.at = number
        first = min(self.room, len(self.characters))
        if number >= first:
            self.suggestions.chosen = min(number - first, len(self.suggestions.texts) - 1)
            self.post_message(self.Turned())
        self.refresh()

    def action_take(self) -> None:
        listed = self.characters[: self.room]
        self.post_message(self.Taken(listed[self.at][0] if self.at < len(listed) else None))

    def on_focus(self) -> None:
        self.at = 0
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        offset, lines = event.get_content_offset(self), self.lines()
        if offset is not None and offset.y < len(lines) and lines[offset.y].number >= 0:
            self.choose(lines[offset.y].number)
            self.action_take()


def figure(item: Continuation, width: int) -> str:
    """How likely a continuation is: a character of it, as a geometric mean, and where there is room, all of it."""
    each = f"{percent(item.per_character)} a character"
    return next(
        (
            line
            for line in (f"{each}, {item.probability:.1g} in all", f"{each} {item.probability:.1g}")
            if len(line) <= width
        ),
        each,
    )


def percent(probability: float) -> str:
    """Two digits that count; what is less than a hundredth of a per cent is said to be."""
    if 0.0 < probability < 1e-4:
        return "<0.01 %"
    figure = 100.0 * probability
    return f"{figure:.0f} %" if figure >= 9.95 else f"{figure:.1f} %" if figure >= 0.95 else f"{figure:.2f} %"
