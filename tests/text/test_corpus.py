"""Reading texts: files, folders, encodings; splitting them; streams and windows."""

import hashlib
import io
import os
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.errors import TextError, UsageError
from charrnn.text import source
from charrnn.text.batches import Streams
from charrnn.text.corpus import Corpus

UNITS = ["char", "byte", "jamo"]


def write(path: Path, data: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def text_of(corpus: Corpus) -> str:
    return corpus.vocab.decode(corpus.ids[:])


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        (b"a\r\nb\rc\n", "utf-8", "a\nb\rc\n"),
        (b"\xef\xbb\xbfa", "utf-8", "a"),
        ("\ufeffé\r\n".encode("utf-16-le"), "utf-16-le", "é\n"),
        ("é\r\n".encode("utf-16"), "utf-16", "é\n"),
        (b"caf\xe9", "latin-1", "café"),
        ("한글".encode("euc-kr"), "euc-kr", "한글"),
    ],
)
@pytest.mark.parametrize("chunk", [1, 2, 3, 1000])
def test_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, encoding: str, text: str, chunk: int
) -> None:
    monkeypatch.setattr(source, "CHUNK", chunk)
    path = write(tmp_path / "a.txt", data)
    for unit in ("char", "jamo"):
        assert text_of(Corpus.read([path], unit, encoding)) == text


def test_bytes_are_read_as_they_are(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbfa\r\n\xff\x00"
    corpus = Corpus.read([write(tmp_path / "a", data)], "byte")
    assert corpus.vocab.codes[corpus.ids[:]].astype(np.uint8).tobytes() == data
    assert corpus.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("chunk", [1, 3, 1000])
@pytest.mark.parametrize(
    ("data", "byte", "offset"),
    [
        (b"ab\xff", "0xFF", 2),
        ("한".encode() + b"\x80", "0x80", 3),
        (b"abc\xed\x95", "0xED", 3),
        (b"\xc0\x80", "0xC0", 0),
        (("é" * 5).encode() + b"\xf5", "0xF5", 10),
    ],
)
def test_what_is_not_utf8_is_named_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, byte: str, offset: int, chunk: int
) -> None:
    monkeypatch.setattr(source, "CHUNK", chunk)
    with pytest.raises(TextError, match=rf"not valid UTF-8 \(byte {byte} at offset {offset}\).*`unit=byte`"):
        Corpus.read([write(tmp_path / "a.txt", data)])


def test_utf16_is_recognised(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="`encoding=utf-16`"):
        Corpus.read([write(tmp_path / "a.txt", "hello".encode("utf-16"))])


def test_a_folder_is_its_text_files_in_name_order(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "b.txt": "two",
        "a/z.txt": "one",
        "c.bin": b"\x00\x01",
        "d.txt": b"\xff\xfe\xfd",
        ".hidden": "no",
        ".git/x": "no",
        "e": "three",
        "empty": "",
    }
    for name, data in files.items():
        write(tmp_path / name, data)
    corpus = Corpus.read([tmp_path])
    assert text_of(corpus) == "one\ntwo\nthree\n"  # ends of texts are written as newlines
    assert corpus.ends == [4, 8, 14]
    assert [Path(file).name for file in corpus.files] == ["z.txt", "b.txt", "e"]
    assert len(corpus.notes) == 2
    assert "c.bin" in corpus.notes[0]
    assert "d.txt" in corpus.notes[1]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"from stdin")))
    assert text_of(Corpus.read(["-"])) == "from stdin"


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="the system has no /dev/fd")
def test_a_pipe() -> None:
    read, write_end = os.pipe()
    os.write(write_end, b"from a pipe")
    os.close(write_end)
    assert text_of(Corpus.read([f"/dev/fd/{read}"])) == "from a pipe"
    os.close(read)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: folder / "missing.txt", "there is no file"),
        (lambda folder: write(folder / "empty.txt", b""), "contains no text"),
        (lambda folder: write(folder / "bom.txt", b"\xef\xbb\xbf"), "contains no text"),
        (lambda folder: write(folder / "x" / ".hidden", b"a").parent, "without text files"),
        (lambda folder: "a\0b", "cannot be read"),
    ],
)
def test_unreadable_texts(tmp_path: Path, make: object, sentence: str) -> None:
    with pytest.raises(TextError, match=sentence):
        Corpus.read([make(tmp_path)])  # type: ignore[operator]


def test_a_given_vocabulary_leaves_out_what_it_lacks(tmp_path: Path) -> None:
    known = Corpus.from_text("abc").vocab
    corpus = Corpus.read([write(tmp_path / "a", "axbxxé")], vocab=known)
    assert text_of(corpus) == "ab"
    assert corpus.unknown == {"x": 3, "é": 1}


@given(text=st.text(st.sampled_from("a가한é\U0001f600"), min_size=1), fraction=st.floats(0, 0.99))
def test_the_cut_falls_at_the_same_character_in_every_unit(text: str, fraction: float) -> None:
    parts = set()
    for unit in UNITS:
        corpus = Corpus.from_text(text, unit)
        train, held_out = corpus.split(fraction)
        tail = "".join(corpus.vocab.decode(corpus.ids[s.begin : s.end]) for s in held_out)
        parts.add((corpus.vocab.decode(train[:]), tail))
        assert corpus.count_chars(held_out) == int(len(text) * fraction)
        assert corpus.count_chars(corpus.segments) == len(text)
    assert len(parts) == 1
    assert "".join(parts.pop()) == text


def test_every_long_file_gives_its_last_part(tmp_path: Path) -> None:
    paths = [write(tmp_path / "a", "aaaaaabbxx"), write(tmp_path / "b", "c" * 12 + "ddddyyyy")]
    train, held_out = (corpus := Corpus.read(paths)).split(0.2)
    assert corpus.vocab.decode(train[:]) == "aaaaaaxx\n" + "c" * 12 + "yyyy\n"  # the ends are learned
    assert [corpus.vocab.decode(corpus.ids[s.begin : s.end]) for s in held_out] == ["bb", "dddd"]
    assert [s.file_begin for s in held_out] == [0, 11]


@given(size=st.integers(2, 400), batch=st.integers(1, 40), steps=st.integers(1, 80))
def test_windows_follow_each_other_and_cover_the_text(size: int, batch: int, steps: int) -> None:
    streams = Streams(np.arange(size), batch, steps)
    shape = (streams.seq_length + 1, streams.batch_size)
    windows = [streams.window(k) for k in range(streams.windows)]
    assert all(window.shape == shape for window in windows)
    for before, after in pairwise(windows):
        np.testing.assert_array_equal(before[-1], after[0])
    for window in windows:
        np.testing.assert_array_equal(np.diff(window, axis=0), 1)
    seen = set(np.concatenate(windows).ravel().tolist())
    if streams.batch_size > 1:
        assert seen == set(range(size))
    else:
        assert len(seen) > size - streams.windows
        assert shape[0] - 1 <= min(steps, size - 1)
    assert bool(streams.notes) == (shape != (steps + 1, batch))


def test_a_text_too_short_to_predict_anything() -> None:
    with pytest.raises(TextError, match="fewer than 2 characters"):
        Streams(np.zeros(1, dtype=np.uint8), 4, 4)


@pytest.mark.parametrize("size", [101, 128, 1000])
def test_a_single_stream_reads_all_but_a_few_characters(size: int) -> None:
    streams = Streams(np.arange(size), 1, 64)
    seen = {int(i) for k in range(streams.windows) for i in streams.window(k).ravel()}
    assert len(seen) > size - streams.windows


def test_a_vocabulary_brings_its_unit() -> None:
    jamo = Corpus.from_text("옛날에", "jamo")
    again = Corpus.from_text("옛날", vocab=jamo.vocab)
    assert again.unknown == {}
    assert again.vocab is jamo.vocab
    assert text_of(again) == "옛날"


def test_what_a_user_can_get_wrong_is_an_error_of_ours(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "abc")
    assert text_of(Corpus.read(path)) == text_of(Corpus.read(str(path))) == "abc"
    with pytest.raises(UsageError, match="^unit is"):
        Corpus.from_text("a", "word")
    with pytest.raises(UsageError, match="^encoding .klingon. is not"):
        Corpus.read(path, encoding="klingon")
    with pytest.raises(TextError, match="surrogate"):
        Corpus.from_text("a\ud800", "byte")


def test_a_folder_without_readable_text_says_why(tmp_path: Path) -> None:
    write(tmp_path / "f" / "latin.txt", b"caf\xe9")
    with pytest.raises(
        TextError, match=r"contains no text: .*latin.txt was skipped: it is not valid UTF-8 .* `encoding=latin-1` or"
    ):
        Corpus.read([tmp_path / "f"])


def test_a_folder_of_utf16(tmp_path: Path) -> None:
    write(tmp_path / "f" / "a.txt", "hello".encode("utf-16"))
    assert text_of(Corpus.read([tmp_path / "f"], encoding="utf-16")) == "hello"
    with pytest.raises(TextError, match=r"without text files: .*a.txt looks like UTF-16: try `encoding=utf-16`\."):
        Corpus.read([tmp_path / "f"])
    write(tmp_path / "f" / "b.txt", "plain text")
    assert "a.txt was skipped: it looks like UTF-16: try" in Corpus.read([tmp_path / "f"]).notes[0]


def test_a_closed_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(TextError, match="standard input is closed"):
        Corpus.read(["-"])
