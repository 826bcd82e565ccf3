"""The side panel: the most likely next characters, and continuations, each of which can be accepted."""

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.widget import Widget

from charrnn.display.charts import bar
from charrnn.editor.predictions import STREAMS, Continuation
from charrnn.editor.suggestions import Suggestions
from charrnn.editor.text_layout import VISIBLE, TextLayout, cells, shown

NAMES = VISIBLE | str.maketrans(" \u3000", "␣␣")
HEADINGS = 3  # lines of the panel without an entry
FEWEST, MOST = 3, 20  # listed characters
TALL = 40  # height from which on continuations have more rows


class Entry(NamedTuple):
    """A line of the panel; `number` is that of its suggestion, characters first; -1 for none."""

    text: Text
    number: int = -1


class SidePanel(Widget, can_focus=True):
    """Lists `characters` with their probabilities, and the continuations of `suggestions`.

    Calls `turned` when another continuation has been chosen, and `taken` with a text that has been accepted.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("up", "turn(-1)"), ("down", "turn(1)"), ("enter", "take")]

    def __init__(self, suggestions: Suggestions, turned: Callable[[], None], taken: Callable[[str], None]) -> None:
        super().__init__()
        self.suggestions, self.turned, self.taken = suggestions, turned, taken
        self.characters: list[tuple[str, float]] = []
        self.at = 0

    @property
    def rows(self) -> int:
        """Rows per continuation."""
        return 2 if self.size.height < TALL else 4

    @property
    def room(self) -> int:
        """The number of characters for which there is room."""
        return min(max(self.size.height - HEADINGS - STREAMS * (1 + self.rows), FEWEST), MOST)

    @property
    def length(self) -> int:
        """The number of characters of a continuation that fit."""
        return min(max(40, self.rows * (self.size.width - 4)), 120)

    @property
    def listed(self) -> list[tuple[str, float]]:
        return self.characters[: self.room]

    def lines(self) -> list[Entry]:
        width, count = max(self.size.width, 12), len(self.listed)
        entries = [Entry(Text("next character", "bold"))]
        entries += [Entry(character_line(*item, width), number) for number, item in enumerate(self.listed)]
        entries += [Entry(Text()), Entry(Text("continuations", "bold"))]
        headings = [probability_line(item, width - 2) for item in self.suggestions.items]
        for i, text in enumerate(self.suggestions.texts):
            mark, style = ("▸", "cyan") if i == self.suggestions.chosen else (" ", "")
            entries.append(Entry(Text(f"{mark} {headings[i] if headings else '...'}", style), count + i))
            line = text.translate(VISIBLE)
            for start, end in TextLayout(line, width - 2).rows[: self.rows]:
                entries.append(Entry(Text("  " + "".join(map(shown, line[start:end])), style + " dim"), count + i))
        return entries

    def render(self) -> Text:
        lines = self.lines()
        for entry in lines:
            if self.has_focus and entry.number == self.at:
                entry.text.stylize("reverse")
        return Text("\n").join(entry.text for entry in lines)

    def action_turn(self, by: int) -> None:
        if count := len(self.listed) + len(self.suggestions.texts):
            self.choose((self.at + by) % count)

    def choose(self, number: int) -> None:
        self.at = number
        continuation = number - len(self.listed)
        if continuation >= 0:
            self.suggestions.chosen = min(continuation, len(self.suggestions.texts) - 1)
            self.turned()
        self.refresh()

    def action_take(self) -> None:
        self.taken(self.listed[self.at][0] if self.at < len(self.listed) else self.suggestions.text)

    def on_focus(self) -> None:
        self.at = 0

    def on_click(self, event: events.Click) -> None:
        offset, numbers = event.get_content_offset(self), dict(enumerate(entry.number for entry in self.lines()))
        if offset is not None and numbers.get(offset.y, -1) >= 0:
            self.choose(numbers[offset.y])
            self.action_take()


def character_line(character: str, probability: float, width: int) -> Text:
    name = "".join(map(shown, character.translate(NAMES)))
    pad = " " * max(1, 3 - sum(map(cells, name)))
    line = Text(f"  {name}{pad}{percent(probability):>7} ")
    return line.append(bar(probability, max(width - 14, 4)), "cyan")


def probability_line(item: Continuation, width: int) -> str:
    """The probability of a continuation per character (geometric mean) and, if there is room, in total."""
    each = f"{percent(item.per_character)} per char"
    longer = (f"{each}, {item.probability:.1g} in total", f"{each}, {item.probability:.1g}")
    return next((line for line in longer if len(line) <= width), each)


def percent(probability: float) -> str:
    """Two significant digits, but at least "<0.01 %" for any probability above 0."""
    if 0.0 < probability < 1e-4:
        return "<0.01 %"
    value = 100.0 * probability
    return f"{value:.{0 if value >= 9.95 else 1 if value >= 0.95 else 2}f} %"
