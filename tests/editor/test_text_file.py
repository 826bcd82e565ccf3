"""Files and drafts: what was typed is never lost, what was there is never overwritten unasked."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.editor import text_file as module
from charrnn.editor.document import Document
from charrnn.editor.text_file import TextFile
from charrnn.errors import TextError
from tests.editor.test_document import MOVES, Move, do, type_in


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def crash(file: TextFile) -> None:
    """The process ends here, as far as the system can tell."""
    file.release()


def drafts() -> list[str]:
    return sorted(name for name in os.listdir() if name.endswith(".draft"))


def test_write_save_close() -> None:
    file = TextFile("story.txt")
    document = file.open()
    assert drafts() == [".story.txt.draft"]
    type_in(document, "한 마리 fox")
    assert not os.path.exists("story.txt")
    file.save(document.text)
    file.close()
    assert Path("story.txt").read_text("utf-8") == "한 마리 fox"
    assert os.listdir() == ["story.txt"]


@given(st.binary(max_size=30) | st.text("a\n\r\ufeff한", max_size=20).map(str.encode))
def test_saving_what_was_opened_changes_no_byte(data: bytes) -> None:
    Path("a.txt").write_bytes(data)
    try:
        file = TextFile("a.txt")
    except TextError:
        with pytest.raises(UnicodeDecodeError):
            data.decode("utf-8")
        assert not drafts()
        return
    document = file.open()
    assert document.text == file.saved
    file.save(document.text)
    file.close()
    assert Path("a.txt").read_bytes() == data


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
def test_line_ends_stay_as_they_were(line_end: bytes) -> None:
    Path("a.txt").write_bytes(b"\xef\xbb\xbfone\ntwo\n".replace(b"\n", line_end))
    file = TextFile("a.txt")
    document = file.open()
    assert document.text == "one\ntwo\n"
    document.put(4, 4, "and\n")
    file.save(document.text)
    assert Path("a.txt").read_bytes() == b"\xef\xbb\xbfone\nand\ntwo\n".replace(b"\n", line_end)
    file.close()


@given(MOVES, st.integers(0, 400))
def test_after_a_crash_all_of_it_can_be_had_back(moves: list[Move], cut: int) -> None:
    """Also where the last writing was cut off: then it is what it was a little before."""
    Path("a.txt").write_text("the fox")
    file = TextFile("a.txt")
    document = file.open()
    states = {document.state}
    for move in moves:
        do(document, move)
        states.add(document.state)
    crash(file)
    draft = Path(".a.txt.draft")
    data = draft.read_bytes()
    for size in (len(data), max(len(data) - cut, 0)):
        draft.write_bytes(data[:size])
        again = TextFile("a.txt")
        if again.recovered is None:
            assert size < len(data) or document.text == "the fox"
        else:
            assert again.recovered.state in states
        if size == len(data) and document.text != "the fox":
            assert again.recovered is not None
            restored = again.open(recover=True)
            assert restored.state == document.state
            assert restored.branches() == document.branches()
            restored.put(0, 0, "!")
            crash(again)
            once_more = TextFile("a.txt")
            assert once_more.recovered is None or once_more.recovered.text == "!" + document.text
            again = once_more
        again.close()
    assert not drafts()


def test_what_was_left_can_be_thrown_away() -> None:
    file = TextFile()
    type_in(file.open(), "unsaved")
    crash(file)
    assert drafts() == [".untitled.draft"]
    again = TextFile()
    assert again.recovered is not None
    assert again.recovered.text == "unsaved"
    assert again.open().text == ""
    crash(again)
    assert TextFile().recovered is None


def test_what_was_saved_is_not_left() -> None:
    file = TextFile("a.txt")
    document = file.open()
    type_in(document, "one two")
    file.save(document.text)
    crash(file)
    again = TextFile("a.txt")
    assert again.recovered is None
    document = again.open()
    type_in(document, "!")
    crash(again)
    last = TextFile("a.txt")
    assert last.recovered is not None
    last.open(recover=True)
    assert last.saved == "one two"
    assert not last.overwrites()
    last.close()


def test_a_text_is_written_by_one_at_a_time() -> None:
    pytest.importorskip("fcntl")
    file = TextFile("a.txt")
    with pytest.raises(TextError, match="another charrnn write"):
        TextFile("a.txt")
    file.close()
    TextFile("a.txt").close()


def test_nothing_is_overwritten_unasked() -> None:
    Path("a.txt").write_text("mine")
    Path("b.txt").write_text("another")
    file = TextFile("a.txt")
    document = file.open()
    assert file.overwrites() == ""
    assert file.overwrites("new.txt") == ""
    assert "b.txt exists" in file.overwrites("b.txt")
    Path("a.txt").write_text("from elsewhere")
    assert "another program" in file.overwrites()
    file.save(document.text)
    assert file.overwrites() == ""
    os.unlink("a.txt")
    assert file.overwrites() == ""
    file.close()


def test_a_file_changed_between_crash_and_return_is_asked_about() -> None:
    Path("a.txt").write_text("one")
    file = TextFile("a.txt")
    type_in(file.open(), "!")
    crash(file)
    Path("a.txt").write_text("two")
    again = TextFile("a.txt")
    assert again.open(recover=True).text == "one!"
    assert "another program" in again.overwrites()
    again.close()


def test_saving_under_a_name_takes_the_draft_along() -> None:
    file = TextFile()
    document = file.open()
    type_in(document, "text")
    with pytest.raises(TextError, match="no name"):
        file.save(document.text)
    file.save(document.text, "named.txt")
    assert drafts() == [".named.txt.draft"]
    type_in(document, "s")
    crash(file)
    again = TextFile("named.txt")
    assert again.recovered is not None
    assert again.recovered.text == "texts"
    other = TextFile()
    other.open()
    with pytest.raises(TextError, match="has an unsaved draft"):
        other.save("x", "named.txt")
    assert Path("named.txt").read_text() == "text"
    other.close()
    again.close()


def test_a_failed_save_leaves_the_old_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.txt").write_text("old")
    file = TextFile("a.txt")
    file.open()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(TextError, match="No space"):
            file.save("new")
    assert Path("a.txt").read_text() == "old"
    assert sorted(os.listdir()) == [".a.txt.draft", "a.txt"]
    file.close()


def test_a_full_disk_stops_the_draft_but_not_the_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    file = TextFile("a.txt")
    document = file.open()
    type_in(document, "one ")
    plain = os.write

    def half(descriptor: int, data: memoryview) -> int:
        if len(data) > 3:
            return plain(descriptor, data[:3])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        type_in(document, "two ")
        assert "No space" in file.warning
    type_in(document, "three")
    assert file.warning == ""
    crash(file)
    again = TextFile("a.txt")
    assert again.recovered is not None
    assert again.recovered.text == "one two three"
    again.close()


def test_the_mode_stays_and_links_are_followed() -> None:
    Path("real.txt").write_text("x")
    os.chmod("real.txt", 0o640)
    os.symlink("real.txt", "link.txt")
    file = TextFile("link.txt")
    file.open()
    file.save("y")
    file.close()
    assert os.path.islink("link.txt")
    assert Path("real.txt").read_text() == "y"
    assert stat.S_IMODE(os.stat("real.txt").st_mode) == 0o640


@pytest.mark.parametrize("path", ["folder", "nowhere/a.txt", "fifo", "a\0b", "", "latin.txt", "long.txt"])
def test_what_cannot_be_written_on_is_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 10)
    os.mkdir("folder")
    os.mkfifo("fifo")
    Path("latin.txt").write_bytes(b"caf\xe9")
    Path("long.txt").write_text("eleven ch..")
    with pytest.raises(TextError):
        TextFile(path)
    assert not drafts()


def test_a_damaged_draft_is_not_touched() -> None:
    for head in (b"rubbish\n", b'{"format": 2}\n', b"[]\n", b'{"format":1,"base":"x"}\n'):
        Path(".a.txt.draft").write_bytes(head)
        with pytest.raises(TextError, match="move it away"):
            TextFile("a.txt")
        assert Path(".a.txt.draft").read_bytes() == head
    Path(".a.txt.draft").write_bytes(b'{"format":1,"base":"x","saved":"x"}\n["put",0,0,"a","h"]\n["put",7,9,"a","h"]\n')
    file = TextFile("a.txt")
    assert isinstance(file.recovered, Document)
    assert file.recovered.text == "ax"
    file.close()


def test_without_a_draft_one_can_still_write() -> None:
    os.symlink("elsewhere", ".a.txt.draft")
    file = TextFile("a.txt")
    assert "no draft" in file.warning
    document = file.open()
    type_in(document, "text")
    assert "no draft" in file.warning
    os.unlink(".a.txt.draft")
    file.save(document.text)
    assert Path("a.txt").read_text() == "text"
    file.close()
