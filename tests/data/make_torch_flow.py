"""Makes torch_flow.npz: the gradients of single losses at every h and c before them, by PyTorch's autograd.

    pip install torch==2.13.0 numpy
    python tests/data/make_torch_flow.py

Run once, in an environment of its own; the tests only read what it wrote. Layers of PyTorch's own cells are stepped by
hand, and every h and c on the way keeps its gradient.
"""

from pathlib import Path

import numpy as np
import torch
from make_torch_values import reorder
from torch import nn

H, V, LAGS, SYMBOLS = 6, 7, 9, 40
CELLS = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "rnn": nn.RNNCell}
GATES = {"lstm": 4, "gru": 3, "rnn": 1}
TARGETS = [14, 23, 39]  # places of the symbols whose loss is taken
BEGINS = [0, 9, 25]  # where the reading of each begins, from an empty state


def case(cell, layers, rng):
    G, params, cells = GATES[cell], {}, []
    for layer in range(layers):
        params[f"l{layer}.Wx"] = rng.normal(size=(H if layer else V, G * H))
        params[f"l{layer}.Wh"] = rng.normal(size=(H, G * H))
        params[f"l{layer}.b"] = rng.normal(size=G * H)
    params["Wy"], params["by"] = rng.normal(size=(H, V)), rng.normal(size=V)
    params = {name: 0.5 * values for name, values in params.items()}
    for layer in range(layers):
        module = CELLS[cell](H if layer else V, H).double()
        with torch.no_grad():
            for ours, theirs in (("Wx", "weight_ih"), ("Wh", "weight_hh"), ("b", "bias_ih")):
                values = np.ascontiguousarray(reorder(params[f"l{layer}.{ours}"], cell).T)
                getattr(module, theirs).copy_(torch.from_numpy(values))
            module.bias_hh.zero_()
        cells.append(module)
    ids = rng.integers(0, V, size=SYMBOLS)
    states = "hc" if cell == "lstm" else "h"
    norms = {name: np.zeros((layers, LAGS + 1, len(TARGETS))) for name in states}
    for column, (begin, target) in enumerate(zip(BEGINS, TARGETS, strict=True)):
        for name, values in gradients(cell, cells, params, ids, begin, target).items():
            norms[name][:, :, column] = values
    found = {"ids": ids, **{f"params.{n}": v for n, v in params.items()}, **{f"norms.{n}": v for n, v in norms.items()}}
    return {f"{cell}.{layers}/{name}": values for name, values in found.items()}


def gradients(cell, cells, params, ids, begin, target):
    """The norms (layers, LAGS + 1) of dL/dh and dL/dc at the lags 0, 1, ... of one loss."""
    state = [[torch.zeros(1, H, dtype=torch.float64)] * (2 if cell == "lstm" else 1) for _ in cells]
    nodes = []
    for t in range(begin, target):
        x = nn.functional.one_hot(torch.tensor([ids[t]]), V).double()
        for layer, module in enumerate(cells):
            if cell == "lstm":
                state[layer] = list(module(x, tuple(state[layer])))
            else:
                state[layer] = [module(x, state[layer][0])]
            for node in state[layer]:
                if not node.requires_grad:
                    node.requires_grad_()
                node.retain_grad()
            x = state[layer][0]
        nodes.append([list(node) for node in state])
    logits = x @ torch.from_numpy(params["Wy"]) + torch.from_numpy(params["by"])
    nn.functional.cross_entropy(logits, torch.tensor([ids[target]])).backward()
    found = {}
    for place, name in enumerate("hc" if cell == "lstm" else "h"):
        rows = [
            [float(node[layer][place].grad.norm()) for node in nodes[::-1][: LAGS + 1]] for layer in range(len(cells))
        ]
        found[name] = rows
    return found


def main():
    rng = np.random.default_rng(0)
    arrays = {}
    for cell in CELLS:
        for layers in (1, 2):
            arrays |= case(cell, layers, rng)
    path = Path(__file__).with_name("torch_flow.npz")
    np.savez_compressed(path, **arrays)
    print(f"{path}: {len(arrays)} arrays, {path.stat().st_size:,} bytes, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
