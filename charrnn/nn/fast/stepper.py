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
        H, L = config.hidden_size, config.layers
        # h of all layers in one vector, so that [x | h] of a layer, where x is h of the layer below, is a slice of it
        self.hs, self.cs, self.states = zeros((L * H,)), zeros((L, H)), config.states
        self.layers = [Layer(k, config, params, self.hs, self.units(k, H)) for k in range(L)]
        self.top, self.Wy, self.by = self.layers[-1].h, aligned(params["Wy"]), params["by"]
        self.logits: Array = self.by[None].copy()
        self.out = self.logits[0]

    def units(self, k: int, hidden_size: int) -> slice:
        """Those of layer k that this process computes."""
        return slice(hidden_size)

    def step(self, ids: list[int]) -> None:
        self.step_all(ids)

    def step_all(self, ids: list[int]) -> None:
        for i in ids:
            for layer in self.layers:
                layer.multiply()
                copyto(layer.h, layer.step(i))
        if ids:
            self.predict()

    def predict(self) -> None:
        dot(self.top, self.Wy, self.out)
        add(self.out, self.by, self.out)

    def state(self, stream: int = 0) -> State:
        self.store()
        arrays = {"h": self.hs.reshape(self.cs.shape), "c": self.cs}
        return {name: arrays[name].copy() for name in self.states}, self.out.copy()

    def set_state(self, state: State, stream: int = 0) -> None:
        copyto(self.hs, state[0]["h"].reshape(-1))
        if "c" in state[0]:
            copyto(self.cs, state[0]["c"])
        copyto(self.out, state[1])
        self.load()

    def store(self) -> None:
        """Copies the memory of the cells to `cs`."""
        for layer, c in zip(self.layers, self.cs, strict=True):
            layer.cell.store(c[layer.units], layer.row)

    def load(self) -> None:
        """Sets the state of the cells to `hs` and `cs`."""
        for layer, c in zip(self.layers, self.cs, strict=True):
            layer.cell.load(layer.h[layer.units], c[layer.units], layer.row)


class Layer:
    """The given units of layer k, whose output is part k of `hs`; a cell of its own keeps the rest of their state."""

    def __init__(self, k: int, config: Config, params: Params, hs: Array, units: slice) -> None:
        H, G, self.units = config.hidden_size, len(CELLS[config.cell].gates), units
        self.h, self.x = hs[k * H : (k + 1) * H], hs[(k - 1) * H : k * H]
        n = len(range(H)[units])
        self.cell = cell = CELLS[config.cell]((n,), np.float32)
        (self.row,) = cell.rows(empty((1, len(cell.tape), n)))
        cell.load(self.h[units], zeros((n,)), self.row)
        own = params.matrix(k).reshape(-1, G, H)[:, :, units]
        Wh, Wx, b = own[:H], own[H:-1], own[-1:]

        def folded(*weights: Array) -> Array:
            out = empty((len(weights), len(weights[0]), G, n))
            for each, place in zip(weights, out, strict=True):
                cell.fold(each, place)
            return out.reshape(-1, G * n)

        (self.b,) = folded(b)
        # above layer 0, xw and hw are one product, [x | h] [Wx; Wh], if the cell only needs their sum
        joined = k > 0 and cell.x_blocks == cell.h_blocks
        self.x_h = hs[(k - 1) * H : (k + 1) * H] if joined else self.h
        self.Wh = folded(Wx, Wh) if joined else folded(Wh)  # (H or 2 H, G·n)
        self.Wx = folded(Wx) if k > 0 and not joined else None
        self.table = None if k else folded(Wx).reshape(-1, G, n)  # a row per symbol
        if self.table is not None:
            add(self.table, self.b.reshape(G, n), self.table)
        self.xw, self.hw = self.b if joined else empty(self.b.shape), empty(self.b.shape)
        self.xw_gates, self.hw_gates = self.xw.reshape(G, n), self.hw.reshape(G, n)

    def multiply(self) -> None:
        """hw, and where the products are joined, x Wx with it."""
        dot(self.x_h, self.Wh, self.hw)

    def step(self, i: int) -> Array:
        """h_t of the units, after `multiply`; layer 0 reads the symbol i."""
        xw = self.xw_gates
        if self.table is not None:
            xw = self.table[i]
        elif self.Wx is not None:
            dot(self.x, self.Wx, self.xw)
            add(self.xw, self.b, self.xw)
        return self.cell.step(xw, self.hw_gates, self.row)


def aligned(weights: Array) -> Array:
    """A copy that starts on a cache line."""
    copy = empty(weights.shape)
    copy[:] = weights
    return copy
