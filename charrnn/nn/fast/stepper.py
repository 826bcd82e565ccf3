"""One stream, read symbol by symbol. Several streams: `nn/stepper.py` on a fast network."""

import numpy as np
from numpy import add, copyto, matmul

from charrnn.arrays import Array, empty, zeros
from charrnn.nn.fast.cells import CELLS
from charrnn.nn.interface import State
from charrnn.nn.params import Config, Params


class Stepper:
    """A step costs little more than reading the weights once; the interface is described in `nn/interface.py`."""

    def __init__(self, config: Config, params: Params) -> None:
        H, self.layers = config.hidden_size, config.layers
        self.cell = CELLS[config.cell]((1, 1, H), np.float32)
        G = len(self.cell.gates)
        halving = np.repeat([0.5 if g in self.cell.halved else 1.0 for g in self.cell.gates], H).astype(np.float32)
        # the states of all layers in one vector, so that [x | h] of a layer is a slice of it
        self.hs, self.cs = zeros((config.layers * H,)), zeros((config.layers, 1, 1, H))
        self.h = [self.hs[k * H : (k + 1) * H] for k in range(config.layers)]
        self.x_h = [self.hs[max(k - 1, 0) * H : (k + 1) * H] for k in range(config.layers)]
        self.Wh, self.Wx, self.b = [], [], []
        # with one block of gradients a gate, x and h can share a product; the GRU wants them apart
        self.joined = len(self.cell.inputs) == 1 and len(self.cell.da) == G
        for k in range(config.layers):
            W = params.matrix(k) * halving
            self.b.append(W[-1].reshape(self.cell.a.shape))
            self.Wx.append(own(W[H:-1] + W[-1] if k == 0 else W[H:-1]))
            self.Wh.append(own(np.concatenate([W[H:-1], W[:H]]) if k and self.joined else W[:H]))
        (self.row,) = self.cell.rows(empty((1, len(self.cell.tape), *self.cell.a.shape[1:])))
        self.z, self.a = empty(self.cell.a.shape), self.cell.a.reshape(-1)
        self.Wy, self.by, self.out = own(params["Wy"]), params["by"], empty((1, config.vocab_size))
        self.logits: Array = self.by[None].copy()

    def step(self, ids: list[int]) -> None:
        """Reads one symbol."""
        self.step_all(ids)

    def step_all(self, ids: list[int]) -> None:
        """Reads a sequence of symbols."""
        cell, joined, row = self.cell, self.joined, self.row
        for i in ids:
            for k in range(self.layers):
                z = self.z
                if k == 0:
                    z = self.Wx[0][i].reshape(z.shape)  # with the bias in it
                elif joined:
                    z = self.b[k]
                else:
                    matmul(self.h[k - 1], self.Wx[k], out=z.reshape(-1))
                    add(z, self.b[k], z)
                cell.begin(self.h[k].reshape(1, 1, -1), self.cs[k], row)
                matmul(self.x_h[k] if joined else self.h[k], self.Wh[k], out=self.a)
                copyto(self.h[k], cell.step(z, row).reshape(-1))
                if "c" in cell.states:
                    copyto(self.cs[k], cell.c)
        if ids:
            matmul(self.h[-1], self.Wy, out=self.out[0])
            self.logits = add(self.out, self.by, self.out)

    def state(self, stream: int = 0) -> State:
        """A copy of the state, its logits included."""
        states = {"h": self.hs, "c": self.cs}
        return {name: states[name].reshape(self.layers, -1).copy() for name in self.cell.states}, self.logits[0].copy()

    def set_state(self, state: State, stream: int = 0) -> None:
        """Returns to a state."""
        for name, values in {"h": self.hs, "c": self.cs}.items():
            if name in state[0]:
                copyto(values, state[0][name].reshape(values.shape))
        copyto(self.logits, state[1])


def own(weights: Array) -> Array:
    """A copy that starts on a cache line."""
    copy = empty(weights.shape)
    copy[:] = weights
    return copy
