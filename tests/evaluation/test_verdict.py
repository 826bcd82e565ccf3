"""Plain words: each case by its figures, and from a run."""

import pytest

from charrnn.errors import TextError
from charrnn.evaluation.baselines import Baseline, Baselines
from charrnn.evaluation.score import evaluate
from charrnn.evaluation.verdict import Fit, advice, beside, fit, judge, verdict
from charrnn.text.batches import Rows
from tests.sampling.test_sample import model_of
from tests.training.test_loop import begin

LEVEL = [(step, 2.0) for step in range(100, 1100, 100)]
FALLING = [(step, 3.0 - step / 1000) for step in range(100, 1100, 100)]
TURNED = [(100, 2.0), (200, 1.5), (300, 1.6), (400, 1.9)]


def rivals(*bits: float) -> Baselines:
    names = ["unigram", *(f"{order}-gram" for order in range(2, len(bits) + 1))]
    rows = [Baseline(name, value * 0.6931471805599453, 1, 1) for name, value in zip(names, bits, strict=True)]
    return Baselines(rows[0], tuple(rows), rows[0], 1)


def fitted(train: float, held_out: float, curve: list[tuple[int, float]], symbols: int = 10**6) -> Fit:
    return Fit(train, held_out, curve, symbols)


def test_where_the_model_wins_it_is_said() -> None:
    assert beside(2.0, rivals(4.5, 3.0, 2.25)) == (
        "Better than the 3-gram by 0.25 bits per character: it has learned more than counting can."
    )
    assert beside(2.5, rivals(4.5, 2.25, 3.0)) == "The 2-gram is still better, by 0.25 bits per character."
    assert "As good as the 2-gram" in beside(2.251, rivals(4.5, 2.25))
    assert "has hardly begun to learn" in beside(4.6, rivals(4.5, 2.25))
    assert "Better than the unigram" in beside(4.0, rivals(4.5))


def test_underfitting() -> None:
    assert advice(fitted(1.95, 2.0, LEVEL)) == (
        "Underfitting (training 1.95, held out 2.00 nats): try a larger network, or a longer training."
    )
    assert "a longer training, or a larger network" in advice(fitted(1.95, 2.0, FALLING))


def test_overfitting() -> None:
    assert advice(fitted(1.2, 1.5, TURNED)) == (
        "Overfitting since step 200 (training 1.20, held out 1.50 nats): "
        "try more text, more dropout, or a smaller network."
    )
    assert "Overfitting" not in advice(fitted(1.2, 1.5, TURNED[:2]))
    # where the training loss is not below it, a held-out loss that rises is no overfitting
    assert "Overfitting" not in advice(fitted(1.6, 1.5, TURNED))


def test_a_small_text() -> None:
    assert advice(fitted(1.2, 1.5, TURNED, 3_000)) == (
        "With 3,000 symbols the text is very small: more text would help most."
    )


def test_neither() -> None:
    assert advice(fitted(1.5, 2.0, FALLING)).startswith("Still falling when it ended (training 1.50")
    assert "more text or more dropout would help most" in advice(fitted(1.5, 2.0, LEVEL))
    assert "more text or more dropout would help most" in advice(fitted(1.5, 2.0, []))


def test_early_days() -> None:
    seen_little, seen_much = (Fit(1.73, 1.85, [(670, 1.85)], 10**6, epochs) for epochs in (0.7, 7.0))
    assert advice(seen_little) == (
        "Early days (training 1.73, held out 1.85 nats, the text was read 0.7 times): try a longer training."
    )
    assert "more text or more dropout" in advice(seen_much)
    assert advice(Fit(1.2, 1.5, TURNED, 10**6, 0.7)).startswith("Overfitting")


def test_one_line_of_both() -> None:
    assert "\n" not in verdict(2.0, rivals(4.5, 3.0), fitted(1.5, 2.0, LEVEL))
    assert verdict(2.0, rivals(4.5, 3.0)) == beside(2.0, rivals(4.5, 3.0))


def test_a_run_is_judged_on_what_it_held_out() -> None:
    training = begin(steps=20, eval_every=5)
    list(training)
    assert not isinstance(training.held_out, Rows)
    score = evaluate(training.model, training.corpus, training.held_out)
    found = judge(training.model, training.corpus, score)
    assert found.baselines.uniform.symbols == score.symbols
    assert found.verdict.endswith("the text is very small: more text would help most.")
    how = fit(training.model, training.corpus, training.held_out, score.nats)
    (held_out,) = training.held_out
    known = [type(held_out)(0, held_out.begin - len(held_out), held_out.begin)]
    assert how.train == evaluate(training.model, training.corpus, known).nats
    assert (how.held_out, how.symbols) == (score.nats, held_out.begin)
    assert [step for step, _ in how.curve] == [5, 10, 15, 20]
    assert how.epochs == 20 / training.streams.windows


def test_nothing_held_out_is_refused() -> None:
    training = begin(steps=2, val_fraction=0.0)
    list(training)
    score = evaluate(training.model, training.corpus)
    for model in (training.model, model_of(training.corpus.vocab.decode(training.corpus.ids[:]))):
        with pytest.raises(TextError, match="nothing of a string was held out"):
            judge(model, training.corpus, score)
