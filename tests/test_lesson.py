"""The lesson says what is true, and its exercise can be solved: here is a solution."""

import re
import shlex
from pathlib import Path

import pytest
from numpy import tanh

from charrnn.arrays import Array
from charrnn.nn import equations
from charrnn.nn.equations import CELLS, Cell, Gates, StepGradients, StepValues
from charrnn.see.gradients import fresh, gradient_norms
from charrnn.see.text_window import text_window
from tests.cli.test_train import Command, charrnn
from tests.nn.checks import differences, gradients, make, worst
from tests.training.test_loop import begin

__all__ = ["charrnn"]  # the fixture

ROOT = Path(__file__).parent.parent
LESSON = (ROOT / "docs" / "lesson.md").read_text("utf-8")


class Leaky(Cell):
    """The leaky unit: h_t = ½ h_{t-1} + ½ tanh(x_t Wx + h_{t-1} Wh + b)."""

    gates, states = "h", "h"

    @staticmethod
    def step(xw: Gates, hw: Gates, h_prev: Array) -> StepValues:
        n = tanh(xw.h + hw.h)
        h = (h_prev + n) / 2
        return StepValues(n=n, h=h)

    @staticmethod
    def step_back(v: StepValues, dh: Array) -> StepGradients:
        n = v.n
        da_h = dh * (1 - n**2) / 2
        dh_direct = dh / 2
        return StepGradients(da_h=da_h, dh_direct=dh_direct)


@pytest.fixture
def _leaky(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one entry of the exercise."""
    monkeypatch.setitem(CELLS, "leaky", Leaky)


@pytest.mark.usefixtures("_leaky")
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_gradients_of_the_solution_are_the_differences(layers: int) -> None:
    network, window = make("leaky", layers)
    assert worst(gradients(network, window), differences(network, window)) < 1e-6


@pytest.mark.usefixtures("_leaky")
def test_the_solution_learns_and_its_gradient_reaches_further() -> None:
    training = begin(steps=60, cell="leaky")
    losses = [record.loss for record in training]
    assert losses[-1] < 0.8 * losses[0]
    part = text_window(training.corpus, training.corpus.segments, 400)
    far, near = (gradient_norms(fresh(begin(steps=1, cell=cell).model, 0.5), part, 20, 32) for cell in ("leaky", "rnn"))
    assert far.share[20] > 10 * near.share[20]


@pytest.mark.usefixtures("_leaky")
def test_the_commands_know_the_solution(charrnn: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("corpus.txt").write_text("the cat sat on the mat\n" * 100, "utf-8")
    sizes = ("--layers", "1", "--hidden-size", "8", "--workers", "1")
    code, _, err = charrnn("train", "corpus.txt", "-m", "leaky.npz", "--cell", "leaky", *sizes, "--steps", "60")
    assert code == 0, err
    code, _, err = charrnn("train", "--resume", "-m", "leaky.npz", "--steps", "80")
    assert code == 0, err
    code, out, _ = charrnn("sample", "-m", "leaky.npz", "-n", "40", "--seed", "1")
    assert (code, len(out.rstrip("\n")) > 20) == (0, True)
    for command in ("gradients", "neurons", "memory", "surprise"):
        code, out, err = charrnn("see", command, "-m", "leaky.npz")
        assert (code, out != "") == (0, True), err
    code, out, _ = charrnn("see", "step", "--cell", "leaky")
    assert code == 0
    assert "h         = (h_prev + n) / 2" in out
    assert "da_h      = dh * (1 - n²) / 2" in out


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


def test_links_and_pictures_are_there() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", LESSON):
        assert link.startswith("http") or (ROOT / "docs" / link).exists(), link
