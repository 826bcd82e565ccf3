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
from charrnn.editor.app import Editor
from charrnn.editor.dialogs import Ask, step_temperature, summary
from charrnn.editor.document import Branch
from charrnn.editor.side_panel import percent
from charrnn.editor.text_file import TextFile
from charrnn.editor.text_layout import TextLayout, cells, shown, wrapped
from charrnn.text.units import UNITS
from tests.editor.test_predictions import trained

Script = Callable[[Editor, "Pilot[None]"], Awaitable[None]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(app, "PATIENCE", 0.0)
    return tmp_path


def drive(script: Script, path: str | None = "a.txt", unit: str = "char", size: tuple[int, int] = (80, 24)) -> Editor:
    """Runs the program with this script for a person, and returns it as it ended."""
    file = TextFile(path)
    editor = Editor(trained(unit), "m.npz", file, 0.8, 1)

    async def go() -> None:
        async with editor.run_test(size=size) as pilot:
            await settled(editor, pilot)
            await script(editor, pilot)

    asyncio.run(go())
    file.release()
    return editor


async def settled(editor: Editor, pilot: "Pilot[None]") -> None:
    await pilot.pause()
    while editor.is_running and editor.busy:
        await pilot.pause(0.01)
    await pilot.pause()


async def press(editor: Editor, pilot: "Pilot[None]", *keys: str) -> None:
    await pilot.press(*keys)
    await settled(editor, pilot)


def page(editor: Editor) -> list[str]:
    rows = len(editor.page.layout_now.rows)
    return ["".join(segment.text for segment in editor.page.render_line(y)).rstrip() for y in range(rows)]


def title(editor: Editor) -> str:
    return str(editor.query_one("#title", Static).content)


def test_what_is_typed_stands_on_the_page_and_is_saved() -> None:
    async def script(editor: Editor, pilot: "Pilot[None]") -> None:
        await press(editor, pilot, *"The fox", "enter", *"ra", "x", "backspace", "n")
        assert editor.document.text == "The fox\nran"
        first, second = page(editor)[:2]
        assert first == "The fox"
        assert second.startswith("ran" + editor.suggestions.text.split("\n")[0][:10].rstrip())
        assert "not saved" in title(editor)
        await press(editor, pilot, "ctrl+s")
        assert "not saved" not in title(editor)
        assert "saved in a.txt" in editor.notice
        await press(editor, pilot, "ctrl+q")

    drive(script)
    assert Path("a.txt").read_text() == "The fox\nran"


@pytest.mark.parametrize("unit", UNITS)
def test_words_lines_and_all_are_taken_from_the_model(unit: str) -> None:
    async def script(editor: Editor, pilot: "Pilot[None]") -> None:
        assert len(editor.panel.characters) >= 3
        shown_first = editor.suggestions.text
        word = editor.suggestions.piece("word")
        await press(editor, pilot, "tab")
        assert editor.document.text == "옛날" + word
        assert editor.suggestions.text.startswith(shown_first[len(word) :])  # the rest stays
        line = editor.suggestions.piece("line")
        await press(editor, pilot, "ctrl+l")
        assert editor.document.text == "옛날" + word + line
        await press(editor, pilot, "ctrl+n")
        everything = editor.suggestions.text
        assert editor.suggestions.chosen == (1 if len(editor.suggestions.items) > 1 else 0)
        await press(editor, pilot, "ctrl+a")
        assert editor.document.text == "옛날" + word + line + everything
        assert set(editor.document.authors[2:]) == {"m"}
        await press(editor, pilot, "ctrl+z", "ctrl+z", "ctrl+z")
        assert editor.document.text == "옛날"
        await press(editor, pilot, "ctrl+y")
        assert editor.document.text == "옛날" + word

    Path("a.txt").write_text("옛날")
    drive(script, unit=unit)


@pytest.mark.parametrize("unit", UNITS)
def test_korean_comes_in_as_whole_syllables(unit: str) -> None:
    async def script(editor: Editor, pilot: "Pilot[None]") -> None:
        for syllable in "하늘이":  # as a terminal sends what an input method has composed
            editor.page.post_message(events.Key(syllable, syllable))
        await settled(editor, pilot)
        assert editor.document.text == "하늘이"
        assert page(editor)[0].startswith("하늘이")
        row, column = editor.page.layout_now.place(3)
        assert (row, column) == (0, 6)
        assert editor.cursor_position == editor.page.content_region.offset + Offset(6, 0)  # where input methods draw
        assert not editor.predictor.missing
        assert sum(p for _, p in editor.panel.characters) <= 1.0 + 1e-9

    drive(script, unit=unit)


def test_a_character_is_taken_from_the_list() -> None:
    async def script(editor: Editor, pilot: "Pilot[None]") -> None:
        await press(editor, pilot, *"the f", "escape", "down", "down")
        third = editor.panel.characters[2][0]
        assert editor.panel.has_focus
        await press(editor, pilot, "enter")
        assert editor.document.text == "the f" + third
        assert editor.page.has_focus
        await press(editor, pilot, "escape", "up")
        assert editor.suggestions.chosen == len(editor.suggestions.items) - 1
        text = editor.document.text + editor.suggestions.text
        await press(editor, pilot, "enter")
        assert editor.document.text == text

    drive(script)


def test_branches_are_listed_and_gone_to() -> None:
    async def script(editor: Editor, pilot: "Pilot[None]") -> None:
        await press(editor, pilot, *"one", "ctrl+z", *"two", "ctrl+b")
        assert [branch.text for branch in editor.document.branches()] == ["two", "one"]
        await press(editor, pilot, "down", "enter")
        assert editor.document.text == "one"
        await press(editor, pilot, "ctrl+b", "escape")
        assert editor.document.text == "one"

    drive(script)


def test_the_temperature_changes_what_is_expected() -> None:
    async def script(editor: Editor, pilot: "Pilot[None]") -> None:
        warm = dict(editor.panel.characters)
        await press(editor, pilot, "ctrl+t", "down", "down", "enter")
        assert editor.temp == 0.6
        cold = dict(editor.panel.characters)
        assert max(cold.values()) > max(warm.values())
        for wrong in ("-1", "warm", "nan"):
            await press(editor, pilot, "ctrl+t")
            editor.screen.query_one(Input).value = wrong
            await press(editor, pilot, "enter")
            assert editor.temp == 0.6
            assert "is not a temperature" in editor.notice
        await press(editor, pilot, "ctrl+t")
        editor.screen.query_one(Input).value = "0"
        await press(editor, pilot, "enter")
        assert [p for _, p in editor.panel.characters] == [1.0]

    drive(script)
    assert [step_temperature("0.05", -1), step_temperature("0.8", 1), step_temperature("x", 1)] == ["0", "0.9", "x"]


def test_others_are_drawn() -> None:
    async def script(editor: Editor, pilot: "Pilot[None]") -> None:
        before = editor.suggestions.texts
        await press(editor, pilot, "ctrl+r")
        assert editor.suggestions.texts != before
        assert len(editor.suggestions.items) > 1

    drive(script)


def test_what_the_model_has_never_seen_is_said() -> None:
    async def script(editor: Editor, pilot: "Pilot[None]") -> None:
        await press(editor, pilot, *"theé")
        assert editor.document.text == "theé"
        assert editor.predictor.missing == ["é"]
        assert editor.query_one("#notice").display
        assert editor.panel.characters
        await press(editor, pilot, "backspace")
        assert not editor.query_one("#notice").display

    drive(script)


def test_leaving_unsaved_asks() -> None:
    async def stay(editor: Editor, pilot: "Pilot[None]") -> None:
        await press(editor, pilot, *"text", "ctrl+c")
        assert isinstance(editor.screen, Ask)
        await press(editor, pilot, "escape", "ctrl+q", "q")
        assert isinstance(editor.screen, Ask)
        for opens in ("ctrl+q", "ctrl+t", "ctrl+b", "ctrl+g"):
            await press(editor, pilot, opens)
            await press(editor, pilot, "ctrl+c")
            assert len(editor.screen_stack) == 1 + (opens == "ctrl+q"), opens
            await press(editor, pilot, "escape")
            editor.page.focus()
        assert editor.document.text == "text"
        assert editor.is_running

    editor = drive(stay)
    assert editor.file.recovered is None
    assert not editor.discarded

    async def take_up_and_save(editor: Editor, pilot: "Pilot[None]") -> None:
        assert isinstance(editor.screen, Ask)
        await press(editor, pilot, "y")
        assert editor.document.text == "text"
        await press(editor, pilot, "!", "ctrl+q", "s")

    drive(take_up_and_save)
    assert Path("a.txt").read_text() == "text!"

    async def throw_away(editor: Editor, pilot: "Pilot[None]") -> None:
        await press(editor, pilot, *"??", "ctrl+q", "t")

    assert drive(throw_away).discarded
    assert Path("a.txt").read_text() == "text!"


def test_what_was_left_can_be_thrown_away_or_put_off() -> None:
    async def type_and_crash(editor: Editor, pilot: "Pilot[None]") -> None:
        await press(editor, pilot, *"text")

    async def put_off(editor: Editor, pilot: "Pilot[None]") -> None:
        await press(editor, pilot, "escape")

    async def no(editor: Editor, pilot: "Pilot[None]") -> None:
        await press(editor, pilot, "n")
        assert editor.document.text == ""
        assert editor.suggestions.items

    drive(type_and_crash)
    assert drive(put_off).file.recovered is not None
    drive(no)
    assert TextFile("a.txt").recovered is None


def test_a_text_without_a_name_is_asked_for_one_and_overwrites_nothing_unasked() -> None:
    async def script(editor: Editor, pilot: "Pilot[None]") -> None:
        await press(editor, pilot, *"mine", "ctrl+s", *"b.txt", "enter", "n")
        assert Path("b.txt").read_text() == "theirs"
        assert editor.unsaved
        await press(editor, pilot, "ctrl+s", *"no/c", "enter")
        assert "no folder" in editor.notice
        await press(editor, pilot, "ctrl+o", *"b.txt", "enter", "y")
        assert Path("b.txt").read_text() == "mine"
        Path("b.txt").write_text("changed")
        await press(editor, pilot, "!", "ctrl+q", "s")
        assert isinstance(editor.screen, Ask)
        await press(editor, pilot, "y")

    Path("b.txt").write_text("theirs")
    drive(script, path=None)
    assert Path("b.txt").read_text() == "mine!"


def test_pasted_text_comes_in_as_it_is_and_shows_harmless() -> None:
    async def script(editor: Editor, pilot: "Pilot[None]") -> None:
        editor.page.post_message(events.Paste("[red]x[/]\x1b[2J\r\na\tb\u202e\udc80"))
        await settled(editor, pilot)
        assert editor.document.text == "[red]x[/]\x1b[2J\na\tb\u202e"
        lines = page(editor)
        assert lines[0] == "[red]x[/]␛[2J"
        assert lines[1].startswith("a    b\\u{202e}")
        await press(editor, pilot, "ctrl+z")
        assert editor.document.text == ""

    drive(script)


def test_the_cursor_goes_where_the_keys_say() -> None:
    text = "one two\n" + "long " * 30 + "\n한글 three"

    async def script(editor: Editor, pilot: "Pilot[None]") -> None:
        document = editor.document

        async def at(index: int, *keys: str) -> None:
            await press(editor, pilot, *keys)
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
        await press(editor, pilot, "ctrl+w")
        assert document.text == text[:-5]
        await press(editor, pilot, "ctrl+home", "delete", "backspace")
        assert document.text == text[1:-5]
        await pilot.click(editor.page, offset=(1 + 4, 0))
        await settled(editor, pilot)
        assert document.cursor == 4

    Path("a.txt").write_text(text)
    drive(script)


@pytest.mark.parametrize("size", [(30, 10), (60, 20), (80, 24), (200, 60)])
def test_it_fits_any_screen(size: tuple[int, int]) -> None:
    async def script(editor: Editor, pilot: "Pilot[None]") -> None:
        await press(editor, pilot, *"the fox", "tab", "escape", "escape", "ctrl+g", "escape")
        assert editor.page.size.width >= 24
        displayed = [editor.panel.display]
        await pilot.resize_terminal(40, 12)
        displayed.append(editor.panel.display)
        assert displayed == [size[0] >= 56, False]
        await pilot.resize_terminal(*size)
        await settled(editor, pilot)
        for y in range(editor.page.size.height):
            assert editor.page.render_line(y).cell_length == editor.page.size.width
        if editor.panel.display:
            lines = editor.panel.lines()
            assert max(entry.text.cell_len for entry in lines) <= editor.panel.size.width
            assert size[1] < 24 or len(lines) <= editor.panel.size.height

    drive(script, size=size)


def test_it_does_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(editor: Editor, pilot: "Pilot[None]") -> None:
        await press(editor, pilot, *"the", "tab", "enter", "escape", "escape", "ctrl+b", "escape")
        assert editor.document.text.startswith("the")

    assert drive(script).return_code in (None, 0)


@given(st.text(st.characters()), st.integers(2, 12))
def test_every_character_has_its_place(text: str, width: int) -> None:
    layout = TextLayout(text, width)
    for index in range(len(text) + 1):
        row, column = layout.place(index)
        begin, end = layout.rows[row]
        assert begin <= index <= end
        assert column == sum(map(cells, text[begin:index]))
    assert [begin for begin, _ in layout.rows] == layout.starts
    covered = "".join(text[begin:end] for begin, end in layout.rows)
    assert covered == text.replace("\n", "")
    for begin, end in layout.rows:
        wide = sum(map(cells, text[begin:end]))
        assert wide <= width or end == begin + 1 or text[end - 1].isspace() or max(map(cells, text[begin:end])) > width


@given(st.characters())
def test_what_is_shown_is_harmless(character: str) -> None:
    assert not any(unicodedata.category(c) in UNSEEN for c in shown(character) if c not in "\n\u200c")


def test_wrapping_by_example() -> None:
    assert wrapped("the old fox", 8) == (0, 8)
    assert wrapped("abcdefgh", 3) == (0, 3, 6)
    assert wrapped("한글한글", 5) == (0, 2)
    layout = TextLayout("한글 ab\n\nx", 20)
    assert [layout.index(0, column) for column in range(6)] == [0, 0, 1, 1, 2, 3]
    assert layout.index(1, 5) == 6
    assert layout.index(9, 9) == len("한글 ab\n\nx")


def test_figures_say_what_is_true() -> None:
    figures = [percent(p) for p in (1.0, 0.314, 0.0999, 0.024, 0.0012, 0.00001, 0.0)]
    assert figures == ["100 %", "31 %", "10 %", "2.4 %", "0.12 %", "<0.01 %", "0.00 %"]


def test_a_branch_shows_where_it_parts() -> None:
    text = summary(Branch(3, "a" * 30 + "[red]\x1b\nb" + "c" * 60, 30, True)).plain
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
    assert b"not saved, but the draft was kept: continue with charrnn write a.txt -m m.npz" in seen
    left = TextFile("a.txt")
    assert left.recovered is not None
    assert left.recovered.text == "the 하늘"
    left.close()


def test_the_list_of_branches_is_one_of_lines() -> None:
    async def script(editor: Editor, pilot: "Pilot[None]") -> None:
        for word in ("[red]a", "b\x1b", "c"):
            editor.page.put(word)
            editor.action_step("undo")
        await press(editor, pilot, "ctrl+b")
        options = editor.screen.query_one(OptionList).options
        assert [str(option.prompt).split()[-2:] for option in options] == [["1", "c"], ["2", "b␛"], ["6", "[red]a"]]
        await press(editor, pilot, "escape")

    drive(script)
