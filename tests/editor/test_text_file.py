"""Files and drafts: what was typed is never lost, what was there is never overwritten unasked."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.editor import text_file as module
from charrnn.editor.document import Document
from charrnn.editor.text_file import Manuscript
from charrnn.errors import TextError
from tests.editor.test_document import MOVES, Move, do, type_in


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def crash(manuscript: Manuscript) -> None:
    """The process ends here, as far as the system can tell."""
    manuscript.release()


def drafts() -> list[str]:
    return sorted(name for name in os.listdir() if name.endswith(".draft"))


def test_write_save_close() -> None:
    manuscript = Manuscript("story.txt")
    document = manuscript.begin()
    assert drafts() == [".story.txt.draft"]
    type_in(document, "한 마리 fox")
    assert not os.path.exists("story.txt")
    manuscript.save(document.text)
    manuscript.close()
    assert Path("story.txt").read_text("utf-8") == "한 마리 fox"
    assert os.listdir() == ["story.txt"]


@given(st.binary(max_size=30) | st.text("a\n\r\ufeff한", max_size=20).map(str.encode))
def test_saving_what_was_opened_changes_no_byte(data: bytes) -> None:
    Path("a.txt").write_bytes(data)
    try:
        manuscript = Manuscript("a.txt")
    except TextError:
        with pytest.raises(UnicodeDecodeError):
            data.decode("utf-8")
        assert not drafts()
        return
    document = manuscript.begin()
    assert document.text == manuscript.saved
    manuscript.save(document.text)
    manuscript.close()
    assert Path("a.txt").read_bytes() == data


def test_line_ends_stay_as_they_were() -> None:
    Path("a.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n")
    manuscript = Manuscript("a.txt")
    document = manuscript.begin()
    assert document.text == "one\ntwo\n"
    document.put(4, 4, "and\n")
    manuscript.save(document.text)
    assert Path("a.txt").read_bytes() == b"\xef\xbb\xbfone\r\nand\r\ntwo\r\n"
    manuscript.close()


@given(MOVES, st.integers(0, 400))
def test_after_a_crash_all_of_it_can_be_had_back(moves: list[Move], cut: int) -> None:
    """Also where the last writing was cut off: then it is what it was a little before."""
    Path("a.txt").write_text("the fox")
    manuscript = Manuscript("a.txt")
    document = manuscript.begin()
    states = {document.state}
    for move in moves:
        do(document, move)
        states.add(document.state)
    crash(manuscript)
    draft = Path(".a.txt.draft")
    data = draft.read_bytes()
    for size in (len(data), max(len(data) - cut, 0)):
        draft.write_bytes(data[:size])
        again = Manuscript("a.txt")
        if again.left is None:
            assert size < len(data) or document.text == "the fox"
        else:
            assert again.left.state in states
        if size == len(data) and document.text != "the fox":
            assert again.left is not None
            restored = again.begin(again=True)
            assert restored.state == document.state
            assert restored.branches() == document.branches()
            restored.put(0, 0, "!")
            crash(again)
            once_more = Manuscript("a.txt")
            assert once_more.left is None or once_more.left.text == "!" + document.text
            again = once_more
        again.close()
    assert not drafts()


def test_what_was_left_can_be_thrown_away() -> None:
    manuscript = Manuscript()
    type_in(manuscript.begin(), "unsaved")
    crash(manuscript)
    assert drafts() == [".untitled.draft"]
    again = Manuscript()
    assert again.left is not None
    assert again.left.text == "unsaved"
    assert again.begin().text == ""
    crash(again)
    assert Manuscript().left is None


def test_what_was_saved_is_not_left() -> None:
    manuscript = Manuscript("a.txt")
    document = manuscript.begin()
    type_in(document, "one two")
    manuscript.save(document.text)
    crash(manuscript)
    again = Manuscript("a.txt")
    assert again.left is None
    document = again.begin()
    type_in(document, "!")
    crash(again)
    last = Manuscript("a.txt")
    assert last.left is not None
    last.begin(again=True)
    assert last.saved == "one two"
    assert not last.overwrites()
    last.close()


def test_a_text_is_written_by_one_at_a_time() -> None:
    pytest.importorskip("fcntl")
    manuscript = Manuscript("a.txt")
    with pytest.raises(TextError, match="another charrnn write"):
        Manuscript("a.txt")
    manuscript.close()
    Manuscript("a.txt").close()


def test_nothing_is_overwritten_unasked() -> None:
    Path("a.txt").write_text("mine")
    Path("b.txt").write_text("another")
    manuscript = Manuscript("a.txt")
    document = manuscript.begin()
    assert manuscript.overwrites() == ""
    assert manuscript.overwrites("new.txt") == ""
    assert "b.txt exists" in manuscript.overwrites("b.txt")
    Path("a.txt").write_text("from elsewhere")
    assert "another program" in manuscript.overwrites()
    manuscript.save(document.text)
    assert manuscript.overwrites() == ""
    os.unlink("a.txt")
    assert manuscript.overwrites() == ""
    manuscript.close()


def test_a_file_changed_between_crash_and_return_is_asked_about() -> None:
    Path("a.txt").write_text("one")
    manuscript = Manuscript("a.txt")
    type_in(manuscript.begin(), "!")
    crash(manuscript)
    Path("a.txt").write_text("two")
    again = Manuscript("a.txt")
    assert again.begin(again=True).text == "one!"
    assert "another program" in again.overwrites()
    again.close()


def test_saving_under_a_name_takes_the_draft_along() -> None:
    manuscript = Manuscript()
    document = manuscript.begin()
    type_in(document, "text")
    with pytest.raises(TextError, match="no name"):
        manuscript.save(document.text)
    manuscript.save(document.text, "named.txt")
    assert drafts() == [".named.txt.draft"]
    type_in(document, "s")
    crash(manuscript)
    again = Manuscript("named.txt")
    assert again.left is not None
    assert again.left.text == "texts"
    other = Manuscript()
    other.begin()
    with pytest.raises(TextError, match="left unsaved"):
        other.save("x", "named.txt")
    assert Path("named.txt").read_text() == "text"
    other.close()
    again.close()


def test_a_failed_save_leaves_the_old_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.txt").write_text("old")
    manuscript = Manuscript("a.txt")
    manuscript.begin()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(TextError, match="No space"):
            manuscript.save("new")
    assert Path("a.txt").read_text() == "old"
    assert sorted(os.listdir()) == [".a.txt.draft", "a.txt"]
    manuscript.close()


def test_a_full_disk_stops_the_draft_but_not_the_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    manuscript = Manuscript("a.txt")
    document = manuscript.begin()
    type_in(document, "one ")
    plain = os.write

    def half(descriptor: int, data: memoryview) -> int:
        if len(data) > 3:
            return plain(descriptor, data[:3])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        type_in(document, "two ")
        assert "No space" in manuscript.trouble
    type_in(document, "three")
    assert manuscript.trouble == ""
    crash(manuscript)
    again = Manuscript("a.txt")
    assert again.left is not None
    assert again.left.text == "one two three"
    again.close()


def test_the_mode_stays_and_links_are_followed() -> None:
    Path("real.txt").write_text("x")
    os.chmod("real.txt", 0o640)
    os.symlink("real.txt", "link.txt")
    manuscript = Manuscript("link.txt")
    manuscript.begin()
    manuscript.save("y")
    manuscript.close()
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
        Manuscript(path)
    assert not drafts()


def test_a_damaged_draft_is_not_touched() -> None:
    for head in (b"rubbish\n", b'{"format": 2}\n', b"[]\n", b'{"format":1,"base":"x"}\n'):
        Path(".a.txt.draft").write_bytes(head)
        with pytest.raises(TextError, match="move it away"):
            Manuscript("a.txt")
        assert Path(".a.txt.draft").read_bytes() == head
    Path(".a.txt.draft").write_bytes(b'{"format":1,"base":"x","saved":"x"}\n["put",0,0,"a","h"]\n["put",7,9,"a","h"]\n')
    manuscript = Manuscript("a.txt")
    assert isinstance(manuscript.left, Document)
    assert manuscript.left.text == "ax"
    manuscript.close()


def test_without_a_draft_one_can_still_write() -> None:
    os.symlink("elsewhere", ".a.txt.draft")
    manuscript = Manuscript("a.txt")
    assert "no draft" in manuscript.trouble
    document = manuscript.begin()
    type_in(document, "text")
    assert "no draft" in manuscript.trouble
    os.unlink(".a.txt.draft")
    manuscript.save(document.text)
    assert Path("a.txt").read_text() == "text"
    manuscript.close()
