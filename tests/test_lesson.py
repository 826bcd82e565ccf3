"""The lesson says what is true, and its exercise can be solved: here is a solution."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from numpy import add, copyto, multiply, subtract, tanh
from numpy.typing import DTypeLike

from charrnn import options
from charrnn.arrays import Array, empty, zeros
from charrnn.checkpoint.model import load
from charrnn.nn import equations
from charrnn.nn.equations import Equations, Values
from charrnn.nn.fast import cells
from charrnn.nn.fast.cells import HALF, Cell, Row
from charrnn.nn.network import Trace
from charrnn.see.gradients import flow, fresh
from charrnn.see.text_window import text_window
from tests.cli.test_eval_tables import COMMANDS
from tests.cli.test_train import Command, charrnn
from tests.nn.test_network import T, differences, gradients, make, worst
from tests.training.test_loop import begin

__all__ = ["charrnn"]  # the fixture

ROOT = Path(__file__).parent.parent
LESSON = (ROOT / "docs" / "lesson.md").read_text("utf-8")


class Leaky(Cell):
    """The leaky unit: h_t = ½ h_{t-1} + ½ tanh(x_t Wx + h_{t-1} Wh + b)."""

    gates, states, halved, inputs, tape = "h", "h", "", ((0, 1, 0),), ("n",)

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.a, self.da = empty((1, *shape), dtype), empty((1, *shape), dtype)
        self.a_h, self.da_h = self.a[0], self.da[0]
        self.h = empty(shape, dtype)
        self.rest = self.half = zeros(shape, dtype)

    @staticmethod
    def row(now: Array, then: Array) -> Row:
        return [now[0]]

    def begin(self, h: Array, c: Array, row: Row) -> None:
        copyto(self.h, h)

    def step(self, z: Array, row: Row) -> Array:
        (n,) = row
        add(self.a, z, self.a)  # n = tanh(x_t Wx + h_{t-1} Wh + b)
        tanh(self.a_h, n)
        add(self.h, n, self.h)  # h_t = (h_{t-1} + n) / 2
        multiply(self.h, HALF, self.h)
        return self.h

    def begin_back(self) -> None:
        self.half.fill(0.0)

    def step_back(self, dh: Array, row: Row) -> None:
        (n,) = row
        multiply(dh, HALF, self.half)  # past the product: dh / 2
        multiply(n, n, self.da_h)  # da = dh (1 - n²) / 2
        multiply(self.half, self.da_h, self.da_h)
        subtract(self.half, self.da_h, self.da_h)


class LeakyEquations(Equations):
    gates, states, sigmoids, wx, wh = "h", "h", "", ("da_h",), ("da_h",)
    lines = (("n", "tanh(x + u)"), ("h", "(h_prev + n) / 2"))
    back_lines = (("da_h", "dh * (1 - n²) / 2"), ("rest", "dh / 2"))

    @staticmethod
    def step(x: list[Array], u: list[Array], before: Values) -> Values:
        n = np.tanh(x[0] + u[0])
        return {"n": n, "h": (before["h"] + n) / 2}

    @staticmethod
    def step_back(v: Values, before: Values, dh: Array, dc: Array) -> Values:
        return {"da_h": dh * (1 - v["n"] ** 2) / 2, "rest": dh / 2}


@pytest.fixture
def leaky(monkeypatch: pytest.MonkeyPatch) -> None:
    """The three entries of the exercise."""
    monkeypatch.setitem(cells.CELLS, "leaky", Leaky)
    monkeypatch.setattr(options, "CELLS", (*options.CELLS, "leaky"))
    monkeypatch.setitem(equations.EQUATIONS, "leaky", LeakyEquations)


@pytest.mark.usefixtures("leaky")
@pytest.mark.parametrize("layers", [1, 2])
def test_the_gradients_of_the_solution_are_the_differences(layers: int) -> None:
    network, window = make("leaky", layers)
    assert worst(gradients(network, window), differences(network, window)) < 1e-6
    trace, before, found = Trace(network.config, network.params), [], []
    state = network.state()
    before = [{"h": state["h"][k]} for k in range(layers)]
    for t in range(T):
        moments = trace.step(window[t], before)
        before = [moment.values for moment in moments]
        found.append(trace.logits(moments))
    np.testing.assert_allclose(np.array(found), network.forward(window[:-1]), rtol=1e-9)


@pytest.mark.usefixtures("leaky")
def test_the_solution_learns_and_its_gradient_reaches_further(tmp_path: Path) -> None:
    training = begin(steps=60, cell="leaky")
    losses = [record.loss for record in training]
    assert losses[-1] < 0.8 * losses[0]
    training.model.save(tmp_path / "leaky.npz")
    model = load(tmp_path / "leaky.npz")
    part = text_window(training.corpus, training.corpus.segments, 400)
    plain = begin(steps=1, cell="rnn").model
    far, near = (flow(fresh(m, 0.5), part, 20, 32) for m in (model, plain))
    assert far.share[20] > 10 * near.share[20]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", LESSON, re.MULTILINE | re.DOTALL)


def test_the_code_shown_is_that_of_the_program() -> None:
    source = Path(equations.__file__).read_text("utf-8")
    shown = blocks("python")
    assert len(shown) >= 3
    for block in shown:
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        for line in lines:
            assert line in source, line


def test_the_numbers_shown_are_those_of_the_program(charrnn: Command) -> None:
    shown = blocks("text")
    assert len(shown) >= 2
    for block in shown:
        first, *lines = block.splitlines()
        _, out, _ = charrnn(*shlex.split(first)[1:])
        said = [line.rstrip() for line in out.splitlines()]
        for line in lines:
            assert line == "..." or line.rstrip() in said, line


def test_the_commands_shown_have_these_options() -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("charrnn ")]
    assert len(lines) >= 6
    for line in lines:
        words = shlex.split(line, comments=True)
        name = " ".join(words[1:3]) if words[1] == "see" else words[1]
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert {word for word in words[2:] if word.startswith("-")} <= known, line


def test_links_and_pictures_are_there() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", LESSON):
        assert link.startswith("http") or (ROOT / "docs" / link).exists(), link
