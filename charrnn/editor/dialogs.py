"""Dialogs over the page: questions answered by one key, a prompt, the list of branches."""

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from charrnn.display.terminal import safe
from charrnn.editor.document import Branch
from charrnn.editor.text_layout import VISIBLE

BEFORE, AFTER = 16, 44  # characters of a branch that are shown around the point where it diverges


class Dialog(ModalScreen[str | None]):
    """A question above a widget; the answer is None if the dialog is cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+b", "dismiss", priority=True)]

    def __init__(self, question: str, widget: Widget) -> None:
        super().__init__()
        self.content = Vertical(Static(Text(safe(question))), widget)

    def compose(self) -> ComposeResult:
        yield self.content

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)


class Ask(Dialog):
    """A question answered by one key; `answers` maps keys to what they do."""

    def __init__(self, question: str, answers: dict[str, str]) -> None:
        keys = [Text.assemble((f"{key:>3}", "bold"), "  ", meaning) for key, meaning in answers.items()]
        super().__init__(question, Static(Text("\n").join([Text(), *keys])))
        self.answers = answers

    def on_key(self, event: events.Key) -> None:
        event.stop()
        key = (event.character or "").lower()
        if key in self.answers:
            self.dismiss(key)


class Prompt(Dialog):
    """Asks for a line; the arrow keys change it by `step`."""

    BINDINGS: ClassVar[list[BindingType]] = [("up", "step(1)"), ("down", "step(-1)")]

    def __init__(self, question: str, value: str, step: Callable[[str, int], str] | None = None) -> None:
        self.input, self.step = Input(value), step
        super().__init__(question, self.input)

    def action_step(self, by: int) -> None:
        if self.step is not None:
            self.input.value = self.step(self.input.value, by)
            self.input.cursor_position = len(self.input.value)


def choose_branch(branches: list[Branch]) -> Dialog:
    """A list of branches; the answer is the number of a node."""
    options = [Option(summary(branch), str(branch.number)) for branch in branches]
    question = "All versions of this text, the newest first. Enter goes to one, Escape cancels."
    return Dialog(question, OptionList(*options))


def summary(branch: Branch) -> Text:
    """A branch in one line: its length, and the text around the point where it diverges from the current one."""
    text, point = branch.text, branch.diverges
    before = ("…" if point > BEFORE else "") + text[max(point - BEFORE, 0) : point]
    after = text[point : point + AFTER] + ("…" if len(text) > point + AFTER else "")
    line = Text(f"{'▸' if branch.here else ' '} {len(text):>7,}  ", no_wrap=True, overflow="ellipsis")
    for part, style in ((before, "dim"), (after, "cyan")):
        line.append(safe(part.translate(VISIBLE)), style)
    return line


def step_temperature(value: str, by: int) -> str:
    """A temperature raised or lowered by tenths."""
    try:
        return f"{max(round(float(value) + by / 10, 1), 0.0):g}"
    except (ValueError, OverflowError):
        return value
