"""Baselines: on the same characters as the model, in the same units, from a bounded part of the training text."""

import lzma
import math
from pathlib import Path

import numpy as np
import pytest

from charrnn.evaluation import baselines as module
from charrnn.evaluation.baselines import compute_baselines, last_symbols
from charrnn.text.corpus import Corpus
from charrnn.text.units import UNITS

TEXT = "the cat sat on the mat and the dog sat on the cat. a cat!\n" * 30
KOREAN = "나는 강가에 앉아 있었다. 값을 물었다.\n" * 40


def test_baselines_of_a_text() -> None:
    corpus = Corpus.from_text(TEXT)
    train, held_out = corpus.split(0.1)
    found = compute_baselines(train, corpus, held_out)
    V, symbols = len(corpus.vocab), sum(map(len, held_out))
    assert found.counted == len(train)
    assert found.uniform.nats == pytest.approx(math.log(V))
    assert found.uniform.bits_per_char == pytest.approx(math.log2(V))
    assert found.uniform.symbols == found.xz.symbols == symbols
    counts = np.bincount(train[:], minlength=V)
    assert (
        1 < found.unigram.nats == pytest.approx(-np.log(counts / counts.sum())[corpus.ids[len(train) :]].mean(), 0.01)
    )
    assert len(found.ngrams) == 7
    assert found.best.nats == min(row.nats for row in found.ngrams) < 0.1
    assert found.best is found.ngrams[found.order - 1]
    assert [row.name for row in found.rows] == ["uniform", "unigram", f"{found.order}-gram", "xz"]


def test_xz_counts_the_bytes_that_the_held_out_text_adds() -> None:
    text = "".join(chr(97 + i) for i in np.random.default_rng(0).integers(0, 16, 20_000))
    corpus = Corpus.from_text(text)
    train, held_out = corpus.split(0.25)
    found = compute_baselines(train, corpus, held_out)
    assert found.xz.bits_per_char == pytest.approx(4.0, rel=0.1)  # noise of 16 symbols
    whole, part = (len(lzma.compress(t.encode(), preset=6)) for t in (text, text[:15_000]))
    assert found.xz.total == pytest.approx((whole - part) * math.log(256), rel=0.01)
    again = Corpus.from_text(text[:15_000] + text[:5_000])  # a repetition costs next to nothing
    assert compute_baselines(train, again, again.split(0.25)[1]).xz.bits_per_char < 0.1


@pytest.mark.parametrize("unit", UNITS)
def test_units_agree_on_bits_per_character(unit: str) -> None:
    found, chars = (
        compute_baselines(train, corpus, held_out)
        for corpus in (Corpus.from_text(KOREAN, unit), Corpus.from_text(KOREAN))
        for train, held_out in [corpus.split(0.1)]
    )
    assert found.xz.chars == chars.xz.chars == int(len(KOREAN) * 0.1)
    assert found.xz.bits_per_char == pytest.approx(chars.xz.bits_per_char)
    assert found.best.bits_per_char < 0.5


def test_a_text_of_bytes_that_are_not_valid_utf8(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 8)
    corpus = Corpus.read(tmp_path / "noise", "byte")
    train, held_out = corpus.split(0.2)
    found = compute_baselines(train, corpus, held_out)
    assert found.uniform.nats == pytest.approx(math.log(256))
    assert found.best.nats < 0.2


@pytest.mark.parametrize("room", [1, 2, 30, 100, 10_000])
def test_only_the_last_bytes_are_counted(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", room)
    corpus = Corpus.from_text("é" * 40 + "a" * 31)
    assert last_symbols(corpus.ids, corpus.vocab) == min(room, 31) + max(0, min(room - 31, 80)) // 2
    train, held_out = corpus.split(0.1)
    assert compute_baselines(train, corpus, held_out).counted == max(1, last_symbols(train, corpus.vocab))


def test_short_texts() -> None:
    corpus = Corpus.from_text("abba")
    train, held_out = corpus.split(0.5)
    found = compute_baselines(train, corpus, held_out)
    assert [row.name for row in found.ngrams] == ["unigram", "2-gram"]
    assert (found.counted, found.uniform.symbols) == (2, 2)
    assert found.uniform.total == pytest.approx(2 * math.log(2))
    assert found.unigram.total == pytest.approx(2 * math.log(2))  # a and b, once each
    assert found.xz.total % math.log(256) == pytest.approx(0.0)  # whole bytes
    assert 0 <= found.xz.total / math.log(256) <= 8
    assert found.as_dict()["ngram"]["order"] == found.order
