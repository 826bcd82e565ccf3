"""The program that `charrnn write` runs: page, panel, and what the keys do."""

import asyncio
import os
import signal

from rich.text import Text
from textual import events, work
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from charrnn.checkpoint.model import Model
from charrnn.checks import check_float
from charrnn.display.terminal import safe
from charrnn.editor.chrome import BINDINGS, CSS, KEYS, LINE, noted, standing
from charrnn.editor.dialogs import Ask, Branches, Prompt, stepped
from charrnn.editor.document import MODEL
from charrnn.editor.predictions import Companion, turns
from charrnn.editor.side_panel import Panel
from charrnn.editor.suggestions import Suggestions
from charrnn.editor.text_area import Page
from charrnn.editor.text_file import Manuscript
from charrnn.errors import CharRNNError
from charrnn.system.portability import STOP_SIGNALS

PATIENCE = 0.05  # seconds without a key before continuations are drawn
SYNC_EVERY = 5.0  # seconds
NARROW = 56  # columns; on fewer, the text has them all


class Writer(App[None]):
    """Writes in `manuscript` with `model`; `name` is the model's file. After `run`, `document` is what was written."""

    ENABLE_COMMAND_PALETTE = False
    CSS = CSS
    BINDINGS = BINDINGS

    def __init__(self, model: Model, name: str, manuscript: Manuscript, temp: float, seed: int) -> None:
        super().__init__()
        check_float("temp", temp, at_least=0.0)
        self.manuscript, self.temp, self.seed = manuscript, temp, seed
        config = model.config
        self.about = f"{name} · {config.cell.upper()} {config.layers} x {config.hidden_size} · {model.vocab.unit}"
        self.companion = Companion(model)
        self.suggestions = Suggestions()
        self.document = manuscript.begin() if manuscript.left is None else manuscript.left
        self.again = 0  # how often others were wanted
        self.note = ""
        self.thinking = False
        self.given_up = False

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        with Horizontal():
            yield Page(self.document)
            yield Panel(self.suggestions)
        yield Static(id="note")
        yield Static(id="status")
        yield Static(LINE, id="keys", markup=False)

    def on_mount(self) -> None:
        self.theme = "ansi-dark"  # the terminal's own colours
        self.page, self.panel = self.query_one(Page), self.query_one(Panel)
        self.page.focus()
        self.watch_signals()
        self.set_interval(SYNC_EVERY, self.sync)
        self.suggestions.follow(self.before)
        self.show()
        self.think()
        if self.manuscript.left is not None:
            left = f"{self.manuscript.name} was left with {len(self.document.text):,} characters"
            question = f"{left}, not all of them saved. Escape: another time."
            answers = {"y": "take it up where it was left", "n": "throw that away, and begin with the file as it is"}
            self.push_screen(Ask(question, answers), self.recovered)

    def recovered(self, answer: str | None) -> None:
        if not answer:
            self.given_up = False
            self.exit()
            return
        self.document = self.page.document = self.manuscript.begin(again=answer == "y")
        self.changed()

    def watch_signals(self) -> None:
        """A signal ends the program; what was not saved is in the draft."""
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                try:
                    loop.add_signal_handler(number, self.stop_by, number)
                except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
                    return

    def stop_by(self, number: int) -> None:
        if number == getattr(signal, "SIGHUP", None):  # nobody is there to draw for: waiting for the screen may hang
            self.manuscript.close(keep_draft=self.unsaved)
            os._exit(128 + number)
        self.exit(return_code=128 + number)

    async def sync(self) -> None:
        await asyncio.to_thread(self.manuscript.sync)

    # what is shown

    @property
    def before(self) -> str:
        """The text that the model goes on from."""
        return self.document.text[: self.document.cursor]

    @property
    def unsaved(self) -> bool:
        return self.document.text != self.manuscript.saved

    def show(self) -> None:
        """Brings every part of the screen up to date."""
        self.page.ghost = self.suggestions.text
        self.page.show()
        self.panel.refresh(layout=False)
        name = os.path.basename(self.manuscript.name)
        mark = " (not saved)" if self.unsaved else ""
        notes = noted(self.companion.missing, self.note, self.manuscript.trouble)
        texts = {"title": f"{name}{mark} · {self.about}", "note": notes, "status": standing(self.document, self.temp)}
        for part, text in texts.items():
            self.query_one(f"#{part}", Static).update(Text(safe(text)))
        self.query_one("#note").display = bool(notes)

    def on_resize(self, event: events.Resize) -> None:
        self.screen_stack[0].set_class(event.size.width < NARROW, "narrow")

    def say(self, note: str) -> None:
        self.note = note
        self.show()

    # what the model says

    def think(self) -> None:
        """Has the model read and suggest; what it was doing before is dropped."""
        self.thinking = True
        self.thoughts()

    @work(exclusive=True)
    async def thoughts(self) -> None:
        before = self.before
        await turns(self.companion.read(before))
        self.panel.characters = self.companion.characters(self.panel.room, self.temp)
        self.show()
        if not self.suggestions.items:
            await asyncio.sleep(PATIENCE)
            seed = self.seed + self.companion.streams * (len(before) + 10**9 * self.again)
            work = self.companion.continuations(self.panel.length, self.temp, seed, self.suggestions.kept)
            self.suggestions.found(await turns(work))
            self.show()
        self.thinking = False

    def changed(self) -> None:
        self.note = ""
        self.suggestions.follow(self.before)
        self.show()
        self.think()

    def on_page_changed(self) -> None:
        self.changed()

    def on_page_moved(self) -> None:
        self.changed()

    def on_panel_turned(self) -> None:
        self.show()

    def on_panel_taken(self, event: Panel.Taken) -> None:
        self.page.put(event.character or self.suggestions.text, MODEL)
        self.page.focus()

    def action_take(self, size: str) -> None:
        piece = self.suggestions.piece(size)
        if piece:
            self.page.put(piece, MODEL)

    def action_turn(self) -> None:
        self.suggestions.turn()
        self.show()

    def action_others(self) -> None:
        self.again += 1
        self.suggestions.forget()
        self.changed()

    def action_list(self) -> None:
        (self.page if self.panel.has_focus or not self.panel.display else self.panel).focus()

    # steps and branches

    def action_undo(self) -> None:
        if self.document.undo():
            self.changed()
        else:
            self.say("this is the beginning")

    def action_redo(self) -> None:
        if self.document.redo():
            self.changed()
        else:
            self.say("this is the end of the branch")

    def action_branches(self) -> None:
        self.push_screen(Branches(self.document.branches()), self.go)

    def go(self, number: int | None) -> None:
        if number is not None:
            self.document.go(number)
            self.changed()

    # temperature, files, the end

    def action_temperature(self) -> None:
        question = "temperature: below 1 more certain, above 1 wilder, 0 the likeliest (↑ ↓ change it)"
        self.push_screen(Prompt(question, f"{self.temp:g}", stepped), self.set_temperature)

    def set_temperature(self, value: str | None) -> None:
        if value is None:
            return
        try:
            temp = float(value)
            check_float("temp", temp, at_least=0.0)
        except (CharRNNError, ValueError):
            self.say(f"{value!r} is no temperature: a number from 0 on is")
            return
        self.temp = temp
        self.suggestions.forget()
        self.changed()

    def action_save(self) -> None:
        if self.manuscript.path is None:
            self.action_save_as()
        else:
            self.save()

    def action_save_as(self) -> None:
        path = self.manuscript.path
        self.push_screen(Prompt("save as", "" if path is None else str(path)), self.save)

    def save(self, path: str | None = "", then_leave: bool = False) -> None:
        """Saves, to another file where a path is given; asks before anything is overwritten that was not seen."""
        if path is None:
            return
        try:
            overwrites = self.manuscript.overwrites(path or None)
            if overwrites:
                answers = {"y": "overwrite it with this text", "n": "leave it"}
                self.push_screen(
                    Ask(f"{overwrites}.", answers),
                    lambda answer: self.write(path, then_leave) if answer == "y" else None,
                )
                return
        except CharRNNError as error:
            self.say(str(error))
            return
        self.write(path, then_leave)

    def write(self, path: str, then_leave: bool) -> None:
        try:
            self.document.stop()
            self.manuscript.save(self.document.text, path or None)
        except CharRNNError as error:
            self.say(str(error))
            return
        self.say(f"saved in {self.manuscript.name}")
        if then_leave:
            self.exit()

    def action_leave(self) -> None:
        if len(self.screen_stack) > 1:  # a question is open: this is no answer to it
            self.screen.dismiss(None)
            return
        if not self.unsaved:
            self.exit()
            return
        answers = {"s": "save, and quit", "t": "throw away what was not saved, and quit"}
        self.push_screen(Ask(f"{self.manuscript.name} is not saved. Escape goes back to it.", answers), self.left)

    def left(self, answer: str | None) -> None:
        if answer == "t":
            self.given_up = True
            self.exit()
        elif answer == "s":
            if self.manuscript.path is None:
                self.push_screen(Prompt("save as", ""), lambda path: self.save(path, then_leave=True))
            else:
                self.save(then_leave=True)

    def action_keys(self) -> None:
        self.push_screen(Ask("Escape goes back.", KEYS))
