"""One stream, read symbol by symbol. Several streams are a `NetworkStepper` (`nn/stepper.py`) on a fast network."""

import numpy as np
from numpy import add, copyto, matmul

from charrnn.arrays import Array, empty, zeros
from charrnn.nn.fast.cells import CELLS
from charrnn.nn.interface import State
from charrnn.nn.params import Config, Params


class Stepper:
    """A step costs little more than reading the weights once; the methods are described in `nn/interface.py`."""

    def __init__(self, config: Config, params: Params) -> None:
        H, self.layers = config.hidden_size, config.layers
        self.cell = cell = CELLS[config.cell]((1, 1, H), np.float32)
        G = len(cell.gates)
        # h of all layers in one vector, so that [x | h] of a layer, where x is h of the layer below, is a slice of it
        self.hs, self.cs = zeros((config.layers * H,)), zeros((config.layers, 1, 1, H))
        self.h = [self.hs[k * H : (k + 1) * H] for k in range(config.layers)]
        # xw and hw can share a product if the cell only needs their sum
        self.joined = cell.x_blocks == cell.h_blocks
        self.x_h = [self.hs[(k - 1 if k and self.joined else k) * H : (k + 1) * H] for k in range(config.layers)]
        self.Wh, self.Wx, self.b = [], [], []  # (H or 2 H, G·H), (inputs, G·H), (G, 1, 1, H)
        for k in range(config.layers):
            W = np.empty_like(params.matrix(k))
            cell.fold(params.matrix(k), W.reshape(-1, G, H))
            self.b.append(W[-1].reshape(G, 1, 1, H))
            self.Wx.append(aligned(W[H:-1] + W[-1] if k == 0 else W[H:-1]))
            self.Wh.append(aligned(np.concatenate([W[H:-1], W[:H]]) if k and self.joined else W[:H]))
        (self.row,) = cell.rows(empty((1, len(cell.tape), 1, 1, H)))
        self.xw, self.hw = empty((G, 1, 1, H)), empty((G, 1, 1, H))
        self.Wy, self.by, self.out = aligned(params["Wy"]), params["by"], empty((1, config.vocab_size))
        self.logits: Array = self.by[None].copy()

    def step(self, ids: list[int]) -> None:
        self.step_all(ids)

    def step_all(self, ids: list[int]) -> None:
        cell, row = self.cell, self.row
        for i in ids:
            for k in range(self.layers):
                cell.load(self.h[k].reshape(1, 1, -1), self.cs[k], row)
                matmul(self.x_h[k], self.Wh[k], out=self.hw.reshape(-1))
                copyto(self.h[k], cell.step(self.input(k, i), self.hw, row).reshape(-1))
                cell.store(self.cs[k], row)
        if ids:
            matmul(self.h[-1], self.Wy, out=self.out[0])
            self.logits = add(self.out, self.by, self.out)

    def input(self, k: int, i: int) -> Array:
        """xw of layer k; where the products are joined, x Wx is part of hw."""
        xw = self.xw
        if k == 0:
            xw = self.Wx[0][i].reshape(xw.shape)  # with the bias in it
        elif self.joined:
            xw = self.b[k]
        else:
            matmul(self.h[k - 1], self.Wx[k], out=xw.reshape(-1))
            add(xw, self.b[k], xw)
        return xw

    def state(self, stream: int = 0) -> State:
        states = {"h": self.hs, "c": self.cs}
        return {name: states[name].reshape(self.layers, -1).copy() for name in self.cell.states}, self.logits[0].copy()

    def set_state(self, state: State, stream: int = 0) -> None:
        for name, values in {"h": self.hs, "c": self.cs}.items():
            if name in state[0]:
                copyto(values, state[0][name].reshape(values.shape))
        copyto(self.logits, state[1])


def aligned(weights: Array) -> Array:
    """A copy that starts on a cache line."""
    copy = empty(weights.shape)
    copy[:] = weights
    return copy
