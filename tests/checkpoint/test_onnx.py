"""The ONNX graph of one step: the same logits and states as the library, in onnxruntime."""

import json
import sys
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoint import onnx
from charrnn.checkpoint.exchange import KEY
from charrnn.checkpoint.model import Model
from charrnn.checkpoint.onnx import encode
from charrnn.errors import UsageError
from charrnn.nn.equations import CELLS, Cell, StepValues
from charrnn.nn.linear import plain_network
from charrnn.options import CELLS as BUILT_IN
from charrnn.options import LINEAR_CELLS
from tests.cli.test_train import Command, charrnn
from tests.documents import code_after
from tests.optional import package
from tests.sampling.test_sample import model_of

__all__ = ["charrnn"]  # the fixture

UNITS_OF = {"lstm": "char", "gru": "jamo", "rnn": "byte", "mingru": "char", "lru": "jamo"}


def session(data: bytes) -> Any:
    return package("onnxruntime", "onnx").InferenceSession(data, providers=["CPUExecutionProvider"])


def largest_difference(model: Model, streams: int = 3, steps: int = 400) -> float:
    """Between the logits of onnxruntime and of the plain engine, each with its own states, at random ids."""
    package("onnx")
    run = session(encode(model))
    config = model.config
    network = plain_network(config, model.params, 1, streams)
    state = {name: np.zeros((config.layers, streams, config.hidden_size), np.float32) for name in config.states}
    worst = 0.0
    for ids in np.random.default_rng(0).integers(0, config.vocab_size, (steps, streams)):
        logits, *after = run.run(["logits", *(f"{name}_next" for name in state)], {"ids": ids, **state})
        wanted = network.forward(ids[None])[0]
        network.carry()
        state = dict(zip(state, after, strict=True))
        worst = max(worst, float(np.abs(logits - wanted).max()))
    for name, values in network.state().items():
        np.testing.assert_allclose(state[name], values, atol=1e-5)
    return worst


@pytest.mark.parametrize("cell", [*BUILT_IN, *LINEAR_CELLS])
def test_onnxruntime_gives_the_same_logits(cell: str) -> None:
    model = model_of("한글은 소리다.\nABC é", UNITS_OF[cell], cell)
    model.params.flat /= 2.0  # errors of rounding do not grow with the steps
    assert largest_difference(model) < 1e-5
    assert encode(model) == encode(model)


def test_the_metadata_has_vocabulary_and_unit() -> None:
    package("onnx")
    model = model_of("한글 abc\n", "jamo")
    found = json.loads(session(encode(model)).get_modelmeta().custom_metadata_map[KEY])
    assert (found["unit"], found["vocab"]) == ("jamo", model.vocab.codes.tolist())
    assert found["config"] == model.config.as_dict()


def test_a_new_cell_is_exported_without_more_code(monkeypatch: pytest.MonkeyPatch) -> None:
    class Minimal(Cell):
        gates, states, sigmoids = "fn", "h", "f"

        @staticmethod
        def step(xw: Any, hw: Any, h_prev: Any) -> Any:
            f = 1 / (1 + np.exp(-(xw.f + hw.f)))
            n = np.maximum(xw.n + hw.n, 0.0)
            return StepValues(h=f * h_prev + (1 - f) * n)

    monkeypatch.setitem(CELLS, "minimal", Minimal)
    assert largest_difference(model_of("abcd", cell="minimal"), steps=20) < 1e-5
    monkeypatch.setattr(Minimal, "step", lambda xw, hw, h_prev: np.floor(h_prev))
    with pytest.raises(UsageError, match=r"the cell uses numpy\.floor, which cannot be written to an \.onnx file\."):
        encode(model_of("abcd", cell="minimal"))


def test_the_program_of_the_document(charrnn: Command, capfd: pytest.CaptureFixture[str]) -> None:
    package("onnx")
    package("onnxruntime", "onnx")
    model_of("한글은 소리다.\nABC é", cell="lstm").save("model.npz")
    assert charrnn("export", "model.onnx")[0] == 0
    exec(code_after("docs/export.md", "onnx"), {})
    assert len(capfd.readouterr().out) == 1 + 200 + 1


def test_weights_beyond_2_gb_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx, "MOST_BYTES", 100)
    with pytest.raises(UsageError, match=r"an \.onnx file has at most 2 GB, and the weights have more: export a"):
        encode(model_of("abcd"))


def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UsageError, match=r"^\.onnx files need the package onnx: pip install 'charrnn\[onnx\]'\.$"):
        encode(model_of("abcd"))
