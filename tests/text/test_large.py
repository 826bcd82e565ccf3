"""Large texts: ids in a file give what ids in memory give, in memory that does not grow with the text."""

import errno
import io
import os
import shutil
import sys
import tempfile
import time
import tracemalloc
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import charrnn
from charrnn.display import reading
from charrnn.errors import TextError
from charrnn.evaluation.score import evaluate
from charrnn.text import ids as symbols
from charrnn.text import source
from charrnn.text.batches import Streams
from charrnn.text.corpus import Corpus
from charrnn.text.ids import StoredIds, collect, count, join
from charrnn.text.units import UNITS, Char, Jamo
from charrnn.text.vocab import UNKNOWN, Vocab

units = st.sampled_from(["char", "byte", "jamo"])
texts = st.text(st.sampled_from("ab\n가한é\U0001f600"), min_size=2, max_size=60)
SENTENCE = "the quick brown fox 한글 jumps over the lazy dog.\n"
ABOVE_A_BYTE = "".join(map(chr, range(0x400, 0x560))) * 3


@contextmanager
def on_disk(piece: int = 5) -> Iterator[None]:
    """Every text counts as large, and is walked through in small pieces."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(symbols, "IN_MEMORY", 0)
        patch.setattr(symbols, "PIECE", piece)
        yield


def both(text: str, unit: str = "char", vocab: Vocab | None = None) -> tuple[Corpus, Corpus]:
    with on_disk():
        stored = Corpus.from_text(text, unit, vocab)
    assert isinstance(stored.ids, StoredIds)
    return Corpus.from_text(text, unit, vocab), stored


@given(text=texts, unit=units, fraction=st.floats(0, 0.99), data=st.data())
def test_a_text_on_disk_reads_as_one_in_memory(text: str, unit: str, fraction: float, data: st.DataObject) -> None:
    kept, stored = both(text, unit)
    cuts = st.integers(-len(kept.ids) - 2, len(kept.ids) + 2)
    begin, end = data.draw(cuts), data.draw(cuts)
    assert stored.ids.dtype == kept.ids.dtype
    np.testing.assert_array_equal(stored.ids[begin:end], kept.ids[begin:end])
    with on_disk():
        assert stored.measure(stored.segments) == (len(text), len(text.encode()))
        mine, held_out = stored.split(fraction)
    theirs, same = kept.split(fraction)
    assert held_out == same
    np.testing.assert_array_equal(mine[:], theirs[:])
    assert stored.vocab == kept.vocab
    assert stored.sha256 == kept.sha256


@given(size=st.integers(2, 300), batch=st.integers(1, 20), steps=st.integers(1, 40), data=st.data())
def test_windows_are_the_same_across_the_parts_of_several_files(
    size: int, batch: int, steps: int, data: st.DataObject
) -> None:
    ids = np.arange(size, dtype=np.uint16)
    cuts = sorted(data.draw(st.lists(st.integers(0, size), max_size=6).map(lambda cuts: [0, *cuts, size])))
    ranges = [(a, b) for a, b in pairwise(cuts) if data.draw(st.booleans())] or [(0, size)]
    with on_disk():
        stored = collect([ids[:1], ids[1:]], size, ids.dtype)
    assert isinstance(stored, StoredIds)
    theirs, mine = join(ids, ranges), join(stored, ranges)
    assert len(mine) == len(theirs)
    if len(theirs) < 2:
        return
    expected, streams = Streams(theirs, batch, steps), Streams(mine, batch, steps)
    for index in range(streams.windows):
        window = streams.window(index)
        assert window.dtype == ids.dtype
        np.testing.assert_array_equal(window, expected.window(index))


@pytest.mark.parametrize("text", [SENTENCE * 30, ABOVE_A_BYTE], ids=["one byte", "two bytes"])
def test_training_and_scoring_are_the_same_bit_for_bit(text: str) -> None:
    results = []
    for corpus in both(text):
        options: dict[str, Any] = {"hidden_size": 12, "batch_size": 4, "seq_length": 9, "eval_every": 3}
        with on_disk():
            training = charrnn.train(corpus, steps=7, val_fraction=0.2, **options)
            steps = [(step.loss, step.val_loss, step.grad_norm) for step in training]
            score = evaluate(training.model, corpus)
        results.append((steps, training.params.flat.tobytes(), score))
    assert results[0] == results[1]
    assert results[0][0][2][1] is not None


def test_several_files_on_disk(tmp_path: Path) -> None:
    parts = {"a": SENTENCE * 5, "b": "x", "c": "", "d": "é\r\n" * 40}
    for name, text in parts.items():
        (tmp_path / name).write_bytes(text.encode())
    known = Corpus.from_text("the dog é\n").vocab
    for vocab in (None, known):
        kept = Corpus.read([tmp_path], vocab=vocab)
        with on_disk():
            stored = Corpus.read([tmp_path], vocab=vocab)
        assert (stored.ends, stored.unknown, stored.sha256) == (kept.ends, kept.unknown, kept.sha256)
        np.testing.assert_array_equal(stored.ids[:], kept.ids)
        np.testing.assert_array_equal(stored.split(0.3)[0][:], kept.split(0.3)[0][:])


def test_where_the_system_cannot_read_by_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, stored = both(SENTENCE)
    monkeypatch.delattr(os, "pread", raising=False)
    np.testing.assert_array_equal(stored.ids[3:9], kept.ids[3:9])
    np.testing.assert_array_equal(stored.ids[1:4], kept.ids[1:4])


def test_ids_in_a_file_are_read_in_their_order() -> None:
    with pytest.raises(IndexError):
        both("abc")[1].ids[::-1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of its own, as TMPDIR."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="an open file keeps its name there")
def test_the_file_is_in_tmpdir_and_has_no_name(folder: Path) -> None:
    stored = both(SENTENCE)[1].ids
    assert isinstance(stored, StoredIds)
    assert os.fstat(stored.file.file.fileno()).st_dev == os.stat(folder).st_dev
    assert os.fstat(stored.file.file.fileno()).st_nlink == 0
    assert list(folder.iterdir()) == []


def test_the_file_goes_with_the_last_who_reads_it() -> None:
    corpus = both(SENTENCE)[1]
    train = corpus.split(0.1)[0]
    assert isinstance(corpus.ids, StoredIds)
    file = corpus.ids.file.file
    del corpus
    assert not file.closed
    del train
    assert file.closed


def usage(free: int) -> Any:
    return lambda folder: shutil._ntuple_diskusage(10**12, 10**12 - free, free)


def test_too_little_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbols, "IN_MEMORY", 10**6)
    path = folder / "text"
    path.write_text("ab" * 10**6)
    monkeypatch.setattr(shutil, "disk_usage", usage(1_200_000))
    with pytest.raises(TextError, match=rf"{folder}: 2\.0 MB are needed, and 1\.2 MB are free\. .*TMPDIR"):
        Corpus.read([path])
    with path.open("ab") as file:
        file.truncate(10**10)  # sparse: to read it would take long
    with pytest.raises(TextError, match=r"at least 2,500\.0 MB are needed.*TMPDIR"):
        Corpus.read([path])
    with pytest.raises(TextError, match=r"at least 10,000\.0 MB are needed.*TMPDIR"):
        Corpus.read([path], "byte")


def fail(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


class FullDisk(io.BytesIO):
    write = fail


def test_a_disk_that_fills_up_meanwhile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbols, "IN_MEMORY", 0)
    sentence = rf"cannot be stored in the temporary folder, {folder}: No space left on device\. .*TMPDIR"
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: FullDisk())
    with pytest.raises(TextError, match=sentence):
        Corpus.from_text(SENTENCE)
    monkeypatch.setattr(tempfile, "TemporaryFile", fail)
    with pytest.raises(TextError, match=sentence):
        Corpus.from_text(SENTENCE)
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", lambda **_: FullDisk())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"from stdin")))
    with pytest.raises(TextError, match=sentence):
        Corpus.read(["-"])
    monkeypatch.setattr(shutil, "disk_usage", fail)
    with pytest.raises(TextError, match="TMPDIR"):
        Corpus.from_text(SENTENCE)


@pytest.mark.parametrize(
    ("change", "again"), [(SENTENCE * 2, True), (SENTENCE[:-1], False), ("?" + SENTENCE[1:], False)]
)
def test_a_text_that_changes_while_it_is_read(tmp_path: Path, change: str, again: bool) -> None:
    path = tmp_path / "text"
    path.write_text(SENTENCE, "utf-8")

    def edit(done: int, total: int) -> None:
        if done == total or not again:  # in the second reading, or before it
            path.write_text(change, "utf-8")

    with pytest.raises(TextError, match="changed while it was being read"), on_disk():
        Corpus.read([path], progress=edit)


def test_progress_is_told_in_bytes_of_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "CHUNK", 16)
    (tmp_path / "a").write_bytes(SENTENCE.encode() * 3)
    size = 3 * len(SENTENCE.encode())
    told: list[tuple[int, int]] = []
    Corpus.read([tmp_path / "a"], progress=lambda done, total: told.append((done, total)))
    assert len(told) == 2 * -(-size // 16)
    assert told == sorted(told)
    assert {total for _, total in told} == {size}
    assert told[-1] == (size, size)
    (tmp_path / "b").write_bytes(b"no text \xff" * 9)
    told.clear()
    assert len(Corpus.read([tmp_path], progress=lambda done, total: told.append((done, total))).notes) == 1
    assert told[-1][0] == told[-1][1]


def test_memory_does_not_grow_with_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "CHUNK", 1 << 14)
    monkeypatch.setattr(symbols, "PIECE", 1 << 14)
    monkeypatch.setattr(symbols, "IN_MEMORY", 1 << 16)
    (tmp_path / "a").write_bytes(SENTENCE.encode() * 40_000)  # 2 MB
    for unit in UNITS:
        tracemalloc.start()
        corpus = Corpus.read([tmp_path / "a"], unit)
        train, _ = corpus.split(0.5)
        Streams(train, 32, 64).window(3)
        assert corpus.count_chars(corpus.segments) == len(SENTENCE) * 40_000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1_200_000, unit


@given(text=st.text(max_size=20) | texts)
def test_letters_are_those_of_unicode(text: str) -> None:
    syllables = "".join(unicodedata.normalize("NFD", c) if "가" <= c <= "힣" else c for c in text)
    np.testing.assert_array_equal(Jamo.codes(text), Char.codes(syllables))


def test_every_syllable() -> None:
    text = "".join(map(chr, range(0xABFF, 0xD7A5)))
    assert Jamo.text(Jamo.codes(text)) == text
    assert Char.text(Jamo.codes(text[1:-1])) == unicodedata.normalize("NFD", text[1:-1])


@given(codes=st.lists(st.integers(0, 255)), known=st.sets(st.integers(0, 1000), min_size=1, max_size=300))
def test_known_ids(codes: list[int], known: set[int]) -> None:
    vocab = Vocab("char", sorted(known))
    narrow, wide = np.array(codes, np.uint8), np.array(codes, np.uint32)
    expected = vocab.ids_of(wide)
    for given_codes in (narrow, wide):
        ids = vocab.known_ids(given_codes)
        assert ids.dtype == vocab.dtype
        np.testing.assert_array_equal(ids, expected[expected != UNKNOWN])


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537])
def test_counts(size: int) -> None:
    values = np.random.default_rng(size).integers(3, 250, size).astype(np.uint8)
    np.testing.assert_array_equal(np.trim_zeros(count(values), "b"), np.bincount(values))


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, quiet: bool, patience: float) -> str:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(reading, "PATIENCE", patience)
    monkeypatch.setattr(reading, "PLAIN_EVERY", patience)
    monkeypatch.setattr(reading, "REFRESH", 0.0)
    with reading.ReadProgress(("[red].txt", "more"), quiet) as display:
        for done in (1, 2, 3):
            display.progress(done * 10**9, 3 * 10**9)
            time.sleep(0.001)
    return stream.getvalue()


def test_reading_a_large_text_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, io.StringIO(), quiet=False, patience=0.0).splitlines()
    assert lines[0] == "reading [red].txt and 1 more: 1,000 of 3,000 MB"
    assert len(lines) == 3
    screen = shown(monkeypatch, Terminal(), quiet=False, patience=0.0)
    assert "reading [red].txt and 1 more" in screen
    assert "2.0/3.0 GB" in screen
    assert screen.rstrip().endswith("\x1b[2K")  # nothing of it stays


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_a_text_read_in_a_moment_is_no_news(monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO]) -> None:
    assert shown(monkeypatch, stream(), quiet=False, patience=60.0) == ""
    assert shown(monkeypatch, stream(), quiet=True, patience=0.0) == ""
