"""Questions over the page: one key is the answer, a line is typed, or one of the branches is chosen."""

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from charrnn.display.terminal import safe
from charrnn.editor.document import Branch

BEFORE, AFTER = 16, 44  # characters that are shown of a branch, around where it parts


class Ask(ModalScreen[str]):
    """A question that one key answers; `answers` tells what each key means, Escape is the empty answer."""

    def __init__(self, question: str, answers: dict[str, str]) -> None:
        super().__init__()
        self.question, self.answers = safe(question), answers

    def compose(self) -> ComposeResult:
        keys = Text("\n").join(
            Text.assemble((f"{key:>3}", "bold"), "  ", meaning) for key, meaning in self.answers.items()
        )
        with Vertical():
            yield Static(Text(self.question))
            yield Static(Text("\n").append_text(keys))

    def on_key(self, event: events.Key) -> None:
        event.stop()
        key = (event.character or "").lower()
        if key in self.answers:
            self.dismiss(key)
        elif event.key in ("escape", "ctrl+c", "ctrl+q"):
            self.dismiss("")


class Prompt(ModalScreen[str | None]):
    """A line to be typed, None where there is none; `step` changes it at the arrow keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c,ctrl+q", "give_up", show=False, priority=True),
        Binding("up", "step(1)", show=False),
        Binding("down", "step(-1)", show=False),
    ]

    def __init__(self, question: str, value: str, step: Callable[[str, int], str] | None = None) -> None:
        super().__init__()
        self.question, self.value, self.step = safe(question), value, step

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Text(self.question))
            yield Input(self.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def action_step(self, by: int) -> None:
        if self.step is not None:
            line = self.query_one(Input)
            line.value = self.step(line.value, by)
            line.cursor_position = len(line.value)

    def action_give_up(self) -> None:
        self.dismiss(None)


class Branches(ModalScreen[int | None]):
    """The ends of all branches to choose from; the answer is a node's number."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c,ctrl+q,ctrl+b", "give_up", show=False, priority=True)
    ]

    def __init__(self, branches: list[Branch]) -> None:
        super().__init__()
        self.branches = branches

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Text("The ways this text has gone, the newest first; Enter goes there, Escape stays."))
            yield OptionList(*(Option(described(branch)) for branch in self.branches))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self.branches[event.option_index].number)

    def action_give_up(self) -> None:
        self.dismiss(None)


def described(branch: Branch) -> Text:
    """A branch in a line: its length, and the text around where it parts from the present one."""
    text, parts = branch.text, branch.parts
    before = ("…" if parts > BEFORE else "") + text[max(parts - BEFORE, 0) : parts]
    after = text[parts : parts + AFTER] + ("…" if len(text) > parts + AFTER else "")
    line = Text(f"{'▸' if branch.here else ' '} {len(text):>7,}  ", no_wrap=True, overflow="ellipsis")
    line.append(safe(before.replace("\n", "⏎").replace("\t", "⇥")), "dim")
    line.append(safe(after.replace("\n", "⏎").replace("\t", "⇥")), "cyan")
    return line


def stepped(value: str, by: int) -> str:
    """A temperature a tenth higher or lower."""
    try:
        return f"{max(round(float(value) + by / 10, 1), 0.0):g}"
    except (ValueError, OverflowError):
        return value
