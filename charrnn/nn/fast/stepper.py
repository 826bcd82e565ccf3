"""One stream, read symbol by symbol. Several streams are a `NetworkStepper` (`nn/stepper.py`) on a fast network.

A call of `numpy.dot` takes less time than one of `matmul`, and computes the same.
"""

import numpy as np
from numpy import add, copyto, dot

from charrnn.arrays import Array, empty, zeros
from charrnn.nn.fast.cells import CELLS
from charrnn.nn.interface import State
from charrnn.nn.params import Config, Params


class Stepper:
    """A step costs little more than reading the weights once; the methods are described in `nn/interface.py`."""

    def __init__(self, config: Config, params: Params) -> None:
        # h of all layers in one vector, so that [x | h] of a layer, where x is h of the layer below, is a slice of it
        self.hs, self.states = zeros((config.layers * config.hidden_size,)), config.states
        self.layers = [Layer(k, config, params, self.hs) for k in range(config.layers)]
        self.top, self.Wy, self.by = self.layers[-1].h, aligned(params["Wy"]), params["by"]
        self.logits: Array = self.by[None].copy()
        self.out = self.logits[0]

    def step(self, ids: list[int]) -> None:
        self.step_all(ids)

    def step_all(self, ids: list[int]) -> None:
        for i in ids:
            for layer in self.layers:
                copyto(layer.h, layer.step(i))
        if ids:
            dot(self.top, self.Wy, self.out)
            add(self.out, self.by, self.out)

    def state(self, stream: int = 0) -> State:
        states = {"h": self.hs.reshape(len(self.layers), -1).copy()}
        states["c"] = np.empty_like(states["h"])
        for layer, c in zip(self.layers, states["c"], strict=True):
            layer.cell.store(c, layer.row)
        return {name: states[name] for name in self.states}, self.out.copy()

    def set_state(self, state: State, stream: int = 0) -> None:
        h = state[0]["h"]
        copyto(self.hs, h.reshape(-1))
        for layer, c in zip(self.layers, state[0].get("c", h), strict=True):
            layer.cell.load(layer.h, c, layer.row)
        copyto(self.out, state[1])


class Layer:
    """Layer k, whose output is part k of `hs`; its own cell and row keep the rest of the state."""

    def __init__(self, k: int, config: Config, params: Params, hs: Array) -> None:
        H = config.hidden_size
        self.cell = cell = CELLS[config.cell]((H,), np.float32)
        (self.row,) = cell.rows(empty((1, len(cell.tape), H)))
        self.h, self.x = hs[k * H : (k + 1) * H], hs[(k - 1) * H : k * H]
        cell.load(self.h, zeros((H,)), self.row)
        W = np.empty_like(params.matrix(k))
        cell.fold(params.matrix(k), W.reshape(-1, len(cell.gates), H))
        Wh, Wx, self.b = W[:H], W[H:-1], W[-1].copy()
        # above layer 0, xw and hw are one product, [x | h] [Wx; Wh], if the cell only needs their sum
        joined = k > 0 and cell.x_blocks == cell.h_blocks
        self.x_h = hs[(k - 1) * H : (k + 1) * H] if joined else self.h
        self.Wh = aligned(np.concatenate([Wx, Wh]) if joined else Wh)  # (H or 2 H, G·H)
        self.table = aligned(Wx + self.b).reshape(-1, len(cell.gates), H) if k == 0 else None  # a row per symbol
        self.Wx = aligned(Wx) if k > 0 and not joined else None
        self.xw, self.hw = self.b if joined else empty(self.b.shape), empty(self.b.shape)
        self.xw_gates, self.hw_gates = self.xw.reshape(-1, H), self.hw.reshape(-1, H)

    def step(self, i: int) -> Array:
        """h_t, given the output of the layer below; layer 0 reads the symbol i."""
        xw = self.xw_gates
        if self.table is not None:
            xw = self.table[i]
        elif self.Wx is not None:
            dot(self.x, self.Wx, self.xw)
            add(self.xw, self.b, self.xw)
        dot(self.x_h, self.Wh, self.hw)
        return self.cell.step(xw, self.hw_gates, self.row)


def aligned(weights: Array) -> Array:
    """A copy that starts on a cache line."""
    copy = empty(weights.shape)
    copy[:] = weights
    return copy
