"""The live display of a training on a model of a terminal: sizes, remarks, resizing, jobs, and lines of whole words."""

import contextlib
import io
import os
import re
import signal
import sys
from collections.abc import Iterator

import pytest
from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleDimensions

from charrnn.cli.signals import stopping
from charrnn.display import console, reading, terminal, training
from charrnn.display.reading import ReadProgress
from charrnn.display.terminal import remark, wrapped
from charrnn.display.training import Plain, Screen, display
from charrnn.training.loop import Training
from tests.training.test_loop import begin

TOKEN = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|([^\x1b]+)")


class Terminal(io.StringIO):
    """Lines that end with a newline, of which the last `height` can be reached; a narrower one wraps them."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__()
        self.width, self.height = width, height
        self.rows, self.row = [""], 0
        self.wrap = True

    def isatty(self) -> bool:
        return True

    def size(self) -> os.terminal_size:
        return os.terminal_size((self.width, self.height))

    def write(self, data: str) -> int:
        for found in TOKEN.finditer(data):
            self.obey(found[1], found[2]) if found[2] else self.put(found[3])
        return len(data)

    def obey(self, number: str, command: str) -> None:
        if command == "A":
            self.row = max(self.row - int(number or 1), len(self.rows) - self.height, 0)
        elif command == "K":
            assert number == "2"
            self.rows[self.row] = ""
        elif number == "?7":
            self.wrap = command == "h"
        else:
            assert command == "m", command

    def put(self, text: str) -> None:
        for line in text.splitlines(keepends=True):
            whole = self.rows[self.row] + line.strip("\r\n")
            pieces = chop_cells(whole, self.width) or [""]
            assert self.wrap or len(pieces) == 1, f"cut off: {whole!r}"
            for number, piece in enumerate(pieces):
                if number:
                    self.down()
                self.rows[self.row] = piece
            if line.endswith("\n"):
                self.down()

    def down(self) -> None:
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append("")

    def resize(self, width: int, height: int) -> None:
        before = [chop_cells(row, width) or [""] for row in self.rows[: self.row + 1]]
        self.row = sum(map(len, before)) - 1
        self.rows = [piece for pieces in before for piece in pieces]
        self.width, self.height = width, height

    def screen(self) -> list[str]:
        return self.rows[-self.height :]


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """The terminal of `shown`."""
    there = Terminal(80, 24)
    for module in (terminal, training):
        monkeypatch.setattr(module, "stderr_size", there.size)
    monkeypatch.setattr(Console, "size", property(lambda _: ConsoleDimensions(*there.size())))
    monkeypatch.delenv("COLUMNS", raising=False)
    return there


@contextlib.contextmanager
def shown(window: Terminal, width: int, height: int) -> Iterator[tuple[Training, Screen]]:
    """A training with a display on a terminal of this size."""
    window.resize(width, height)
    run = begin(steps=60, eval_every=4)
    console = Console(file=window, force_terminal=True, color_system=None, markup=False, emoji=False)
    with contextlib.redirect_stderr(window), Screen(run, lambda step: f"sample {step} {'x' * 70}", console) as screen:
        yield run, screen
    run.close()


def steps(run: Training, screen: Screen, count: int) -> None:
    for _ in range(count):
        screen.show(next(run))


@pytest.mark.parametrize(("width", "height"), [(60, 15), (60, 24), (80, 24), (120, 50), (200, 15)])
def test_remarks_stay_above_the_display(window: Terminal, width: int, height: int) -> None:
    with shown(window, width, height) as (run, screen):
        for number in range(6):
            steps(run, screen, 4)
            remark(f"note: number {number} of the remarks that are made in the course of a run, which are rather long.")
    text = [row for row in window.rows if row]
    for number in range(6):
        assert sum(f"number {number} of" in row for row in text) == 1
    for once in ("GRU 2 x 12", "492 symbols", "dropout", "step 24/60", "training loss", "best ", "gradient norm"):
        assert sum(once in row for row in text) == 1, once
    assert any("sample 24" in row for row in window.screen())
    assert re.search(r"epoch \d+\.\d, 0:\d\d left", "".join(text))
    assert max(map(cell_len, text)) <= width
    assert text.index(next(row for row in text if "number 5 of" in row)) < len(text) - 7


def test_resizing_leaves_nothing_behind(window: Terminal) -> None:
    with shown(window, 120, 24) as (run, screen):
        for width, height in ((120, 24), (60, 24), (200, 50), (80, 24), (60, 24), (70, 15), (60, 15)):
            window.resize(width, height)
            steps(run, screen, 8)
    for once in ("GRU 2 x 12", "training loss", "validation loss", "best ", "gradient norm", "sample 56"):
        assert sum(once in row for row in window.rows) == 1, (once, window.rows)


def test_a_terminal_of_few_rows_shows_the_newest_sample(window: Terminal) -> None:
    with shown(window, 60, 5) as (run, screen):
        steps(run, screen, 12)
        assert "sample 12 " in "".join(window.screen())


def test_the_display_starts_again_below_what_the_shell_wrote(window: Terminal) -> None:
    with shown(window, 80, 24) as (run, screen), stopping() as stop:
        steps(run, screen, 4)
        window.write("^Z\n[1]+  Stopped\n$ fg\n")
        os.kill(os.getpid(), signal.SIGCONT)
        steps(run, screen, 4)
        assert stop.resumed
    at = next(k for k, row in enumerate(window.rows) if "Stopped" in row)
    assert "^Z" in window.rows[at - 1]
    assert "sample 4 " in window.rows[at - 2]
    assert any("sample 8 " in row for row in window.rows[at:])


def test_in_the_background_only_remarks_are_printed(window: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    with shown(window, 80, 24) as (run, screen):
        steps(run, screen, 4)
        monkeypatch.setattr(training, "in_background", lambda: True)
        assert isinstance(display(run, str, quiet=False, live=True), Plain)
        before = window.rows[:-1]
        steps(run, screen, 3)
        remark("note: a remark.")
        steps(run, screen, 5)
        assert window.rows == [*before, "note: a remark.", ""]
        monkeypatch.setattr(training, "in_background", lambda: False)
        steps(run, screen, 4)
    assert window.rows[: len(before)] == before
    assert any("sample 16 " in row for row in window.rows)


def test_the_background_is_the_job_of_another_group(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        assert not training.in_background()  # not a terminal
        monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp())
        assert not training.in_background()
        monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp() + 1)
        assert training.in_background()


def test_the_cursor_is_never_hidden_and_output_in_the_background_does_not_suspend(window: Terminal) -> None:
    with shown(window, 80, 24) as (run, screen), stopping():
        steps(run, screen, 8)  # the model of the terminal knows no hidden cursor
        assert signal.getsignal(signal.SIGTTOU) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGTTOU) is signal.SIG_DFL


def test_lines_have_whole_words_and_commands_can_be_pasted() -> None:
    text = "Stopped at step 1,234, saved in 'my model.npz'. To continue: charrnn train --resume -m 'my model.npz'"
    assert wrapped(text, 200) == [text]
    assert wrapped(text, 62) == [text[:60], "  charrnn train --resume -m 'my model.npz'"]
    assert wrapped(text, 26)[-2:] == ["  charrnn train --resume \\", "  -m 'my model.npz'"]
    assert wrapped("  --lr 0.1: small for 한국어 layers", 24) == ["  --lr 0.1: small for", "    한국어 layers"]
    assert wrapped("", 60) == [""]
    for width in (20, 40, 60, 80):
        lines = wrapped("a word, or " * 30 + "an " + "x" * 15, width)
        assert max(map(len, lines)) <= width
        assert " ".join(" ".join(lines).split()) == "a word, or " * 30 + "an " + "x" * 15
    long = f"To repeat: charrnn train 'a b.txt' {' '.join(f'--option{k} {k}' for k in range(30))}"
    command = "".join(line + "\n" for line in wrapped(long, 60)[1:]).replace("\\\n", " ")
    assert command.split() == long.split()[2:]


def test_the_bar_of_reading_shows_the_cursor_and_survives_a_closed_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr(console, "stderr_console", lambda: Console(file=file, force_terminal=True))
    monkeypatch.setattr(reading, "is_live", lambda _: True)
    monkeypatch.setattr(reading, "PATIENCE", -1.0)
    with ReadProgress(("corpus.txt",), quiet=False) as progress:
        progress.progress(1, 10)
        shown = file.getvalue()
        assert "reading corpus.txt" in shown
        assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
        monkeypatch.setattr(file, "write", closed)
        progress.due = 0.0
        progress.progress(2, 10)


def closed(data: str) -> int:
    raise OSError(5, "Input/output error")
