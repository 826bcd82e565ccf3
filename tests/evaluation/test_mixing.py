"""The mixture of a network and an n-gram model: exact probabilities, and the weight that fits."""

from typing import Any

import numpy as np
import pytest

import charrnn
from charrnn.checkpoint.model import Model
from charrnn.evaluation.mixing import fitted, nats, target_probabilities
from charrnn.nn.fast import engine
from charrnn.nn.loss import log_softmax
from charrnn.sampling.readers import open_streams
from charrnn.training.loop import Training

TEXT = "the cat sat on the mat; the dog ate the hat?\n" * 12 + "a rat ran at the den!\n" * 12
SIZES: dict[str, Any] = {"cell": "gru", "layers": 1, "hidden_size": 16, "batch_size": 4, "seq_length": 8, "workers": 1}


@pytest.fixture(scope="module")
def training() -> Training:
    corpus = charrnn.Corpus.from_text(TEXT)
    training = charrnn.train(corpus, **SIZES, steps=80, lr=0.02, with_ngram=True, order=2)
    list(training)
    return training


@pytest.fixture
def model(training: Training) -> Model:
    return training.model


def alone(model: Model) -> tuple[Model, Model]:
    """The network, and the n-gram model."""
    counted = charrnn.train(charrnn.Corpus.from_text(TEXT), cell="ngram", order=2).model
    assert counted.ngram is not None
    assert model.ngram is not None
    assert counted.ngram.sizes == model.ngram.sizes
    return model.of_network(), counted


def test_probabilities_are_mixed_exactly_by_windows_and_by_symbols(model: Model) -> None:
    network, ngram = alone(model)
    ids = model.vocab.encode("the hat sat").astype(int)
    parts = [engine.reader(each, len(ids), 1).forward(ids[:, None])[:, 0] for each in (network, ngram, model)]
    p, q, mixed = (np.exp(log_softmax(logits.astype(np.float64))) for logits in parts)
    w = model.ngram_weight
    np.testing.assert_allclose(mixed, (1 - w) * p + w * q, rtol=1e-12)
    np.testing.assert_allclose(mixed.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    streams = [open_streams(each, 1) for each in (network, ngram, model)]
    for stream in streams:
        stream.step_all(ids.tolist())
    p, q, mixed = (np.exp(log_softmax(stream.logits.astype(np.float64))) for stream in streams)
    np.testing.assert_allclose(mixed, (1 - w) * p + w * q, rtol=1e-12)


def test_the_weight_is_that_of_the_lowest_loss(training: Training, model: Model) -> None:
    corpus, parts = training.corpus, alone(model)
    held_out = corpus.split(training.options.val_fraction)[1]
    p, q = (target_probabilities(each, corpus, held_out) for each in parts)
    lowest = nats(p, q, model.ngram_weight)
    assert 0.01 < model.ngram_weight < 0.99
    assert all(lowest <= nats(p, q, w) + 1e-9 for w in np.linspace(0.001, 0.999, 99))
    score = charrnn.evaluate(model, corpus, held_out)
    assert score.total == pytest.approx(lowest, rel=1e-6)
    assert charrnn.evaluate(model.of_network(), corpus, held_out).nats == pytest.approx(
        training.run.best_loss, rel=1e-6
    )
    assert training.mixing is not None
    assert score.nats <= training.mixing.loss < min(-np.log(p).mean(), -np.log(q).mean())


def test_extreme_weights_are_bounded() -> None:
    good, poor = np.full(9, 0.9), np.full(9, 0.1)
    assert fitted(good, poor) == pytest.approx(0.001, abs=1e-6)
    assert fitted(poor, good) == pytest.approx(0.999, abs=1e-6)


def test_a_resumed_run_mixes_again(training: Training) -> None:
    resumed = charrnn.train(training.corpus, model=training.model, steps=84)
    list(resumed)
    assert resumed.model.ngram is not None
    assert resumed.model.ngram.order == 2
