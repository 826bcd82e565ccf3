"""The program behind `charrnn write`: the page, the side panel, and the actions of the keys."""

import asyncio
import os
import signal
from contextlib import suppress

from rich.text import Text
from textual import events, work
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from charrnn.checkpoint.model import Model
from charrnn.checks import check_float
from charrnn.display.terminal import safe
from charrnn.editor.chrome import BINDINGS, CSS, HELP, KEY_LINE, notice_line, status_line
from charrnn.editor.dialogs import Ask, Prompt, choose_branch, step_temperature
from charrnn.editor.document import MODEL
from charrnn.editor.predictions import Predictor, run_in_turns
from charrnn.editor.side_panel import SidePanel
from charrnn.editor.suggestions import Suggestions
from charrnn.editor.text_area import Page
from charrnn.editor.text_file import TextFile
from charrnn.errors import CharRNNError
from charrnn.system.portability import STOP_SIGNALS

PATIENCE = 0.05  # seconds without a key before continuations are drawn
SYNC_EVERY = 5.0  # seconds
NARROW = 56  # columns; a narrower screen has no side panel


class Editor(App[None]):
    """Edits `file` with the predictions of `model`; `name` is the model's file."""

    ENABLE_COMMAND_PALETTE = False
    CSS = CSS
    BINDINGS = BINDINGS

    def __init__(self, model: Model, name: str, file: TextFile, temp: float, seed: int) -> None:
        super().__init__()
        self.file, self.temp, self.seed = file, temp, seed
        self.about = f"{name} · {model.kind} · {model.vocab.unit}"
        self.predictor = Predictor(model)
        self.suggestions = Suggestions()
        self.document = file.open() if file.recovered is None else file.recovered
        self.page = Page(self.document, self.changed)
        self.panel = SidePanel(self.suggestions, turned=self.show, taken=self.take)
        self.redraws = 0  # number of requests for new continuations
        self.notice = ""
        self.busy = self.discarded = False

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield Horizontal(self.page, self.panel)
        yield Static(id="notice")
        yield Static(id="status")
        yield Static(KEY_LINE, id="keys", markup=False)

    def on_mount(self) -> None:
        self.theme = "ansi-dark"  # the terminal's own colours
        self.page.focus()
        self.watch_signals()
        self.set_interval(SYNC_EVERY, lambda: asyncio.to_thread(self.file.sync))
        self.changed()
        if self.file.recovered is not None:
            self.recover()

    @work
    async def recover(self) -> None:
        question = f"{self.file.name} has an unsaved draft ({len(self.document.text):,} characters)."
        answers = {"y": "continue with the draft", "n": "discard the draft, and open the file"}
        answer = await self.push_screen_wait(Ask(f"{question} Escape: decide later.", answers))
        if answer is None:
            self.exit()
            return
        self.document = self.page.document = self.file.open(recover=answer == "y")
        self.changed()

    def watch_signals(self) -> None:
        """Signals end the program; the draft keeps the unsaved text."""
        with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
            for number in STOP_SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    asyncio.get_running_loop().add_signal_handler(number, self.stop_by, number)

    def stop_by(self, number: int) -> None:
        if number == getattr(signal, "SIGHUP", None):  # the terminal is gone: a normal exit may wait for it forever
            self.file.close(keep_draft=self.unsaved)
            os._exit(128 + number)
        self.exit(return_code=128 + number)

    # the screen

    @property
    def unsaved(self) -> bool:
        return self.document.text != self.file.saved

    def show(self) -> None:
        """Updates every part of the screen."""
        self.page.ghost = self.suggestions.text
        self.page.show()
        self.panel.refresh(layout=False)
        mark = " (not saved)" if self.unsaved else ""
        notice = notice_line(self.predictor.missing, self.notice, self.file.warning)
        title = f"{os.path.basename(self.file.name)}{mark} · {self.about}"
        for part, text in (("title", title), ("notice", notice), ("status", status_line(self.document, self.temp))):
            self.query_one(f"#{part}", Static).update(Text(safe(text)))
        self.query_one("#notice").display = bool(notice)

    def show_notice(self, notice: str) -> None:
        self.notice = notice
        self.show()

    def on_resize(self, event: events.Resize) -> None:
        self.screen_stack[0].set_class(event.size.width < NARROW, "narrow")

    # predictions

    def changed(self) -> None:
        """The text before the cursor has changed: predicts anew."""
        self.notice, self.busy = "", True
        before = self.document.text[: self.document.cursor]
        self.suggestions.follow(before)
        self.show()
        self.predict(before)

    @work(exclusive=True, group="predictions")
    async def predict(self, before: str) -> None:
        """Reads the text and suggests continuations; cancelled by the next call."""
        await run_in_turns(self.predictor.read(before))
        self.panel.characters = self.predictor.characters(self.panel.room, self.temp)
        self.show()
        if not self.suggestions.items:
            await asyncio.sleep(PATIENCE)
            seed = self.seed + self.predictor.streams * (len(before) + 10**9 * self.redraws)
            drawing = self.predictor.continuations(self.panel.length, self.temp, seed, self.suggestions.kept)
            self.suggestions.update(await run_in_turns(drawing))
            self.show()
        self.busy = False

    def take(self, text: str) -> None:
        """Inserts a text of the model, and returns to the page."""
        self.page.put(text, MODEL)
        self.page.focus()

    def action_take(self, size: str) -> None:
        if piece := self.suggestions.piece(size):
            self.page.put(piece, MODEL)

    def action_turn(self) -> None:
        self.suggestions.turn()
        self.show()

    def action_redraw(self) -> None:
        self.redraws += 1
        self.suggestions.forget()
        self.changed()

    def action_list(self) -> None:
        (self.page if self.panel.has_focus or not self.panel.display else self.panel).focus()

    @work
    async def action_temperature(self) -> None:
        question = "temperature: lower is more predictable, higher more varied, 0 the most likely (↑ ↓ change it)"
        value = await self.push_screen_wait(Prompt(question, f"{self.temp:g}", step_temperature))
        if value is None:
            return
        try:
            check_float("temp", temp := float(value), at_least=0.0)
        except (CharRNNError, ValueError):
            self.show_notice(f"{value!r} is not a temperature: enter a number of at least 0")
            return
        self.temp = temp
        self.suggestions.forget()
        self.changed()

    # undo and branches

    def action_step(self, method: str) -> None:
        """One step in the tree of edits: "undo" or "redo"."""
        if getattr(self.document, method)():
            self.changed()
        else:
            self.show_notice(f"nothing to {method}")

    @work
    async def action_branches(self) -> None:
        number = await self.push_screen_wait(choose_branch(self.document.branches()))
        if number is not None:
            self.document.go(int(number))
            self.changed()

    # saving and quitting

    @work
    async def action_save(self, rename: bool = False) -> None:
        await self.save(rename)

    async def save(self, rename: bool = False) -> bool:
        """Saves; asks for a name if there is none, and before overwriting a file not read here, or changed since."""
        path: str | None = ""
        if rename or self.file.path is None:
            path = await self.push_screen_wait(Prompt("save as", str(self.file.path or "")))
        if path is None:
            return False
        try:
            overwrites = self.file.overwrites(path or None)
            answers = {"y": "overwrite it with this text", "n": "do not save"}
            if overwrites and await self.push_screen_wait(Ask(f"{overwrites}.", answers)) != "y":
                return False
            self.document.stop()
            self.file.save(self.document.text, path or None)
        except CharRNNError as error:
            self.show_notice(str(error))
            return False
        self.show_notice(f"saved in {self.file.name}")
        return True

    @work
    async def action_leave(self) -> None:
        if len(self.screen_stack) > 1:  # closes the open dialog instead
            self.screen.dismiss(None)
            return
        if self.unsaved:
            answers = {"s": "save and quit", "t": "throw away the changes and quit"}
            answer = await self.push_screen_wait(Ask(f"{self.file.name} is not saved. Escape cancels.", answers))
            self.discarded = answer == "t"
            if answer is None or (answer == "s" and not await self.save()):
                return
        self.exit()

    def action_keys(self) -> None:
        self.push_screen(Ask("Escape closes this list.", HELP))
