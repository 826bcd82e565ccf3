"""A network that reads character by character and says what it expects next: one stream, or several side by side."""

import numpy as np
from numpy import add, copyto, matmul

from charrnn.arrays import Array, empty, zeros
from charrnn.nn.fast.cells import CELLS
from charrnn.nn.fast.network import Network
from charrnn.nn.params import Config, Params

State = tuple[Array, Array, Array]  # h and c of all layers, and the logits


class Reader:
    """One stream. A step costs little more than reading the weights once; `logits` (1, V) are what comes next.

    Before the first character the state is empty.
    """

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

    def read(self, ids: list[int]) -> None:
        """Goes on by these ids."""
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

    def read_alike(self, ids: list[int]) -> None:
        """As `read`: there is one stream."""
        self.read(ids)

    def state(self, row: int = 0) -> State:
        """Where it stands, to come back to: h (layers·H), c (layers, 1, 1, H), and the logits (1, V)."""
        return self.hs.copy(), self.cs.copy(), self.logits.copy()

    def set_state(self, state: State, row: int = 0) -> None:
        """Goes back to where it was."""
        for mine, then in zip((self.hs, self.cs, self.logits), state, strict=True):
            copyto(mine, then)


def own(weights: Array) -> Array:
    """A copy that starts on a cache line."""
    copy = empty(weights.shape)
    copy[:] = weights
    return copy


class Readers:
    """Several streams that read side by side: one product serves them all; `logits` (K, V)."""

    def __init__(self, config: Config, params: Params, count: int) -> None:
        self.network, self.count = Network(config, params, 1, count), count
        self.logits: Array = np.tile(params["by"], (count, 1))

    def read(self, ids: list[int]) -> None:
        """Goes on by one id a stream."""
        self.logits = self.network.forward(np.array([ids]))[0]
        self.network.carry()

    def state(self, row: int = 0) -> State:
        """Where one stream stands, to come back to."""
        h = np.stack([layer.h[0, row] for layer in self.network.layers])
        c = np.stack([layer.c[:, row] for layer in self.network.layers])
        return h, c, self.logits[row].copy()

    def set_state(self, state: State, row: int = 0) -> None:
        """One stream goes back to where it was."""
        for layer, h, c in zip(self.network.layers, state[0], state[1], strict=True):
            layer.h[0, row], layer.c[:, row] = h, c
        self.logits[row] = state[2]

    def read_alike(self, ids: list[int]) -> None:
        """All streams go on by these ids."""
        for i in ids:
            self.read([i] * self.count)
