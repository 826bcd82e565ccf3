"""Makes torch_values.npz: outputs, loss and gradients of PyTorch's LSTM, GRU and RNN for weights of ours.

    pip install torch==2.13.0 numpy
    python tests/data/make_torch_values.py

Run once, in an environment of its own; the tests only read what it wrote. PyTorch keeps weights as (G·H, D),
its LSTM gates stand in the order i f g o, and it has two biases: the second is zero here.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

H, V, T, B = 5, 7, 6, 3
OURS_TO_TORCH = {"lstm": [0, 1, 3, 2], "gru": [0, 1, 2], "rnn": [0]}  # where i f o g, r z n, h stand there
MODULES = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


def reorder(values, cell):
    """(..., G·H) with gates in our order to PyTorch's, and back: the orders are their own inverses."""
    gates = np.split(values, len(OURS_TO_TORCH[cell]), axis=-1)
    return np.concatenate([gates[k] for k in OURS_TO_TORCH[cell]], axis=-1)


def case(cell, layers, rng):
    G = len(OURS_TO_TORCH[cell])
    params = {}
    for layer in range(layers):
        params[f"l{layer}.Wx"] = rng.normal(size=(H if layer else V, G * H))
        params[f"l{layer}.Wh"] = rng.normal(size=(H, G * H))
        params[f"l{layer}.b"] = rng.normal(size=G * H)
    params["Wy"], params["by"] = rng.normal(size=(H, V)), rng.normal(size=V)
    params = {name: (0.5 * values).astype(np.float32) for name, values in params.items()}
    state = {s: (0.5 * rng.normal(size=(layers, B, H))).astype(np.float32) for s in ("hc" if cell == "lstm" else "h")}
    ids = rng.integers(0, V, size=(T + 1, B))

    module, out = MODULES[cell](V, H, layers), nn.Linear(H, V)
    with torch.no_grad():
        for layer in range(layers):
            for ours, theirs in (("Wx", "weight_ih"), ("Wh", "weight_hh"), ("b", "bias_ih")):
                values = np.ascontiguousarray(reorder(params[f"l{layer}.{ours}"], cell).T)
                getattr(module, f"{theirs}_l{layer}").copy_(torch.from_numpy(values))
            getattr(module, f"bias_hh_l{layer}").zero_()
        out.weight.copy_(torch.from_numpy(np.ascontiguousarray(params["Wy"].T)))
        out.bias.copy_(torch.from_numpy(params["by"]))
    carried = {s: torch.from_numpy(values).clone().requires_grad_() for s, values in state.items()}
    hx = (carried["h"], carried["c"]) if cell == "lstm" else carried["h"]
    one_hot = nn.functional.one_hot(torch.from_numpy(ids[:-1]), V).float()
    y, _ = module(one_hot, hx)
    logits = out(y)
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), torch.from_numpy(ids[1:]).flatten())
    loss.backward()

    grads = {"Wy": out.weight.grad.numpy().T, "by": out.bias.grad.numpy()}
    for layer in range(layers):
        for ours, theirs in (("Wx", "weight_ih"), ("Wh", "weight_hh"), ("b", "bias_ih")):
            grads[f"l{layer}.{ours}"] = reorder(getattr(module, f"{theirs}_l{layer}").grad.numpy().T, cell)
    found = {"ids": ids, "logits": logits.detach().numpy(), "loss": np.float64(loss.item())}
    found |= {f"params.{name}": values for name, values in params.items()}
    found |= {f"grads.{name}": values for name, values in grads.items()}
    found |= {f"state.{s}": values for s, values in state.items()}
    found |= {f"dstate.{s}": values.grad.numpy() for s, values in carried.items()}
    return {f"{cell}.{layers}/{name}": values for name, values in found.items()}


def main():
    rng = np.random.default_rng(0)
    arrays = {}
    for cell in MODULES:
        for layers in (1, 2, 3):
            arrays |= case(cell, layers, rng)
    path = Path(__file__).with_name("torch_values.npz")
    np.savez_compressed(path, **arrays)
    print(f"{path}: {len(arrays)} arrays, {path.stat().st_size:,} bytes, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
