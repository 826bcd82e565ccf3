"""How much context counts: cleared states by one-by-one reading, truncated gradients by their own definition."""

import math

import numpy as np
import pytest

from charrnn.errors import TextError
from charrnn.evaluation.score import evaluate
from charrnn.nn.equations import CELLS
from charrnn.nn.fast.network import Network
from charrnn.nn.loss import cross_entropy, softmax_nats
from charrnn.nn.params import Params
from charrnn.see import memory as context
from charrnn.see.memory import cleared_loss, cleared_losses, gradient, kept_loss, truncations
from charrnn.see.text_window import passage
from charrnn.text.corpus import Corpus
from tests.sampling.test_sample import model_of

TEXT = "the cat sat on the mat\nand the dog sat on the cat\n" * 12


def one_by_one(model: object, ids: np.ndarray, every: int) -> float:
    network = Network(model.config, model.params, 1, 1)  # type: ignore[attr-defined]
    total = 0.0
    for t in range(len(ids) - 1):
        if t % every == 0:
            network.reset()
        total += float(softmax_nats(network.forward(ids[t : t + 1, None]), ids[t + 1 : t + 2, None])[0, 0])
        network.carry()
    return total / (len(ids) - 1)


@pytest.mark.parametrize("cell", CELLS)
def test_the_state_is_cleared_every_n_symbols(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(TEXT, cell=cell)
    monkeypatch.setattr(context, "MOST_STREAMS", 4)
    monkeypatch.setattr(context, "STEPS", 7)
    ids = model.vocab.encode(TEXT)[:120].astype(np.intp)
    for every in (1, 3, 10, 50, 119, 500):
        assert cleared_loss(model, ids, every) == pytest.approx(one_by_one(model, ids, every), rel=1e-5)


def test_cleared_and_kept_are_over_the_same_symbols() -> None:
    model = model_of(TEXT)
    corpus = Corpus.from_text(TEXT, vocab=model.vocab)
    whole = passage(corpus, corpus.segments, len(TEXT))
    found = cleared_losses(model, whole)
    assert [n for n, _ in found] == [1, 2, 5, 10, 20, 50, 100, 200, 500]
    assert kept_loss(model, whole) == pytest.approx(evaluate(model, corpus).nats, rel=1e-3)
    assert found[0][1] != pytest.approx(kept_loss(model, whole), rel=1e-3)
    short = passage(corpus, corpus.segments, 6)
    assert [n for n, _ in cleared_losses(model, short)] == [1, 2, 5]
    lonely = Corpus.from_text("a", vocab=model_of("a").vocab)
    with pytest.raises(TextError, match="nothing to predict"):
        cleared_losses(model_of("a"), passage(lonely, lonely.segments, 1))


@pytest.mark.parametrize("cell", CELLS)
def test_uncut_is_the_gradient_of_the_window(cell: str) -> None:
    model = model_of(TEXT, cell=cell)
    window = np.random.default_rng(0).integers(0, len(model.vocab), size=(21, 3))
    network, grads = Network(model.config, model.params, 20, 3, training=True), Params(model.config.shapes)
    logits = network.forward(window[:-1])
    cross_entropy(logits, window[1:])
    network.backward(window[:-1], logits, grads)
    whole = gradient(model, window, 20)
    np.testing.assert_allclose(whole, grads.flat, rtol=1e-5, atol=1e-9)
    cut = gradient(model, window, 1)
    outputs = len(model.params["Wy"].reshape(-1)) + len(model.params["by"])
    np.testing.assert_allclose(cut[-outputs:], whole[-outputs:], rtol=1e-4, atol=1e-7)  # Wy does not look back
    assert np.abs(cut - whole).max() > 1e-4


def test_longer_windows_come_closer() -> None:
    model = model_of(TEXT)
    corpus = Corpus.from_text(TEXT, vocab=model.vocab)
    found = truncations(model, passage(corpus, corpus.segments, 500), windows=(2, 20, 100), full=200)
    assert [cut.window for cut in found] == [2, 20, 100]
    assert found[0].cosine < found[1].cosine < found[2].cosine <= 1.0 + 1e-9
    assert found[2].ratio == pytest.approx(1.0, abs=0.2)
    assert truncations(model, passage(corpus, corpus.segments, 50)) == []


def test_no_gradient_has_no_direction() -> None:
    assert math.isnan(context.beside(5, np.zeros(3), np.ones(3)).cosine)
    assert context.beside(5, np.zeros(3), np.ones(3)).as_dict() == {"window": 5, "cosine": None, "ratio": None}
