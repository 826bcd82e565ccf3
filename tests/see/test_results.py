"""Results of `see` in a notebook: one line, and a figure with its sentence."""

from xml.etree import ElementTree

import numpy as np
import pytest

from charrnn.checkpoint.model import Model
from charrnn.see.curve import training_curves
from charrnn.see.gradients import gradient_norms
from charrnn.see.memory import memory
from charrnn.see.neurons import find
from charrnn.see.result import Result
from charrnn.see.step import small, steps
from charrnn.see.surprise import surprise
from charrnn.see.text_window import TextWindow, text_window
from charrnn.text.corpus import Corpus
from tests.sampling.test_sample import model_of
from tests.training.test_loop import begin

TEXT = 'the <cat> & the "dog" (sat)\n' * 20


@pytest.fixture(scope="module")
def model() -> Model:
    return model_of(TEXT)


@pytest.fixture(scope="module")
def window(model: Model) -> TextWindow:
    corpus = Corpus.from_text(TEXT, vocab=model.vocab)
    return text_window(corpus, corpus.segments, 450)


def elements(result: Result) -> ElementTree.Element:
    return ElementTree.fromstring(f"<div>{result._repr_html_()}</div>")


def test_reprs_are_short(model: Model, window: TextWindow) -> None:
    assert repr(window) == "TextWindow(450 characters)"
    assert repr(gradient_norms(model, window, 20, 16)) == "GradientNorms(16 positions, 20 lags)"
    found = memory(model, window)
    assert repr(found) == f"Memory(8 intervals, loss {found.never:.2f} without resets)"
    ranking = find(model, window)
    assert repr(ranking) == f"Ranking({len(ranking.fits)} fits, 450 symbols)"
    result = surprise(model, window)
    assert repr(result) == f"Surprise(450 characters, {result.bits.mean():.2f} bits per character)"
    assert repr(steps(small("rnn", 1, 2, "ab", 0), "ab")[0]) == "Line(l0.Wh = 2 x 2)"


def test_figures_end_with_their_sentence(model: Model, window: TextWindow) -> None:
    results = [gradient_norms(model, window, 20, 16), memory(model, window), find(model, window)]
    for result in [*results, surprise(model, window), *steps(small("gru", 1, 2, "ab", 0), "ab")]:
        html = elements(result)
        assert html[-1].text == result.conclusion()
        assert len(html) >= 2


def test_figures_hold_their_values(model: Model, window: TextWindow) -> None:
    found = memory(model, window)
    losses, cuts, _ = elements(found)
    rows = [[cell.text for cell in row] for row in losses]
    assert rows[0] == ["reset every n", "loss"]
    assert rows[1:] == [[str(n), f"{loss:.4f}"] for n, loss in [*found.cleared, ("never", found.never)]]
    assert [row[0].text for row in cuts[1:]] == [str(cut.window) for cut in found.truncated]
    ranking = find(model, window, top=2)
    table, _ = elements(ranking)
    assert len(table) == 1 + len(ranking.fits)
    fits = [float(row[2].text or "") for row in table[1:]]
    assert fits == sorted(fits, reverse=True)
    result = surprise(model, window)
    text, _ = elements(result)
    assert "".join(text.itertext()) == TEXT[:450]
    assert [span.attrib["title"] for span in text] == [f"{bits:.1f} bits" for bits in result.by_character]
    matrix = next(line for line in steps(small("rnn", 1, 2, "ab", 0), "ab") if line.name == "l0.Wx")
    rows = [[cell.text for cell in row] for row in elements(matrix)[0]]
    assert rows[0] == [None, *matrix.columns]
    assert [row[0] for row in rows[1:]] == ["'a'", "'b'"]
    np.testing.assert_allclose([[float(cell or "") for cell in row[1:]] for row in rows[1:]], matrix.values, atol=1e-5)


def test_curves_of_a_run() -> None:
    training = begin(steps=20, eval_every=10)
    list(training)
    found = training_curves("m.npz", training.model, "steps")
    assert repr(found) == f"Curves(20 points, validation loss {min(found.val[1]):.2f})"
    svg, sentence = elements(found)
    assert sum(element.tag.endswith("polyline") for element in svg) == 2
    assert (sentence.text or "").startswith("The model's validation loss is lowest at step")
