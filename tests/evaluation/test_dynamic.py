"""Dynamic evaluation: windows are scored before the weights adapt to them, and the model does not change."""

import numpy as np
import pytest

from charrnn.checkpoint.model import Model
from charrnn.errors import DivergedError, UsageError
from charrnn.evaluation import scan
from charrnn.evaluation.dynamic import HORIZON, STEPS, Adaptation, evaluate_dynamic
from charrnn.evaluation.score import evaluate
from charrnn.nn.loss import cross_entropy
from charrnn.nn.network import Network
from charrnn.nn.params import Config, Params, fresh_params
from charrnn.options import CELLS
from charrnn.sampling.mixture import Mixture
from charrnn.text.corpus import Corpus, Segment
from charrnn.text.tasks import Task
from tests.sampling.test_sample import model_of

TEXT = "the cat sat on the mat\nand the 한글 sat on the cat\n"


def corpus_of(text: str, model: Model) -> Corpus:
    return Corpus.from_text(text, vocab=model.vocab)


def expected_nats(model: Model, pieces: list[tuple[str, int]], lr: float, decay: float) -> float:
    """The sum of the nats, computed by the equations in float64: score, gradient, decay, step, and so on.

    A piece is a text and the number of its targets that are read before the first one that counts.
    """
    params, grads = Params(model.config.shapes, np.float64), Params(model.config.shapes, np.float64)
    params.flat[:] = model.params.flat
    squares, total, updates = np.zeros(len(params.flat)), 0.0, 0
    for text, skipped in pieces:
        network, ids = Network(model.config, params, STEPS, 1), model.vocab.encode(text)[:, None]
        for begin in range(0, len(ids) - 1, STEPS):
            targets = ids[begin + 1 : begin + 1 + STEPS]
            inputs, counted = ids[begin : begin + len(targets)], np.arange(len(targets))[:, None] >= skipped - begin
            logits = network.forward(inputs)
            if counted.any():
                total += cross_entropy(logits, targets, 1, counted)
                network.backward(inputs, logits / STEPS, grads)
                updates += 1
                squares += (grads.flat**2 - squares) / updates
                params.flat[:] = params.flat + decay * (model.params.flat - params.flat)
                params.flat[:] -= lr * grads.flat / (np.sqrt(squares) + Adaptation.eps)
            network.carry()
    return total


@pytest.mark.parametrize("cell", CELLS)
def test_the_sum_of_the_equations(cell: str) -> None:
    model, text = model_of(TEXT, cell=cell), TEXT * 5
    corpus, warmed = corpus_of(text, model), scan.WARM_UP + 30
    for segments, pieces in (
        ([Segment(0, 0, 95)], [("\n" + text[:95], 0)]),
        ([Segment(0, warmed, 230)], [(text[30:230], scan.WARM_UP - 1)]),
        ([Segment(0, 0, 33), Segment(100, 100, 165)], [("\n" + text[:33], 0), ("\n" + text[100:165], 0)]),
    ):
        score = evaluate_dynamic(model, corpus, segments, lr=0.01, decay=0.1)
        assert score.total == pytest.approx(expected_nats(model, pieces, 0.01, 0.1), rel=1e-5)
        assert score.total != pytest.approx(expected_nats(model, pieces, 0.01, 0.0), rel=1e-5)
        assert score.symbols == score.chars == sum(map(len, segments))


def test_a_window_is_scored_before_the_weights_adapt_to_it() -> None:
    model = model_of(TEXT)
    corpus = corpus_of(TEXT * 4, model)
    warmed = scan.WARM_UP // STEPS * STEPS + 13  # windows before it are read, and the weights do not adapt to them
    for first in ([Segment(0, 0, STEPS)], [Segment(0, scan.WARM_UP + 12, warmed + STEPS)]):
        adapted = evaluate_dynamic(model, corpus, first, lr=0.5)
        assert adapted.total == pytest.approx(evaluate(model, corpus, first).total)


@pytest.mark.parametrize("unit", ["char", "byte", "jamo"])
@pytest.mark.parametrize("by_line", [False, True])
def test_weights_that_stay_score_like_evaluate(unit: str, by_line: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "SHORTEST", 10_000)  # one piece, as in dynamic evaluation
    corpus = Corpus.from_text(TEXT * 6, unit, min_count=7, by_line=by_line)
    assert len(corpus.vocab.rare) or unit == "byte"
    config = Config("lstm", 2, 8, len(corpus.vocab))
    model = Model(config, corpus.vocab, fresh_params(config, 0))
    for segments in ([Segment(0, 0, 90), Segment(100, 100, 130)], [Segment(0, 140, 230)], [Segment(0, 7, 8)]):
        still, static = evaluate_dynamic(model, corpus, segments, lr=0.0), evaluate(model, corpus, segments)
        assert still.total == pytest.approx(static.total, rel=1e-5)
        assert (still.symbols, still.correct, still.chars) == (static.symbols, static.correct, static.chars)


def test_the_first_symbol_of_a_text_without_newlines() -> None:
    model = model_of("ab")
    corpus = corpus_of("abab", model)
    assert evaluate_dynamic(model, corpus).total == pytest.approx(evaluate(model, corpus).total)


def test_a_text_that_repeats_itself_gains_and_the_model_stays() -> None:
    model = model_of(TEXT)
    corpus, weights = corpus_of(TEXT * 30, model), model.params.flat.tobytes()
    static = evaluate(model, corpus)
    assert evaluate_dynamic(model, corpus).nats < static.nats - 0.05
    assert evaluate_dynamic(model, corpus, lr=0.01).nats < 0.6 * static.nats
    assert model.params.flat.tobytes() == weights
    assert evaluate(model, corpus) == static


def test_the_mean_of_the_squares_forgets() -> None:
    params, grads = np.zeros(1, np.float32), np.ones(1, np.float32)
    state = {"s": np.zeros(1, np.float32)}
    Adaptation(params, state).update(params, grads, 0.1, step=10 * HORIZON)
    assert state["s"].item() == pytest.approx(1.0 / HORIZON)


def test_what_cannot_adapt_is_refused() -> None:
    model = model_of(TEXT)
    corpus = corpus_of(TEXT * 2, model)
    with pytest.raises(
        UsageError, match=r"the weights of one Model can adapt to a text, not a Mixture: pass a Model\."
    ):
        evaluate_dynamic(Mixture((model, model), (1.0, 1.0)), corpus)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="the model classifies texts"):
        evaluate_dynamic(Model(model.config, model.vocab, model.params, task=Task("classify", ("a",), (1,))), corpus)
    with pytest.raises(UsageError, match=r"decay is a number at least 0 and at most 1, not 2\.0"):
        evaluate_dynamic(model, corpus, decay=2.0)
    with pytest.raises(DivergedError, match=r"the adapted weights are not finite: choose an lr below 3e\+38\."):
        evaluate_dynamic(model, corpus, lr=3e38)
