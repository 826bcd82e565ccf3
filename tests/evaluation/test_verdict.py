"""Verdicts: each case by its losses, and from a training run."""

from pathlib import Path
from typing import Any

import pytest

from charrnn.errors import TextError
from charrnn.evaluation.baselines import Baseline, Baselines
from charrnn.evaluation.score import evaluate
from charrnn.evaluation.verdict import (
    REACHED,
    FitSummary,
    advice,
    compare,
    compare_to_baselines,
    problem,
    reached,
    summarize_fit,
    verdict,
)
from charrnn.options import Options
from charrnn.text.batches import Rows
from charrnn.text.corpus import Corpus
from tests.sampling.test_sample import model_of
from tests.training.test_loop import begin

LEVEL = [(step, 2.0) for step in range(100, 1100, 100)]
FALLING = [(step, 3.0 - step / 1000) for step in range(100, 1100, 100)]
TURNED = [(100, 2.0), (200, 1.5), (300, 1.6), (400, 1.9)]


def baselines_of(*bits: float) -> Baselines:
    names = ["unigram", *(f"{order}-gram" for order in range(2, len(bits) + 1))]
    totals = [value * 0.6931471805599453 for value in bits]
    rows = [Baseline(total, 1, chars=1, name=name) for name, total in zip(names, totals, strict=True)]
    return Baselines(rows[0], tuple(rows), rows[0], 1)


def fitted(train: float, held_out: float, curve: list[tuple[int, float]], symbols: int = 10**6) -> FitSummary:
    return FitSummary(train, held_out, curve, symbols)


def test_comparison_with_the_best_ngram() -> None:
    assert compare_to_baselines(2.0, baselines_of(4.5, 3.0, 2.25)) == (
        "Better than the 3-gram, the strongest count-based baseline, by 0.25 bits per character."
    )
    assert (
        compare_to_baselines(2.5, baselines_of(4.5, 2.25, 3.0))
        == "Worse than the 2-gram, the strongest count-based baseline, by 0.25 bits per character."
    )
    assert (
        compare_to_baselines(2.251, baselines_of(4.5, 2.25))
        == "On par with the 2-gram, the strongest count-based baseline."
    )
    assert compare_to_baselines(4.6, baselines_of(4.5, 2.25)) == (
        "Worse than the unigram, which knows only character frequencies: the model has hardly learned anything."
    )
    assert "Better than the unigram" in compare_to_baselines(4.0, baselines_of(4.5))


def test_underfitting() -> None:
    assert advice(fitted(1.95, 2.0, LEVEL)) == (
        "Underfitting (training loss 1.95, validation loss 2.00 nats): try a larger network, or more steps."
    )
    assert "try more steps, or a larger network" in advice(fitted(1.95, 2.0, FALLING))


def test_overfitting() -> None:
    assert advice(fitted(1.2, 1.5, TURNED)) == (
        "Overfitting since step 200 (training loss 1.20, validation loss 1.50 nats): "
        "try more text, more dropout, or a smaller network."
    )
    assert "Overfitting" not in advice(fitted(1.2, 1.5, TURNED[:2]))
    # a validation loss that rises but is not above the training loss is not overfitting
    assert "Overfitting" not in advice(fitted(1.6, 1.5, TURNED))


def test_a_small_text() -> None:
    assert advice(fitted(1.2, 1.5, TURNED, 3_000)) == (
        "The training text is very small (3,000 symbols): more text would help most."
    )


def test_neither_underfitting_nor_overfitting() -> None:
    assert advice(fitted(1.5, 2.0, FALLING)) == (
        "The validation loss was still falling (training loss 1.50, validation loss 2.00 nats): try more steps."
    )
    for curve in (LEVEL, []):
        assert advice(fitted(1.5, 2.0, curve)) == (
            "Generalisation gap (training loss 1.50, validation loss 2.00 nats): "
            "more text or more dropout would help most."
        )


def test_few_epochs() -> None:
    seen_little, seen_much = (FitSummary(1.73, 1.85, [(670, 1.85)], 10**6, epochs) for epochs in (0.7, 7.0))
    assert advice(seen_little) == (
        "Undertrained (training loss 1.73, validation loss 1.85 nats, 0.7 epochs): try more steps."
    )
    assert "more text or more dropout" in advice(seen_much)
    assert advice(FitSummary(1.2, 1.5, TURNED, 10**6, 0.7)).startswith("Overfitting")


def run_of(train: float, held_out: float, setbacks: int = 0, guessing: float = 4.0, **options: Any) -> FitSummary:
    return FitSummary(train, held_out, LEVEL, 10**6, 7.0, Options(**options), setbacks, guessing)


def test_a_learning_rate_that_is_not_suitable() -> None:
    for fit in (run_of(3.9, 3.9, lr=100.0), run_of(3.0, 3.1, 2, lr=100.0), run_of(4.6, 4.7, 3, lr=100.0)):
        assert problem(fit, poor=True, nothing_learned=False).startswith("The learning rate 100 is too large (")
        assert problem(fit, poor=True, nothing_learned=False).endswith(": try --lr 0.01.")
    assert "the training diverged): try --lr 0.002." in problem(run_of(3.0, 3.1, 1, lr=0.008), True, True)
    assert "too small" in problem(run_of(3.9, 3.9, lr=1e-9), True, True)
    assert problem(run_of(3.0, 3.1, lr=2.0, optimizer="sgd"), True, False) == ""
    assert problem(run_of(3.0, 3.1, 2, lr=0.5), poor=False, nothing_learned=False) == ""  # a good model has no problem


def test_a_validation_loss_above_that_of_guessing_is_a_problem_of_the_split() -> None:
    assert problem(run_of(0.2, 5.0), True, True) == (
        "The validation split is unlike the training split: its loss is above that of guessing (training loss 0.20, "
        "validation loss 5.00 nats, guessing 4.00). Shuffle the parts of the text, or name texts of one kind."
    )
    assert problem(run_of(0.2, 5.0), False, False) == problem(run_of(0.2, 5.0), True, True)
    assert "learning rate 100" in problem(run_of(0.2, 5.0, lr=100.0), True, True)
    assert "Undertrained" in problem(run_of(4.1, 4.2), True, True)


def test_dropout_that_hides_the_network() -> None:
    assert problem(run_of(2.9, 2.8, dropout=0.9), True, False).endswith("try --dropout 0.2.")


def test_nothing_is_left_to_learn() -> None:
    for symbols in (300, 10**6):
        assert advice(fitted(0.0, 0.001, LEVEL, symbols)).startswith("Almost nothing is left to learn")


def test_the_verdict_is_one_line() -> None:
    assert "\n" not in verdict(2.0, baselines_of(4.5, 3.0), fitted(1.5, 2.0, LEVEL))
    assert verdict(2.0, baselines_of(4.5, 3.0)) == compare_to_baselines(2.0, baselines_of(4.5, 3.0))


def test_a_run_is_compared_on_its_validation_split() -> None:
    training = begin(steps=20, eval_every=5)
    list(training)
    assert not isinstance(training.held_out, Rows)
    score = evaluate(training.model, training.corpus, training.held_out)
    found = compare(training.model, training.corpus, score)
    assert found.baselines.uniform.symbols == score.symbols
    summary = summarize_fit(training.model, training.corpus, training.held_out, score.nats)
    (held_out,) = training.held_out
    assert found.verdict.endswith("the model has hardly learned anything. " + problem(summary, True, True))
    assert advice(summary).endswith(f", {20 / training.streams.windows:.1f} epochs): try more steps.")
    seen = [type(held_out)(0, held_out.begin - len(held_out), held_out.begin)]
    assert summary.train == evaluate(training.model, training.corpus, seen).nats
    assert (summary.held_out, summary.symbols) == (score.nats, held_out.begin)
    assert [step for step, _ in summary.curve] == [5, 10, 15, 20]
    assert summary.epochs == 20 / training.streams.windows


def test_the_verdict_on_a_known_text_names_the_results_of_the_documents() -> None:
    corpus = Corpus.read(":tales")
    assert reached(corpus, Options()) == (
        f" On two cores, planned runs on this text reached {REACHED[corpus.sha256][1]:.3f} nats with --minutes 1."
    )
    assert reached(corpus, Options(val_fraction=0.2)) == ""
    assert reached(Corpus.read(":tales", by_line=True), Options()) == ""
    assert reached(Corpus.from_text("unknown"), Options()) == ""
    assert Corpus.read(":iyagi").sha256 in REACHED
    documented, name = dict[tuple[str, str], str](), ""
    for line in (Path(__file__).parents[2] / "docs" / "learning.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 6 and cells[2].startswith("`--minutes"):
            name = cells[1] or name
            documented[name, cells[2]] = cells[6].split(" ")[0]  # the median
    for name, results in zip(("tinyshakespeare", "tales", "iyagi"), REACHED.values(), strict=True):
        for minutes, loss in results.items():
            assert documented[name, f"`--minutes {minutes}`"] == f"{loss:.3f}"


def test_a_run_without_validation_split_is_refused() -> None:
    training = begin(steps=2, val_fraction=0.0)
    list(training)
    score = evaluate(training.model, training.corpus)
    for model in (training.model, model_of(training.corpus.vocab.decode(training.corpus.ids[:]))):
        with pytest.raises(TextError, match="a string has no validation split"):
            compare(model, training.corpus, score)
