"""Bytes as text: what ends a line, what is dropped or composed, and what is said about bytes that are not text."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from charrnn.errors import TextError
from charrnn.text import source
from charrnn.text.corpus import Corpus
from charrnn.text.decode import composed, decoded, text_of
from charrnn.text.examples import Examples
from charrnn.text.file_types import not_text

KOREAN, RUSSIAN = "그는 학교에 갔다. 비가 왔다.\n", "Он пошёл в школу. Шёл дождь.\n"
JAPANESE, CHINESE = "彼は学校に行きました。雨が降った。\n", "他去学校了。下雨了。他没有带伞。\n"
WESTERN = "\u201cIt\u2019s late,\u201d she said \u2014 caf\u00e9.\n"


def in_blocks(data: bytes, size: int) -> tuple[str, list[str]]:
    notes: list[str] = []
    blocks = iter([data[k : k + size] for k in range(0, len(data), size)])
    return "".join(composed(decoded(blocks, "utf-8", "it", notes), "it", notes)), notes


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("data", "wanted", "noted"),
    [
        (b"a\nb\r\nc", "a\nb\nc", ""),
        (b"a\rb\rc\r", "a\nb\nc\n", "end with CR"),
        (b"a\r", "a\n", "end with CR"),
        (b"a\nb\rc\r\rd\n", "a\nb\rc\r\rd\n", ""),  # a CR among LFs is a symbol, such as a line that is overwritten
        (b"\r\n", "\n", ""),
        ("\ufeffa\ufeffb\ufeff".encode(), "ab", "dropped 2 times in it"),
        ("\ufeff\ufeff".encode(), "", "dropped once"),
        ("a\u2028b\u0085c\x0cd\x1ce\x0bf\u2029".encode(), "a\u2028b\u0085c\x0cd\x1ce\x0bf\u2029", ""),
        (unicodedata.normalize("NFD", "각나 x").encode(), "각나 x", "composed: 2."),
        ("\u1100\u1161".encode(), "가", "composed: 1."),
        ("\u1100a\u1161".encode(), "\u1100a\u1161", ""),
        ("e\u0301".encode(), "e\u0301", ""),
    ],
)
def test_line_ends_marks_and_syllables(size: int, data: bytes, wanted: str, noted: str) -> None:
    text, notes = in_blocks(data, size)
    assert text == wanted
    assert [noted in note for note in notes] == [True] * bool(noted)


@pytest.mark.parametrize(
    ("text", "encoding", "guessed"),
    [
        (KOREAN, "cp949", "cp949"),
        (RUSSIAN, "cp1251", "cp1251"),
        (RUSSIAN, "koi8-r", "koi8-r"),
        (JAPANESE, "cp932", "cp932"),
        (JAPANESE, "euc-jp", "euc-jp"),
        (CHINESE, "gbk", "gb18030"),
        (WESTERN, "cp1252", "cp1252"),
        ("caf\u00e9 cr\u00e8me\n", "latin-1", "latin-1"),
        ("한" + WESTERN, "mixed", "cp1252"),
    ],
)
def test_the_likely_encoding_is_named(text: str, encoding: str, guessed: str) -> None:
    data = text[0].encode() + text[1:].encode("cp1252") if encoding == "mixed" else (text * 3).encode(encoding)
    with pytest.raises(TextError, match=rf"Try `encoding={guessed}` or"):
        in_blocks(data, 1 << 20)
    with pytest.raises(TextError, match=rf"Convert it first with iconv -f {guessed} -t utf-8"):
        text_of(data, "it", [])


@pytest.mark.parametrize(
    ("start", "wanted"),
    [
        (b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/epub+zip", "an e-book (EPUB)"),
        (b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml" + bytes(400) + b"word/document.xml", "of Word"),
        (b"PK\x03\x04" + bytes(26) + b"notes.txt", "unzip 'a b.x'"),
        (b"PK\x03\x04" + bytes(26) + b"meta.npy", "is a model file"),
        (b"\x1f\x8b\x08", "gunzip -k 'a b.x'"),
        (b"BZh91AY&SY", "bunzip2"),
        (b"\xfd7zXZ\0", "unxz"),
        (b"\x28\xb5\x2f\xfd", "unzstd"),
        (b"a.txt".ljust(257, b"\0") + b"ustar\x0000", "tar -xf 'a b.x'"),
        (b"%PDF-1.4", "pdftotext 'a b.x' 'a b'.txt"),
        (b"\xef\xbb\xbf {\\rtf1", "pandoc -t plain"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"\x80\x04\x95", "a Python pickle"),
        (b"\xff\xd8\xff\xe0", "an image"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"PKZIP was a program.", ""),
        (b"Rars and BZh are words", ""),
        (b"{\\rm", ""),
    ],
)
def test_files_that_are_not_text(start: bytes, wanted: str) -> None:
    found = not_text(start, "a b.x")
    assert wanted in found
    assert bool(found) == bool(wanted)


def test_a_corpus_notes_each_change_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "CHUNK", 5)
    (tmp_path / "mac.txt").write_bytes("a\ufeffb\rc".encode() * 9)
    (tmp_path / "page.html").write_bytes(b" <!-- a -->\n<html><p>Hi</p>" * 3)
    read: Callable[[str], Corpus] = lambda unit: Corpus.read([tmp_path], unit)  # noqa: E731
    corpus = read("char")
    assert "\ufeff" not in corpus.vocab.symbols
    assert "\r" not in corpus.vocab.symbols
    assert ["dropped 9 times" in note for note in corpus.notes].count(True) == 1
    assert ["end with CR" in note for note in corpus.notes].count(True) == 1
    assert read("byte").ids[:5].tolist() == np.searchsorted(read("byte").vocab.codes, [*b"a\xef\xbb\xbfb"]).tolist()


def test_a_string_is_composed_too() -> None:
    corpus = Corpus.from_text("\u1112\u1161\u11ab x")
    assert (corpus.vocab.symbols, len(corpus.notes)) == ([" ", "x", "한"], 1)
    assert Corpus.from_text("\u1112\u1161\u11ab", "jamo").notes == []


def test_notes_on_many_files_are_put_together(tmp_path: Path) -> None:
    for k in range(12):
        (tmp_path / f"{k:02}.txt").write_bytes(b"a\rb\r" + b"\xef\xbb\xbf" * k)
        (tmp_path / f"{k:02}.pdf").write_bytes(b"%PDF-1.7")
        (tmp_path / f"{k:02}.old").write_bytes(b"\xe9" * 3 + bytes([0x80 + k]))
    notes = Corpus.read([tmp_path]).notes
    assert notes[0].startswith(f"{tmp_path}/00.pdf was skipped: it is a PDF: extract its text first with pdftotext")
    assert notes[0].endswith("(and 11 other files).")
    assert len(notes) <= 6
    assert sum("CR, as on" in note and note.endswith("(and 11 other files).") for note in notes) == 1
    assert sum("U+FEFF" in note and note.endswith("(and 10 other files).") for note in notes) == 1


def test_examples_are_decoded_in_the_same_way(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes("ko\t\u1100\u1161\u1102\rit\tro\ufeffma\u2028\u0085x\r".encode())
    assert Examples.read([tmp_path / "a.tsv"], "classify").rows == [("ko", "가\u1102"), ("it", "roma\u2028\u0085x")]
