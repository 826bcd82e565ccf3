"""A pass number by number: every printed equation gives the printed numbers, and the gradients are training's own."""

import re
from typing import Any

import numpy as np
import pytest

from charrnn.errors import UsageError
from charrnn.nn.equations import CELLS, LINEAR_CELLS
from charrnn.nn.fast.engine import network as fast_network
from charrnn.nn.linear import EPS
from charrnn.nn.loss import cross_entropy
from charrnn.nn.params import Params
from charrnn.see.step import Line, small, steps
from tests.sampling.test_sample import model_of


def evaluated(equation: str, names: dict[str, Any]) -> Any:
    """What an equation says, calculated by Python."""
    code = re.sub(r"tanh²\((\w+)\)", r"tanh(\1)**2", equation).replace("²", "**2").replace("σ", "sigmoid")
    functions = {name: getattr(np, name) for name in ("tanh", "exp", "expm1", "cos", "sin", "sqrt")}
    functions |= {"sigmoid": lambda x: 1 / (1 + np.exp(-x)), "rms": lambda x: np.sqrt(np.mean(x * x) + EPS)}
    return eval(code, {**functions, "__builtins__": {}}, names)


def parts(lines: list[Line]) -> dict[str, dict[str, Line]]:
    found: dict[str, dict[str, Line]] = {}
    for line in lines:
        found.setdefault(line.heading, {})[line.name] = line
    return found


@pytest.mark.parametrize("cell", CELLS)
def test_every_equation_gives_its_numbers(cell: str) -> None:
    model = small(cell, 1, 3, "abba", seed=1)
    found, gates = parts(steps(model, "abba")), CELLS[cell].gates
    weights = {name: line.values for name, line in found["weights"].items()}
    h, c, checked = np.zeros(3), np.zeros(3), 0
    steps_forward: list[dict[str, Any]] = []
    for t, (read, target) in enumerate(zip([0, 1, 1], [1, 1, 0], strict=True), 1):
        here = found[f"forward, t = {t}: reads {'ab'[read]!r}, target {'ab'[target]!r}"]
        names: dict[str, Any] = {name: line.values for name, line in here.items()}
        names |= {"h_prev": h, "c_prev": c}
        np.testing.assert_allclose(names["xw"], weights["l0.Wx"][read] + weights["l0.b"])
        np.testing.assert_allclose(names["hw"], h @ weights["l0.Wh"])
        for k, gate in enumerate(gates if len(gates) > 1 else ""):
            names |= {f"xw_{gate}": names["xw"][k * 3 : k * 3 + 3], f"hw_{gate}": names["hw"][k * 3 : k * 3 + 3]}
        for name, line in here.items():
            if name not in ("xw", "hw", "logits", "p", "loss"):
                np.testing.assert_allclose(line.values, evaluated(line.equation, names), err_msg=name)
                checked += 1
        np.testing.assert_allclose(names["logits"], names["h"] @ weights["Wy"] + weights["by"])
        np.testing.assert_allclose(names["p"], np.exp(names["logits"]) / np.exp(names["logits"]).sum())
        np.testing.assert_allclose(names["loss"], -np.log(names["p"][target]))
        h, c = names["h"], names.get("c", c)
        steps_forward.append(names)
    for t in (3, 2, 1):
        here = found[f"backward, t = {t}"]
        names = steps_forward[t - 1] | {name: line.values for name, line in here.items()}
        for name, line in here.items():
            if not re.search("ᵀ|one-hot| of t = |^0 at", line.equation):
                np.testing.assert_allclose(line.values, evaluated(line.equation, names), err_msg=name, atol=1e-15)
                checked += 1
    assert checked == 3 * {"rnn": 2, "lstm": 12, "gru": 9}[cell]


@pytest.mark.parametrize("cell", LINEAR_CELLS)
def test_every_equation_of_a_linear_recurrence_gives_its_numbers(cell: str) -> None:
    found = parts(steps(small(cell, 1, 3, "abba", seed=1), "abba"))
    weights = {name: line.values for name, line in found["weights"].items()}
    vectors = {name: weights[f"l0.{name}"] for name in LINEAR_CELLS[cell].vectors}
    before, checked = {f"{name}_prev": np.zeros(3) for name in LINEAR_CELLS[cell].states}, 0
    forward: list[dict[str, Any]] = []
    for t, (read, target) in enumerate(zip([0, 1, 1], [1, 1, 0], strict=True), 1):
        here = found[f"forward, t = {t}: reads {'ab'[read]!r}, target {'ab'[target]!r}"]
        names: dict[str, Any] = {name: line.values for name, line in here.items()} | before | vectors
        names |= {
            f"xw_{gate}": part for gate, part in zip(LINEAR_CELLS[cell].gates, np.split(names["xw"], 2), strict=True)
        }
        np.testing.assert_array_equal(names["x"], weights["E"][read])
        np.testing.assert_allclose(names["xw"], names["u"] @ weights["l0.Wx"] + weights["l0.b"])
        states = np.concatenate([names[name] for name in LINEAR_CELLS[cell].states])
        np.testing.assert_allclose(names["out"], states @ weights["l0.Wo"] + weights["l0.bo"])
        o, g = np.split(names["out"], 2)
        np.testing.assert_allclose((names["o"], names["g"]), (o, 1 / (1 + np.exp(-g))))
        for name, line in here.items():
            if name not in ("x", "xw", "out", "o", "g", "logits", "p", "loss"):
                np.testing.assert_allclose(line.values, evaluated(line.equation, names), err_msg=name)
                checked += 1
        top = evaluated("y / rms(y)", names)
        np.testing.assert_allclose(names["logits"], top @ weights["Wy"] + weights["by"])
        before = {f"{name}_prev": names[name] for name in LINEAR_CELLS[cell].states}
        forward.append(names)
    for t in (3, 2, 1):
        here = found[f"backward, t = {t}"]
        names = {name: value for name, value in forward[t - 1].items() if not name.endswith("_prev")}
        names |= {f"{name}_prev": forward[t - 2][name] if t > 1 else np.zeros(3) for name in LINEAR_CELLS[cell].states}
        names |= {name: line.values for name, line in here.items()}
        for name, line in here.items():
            if not re.search(r"ᵀ|one-hot|\[", line.equation):
                np.testing.assert_allclose(line.values, evaluated(line.equation, names), err_msg=name, atol=1e-15)
                checked += 1
    assert checked == 3 * {"mingru": 8, "lru": 18}[cell]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", [*CELLS, *LINEAR_CELLS])
def test_the_gradients_are_those_of_training(cell: str, layers: int) -> None:
    model = small(cell, layers, 4, "hello", seed=2)
    found = parts(steps(model, "hello"))
    params = Params(model.config.shapes, np.float64)
    params.flat[:] = model.params.flat
    network, grads = fast_network(model.config, params, 4, 1, training=True), Params(model.config.shapes, np.float64)
    window = model.vocab.encode("hello")[:, None]
    logits = network.forward(window[:-1])
    loss = cross_entropy(logits, window[1:])
    network.backward(window[:-1], logits, grads)
    assert found["the loss"]["L"].values[0] == pytest.approx(loss, rel=1e-12)
    shown = found["gradients, sums over t"]
    assert shown.keys() == {f"d{name}" for name in grads}
    for name, values in grads.items():
        np.testing.assert_allclose(shown[f"d{name}"].values, values, rtol=1e-9, atol=1e-14)


def test_fresh_weights_have_two_decimals() -> None:
    flat = small("gru", 2, 3, "abc", 0).params.flat
    np.testing.assert_allclose(flat, np.round(flat.astype(np.float64), 2), atol=1e-6)
    assert np.abs(flat).max() > 0.3


@pytest.mark.parametrize(
    ("text", "words"), [("a", "from 2 to 13"), ("ab" * 20, "from 2 to 13"), ("abx", "never seen 'x'")]
)
def test_what_cannot_be_followed(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        steps(model_of("ab"), text)


def test_a_text_in_another_normal_form_is_followed() -> None:
    model = small("gru", 1, 3, "né", 0)
    assert [line.equation for line in steps(model, "ne\u0301")] == [line.equation for line in steps(model, "né")]


def test_a_large_network_is_refused() -> None:
    model = small("rnn", 1, 9, "ab", 0)
    with pytest.raises(UsageError, match="9 units"):
        steps(model, "ab")


def test_matrices_are_labelled_by_symbols_and_gates() -> None:
    lines = {line.name: line for line in steps(small("lstm", 2, 2, "abba", 0), "abba")}
    gates = [f"{gate} {k}" for gate in "ifog" for k in (0, 1)]
    for name, rows, columns in (
        ("l0.Wx", ["'a'", "'b'"], gates),
        ("l1.Wx", ["h 0", "h 1"], gates),
        ("l0.Wh", ["h 0", "h 1"], gates),
        ("Wy", ["h 0", "h 1"], ["'a'", "'b'"]),
    ):
        for line in (lines[name], lines[f"d{name}"]):
            assert ([*line.rows], [*line.columns]) == (rows, columns)
            assert line.values.shape == (len(rows), len(columns))
            assert line.as_dict()["columns"] == columns
    assert "rows" not in lines["by"].as_dict()
