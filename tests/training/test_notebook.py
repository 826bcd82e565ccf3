"""A training in a notebook: one line, its curves, and a sample; showing it changes nothing."""

from xml.etree import ElementTree

import charrnn
from charrnn.training.notebook import SAMPLE
from tests.training.test_loop import begin, digest


def test_a_training_is_shown_at_any_step() -> None:
    training = begin(steps=20, eval_every=10)
    assert repr(training).endswith("symbols, step 0 of 20)")
    assert "polyline" not in training._repr_html_()
    for _ in range(10):
        next(training)
    network = training.latest.description
    assert training.run.best_loss is not None
    assert repr(training) == f"Training({network}, step 10 of 20, validation loss {training.run.best_loss:.2f})"
    html = ElementTree.fromstring(f"<div>{training._repr_html_()}</div>")
    heading, svg, sample = html
    assert heading.text == repr(training)
    names = [element.text for element in svg if element.text]
    assert {"steps", "training loss", "validation loss"} <= set(names)
    assert sample.text == "".join(charrnn.sample(training.latest, SAMPLE))


def test_showing_a_training_does_not_change_it() -> None:
    shown, other = begin(steps=12, eval_every=5), begin(steps=12, eval_every=5)
    for _ in shown:
        shown._repr_html_()
    list(other)
    assert digest(shown) == digest(other)
