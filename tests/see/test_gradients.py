"""Gradients through time: against PyTorch's autograd, and against theory."""

import math
from pathlib import Path

import numpy as np
import pytest

from charrnn.checkpoint.model import Model
from charrnn.errors import TextError
from charrnn.nn.equations import CELLS
from charrnn.nn.network import Network
from charrnn.nn.params import Config, Params, fresh_params
from charrnn.see.gradients import GradientNorms, clipped_share, fresh, gradient_norms, norms, places, spectral_radii
from charrnn.see.text_window import text_window
from charrnn.text.corpus import Corpus
from tests.sampling.test_sample import model_of
from tests.training.test_loop import begin

TORCH = np.load(Path(__file__).parents[1] / "data" / "torch_flow.npz", allow_pickle=False)
H, V, LAGS, TARGETS = 6, 7, 9, [14, 23, 39]


def one_layer(text: str) -> Model:
    """A fresh RNN of one layer."""
    vocab = model_of(text).vocab
    config = Config("rnn", 1, 8, len(vocab))
    return Model(config, vocab, fresh_params(config, 0))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_agrees_with_autograd(cell: str, layers: int) -> None:
    case = {key.split("/")[1]: TORCH[key] for key in TORCH.files if key.startswith(f"{cell}.{layers}/")}
    config = Config(cell, layers, H, V)
    for dtype, closeness in ((np.float64, 1e-9), (np.float32, 1e-4)):
        params = Params(config.shapes, dtype)
        for name in params:
            params[name][:] = case[f"params.{name}"]
        for column, target in enumerate(TARGETS):
            # the same reading as there: 4 steps of warm-up or so, then those that are gone back over
            first = (0, 9, 25)[column]
            ids = case["ids"][first:].astype(np.intp)
            found = norms(Network(config, params, LAGS + 1, 1), ids, np.array([target - first]), LAGS)
            for name in config.states:
                wanted = case[f"norms.{name}"][:, :, column]
                np.testing.assert_allclose(found[f"{name} by layer"][:, :, 0], wanted, rtol=closeness)
                np.testing.assert_allclose(found[name][:, 0], np.sqrt((wanted**2).sum(axis=0)), rtol=closeness)


@pytest.mark.parametrize("radius", [0.5, 0.9, 1.0, 1.2])
def test_a_known_spectral_radius_gives_the_slope_of_theory(radius: float) -> None:
    """Near h = 0 tanh is a line, and with Wh = ρ times a rotation the gradient shrinks or grows by ρ a step."""
    model = one_layer("ab\n" * 80)
    n = model.config.hidden_size
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(n, n)))[0]
    model.params["l0.Wh"][:] = radius * rotation
    model.params["l0.Wx"][:] *= 1e-9
    model.params["l0.b"][:] = 0.0
    corpus = Corpus.from_text("ab\n" * 80, vocab=model.vocab)
    found = gradient_norms(model, text_window(corpus, corpus.segments, 240), 20, 16)
    assert found.radius == [{"h": pytest.approx(radius, rel=1e-5)}]
    assert found.slope == pytest.approx(math.log(radius), abs=1e-4)
    np.testing.assert_allclose(found.share, radius ** np.arange(21.0), rtol=1e-3)
    assert found.left == (7 if radius == 0.5 else None)


def test_fresh_weights_vanish_or_explode_with_the_scale() -> None:
    model = one_layer("the cat sat on the mat\n" * 20)
    corpus = Corpus.from_text("the cat sat on the mat\n" * 20, vocab=model.vocab)
    part = text_window(corpus, corpus.segments, 460)
    small, large = (gradient_norms(fresh(model, scale), part, 30, 16) for scale in (1.0, 40.0))
    assert small.slope < -0.5
    assert large.share[1:].max() > 1.0
    assert large.radius[0]["h"] == pytest.approx(40 * small.radius[0]["h"], rel=1e-4)
    assert fresh(model, 2.0).params["Wy"].tobytes() == fresh(model, 1.0).params["Wy"].tobytes()


def test_spectral_radii_gate_by_gate() -> None:
    config = Config("gru", 1, 2, 3)
    params = fresh_params(config, 0)
    params["l0.Wh"][:] = np.concatenate([np.diag([0.5, -2.0]), np.zeros((2, 2)), [[0.0, 1.0], [-1.0, 0.0]]], axis=1)
    assert spectral_radii(config, params) == [{"r": 2.0, "z": 0.0, "n": pytest.approx(1.0)}]


def test_places_are_spread_and_leave_room() -> None:
    assert places(100, 10, 3).tolist() == [11, 55, 99]
    assert places(12, 10, 5).tolist() == [11]
    assert places(11, 10, 5).tolist() == []
    corpus = Corpus.from_text("abc")
    model = model_of("abc")
    with pytest.raises(TextError, match="needed"):
        gradient_norms(model, text_window(corpus, corpus.segments, 3), 5, 4)


def test_a_gradient_that_is_gone_is_said_so() -> None:
    found = GradientNorms(1, {}, {"h": np.array([1.0, 0.0, 0.0])}, [])
    assert (found.left, found.slope) == (1, -math.inf)
    assert found.as_dict()["slope"] is None
    assert GradientNorms(1, {}, {"h": np.zeros(3)}, []).share.tolist() == [0.0, 0.0, 0.0]


def test_the_share_of_clipped_steps() -> None:
    training = begin(steps=40, clip=0.3)
    clipped = [record.grad_norm > 0.3 for record in training]
    assert 0 < sum(clipped) < 40
    assert clipped_share(training.model) == pytest.approx(sum(clipped) / 40)
    assert clipped_share(training.latest) is None
    assert clipped_share(Model(training.config, training.vocab, training.params)) is None
