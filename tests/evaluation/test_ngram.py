"""n-grams: probabilities checked by hand, and against a slow implementation of the paper's equations."""

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.arrays import Ids
from charrnn.evaluation import ngram
from charrnn.nn import ngram as counting
from charrnn.text.corpus import Corpus, Segment

TEXT = "the cat sat on the mat and the dog sat on the cat. a cat! " * 3


class Slow:
    """Interpolated modified Kneser-Ney (Chen & Goodman 1999, section 4.1.6), one symbol at a time."""

    def __init__(self, train: Sequence[int], order: int, vocab_size: int) -> None:
        self.order, self.vocab_size = order, vocab_size
        self.levels: list[dict[tuple[int, ...], int]] = [{}]
        for k in range(1, order + 1):
            counts: dict[tuple[int, ...], int] = defaultdict(int)
            if k == order:
                for i in range(len(train) - k + 1):
                    counts[tuple(train[i : i + k])] += 1
            else:
                before = defaultdict(set)
                for i in range(len(train) - k + 1):
                    before[tuple(train[i : i + k])].add(train[i - 1] if i else None)
                counts.update({gram: len(symbols) for gram, symbols in before.items()})
            self.levels.append(dict(counts))

    def discount(self, k: int, count: int) -> float:
        n = [sum(c == r for c in self.levels[k].values()) for r in range(5)]
        if not (n[1] and n[2] and n[3]):
            D1, D2, D3 = 0.5, 1.0, 1.5
        else:
            Y = n[1] / (n[1] + 2 * n[2])
            D1, D2, D3 = 1 - 2 * Y * n[2] / n[1], 2 - 3 * Y * n[3] / n[2], 3 - 4 * Y * n[4] / n[3]
            if min(D1, D2, D3) <= 0:
                D1, D2, D3 = 0.5, 1.0, 1.5
        return [0.0, D1, D2, D3][min(count, 3)]

    def p(self, context: tuple[int, ...], w: int, k: int | None = None) -> float:
        k = min(self.order if k is None else k, len(context) + 1)
        if k == 0:
            return 1 / self.vocab_size
        context = context[len(context) - k + 1 :]
        lower = self.p(context[1:], w, k - 1)
        following = {gram[-1]: c for gram, c in self.levels[k].items() if gram[:-1] == context}
        total = sum(following.values())
        if not total:
            return lower
        left = sum(self.discount(k, c) for c in following.values())
        count = following.get(w, 0)
        return (count - self.discount(k, count)) / total + left / total * lower


def lines(*pairs: tuple[Sequence[int], Sequence[int]]) -> ngram.Text:
    return ngram.joined([(np.array(a, dtype=np.uint8), np.array(b, dtype=np.uint8)) for a, b in pairs])


def probabilities(train: Sequence[int], context: Sequence[int], w: int, V: int) -> list[float]:
    """p of one symbol after a context, by order."""
    return [math.exp(-total) for total in ngram.ngram_nats(np.array(train, dtype=np.uint8), lines((context, [w])), V)]


def ids(text: str) -> Ids:
    return Corpus.from_text(text).ids[: len(text)]


def test_by_hand() -> None:
    """abab of a, b, c: the unigram takes 1 from each count of 2; the bigram's lower level has a 2 and b 1."""
    a, b, c = (probabilities([0, 1, 0, 1], [0], w, 3)[:2] for w in range(3))
    assert a == pytest.approx([5 / 12, 1 / 4])
    assert b == pytest.approx([5 / 12, 2 / 3])
    assert c == pytest.approx([1 / 6, 1 / 12])
    # an unseen context falls back to the level below, in which two different symbols precede a
    assert probabilities([0, 1, 0, 1], [2], 0, 3)[1] == pytest.approx(1 / 2)


def test_discounts_by_hand() -> None:
    counts = np.array([1, 1, 1, 1, 2, 2, 3, 4])
    np.testing.assert_allclose(counting.discounts(counts), [0.0, 0.5, 1.25, 1.0])
    np.testing.assert_array_equal(counting.discounts(np.array([1, 1, 2])), counting.FALLBACK)
    negative = np.array([1, 2, *[3] * 9])  # the second discount
    np.testing.assert_array_equal(counting.discounts(negative), counting.FALLBACK)


@pytest.mark.parametrize("context", ["the ca", "at", "", "!!", "zzthe c", "dog sa"])
def test_probabilities_sum_to_one(context: str) -> None:
    corpus = Corpus.from_text(TEXT + "zxy")
    V = len(corpus.vocab)
    train, before = corpus.ids[: len(TEXT)].tolist(), corpus.vocab.encode(context).tolist()
    found = np.array([probabilities(train, before, w, V) for w in range(V)])
    assert found.shape == (V, ngram.ORDERS)
    np.testing.assert_allclose(found.sum(axis=0), 1.0, rtol=1e-9)
    assert found.min() > 0


@given(
    train=st.lists(st.integers(0, 3), min_size=1, max_size=60),
    others=st.lists(st.tuples(st.lists(st.integers(0, 4), max_size=8), st.integers(0, 4)), min_size=1, max_size=4),
)
def test_equal_to_the_slow_version(train: list[int], others: list[tuple[list[int], int]]) -> None:
    for context, w in others:
        found = probabilities(train, context, w, 5)
        assert len(found) == min(ngram.ORDERS, len(train))
        wanted = [Slow(train, order, 5).p(tuple(context[-6:]), w) for order in range(1, len(found) + 1)]
        np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_a_text_is_scored_like_the_slow_version() -> None:
    train, held_out = ids(TEXT)[:140].tolist(), ids(TEXT)[140:].tolist()
    V = max(train + held_out) + 1
    for order in (1, 3, 7):
        slow, history, wanted = Slow(train, order, V), list(train), 0.0
        for w in held_out:
            wanted -= math.log(slow.p(tuple(history[-6:]), w))
            history.append(w)
        found = ngram.ngram_nats(np.array(train, dtype=np.uint8), lines((train[-6:], held_out)), V)
        assert found[order - 1] == pytest.approx(wanted, rel=1e-9)


def test_lines_are_independent() -> None:
    train = ids(TEXT)
    parts = [([1, 2], [3, 1, 2]), ([], [3, 2]), ([4], [1])]
    V = int(train.max()) + 1
    together = ngram.ngram_nats(train, lines(*parts), V)
    np.testing.assert_allclose(together, sum(ngram.ngram_nats(train, lines(part), V) for part in parts))


def test_slices_and_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = Corpus.from_text(TEXT)
    train, held_out = corpus.split(0.5)

    def total() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        found = [
            ngram.ngram_nats(train[:], text, len(corpus.vocab))
            for text in ngram.ngram_texts(corpus.ids, held_out, None)
        ]
        return np.sum(found, axis=0)  # type: ignore[no-any-return]

    whole = total()
    monkeypatch.setattr(ngram, "SLICE", 7)
    monkeypatch.setattr(counting, "SLICE", 7)
    np.testing.assert_allclose(total(), whole)
    monkeypatch.setattr(ngram, "PIECE", 20)
    np.testing.assert_allclose(total(), whole)


def test_context_of_the_scored_symbols() -> None:
    corpus = Corpus.from_text("abcdefghij\n")
    segments = [Segment(0, 0, 2), Segment(2, 4, 6), Segment(0, 8, 10)]
    (text,) = ngram.ngram_texts(corpus.ids, segments, corpus.vocab.newline)
    assert corpus.vocab.decode(text.ids) == "\nab" + "cdef" + "cdefghij"
    assert np.flatnonzero(text.starts).tolist() == [0, 3, 7]
    assert corpus.vocab.decode(text.ids[text.scored]) == "abefij"
    (text,) = ngram.ngram_texts(corpus.ids, segments[:1], None)
    assert corpus.vocab.decode(text.ids) == "ab"


def test_rank_symbol_and_place_share_64_bits() -> None:
    assert counting.most_symbols(65) == counting.MOST
    for V in (300, 60_000, 1_000_000):
        assert (counting.most_symbols(V) - 1).bit_length() * 2 + (V - 1).bit_length() <= 64
    V = 1_000_000
    train = np.array([V - 1, 5, V - 1, 5, 7], dtype=np.uint32)
    text = ngram.Text(train[:2], np.array([True, False]), np.array([False, True]))
    slow = Slow([1, 0, 1, 0, 2], 2, V)
    assert math.exp(-ngram.ngram_nats(train, text, V)[1]) == pytest.approx(slow.p((1,), 0))
