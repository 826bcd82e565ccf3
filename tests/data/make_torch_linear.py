"""Makes torch_linear.npz: logits, loss and gradients of networks of linear recurrences, by PyTorch's autograd.

    pip install torch==2.13.0 numpy
    python tests/data/make_torch_linear.py

Run once, in an environment of its own; the tests only read what it wrote. The recurrences are written here from the
papers: the LRU with complex numbers, and the minGRU as its weighted sum. The normalisation and the gated output are
PyTorch's own `rms_norm` and `glu`.
"""

from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy, glu, rms_norm

H, V, T, B = 5, 7, 6, 3
STATES = {"mingru": 1, "lru": 2}


def shapes(cell, layers):
    found = {"E": (V, H)}
    for k in range(layers):
        found |= {f"l{k}.Wx": (H, 2 * H), f"l{k}.b": (2 * H,)}
        found |= {f"l{k}.nu": (H,), f"l{k}.theta": (H,)} if cell == "lru" else {}
        found |= {f"l{k}.Wo": (STATES[cell] * H, 2 * H), f"l{k}.bo": (2 * H,)}
    return {**found, "Wy": (H, V), "by": (V,)}


def mingru(a, state, p, k):
    z, n = torch.sigmoid(a[:, :H]), a[:, H:]
    h = (1 - z) * state["h"][k] + z * n
    return {"h": h}


def lru(a, state, p, k):
    eigenvalues = torch.exp(torch.complex(-torch.exp(p[f"l{k}.nu"]), torch.exp(p[f"l{k}.theta"])))
    gamma = torch.sqrt(1 - eigenvalues.abs() ** 2)
    before = torch.complex(state["h"][k], state["c"][k])
    s = eigenvalues * before + gamma * torch.complex(a[:, :H], a[:, H:])
    return {"h": s.real, "c": s.imag}


def case(cell, layers, rng):
    names = "hc"[: STATES[cell]]
    tensor = lambda values: torch.tensor(0.5 * values, dtype=torch.float64, requires_grad=True)  # noqa: E731
    p = {name: tensor(rng.normal(size=shape)) for name, shape in shapes(cell, layers).items()}
    carried = {name: tensor(rng.normal(size=(layers, B, H))) for name in names}
    ids = torch.from_numpy(rng.integers(0, V, size=(T + 1, B)))
    state, logits = {name: list(values) for name, values in carried.items()}, []
    for t in range(T):
        x = p["E"][ids[t]]
        for k in range(layers):
            a = rms_norm(x, (H,), eps=1e-6) @ p[f"l{k}.Wx"] + p[f"l{k}.b"]
            new = (mingru if cell == "mingru" else lru)(a, state, p, k)
            for name in names:
                state[name][k] = new[name]
            x = x + glu(torch.cat([new[name] for name in names], -1) @ p[f"l{k}.Wo"] + p[f"l{k}.bo"])
        logits.append(rms_norm(x, (H,), eps=1e-6) @ p["Wy"] + p["by"])
    logits = torch.stack(logits)
    loss = cross_entropy(logits.flatten(0, 1), ids[1:].flatten())
    loss.backward()
    found = {"ids": ids.numpy(), "logits": logits.detach().numpy(), "loss": np.float64(loss.item())}
    for kind, tensors in (("params", p), ("state", carried)):
        for name, values in tensors.items():
            found |= {f"{kind}.{name}": values.detach().numpy(), f"d{kind}.{name}": values.grad.numpy()}
    return {f"{cell}.{layers}/{name}": values for name, values in found.items()}


def main():
    rng = np.random.default_rng(0)
    arrays = {}
    for cell in STATES:
        for layers in (1, 3):
            arrays |= case(cell, layers, rng)
    path = Path(__file__).with_name("torch_linear.npz")
    np.savez_compressed(path, **arrays)
    print(f"{path}: {len(arrays)} arrays, {path.stat().st_size:,} bytes, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
