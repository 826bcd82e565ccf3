"""Filters with exact probabilities, draws, and the stream of characters."""

import unicodedata
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.checkpoint import Model
from charrnn.errors import UsageError
from charrnn.model import Config, Network, fresh_params
from charrnn.options import CELLS
from charrnn.reader import Reader, Readers
from charrnn.sampling import draw, filters, sample, sample_many, softmax, temperature, top_k, top_p
from charrnn.text.vocab import UNITS, Vocab

LOGITS = np.log([0.5, 0.25, 0.15, 0.1])
ANY_LOGITS = st.lists(st.floats(-50, 50), min_size=1, max_size=30).map(np.array)


def model_of(text: str, unit: str = "char", cell: str = "gru", seed: int = 0) -> Model:
    """An untrained model that knows the characters of a text."""
    vocab = Vocab(unit, UNITS[unit].codes(text).tolist())
    config = Config(cell, 2, 8, len(vocab))
    params = fresh_params(config, seed)
    params.flat *= 3.0  # so that it has preferences
    return Model(config, vocab, params)


def test_temperature() -> None:
    np.testing.assert_allclose(softmax(temperature(1.0)(LOGITS)), [0.5, 0.25, 0.15, 0.1])
    squares = np.array([0.25, 0.0625, 0.0225, 0.01])
    np.testing.assert_allclose(softmax(temperature(0.5)(LOGITS)), squares / squares.sum())
    for t in (0.0, 1e-320):
        np.testing.assert_array_equal(softmax(temperature(t)(LOGITS)), [1, 0, 0, 0])
    np.testing.assert_array_equal(softmax(temperature(0.0)(np.array([1.0, 3.0, 3.0]))), [0, 1, 0])
    np.testing.assert_allclose(softmax(temperature(1e308)(LOGITS)), 0.25)


def test_top_k_and_top_p() -> None:
    np.testing.assert_allclose(softmax(top_k(2)(LOGITS)), [2 / 3, 1 / 3, 0, 0])
    np.testing.assert_allclose(softmax(top_k(9)(LOGITS)), [0.5, 0.25, 0.15, 0.1])
    np.testing.assert_allclose(softmax(top_p(0.75)(LOGITS)), [2 / 3, 1 / 3, 0, 0])
    np.testing.assert_allclose(softmax(top_p(0.76)(LOGITS)), [5 / 9, 2.5 / 9, 1.5 / 9, 0])
    np.testing.assert_allclose(softmax(top_p(1e-9)(LOGITS)), [1, 0, 0, 0])


@given(
    logits=ANY_LOGITS,
    masked=st.sets(st.integers(0, 29)),
    t=st.floats(0, 5),
    k=st.integers(0, 40),
    p=st.floats(0.001, 1.0),
)
def test_filters_never_empty_the_set_nor_revive_a_masked_symbol(
    logits: np.ndarray[tuple[int], np.dtype[np.float64]], masked: set[int], t: float, k: int, p: float
) -> None:
    kept = [i for i in range(len(logits)) if i not in masked] or [0]
    logits = np.where(np.isin(np.arange(len(logits)), kept), logits, -np.inf)
    filtered = logits
    for apply in filters(t, k, p):
        filtered = apply(filtered)
        assert (filtered > -np.inf).any()
        assert not (filtered[logits == -np.inf] > -np.inf).any()
    for uniform in (0.0, 0.5, np.nextafter(1.0, 0.0)):
        assert logits[draw(logits[None], filters(t, k, p), [uniform])[0]] > -np.inf


def test_draws_follow_the_probabilities() -> None:
    counts = np.zeros(4)
    for uniform in (np.arange(10_000) + 0.5) / 10_000:
        counts[draw(LOGITS[None], filters(1.0, 0, 1.0), [uniform])] += 1
    np.testing.assert_allclose(counts, [5000, 2500, 1500, 1000])


def test_draws_stay_inside_with_many_symbols() -> None:
    logits = np.zeros((2, 60_000))
    logits[1, 50_000:] = -np.inf
    assert draw(logits, filters(1.0, 0, 1.0), [float(np.nextafter(1.0, 0.0))] * 2) == [59_999, 49_999]
    assert draw(logits, filters(1.0, 0, 1.0), [0.0, 0.0]) == [0, 0]


def test_filters_work_row_by_row() -> None:
    rows = np.random.default_rng(0).normal(size=(5, 9))
    for apply in (temperature(0.7), temperature(0.0), top_k(3), top_p(0.6)):
        np.testing.assert_array_equal(apply(rows), [apply(row[None])[0] for row in rows])


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("length", [0, 1, 57])
def test_length_counts_written_characters(unit: str, length: int) -> None:
    model = model_of("한글은 소리다.\nABC é", unit)
    text = "".join(sample(model, length, seed=5))
    assert len(text) == length


@pytest.mark.parametrize("unit", UNITS)
def test_the_same_seed_and_the_prefix(unit: str) -> None:
    model = model_of("한글은 소리다.\nABC é", unit)
    longer = "".join(sample(model, 80, seed=1))
    assert "".join(sample(model, 80, seed=1)) == longer
    assert "".join(sample(model, 33, seed=1)) == longer[:33]
    assert "".join(sample(model, 80, seed=2)) != longer
    assert "".join(islice(sample(model, None, seed=1), 80)) == longer


def test_jamo_writes_whole_syllables() -> None:
    text = "".join(sample(model_of("한글은 소리다", "jamo"), 300, temp=2.0))
    assert text == unicodedata.normalize("NFC", text)
    assert not any("\u1100" <= c <= "\u11ff" for c in text)
    assert any("가" <= c <= "힣" for c in text)


def test_the_prime_changes_what_follows_and_an_empty_one_is_a_newline() -> None:
    model = model_of("abc\n")
    texts = {prime: "".join(sample(model, 40, prime=prime)) for prime in ("a", "b", "abcabc")}
    assert len(set(texts.values())) == 3
    assert "".join(sample(model_of("abc"), 40, prime="")) != ""


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("text", ["abc\n", "abc"])
def test_readers_agree_with_the_network(cell: str, text: str) -> None:
    model = model_of(text, cell=cell)
    reader, readers = Reader(model), Readers(model, 3)
    ids = [1, 2, 0] * 20
    before = [] if model.vocab.newline is None else [model.vocab.newline]
    network = Network(model.config, model.params, len(before + ids), 1)
    wanted = network.forward(np.array(before + ids)[:, None])[-1]
    reader.read(ids)
    readers.read_alike(ids)
    np.testing.assert_allclose(reader.logits, wanted, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(readers.logits, np.tile(wanted, (3, 1)), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("unit", UNITS)
def test_many_texts_are_those_of_the_seeds(unit: str) -> None:
    model = model_of("한글은 소리다.\nABC é", unit)
    texts = sample_many(model, 4, 40, prime="A", seed=7)
    assert texts == ["".join(sample(model, 40, prime="A", seed=7 + i)) for i in range(4)]
    assert sample_many(model, 2, 0) == ["", ""]
    with pytest.raises(UsageError, match="--count"):
        sample_many(model, 0, 5)


def test_argmax_ignores_the_seed() -> None:
    model = model_of("abcdef\n")
    assert "".join(sample(model, 50, temp=0.0, seed=1)) == "".join(sample(model, 50, temp=0.0, seed=2))


def test_primes_in_another_normal_form() -> None:
    composed = model_of("é\n")
    assert "".join(sample(composed, 5, prime="e\u0301")) == "".join(sample(composed, 5, prime="é"))
    decomposed = model_of("e\u0301\n")
    assert "".join(sample(decomposed, 5, prime="é")) == "".join(sample(decomposed, 5, prime="e\u0301"))


@pytest.mark.parametrize("unit", UNITS)
def test_unknown_characters_of_the_prime(unit: str) -> None:
    model = model_of("ab\n", unit)
    with pytest.raises(UsageError, match="never seen 'z'.*--unknown skip"):
        sample(model, 5, prime="azb")
    skipped = "".join(sample(model, 5, prime="azb", unknown="skip"))
    assert skipped == "".join(sample(model, 5, prime="ab"))
    with pytest.raises(UsageError):
        sample(model, 5, prime="a\ud800")


@pytest.mark.parametrize(
    "wrong",
    [
        {"temp": -1.0},
        {"temp": float("nan")},
        {"temp": float("inf")},
        {"top_k": -1},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"seed": -1},
        {"length": -1},
        {"unknown": "ask"},
    ],
)
def test_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        sample(model_of("ab"), **wrong)  # type: ignore[arg-type]
