"""HTML for notebooks: well-formed, escaped, and without weights."""

import math
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import charrnn
from charrnn.checkpoint.notebook import plot, shaded, table, text
from tests.training.test_loop import begin


def parsed(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<div>{html}</div>")


def points(svg: str) -> list[list[tuple[float, float]]]:
    """The points of each polyline."""
    lines = parsed(svg).iter("{http://www.w3.org/2000/svg}polyline")
    return [[(float(x), float(y)) for x, y in (p.split(",") for p in line.attrib["points"].split())] for line in lines]


WILD = "<script>&\"'\ud800한"


def test_texts_are_escaped() -> None:
    html = text(WILD) + text(WILD, "pre") + table([(WILD, WILD)], (WILD, WILD)) + shaded([(WILD, 2.0, WILD)])
    html += plot({WILD: ([1.0], [1.0])}, WILD)
    assert "<script>" not in html
    html.encode()
    assert "".join(parsed(html).itertext()).count("<script>&\"'?한") == 9
    assert text("a\x1b\x9b\u202e\tb\n") == "<p>a\ufffd\ufffd\ufffd\tb\n</p>"
    assert "rgba(205, 60, 50, 1.00)" in html


def test_a_table_with_and_without_header() -> None:
    assert table([("a", 1)]) == "<table><tr><th>a</th><td>1</td></tr></table>"
    assert table([("a", 1)], ("x", "y")) == (
        "<table><tr><th>x</th><th>y</th></tr><tr><td>a</td><td>1</td></tr></table>"
    )


def test_curves_fill_the_axes() -> None:
    first, second = points(plot({"a": ([0.0, 5.0, 10.0], [1.0, 2.0, 3.0]), "b": ([10.0], [1.0])}, "steps"))
    (left, bottom), middle, (right, top) = first
    assert left < right
    assert top < bottom  # y grows downwards in an SVG
    assert middle == pytest.approx(((left + right) / 2, (top + bottom) / 2))
    assert second == [(right, bottom)] * 2  # drawn as a dot
    logarithmic = points(plot({"a": ([0, 5, 10, 11], [1.0, 10.0, 100.0, 0.0])}, "lag", log_y=True))
    assert logarithmic == [first]


def test_values_that_cannot_be_drawn_are_left_out() -> None:
    svg = plot({"a": ([0.0, 1.0, 2.0], [1.0, math.nan, math.inf]), "empty": ([], [])}, "steps")
    assert [len(line) for line in points(svg)] == [2, 0]
    assert plot({"a": ([], []), "b": ([1.0], [0.0])}, "steps", log_y=True) == ""


def test_a_model_is_described_without_its_weights(tmp_path: Path) -> None:
    training = begin(steps=20, eval_every=10)
    list(training)
    training.model.save(tmp_path / "m.npz")
    model = charrnn.load(tmp_path / "m.npz")
    assert model.run is not None
    assert model.run.best_loss is not None
    config, loss = model.config, f"{model.run.best_loss:.2f}"
    network = f"{config.cell.upper()} {config.layers} x {config.hidden_size}, {len(model.vocab)} symbols"
    assert repr(model) == str(model) == f"Model({network}, validation loss {loss})"
    assert repr(training.latest) == f"Model({network})"
    assert "[" not in repr(replace(model.run, history=charrnn.checkpoint.history.History())).split("History")[0]
    for weights in (model.params, model.run.last):
        assert np.array2string(weights["by"][:2])[1:6] not in repr(model.run)
    model.run.texts = (WILD,)
    rows = [[cell.text for cell in row] for row in parsed(model._repr_html_()).iter("tr")]
    assert rows[:3] == [
        ["network", network],
        ["parameters", f"{len(model.params.flat):,}"],
        ["text", "<script>&\"'?한"],
    ]
    assert rows[3][0] == "training"
    assert rows[4] == ["validation loss", f"{model.run.best_loss:.4f} nats at step {model.run.best_step}"]
    assert [row[0].text for row in parsed(training.latest._repr_html_()).iter("tr")] == ["network", "parameters"]
