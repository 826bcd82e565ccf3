"""The programs of the documents in PyTorch: the same logits, in both directions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoint.model import Model, load
from charrnn.nn.linear import plain_network
from charrnn.options import CELLS
from tests.cli.test_train import Command, charrnn
from tests.documents import code_after
from tests.optional import package
from tests.sampling.test_sample import model_of

__all__ = ["charrnn"]  # the fixture


def logits(model: Model, text: str) -> Any:
    """Logits (T, V) after each character, from an empty state."""
    ids = model.vocab.encode(text)
    return plain_network(model.config, model.params, len(ids), 1).forward(ids[:, None])[:, 0]


@pytest.mark.parametrize("cell", CELLS)
def test_pytorch_loads_an_export(cell: str, charrnn: Command) -> None:
    package("torch")
    model = model_of("the cat\n", cell=cell)
    model.save("model.npz")
    assert charrnn("export", "model.safetensors")[0] == 0
    code = code_after("docs/model-file.md", "pytorch")
    assert len([line for line in code.splitlines() if line]) <= 15
    names: dict[str, Any] = {}
    exec(code, names)
    np.testing.assert_allclose(names["logits"].detach().numpy(), logits(model, "\nthe "), atol=1e-5)


def test_pytorch_computes_an_exported_mingru(charrnn: Command) -> None:
    package("torch")
    model = model_of("the cat\n", cell="mingru")
    model.save("model.npz")
    assert charrnn("export", "model.safetensors")[0] == 0
    names: dict[str, Any] = {}
    exec(code_after("docs/model-file.md", "a mingru in pytorch"), names)
    np.testing.assert_allclose(names["logits"].numpy(), logits(model, "\nthe "), atol=1e-5)


@pytest.mark.parametrize(("cell", "layers"), [("GRU", 2), ("LSTM", 1)])
def test_a_network_trained_in_pytorch_is_imported(cell: str, layers: int, charrnn: Command) -> None:
    torch = package("torch")
    code = (
        code_after("docs/export.md", "from pytorch").replace("range(300)", "range(3)").replace("H, V = 128", "H, V = 9")
    )
    code = code.replace("nn.GRU(32, H, 2)", f"nn.{cell}(32, H, {layers})")
    if cell == "LSTM":  # only a GRU needs the second biases at zero
        code = code.replace("requires_grad_(False)", "requires_grad_(True)")
    names: dict[str, Any] = {}
    exec(code, names)
    code_, _, err = charrnn("import", "net.safetensors", "-m", "net.npz")
    assert code_ == 0, err
    text = Path("corpus.txt").read_text()[:50]
    net = names["model"]
    with torch.no_grad():
        y, _ = net["rnn"](net["embedding"](torch.tensor([names["chars"].index(c) for c in text])))
        wanted = net["output"](y).numpy()
    np.testing.assert_allclose(logits(load("net.npz"), text), wanted, atol=1e-5)
