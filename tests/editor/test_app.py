"""`charrnn write`, driven key by key as a person would: through Textual's own pilot, and the command around it."""

import asyncio
import importlib.util
import os
import subprocess
import sys
import unicodedata
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("textual", reason="charrnn write is an extra")

from textual import events
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from charrnn.cli.main import run
from charrnn.display.terminal import UNSEEN
from charrnn.editor import app
from charrnn.editor.app import Writer
from charrnn.editor.dialogs import Ask, described, stepped
from charrnn.editor.document import Branch
from charrnn.editor.side_panel import percent
from charrnn.editor.text_file import Manuscript
from charrnn.editor.text_layout import Layout, cells, shown, wrapped
from charrnn.text.units import UNITS
from tests.editor.test_predictions import trained

Script = Callable[[Writer, "Pilot[None]"], Awaitable[None]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(app, "PATIENCE", 0.0)
    return tmp_path


def drive(script: Script, path: str | None = "a.txt", unit: str = "char", size: tuple[int, int] = (80, 24)) -> Writer:
    """Runs the program with this script for a person, and returns it as it ended."""
    manuscript = Manuscript(path)
    writer = Writer(trained(unit), "m.npz", manuscript, 0.8, 1)

    async def go() -> None:
        async with writer.run_test(size=size) as pilot:
            await settled(writer, pilot)
            await script(writer, pilot)

    asyncio.run(go())
    manuscript.release()
    return writer


async def settled(writer: Writer, pilot: "Pilot[None]") -> None:
    await pilot.pause()
    while writer.is_running and writer.thinking:
        await pilot.pause(0.01)
    await pilot.pause()


async def press(writer: Writer, pilot: "Pilot[None]", *keys: str) -> None:
    await pilot.press(*keys)
    await settled(writer, pilot)


def page(writer: Writer) -> list[str]:
    rows = len(writer.page.layout_now.rows)
    return ["".join(segment.text for segment in writer.page.render_line(y)).rstrip() for y in range(rows)]


def title(writer: Writer) -> str:
    return str(writer.query_one("#title", Static).content)


def test_what_is_typed_stands_on_the_page_and_is_saved() -> None:
    async def script(writer: Writer, pilot: "Pilot[None]") -> None:
        await press(writer, pilot, *"The fox", "enter", *"ra", "x", "backspace", "n")
        assert writer.document.text == "The fox\nran"
        first, second = page(writer)[:2]
        assert first == "The fox"
        assert second.startswith("ran" + writer.suggestions.text.split("\n")[0][:10].rstrip())
        assert "not saved" in title(writer)
        await press(writer, pilot, "ctrl+s")
        assert "not saved" not in title(writer)
        assert "saved in a.txt" in writer.note
        await press(writer, pilot, "ctrl+q")

    drive(script)
    assert Path("a.txt").read_text() == "The fox\nran"


@pytest.mark.parametrize("unit", UNITS)
def test_words_lines_and_all_are_taken_from_the_model(unit: str) -> None:
    async def script(writer: Writer, pilot: "Pilot[None]") -> None:
        assert len(writer.panel.characters) >= 3
        shown_first = writer.suggestions.text
        word = writer.suggestions.piece("word")
        await press(writer, pilot, "tab")
        assert writer.document.text == "옛날" + word
        assert writer.suggestions.text.startswith(shown_first[len(word) :])  # the rest stays
        line = writer.suggestions.piece("line")
        await press(writer, pilot, "ctrl+l")
        assert writer.document.text == "옛날" + word + line
        await press(writer, pilot, "ctrl+n")
        everything = writer.suggestions.text
        assert writer.suggestions.chosen == (1 if len(writer.suggestions.items) > 1 else 0)
        await press(writer, pilot, "ctrl+a")
        assert writer.document.text == "옛날" + word + line + everything
        assert set(writer.document.authors[2:]) == {"m"}
        await press(writer, pilot, "ctrl+z", "ctrl+z", "ctrl+z")
        assert writer.document.text == "옛날"
        await press(writer, pilot, "ctrl+y")
        assert writer.document.text == "옛날" + word

    Path("a.txt").write_text("옛날")
    drive(script, unit=unit)


@pytest.mark.parametrize("unit", UNITS)
def test_korean_comes_in_as_whole_syllables(unit: str) -> None:
    async def script(writer: Writer, pilot: "Pilot[None]") -> None:
        for syllable in "하늘이":  # as a terminal sends what an input method has composed
            writer.page.post_message(events.Key(syllable, syllable))
        await settled(writer, pilot)
        assert writer.document.text == "하늘이"
        assert page(writer)[0].startswith("하늘이")
        row, column = writer.page.layout_now.place(3)
        assert (row, column) == (0, 6)
        assert writer.cursor_position == writer.page.content_region.offset + Offset(6, 0)  # where input methods draw
        assert not writer.companion.missing
        assert sum(p for _, p in writer.panel.characters) <= 1.0 + 1e-9

    drive(script, unit=unit)


def test_a_character_is_taken_from_the_list() -> None:
    async def script(writer: Writer, pilot: "Pilot[None]") -> None:
        await press(writer, pilot, *"the f", "escape", "down", "down")
        third = writer.panel.characters[2][0]
        assert writer.panel.has_focus
        await press(writer, pilot, "enter")
        assert writer.document.text == "the f" + third
        assert writer.page.has_focus
        await press(writer, pilot, "escape", "up")
        assert writer.suggestions.chosen == len(writer.suggestions.items) - 1
        text = writer.document.text + writer.suggestions.text
        await press(writer, pilot, "enter")
        assert writer.document.text == text

    drive(script)


def test_branches_are_listed_and_gone_to() -> None:
    async def script(writer: Writer, pilot: "Pilot[None]") -> None:
        await press(writer, pilot, *"one", "ctrl+z", *"two", "ctrl+b")
        assert [branch.text for branch in writer.document.branches()] == ["two", "one"]
        await press(writer, pilot, "down", "enter")
        assert writer.document.text == "one"
        await press(writer, pilot, "ctrl+b", "escape")
        assert writer.document.text == "one"

    drive(script)


def test_the_temperature_changes_what_is_expected() -> None:
    async def script(writer: Writer, pilot: "Pilot[None]") -> None:
        warm = dict(writer.panel.characters)
        await press(writer, pilot, "ctrl+t", "down", "down", "enter")
        assert writer.temp == 0.6
        cold = dict(writer.panel.characters)
        assert max(cold.values()) > max(warm.values())
        for wrong in ("-1", "warm", "nan"):
            await press(writer, pilot, "ctrl+t")
            writer.screen.query_one(Input).value = wrong
            await press(writer, pilot, "enter")
            assert writer.temp == 0.6
            assert "is no temperature" in writer.note
        await press(writer, pilot, "ctrl+t")
        writer.screen.query_one(Input).value = "0"
        await press(writer, pilot, "enter")
        assert [p for _, p in writer.panel.characters] == [1.0]

    drive(script)
    assert [stepped("0.05", -1), stepped("0.8", 1), stepped("x", 1)] == ["0", "0.9", "x"]


def test_others_are_drawn() -> None:
    async def script(writer: Writer, pilot: "Pilot[None]") -> None:
        before = writer.suggestions.texts
        await press(writer, pilot, "ctrl+r")
        assert writer.suggestions.texts != before
        assert len(writer.suggestions.items) > 1

    drive(script)


def test_what_the_model_has_never_seen_is_said() -> None:
    async def script(writer: Writer, pilot: "Pilot[None]") -> None:
        await press(writer, pilot, *"theé")
        assert writer.document.text == "theé"
        assert writer.companion.missing == ["é"]
        assert writer.query_one("#note").display
        assert writer.panel.characters
        await press(writer, pilot, "backspace")
        assert not writer.query_one("#note").display

    drive(script)


def test_leaving_unsaved_asks() -> None:
    async def stay(writer: Writer, pilot: "Pilot[None]") -> None:
        await press(writer, pilot, *"text", "ctrl+c")
        assert isinstance(writer.screen, Ask)
        await press(writer, pilot, "escape", "ctrl+q", "q")
        assert isinstance(writer.screen, Ask)
        for opens in ("ctrl+q", "ctrl+t", "ctrl+b", "ctrl+g"):
            await press(writer, pilot, opens)
            await press(writer, pilot, "ctrl+c")
            assert len(writer.screen_stack) == 1 + (opens == "ctrl+q"), opens
            await press(writer, pilot, "escape")
            writer.page.focus()
        assert writer.document.text == "text"
        assert writer.is_running

    writer = drive(stay)
    assert writer.manuscript.left is None
    assert not writer.given_up

    async def take_up_and_save(writer: Writer, pilot: "Pilot[None]") -> None:
        assert isinstance(writer.screen, Ask)
        await press(writer, pilot, "y")
        assert writer.document.text == "text"
        await press(writer, pilot, "!", "ctrl+q", "s")

    drive(take_up_and_save)
    assert Path("a.txt").read_text() == "text!"

    async def throw_away(writer: Writer, pilot: "Pilot[None]") -> None:
        await press(writer, pilot, *"??", "ctrl+q", "t")

    assert drive(throw_away).given_up
    assert Path("a.txt").read_text() == "text!"


def test_what_was_left_can_be_thrown_away_or_put_off() -> None:
    async def type_and_crash(writer: Writer, pilot: "Pilot[None]") -> None:
        await press(writer, pilot, *"text")

    async def put_off(writer: Writer, pilot: "Pilot[None]") -> None:
        await press(writer, pilot, "escape")

    async def no(writer: Writer, pilot: "Pilot[None]") -> None:
        await press(writer, pilot, "n")
        assert writer.document.text == ""
        assert writer.suggestions.items

    drive(type_and_crash)
    assert drive(put_off).manuscript.left is not None
    drive(no)
    assert Manuscript("a.txt").left is None


def test_a_text_without_a_name_is_asked_for_one_and_overwrites_nothing_unasked() -> None:
    async def script(writer: Writer, pilot: "Pilot[None]") -> None:
        await press(writer, pilot, *"mine", "ctrl+s", *"b.txt", "enter", "n")
        assert Path("b.txt").read_text() == "theirs"
        assert writer.unsaved
        await press(writer, pilot, "ctrl+s", *"no/c", "enter")
        assert "no folder" in writer.note
        await press(writer, pilot, "ctrl+o", *"b.txt", "enter", "y")
        assert Path("b.txt").read_text() == "mine"
        Path("b.txt").write_text("changed")
        await press(writer, pilot, "!", "ctrl+q", "s")
        assert isinstance(writer.screen, Ask)
        await press(writer, pilot, "y")

    Path("b.txt").write_text("theirs")
    drive(script, path=None)
    assert Path("b.txt").read_text() == "mine!"


def test_pasted_text_comes_in_as_it_is_and_shows_harmless() -> None:
    async def script(writer: Writer, pilot: "Pilot[None]") -> None:
        writer.page.post_message(events.Paste("[red]x[/]\x1b[2J\r\na\tb\u202e\udc80"))
        await settled(writer, pilot)
        assert writer.document.text == "[red]x[/]\x1b[2J\na\tb\u202e"
        lines = page(writer)
        assert lines[0] == "[red]x[/]␛[2J"
        assert lines[1].startswith("a    b\\u{202e}")
        await press(writer, pilot, "ctrl+z")
        assert writer.document.text == ""

    drive(script)


def test_the_cursor_goes_where_the_keys_say() -> None:
    text = "one two\n" + "long " * 30 + "\n한글 three"

    async def script(writer: Writer, pilot: "Pilot[None]") -> None:
        document = writer.document

        async def at(index: int, *keys: str) -> None:
            await press(writer, pilot, *keys)
            assert document.cursor == index, keys

        end = len(text)
        await at(end)
        await at(end - 5, "ctrl+left")
        await at(end - 8, "home")
        await at(end, "end")
        await at(0, "ctrl+home")
        await at(1, "right")
        await at(3, "ctrl+right")
        await at(7, "end")
        await at(8, "right")
        await at(8 + 45, "down")  # the line is wrapped there
        await at(8, "up")
        await at(0, "up")
        await at(0, "left", "up", "pageup")
        await at(end, "pagedown", "pagedown")
        await at(end, "right", "down")
        await press(writer, pilot, "ctrl+w")
        assert document.text == text[:-5]
        await press(writer, pilot, "ctrl+home", "delete", "backspace")
        assert document.text == text[1:-5]
        await pilot.click(writer.page, offset=(1 + 4, 0))
        await settled(writer, pilot)
        assert document.cursor == 4

    Path("a.txt").write_text(text)
    drive(script)


@pytest.mark.parametrize("size", [(30, 10), (60, 20), (80, 24), (200, 60)])
def test_it_fits_any_screen(size: tuple[int, int]) -> None:
    async def script(writer: Writer, pilot: "Pilot[None]") -> None:
        await press(writer, pilot, *"the fox", "tab", "escape", "escape", "ctrl+g", "escape")
        assert writer.page.size.width >= 24
        displayed = [writer.panel.display]
        await pilot.resize_terminal(40, 12)
        displayed.append(writer.panel.display)
        assert displayed == [size[0] >= 56, False]
        await pilot.resize_terminal(*size)
        await settled(writer, pilot)
        for y in range(writer.page.size.height):
            assert writer.page.render_line(y).cell_length == writer.page.size.width
        if writer.panel.display:
            lines = writer.panel.lines()
            assert max(entry.text.cell_len for entry in lines) <= writer.panel.size.width
            assert size[1] < 24 or len(lines) <= writer.panel.size.height

    drive(script, size=size)


def test_it_does_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(writer: Writer, pilot: "Pilot[None]") -> None:
        await press(writer, pilot, *"the", "tab", "enter", "escape", "escape", "ctrl+b", "escape")
        assert writer.document.text.startswith("the")

    assert drive(script).return_code in (None, 0)


@given(st.text(st.characters()), st.integers(2, 12))
def test_every_character_has_its_place(text: str, width: int) -> None:
    layout = Layout(text, width)
    for index in range(len(text) + 1):
        row, column = layout.place(index)
        begin, end = layout.rows[row]
        assert begin <= index <= end
        assert column == sum(map(cells, text[begin:index]))
    assert [begin for begin, _ in layout.rows] == layout.begins
    covered = "".join(text[begin:end] for begin, end in layout.rows)
    assert covered == text.replace("\n", "")
    for begin, end in layout.rows:
        wide = sum(map(cells, text[begin:end]))
        assert wide <= width or end == begin + 1 or text[end - 1].isspace() or max(map(cells, text[begin:end])) > width


@given(st.characters())
def test_what_is_shown_is_harmless(character: str) -> None:
    assert not any(unicodedata.category(c) in UNSEEN for c in shown(character) if c != "\n")


def test_wrapping_by_example() -> None:
    assert wrapped("the old fox", 8) == (0, 8)
    assert wrapped("abcdefgh", 3) == (0, 3, 6)
    assert wrapped("한글한글", 5) == (0, 2)
    layout = Layout("한글 ab\n\nx", 20)
    assert [layout.index(0, column) for column in range(6)] == [0, 0, 1, 1, 2, 3]
    assert layout.index(1, 5) == 6
    assert layout.index(9, 9) == len("한글 ab\n\nx")


def test_figures_say_what_is_true() -> None:
    figures = [percent(p) for p in (1.0, 0.314, 0.0999, 0.024, 0.0012, 0.00001, 0.0)]
    assert figures == ["100 %", "31 %", "10 %", "2.4 %", "0.12 %", "<0.01 %", "0.00 %"]


def test_a_branch_shows_where_it_parts() -> None:
    text = described(Branch(3, "a" * 30 + "[red]\x1b\nb" + "c" * 60, 30, True)).plain
    assert text.startswith("▸      98  …" + "a" * 16 + "[red]␛⏎bccc")
    assert text.endswith("…")


def command(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(["write", *arguments])
    out, err = capfd.readouterr()
    assert out == ""
    return code, err


def test_without_textual_it_says_how_to_install_it(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = importlib.util.find_spec
    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "textual" else plain(name, *a))
        code, err = command(capfd)
    assert code == 1
    assert err == (
        'error: charrnn write needs Textual, which is not installed: python -m pip install "charrnn[write]"\n'
    )


def test_it_wants_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    code, err = command(capfd)
    assert code == 2
    assert "needs a terminal: use charrnn sample --prompt-file FILE" in err
    assert command(capfd, "--temp", "-1")[0] == 2
    assert os.listdir() == []


def test_in_a_real_terminal_a_signal_loses_nothing() -> None:
    """In a pseudo-terminal: type, and be ended from outside; the text is there the next time."""
    pty, fcntl = pytest.importorskip("pty"), pytest.importorskip("fcntl")
    import signal
    import struct
    import termios
    import threading

    trained("char").save("m.npz")
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    settings: dict[str, Any] = {"stdin": slave, "stdout": slave, "stderr": slave, "start_new_session": True}
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(
        [sys.executable, "-m", "charrnn", "write", "-m", "m.npz", "a.txt"], env=environment, **settings
    )
    os.close(slave)
    seen = bytearray()
    drawn = threading.Event()

    def watch() -> None:
        try:
            while data := os.read(master, 4096):
                seen.extend(data)
                if b"characters" in seen:
                    drawn.set()
        except OSError:
            pass

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert drawn.wait(60)
        os.write(master, "the 하늘".encode())
        draft = Path(".a.txt.draft")
        for _ in range(600):
            if draft.read_bytes().count(b'["put"') == 6:
                break
            drawn.clear()
            threading.Event().wait(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.wait()
        watcher.join(10)
        os.close(master)
    assert b"\x1b[?1049l" in seen  # the screen was given back
    assert b"not saved, but the draft was kept: continue with charrnn write a.txt." in seen
    left = Manuscript("a.txt")
    assert left.left is not None
    assert left.left.text == "the 하늘"
    left.close()


def test_the_list_of_branches_is_one_of_lines() -> None:
    async def script(writer: Writer, pilot: "Pilot[None]") -> None:
        for word in ("[red]a", "b\x1b", "c"):
            writer.page.put(word)
            writer.action_undo()
        await press(writer, pilot, "ctrl+b")
        assert writer.screen.query_one(OptionList).option_count == 3
        await press(writer, pilot, "escape")

    drive(script)
