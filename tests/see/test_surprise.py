"""Surprise: the same bits as `eval`, the expected symbols, and typing errors first."""

import math

import numpy as np
import pytest

from charrnn.checkpoint.model import Model
from charrnn.evaluation.score import evaluate
from charrnn.see.surprise import lines, surprise, worst
from charrnn.see.text_window import text_window
from charrnn.text.corpus import Corpus
from tests.sampling.test_sample import model_of
from tests.training.test_loop import begin

TEXT = "the cat 한글 sat\non a mat.\n" * 40


@pytest.mark.parametrize("unit", ["char", "byte", "jamo"])
def test_the_bits_are_those_of_eval(unit: str) -> None:
    model = model_of(TEXT, unit)
    corpus = Corpus.from_text(TEXT, unit, model.vocab)
    found = surprise(model, text_window(corpus, corpus.segments, 10_000))
    score = evaluate(model, corpus)
    assert found.bits.sum() == pytest.approx(score.total / math.log(2), rel=1e-3)
    assert found.by_character.sum() == pytest.approx(found.bits.sum())
    assert len(found.by_character) == len(TEXT) == len(found.guesses())


def test_without_a_newline_the_first_character_is_predicted_from_an_empty_state() -> None:
    model = model_of("ab")
    model.params["by"][:] = [0.0, 2.0]
    corpus = Corpus.from_text("ab", vocab=model.vocab)
    found = surprise(model, text_window(corpus, corpus.segments, 9))
    assert found.bits[0] == pytest.approx(math.log2(1 + math.exp(2.0)), rel=1e-6)
    symbol, p = found.guesses()[0][0]
    assert symbol == "b"
    assert p == pytest.approx(1 / (1 + math.exp(-2.0)), rel=1e-6)


def test_expected_symbols_are_sorted_by_probability() -> None:
    model = model_of(TEXT)
    corpus = Corpus.from_text(TEXT, vocab=model.vocab)
    found = surprise(model, text_window(corpus, corpus.segments, 200))
    assert (np.diff(found.probabilities, axis=1) <= 0.0).all()
    assert (found.probabilities[:, 0] >= 2.0**-found.bits - 1e-6).all()
    hit = found.expected[:, 0] == found.window.ids
    np.testing.assert_allclose(found.probabilities[hit, 0], 2.0 ** -found.bits[hit], rtol=1e-3)


def trained() -> Model:
    training = begin("the cat sat on the mat and the dog sat on the cat\n" * 30, steps=250, lr=0.02)
    list(training)
    return training.model


def test_typing_errors_come_first() -> None:
    model = trained()
    good = "the cat sat on the mat and the dog sat on the cat\n"
    text = good * 3 + good.replace("dog", "dgo") + good * 2 + good.replace("mat", "mmt") + good
    corpus = Corpus.from_text(text, vocab=model.vocab)
    found = surprise(model, text_window(corpus, corpus.segments, 10_000))
    assert {line.number for line in worst(found, 2)} == {4, 7}
    every = lines(found)
    assert [line.number for line in every] == list(range(1, 9))
    assert "".join("".join(found.window.characters[line.begin : line.end]) for line in every) == text
    place = 3 * len(good) + good.index("dog") + 1
    assert found.guesses()[place][0][0] == "o"


def test_the_last_line_needs_no_newline() -> None:
    model = model_of("ab\n")
    corpus = Corpus.from_text("a\nb", vocab=model.vocab)
    found = lines(surprise(model, text_window(corpus, corpus.segments, 9)))
    assert [(line.begin, line.end) for line in found] == [(0, 2), (2, 3)]
