"""Several texts in one corpus: boundaries, what is held out, and the streams that read them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.checkpoint.model import load
from charrnn.errors import UsageError
from charrnn.options import Options
from charrnn.text import ids as symbols
from charrnn.text import texts
from charrnn.text.batches import TextStreams
from charrnn.text.corpus import Corpus
from charrnn.text.examples import Examples
from charrnn.text.units import UNITS
from charrnn.text.vocab import Vocab
from charrnn.training.train import train

KOREAN = ["한글 글", "글자다\n", "é"]
TINY: dict[str, Any] = {"cell": "gru", "layers": 1, "hidden_size": 8, "batch_size": 4, "seq_length": 8, "workers": 1}


def folder_of(tmp_path: Path, parts: list[str]) -> Path:
    for k, text in enumerate(parts):
        (tmp_path / f"{k:04}.txt").write_text(text, "utf-8")
    return tmp_path


@pytest.mark.parametrize("unit", UNITS)
def test_every_one_of_several_files_ends_with_an_end_of_text(unit: str, tmp_path: Path) -> None:
    corpus = Corpus.read(folder_of(tmp_path, [*KOREAN[:1], "", *KOREAN[1:]]), unit)
    vocab = corpus.vocab
    assert vocab.boundary == vocab.end_of_text == vocab.start == len(vocab) - 1
    assert vocab.codes[-1] == (256 if unit == "byte" else 0x110000)
    assert vocab.symbols[-1] == "end of text"
    assert vocab.decode(corpus.ids[:]) == "".join(text + "\n" for text in KOREAN)
    assert np.flatnonzero(corpus.ids[:] == vocab.boundary).tolist() == [end - 1 for end in corpus.ends]
    whole = "".join(KOREAN)
    assert corpus.measure(corpus.segments) == (len(whole), len(whole.encode()))
    alone = Corpus.read(tmp_path / "0000.txt", unit)
    assert alone.vocab.boundary is None
    with_end = Corpus.read(tmp_path / "0000.txt", unit, include=vocab)
    assert with_end.vocab.decode(with_end.ids[:]) == KOREAN[0] + "\n"
    assert Corpus.from_text(KOREAN[0], vocab=vocab).ids[:][-1] == vocab.boundary


@given(text=st.text(st.sampled_from("ab\n"), max_size=12), cuts=st.lists(st.integers(0, 12), max_size=3))
def test_lines_are_texts_without_blank_ones(text: str, cuts: list[int]) -> None:
    codes = UNITS["char"].codes(text)
    places = sorted(min(cut, len(text)) for cut in cuts)
    chunks = np.split(codes, places)
    lines = "".join(map(chr, np.concatenate([codes[:0], *texts.whole_lines(chunks)]).tolist()))
    assert lines == "".join(line + "\n" for line in text.split("\n") if line)
    if lines:
        corpus = Corpus.from_text(text, by_line=True)
        assert corpus.vocab.decode(corpus.ids[:]) == lines
        assert corpus.vocab.boundary == corpus.vocab.newline
        assert corpus.vocab.end_of_text is None


def test_what_is_held_out() -> None:
    many = np.full(60, 40)
    held = texts.held_out(many, 0.1, 0, False)
    assert sorted(set(held.tolist())) == [0, 40]
    assert np.count_nonzero(held) == 6
    assert not np.array_equal(held, texts.held_out(many, 0.1, 1, False))  # the seed chooses
    np.testing.assert_array_equal(held, texts.held_out(many, 0.1, 0, True))
    few = np.full(30, 40)  # none is long: the last part of all together
    np.testing.assert_array_equal(texts.held_out(few, 0.1, 0, False), [0] * 27 + [40] * 3)
    mixed = np.array([1000, *[10] * 60, 500])  # the ends of short files are learned
    np.testing.assert_array_equal(texts.held_out(mixed, 0.1, 0, False), [100, *[0] * 60, 50])
    assert texts.held_out(np.array([7]), 0.9, 0, True).tolist() == [0]


def test_whole_files_are_held_out_in_every_unit(tmp_path: Path) -> None:
    folder, found = folder_of(tmp_path, [f"글 {k} é.\n" for k in range(80)]), []
    for unit in UNITS:
        corpus = Corpus.read(folder, unit)
        training, held = corpus.split(0.1, 3)
        assert len(held) == 8
        assert all(segment.begin == segment.file_begin for segment in held)
        assert len(training) + sum(map(len, held)) == len(corpus.ids)
        seen = corpus.seen(held)
        assert {s.begin for s in seen}.isdisjoint(s.begin for s in held)
        assert 8 <= len(seen) <= 9
        found.append([corpus.vocab.decode(corpus.ids[s.begin : s.end]) for s in held])
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("stored", [False, True])
def test_streams_read_every_text_from_its_boundary_on(monkeypatch: pytest.MonkeyPatch, stored: bool) -> None:
    if stored:
        monkeypatch.setattr(symbols, "IN_MEMORY", 10)
    lines = [f"{k:02}abcdefgh"[: 3 + k % 7] + "\n" for k in range(50)]
    corpus = Corpus.from_text("".join(lines), by_line=True)
    streams, held = corpus.divide(Options(by_line=True, seq_length=5, batch_size=1, val_fraction=0.2, seed=4))
    assert isinstance(streams, TextStreams)
    left = {corpus.vocab.decode(corpus.ids[s.begin : s.end]) for s in held}
    orders = []
    for epoch in range(2):
        batches = [streams.batch(1 + epoch * streams.windows + k) for k in range(streams.windows)]
        inputs, targets = (np.concatenate([batch[k] for batch in batches])[:, 0] for k in (0, 1))
        reset = np.concatenate([batch.reset for batch in batches if batch.reset is not None])[:, 0]
        np.testing.assert_array_equal(reset, inputs == corpus.vocab.boundary)
        assert reset[0]
        np.testing.assert_array_equal(inputs[1:], targets[:-1])
        orders.append(corpus.vocab.decode(targets).splitlines(keepends=True))
    assert len(left) == 10
    assert orders[0] != orders[1]
    for order in orders:  # a single stream may skip a few symbols at the end of an epoch
        assert len(set(order) & (set(lines) - left)) >= 38
        assert not set(order[:-1]) & left


@pytest.mark.parametrize("unit", UNITS)
def test_the_end_of_a_long_text_is_learned(unit: str, tmp_path: Path) -> None:
    corpus = Corpus.read(folder_of(tmp_path, [f"{c * 400}한{c * 99}" for c in "abc"]), unit)
    streams, held = corpus.divide(Options(seq_length=10, batch_size=1, val_fraction=0.2))
    assert [corpus.vocab.decode(corpus.ids[s.begin : s.end]) for s in held] == [f"{c * 64}한{c * 35}" for c in "abc"]
    assert isinstance(streams, TextStreams)
    for epoch in range(3):
        streams.shuffle(epoch)
        read = corpus.vocab.decode(streams.ids[:]).split("\n")
        assert sorted(read) == ["", "", *(c * 400 for c in "abc")]


def test_a_model_of_one_text_reads_several_files_as_before(tmp_path: Path) -> None:
    known = Corpus.from_text("ab").vocab
    corpus = Corpus.read(folder_of(tmp_path, ["a" * 8 + "bb", "a" * 16 + "bbbb"]), vocab=known)
    _, held = corpus.split(0.2)
    assert [corpus.vocab.decode(corpus.ids[s.begin : s.end]) for s in held] == ["bb", "bbbb"]


def test_examples_that_start_from_a_model_of_several_texts() -> None:
    known = Vocab("char", [97, 10], boundary_code=0x110000)
    examples = Examples.of([("x", "ab"), ("y", "b")], "generate", include=known)
    assert examples.vocab.symbols == ["\n", "a", "b"]


@pytest.mark.parametrize("by_line", [False, True])
def test_a_resumed_run_reads_the_same_texts(by_line: bool, tmp_path: Path) -> None:
    (folder := tmp_path / "texts").mkdir()
    folder_of(folder, ["the cat\n", "a dog", "an old rat\nand a hat"] * 20)
    options = {**TINY, "by_line": by_line, "steps": 60, "eval_every": 10}
    whole = train(folder, **options)
    losses = [step.loss for step in whole]
    first = train(folder, **options)
    before = [next(first).loss for _ in range(37)]
    first.model.save(tmp_path / "m.npz")
    first.close()
    model = load(tmp_path / "m.npz")
    assert model.vocab == whole.vocab
    assert before + [step.loss for step in train(folder, model=model)] == losses
    assert whole.run.windows < 37


def test_sorted_lines() -> None:
    names = [f"{chr(97 + k // 26)}{chr(97 + k % 26)}n" for k in range(200)]
    for lines in (names, names[::-1], [name.title() + "\n" for name in names], [*names[:95], "zz", *names[95:]]):
        assert texts.are_sorted("\n".join(lines) + "\n")
    shuffled = np.random.default_rng(0).permutation(names).tolist()
    for other in (shuffled, names[:20], ["same"] * 200, []):
        assert not texts.are_sorted("\n".join(other) + "\n")


def test_a_note_on_sorted_lines_and_by_line_of_a_corpus() -> None:
    names = "\n".join(f"{k:03}" for k in range(100))
    listed, lines = Corpus.from_text(names), Corpus.from_text(names, by_line=True)
    for corpus, noted in ((listed, True), (lines, False)):
        for _ in range(2):  # the note is given once
            training = train(corpus, **TINY, steps=1)
            training.close()
        assert ["--by-line" in note for note in training.notes if "sorted" in note] == [True] * noted
        assert training.options.by_line != noted
    with pytest.raises(UsageError, match="pass by_line to"):
        train(listed, **TINY, by_line=True)
