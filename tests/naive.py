"""The equations written out per layer, step, stream and gate: slow, and plain to see."""

import math
from collections.abc import Mapping

import numpy as np

from charrnn.arrays import Array


def sigmoid(x: Array) -> Array:
    return np.array([1.0 / (1.0 + math.exp(-value)) for value in x])


def tanh(x: Array) -> Array:
    return np.array([math.tanh(value) for value in x])


def part(name: str, k: int, params: Mapping[str, Array], layer: int, H: int) -> Array:
    """The columns of gate k of Wx, Wh or b."""
    return params[f"l{layer}.{name}"][..., k * H : (k + 1) * H]


def naive_step(cell: str, params: Mapping[str, Array], layer: int, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """(h, c) of one stream after the input x."""
    H = len(h)
    gates = {"rnn": "h", "lstm": "ifog", "gru": "rzn"}[cell]
    xs = {g: x @ part("Wx", k, params, layer, H) + part("b", k, params, layer, H) for k, g in enumerate(gates)}
    hs = {g: h @ part("Wh", k, params, layer, H) for k, g in enumerate(gates)}
    if cell == "rnn":
        return tanh(xs["h"] + hs["h"]), c
    if cell == "lstm":
        i, f, o = (sigmoid(xs[g] + hs[g]) for g in "ifo")
        c = f * c + i * tanh(xs["g"] + hs["g"])
        return o * tanh(c), c
    r, z = (sigmoid(xs[g] + hs[g]) for g in "rz")
    n = tanh(xs["n"] + r * hs["n"])
    return (1.0 - z) * n + z * h, c


def naive_logits(
    cell: str,
    params: Mapping[str, Array],
    state: Mapping[str, Array],
    ids: np.ndarray[tuple[int, ...], np.dtype[np.intp]],
) -> Array:
    """Logits (T, B, V) for ids (T, B), from the carried-in state (layers, B, H)."""
    layers, streams, H = state["h"].shape
    V = len(params["by"])
    logits = np.zeros((*ids.shape, V))
    for b in range(streams):
        h = [state["h"][layer, b] for layer in range(layers)]
        c = [state["c"][layer, b] if "c" in state else np.zeros(H) for layer in range(layers)]
        for t, symbol in enumerate(ids[:, b]):
            x = np.eye(V)[symbol]
            for layer in range(layers):
                h[layer], c[layer] = naive_step(cell, params, layer, x, h[layer], c[layer])
                x = h[layer]
            logits[t, b] = x @ params["Wy"] + params["by"]
    return logits
