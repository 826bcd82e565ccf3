"""The complete distributions of n-gram models: their sum, the scores of single symbols, and every way to read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.errors import UsageError
from charrnn.evaluation.ngram import joined, ngram_nats
from charrnn.nn.ngram import Floats
from charrnn.nn.ngram_model import NgramModel
from charrnn.nn.ngram_network import NgramNetwork, NgramStepper
from charrnn.text.vocab import UNKNOWN

V = 6
contexts_of = st.lists(st.lists(st.integers(0, V - 1), max_size=9), min_size=1, max_size=5)


def counted(train: list[int], order: int, vocab_size: int = V) -> NgramModel:
    return NgramModel.count([np.array(train, np.uint32)], vocab_size, order)


@given(train=st.lists(st.integers(0, V - 2), min_size=1, max_size=80), order=st.integers(1, 10), contexts=contexts_of)
def test_probabilities_sum_to_one_and_are_those_of_the_baseline(
    train: list[int], order: int, contexts: list[list[int]]
) -> None:
    model = counted(train, order)
    assert model.order == min(order, len(train))
    p = np.exp(model.log_probs(contexts))
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    assert p.min() > 0.0
    if order <= 7:
        for context, row in zip(contexts, p, strict=True):
            ids, symbol = np.array(context, np.uint8), np.array([len(context) % V], np.uint8)
            nats = ngram_nats(np.array(train, np.uint8), joined([(ids[-6:], symbol)]), V)[model.order - 1]
            assert -np.log(row[symbol[0]]) == pytest.approx(nats, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("vocab_size", [2, 65, 300, 70_000])
def test_they_sum_to_one_for_every_size_of_vocabulary(vocab_size: int) -> None:
    rng = np.random.default_rng(vocab_size)
    train = (vocab_size * rng.random(3000) ** 8).astype(np.uint32)
    model = NgramModel.count([train], vocab_size, 7)
    places = rng.integers(7, len(train), 5).tolist()
    p = np.exp(model.log_probs([*(train[place - 7 : place] for place in places), [], [vocab_size - 1]]))
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=0, atol=1e-12)


@given(train=st.lists(st.integers(0, V - 1), min_size=1, max_size=60), order=st.integers(1, 5), seed=st.integers(0, 99))
def test_windows_and_single_steps_read_like_contexts(train: list[int], order: int, seed: int) -> None:
    """Also over windows that are carried on, and where a text is reset before a symbol."""
    model, rng = counted(train, order), np.random.default_rng(seed)
    ids, reset = rng.integers(0, V, (9, 3)), rng.random((9, 3)) < 0.2
    network = NgramNetwork(model, 4, 3)
    parts = []
    for begin in range(0, 9, 4):
        parts.append(network.forward(ids[begin : begin + 4], None, reset[begin : begin + 4]))
        network.carry()
    read = np.concatenate(parts)
    for stream in range(3):
        stepper, empty = NgramStepper(model, 1), NgramStepper(model, 1).state()
        for t in range(9):
            begin = max((k for k in range(t + 1) if reset[k, stream]), default=0)
            wanted = model.log_probs([ids[begin : t + 1, stream]])
            np.testing.assert_allclose(read[t, stream], wanted[0], rtol=1e-12)
            if reset[t, stream]:
                stepper.set_state(empty)
            stepper.step([int(ids[t, stream])])
            np.testing.assert_array_equal(stepper.logits, wanted)
    network.reset()
    np.testing.assert_array_equal(network.first, model.log_probs([[]])[0])
    np.testing.assert_allclose(network.forward(ids[:1])[0], model.log_probs(list(ids[:1].T)), rtol=1e-12)


def test_a_state_of_a_stream_can_be_given_to_another() -> None:
    model = counted([0, 1, 2, 0, 1, 3, 0, 1, 2], 3)
    streams = NgramStepper(model, 2)
    streams.step([0, 2])
    streams.step_all([1])
    state, other = streams.state(0), streams.logits[1].copy()
    streams.step([3, 3])
    streams.set_state(state, 1)
    np.testing.assert_array_equal(streams.logits[1], model.log_probs([[0, 1]])[0])
    assert not np.array_equal(streams.logits[1], other)
    np.testing.assert_array_equal(streams.logits[0], model.log_probs([[0, 1, 3]])[0])


def test_each_label_has_a_root_of_its_own() -> None:
    """Symbols 1 and 2 belong to label 0, symbols 3 and 4 to label 1; 0 starts and ends an example."""
    texts = [np.array(ids, np.uint32) for ids in ([0, 1, 2, 0, 1, 2, 0], [0, 3, 4, 0, 3, 4, 0])]
    model = NgramModel.count(texts, V, 4, start=0)
    assert model.sizes == [6, 6, 6, 6]  # nothing is counted from the end of one label to the start of the next
    assert NgramModel.count([texts[0], texts[1][:2]], V, 4).sizes == [5, 4, 3, 3]  # a text shorter than the order
    network = NgramNetwork(model, 3, 2)
    window = np.array([[V, V + 1], [1, 3], [2, 4]])
    p: Floats = np.exp(network.forward(window, None, window >= V))
    np.testing.assert_allclose(p.sum(axis=-1), 1.0, rtol=0, atol=1e-12)
    assert p[:, 0].argmax(axis=-1).tolist() == [1, 2, 0]
    assert p[:, 1].argmax(axis=-1).tolist() == [3, 4, 0]
    for stream in range(2):
        np.testing.assert_allclose(np.log(p[:, stream]), prefixes(model, window[:, stream]), rtol=1e-12)
    network.carry()  # the label lasts until the next one
    after = network.forward(np.array([[0, 0]]))[0]
    np.testing.assert_allclose(after[1], model.log_probs([[V + 1, 3, 4, 0]])[0], rtol=1e-12)
    many = np.array([V + 1, *[3, 4, 0] * 3, 2, 2, 2, 2])  # more symbols after the label than the order
    np.testing.assert_allclose(model.log_probs([many]), np.log(model.unigrams[1:]), rtol=1e-12)


@pytest.mark.parametrize("wrong", [UNKNOWN, V + 1])
def test_an_id_that_is_no_symbol_is_refused(wrong: int) -> None:
    model = counted([0, 1, 2, 0, 1, 3], 3)
    with pytest.raises(UsageError, match=f"{wrong} is not the id of a symbol"):
        model.log_probs([[0, 1], [0, wrong]])


def prefixes(model: NgramModel, ids: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Floats:
    return model.log_probs([ids[: k + 1] for k in range(len(ids))])
