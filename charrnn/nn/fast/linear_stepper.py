"""One stream of a linear recurrence, read symbol by symbol, as in `stepper.py`."""

import math

import numpy as np
from numpy import matmul, multiply, tanh

from charrnn.arrays import Array, empty
from charrnn.nn.fast.linear import with_ones
from charrnn.nn.fast.recurrences import LRU, RECURRENCES
from charrnn.nn.fast.stepper import aligned
from charrnn.nn.interface import State
from charrnn.nn.linear import EPS
from charrnn.nn.params import Config, Params


class LinearStepper:
    """A step costs little more than reading the weights once; the methods are described in `nn/interface.py`.

    σ(v) = (tanh(v/2) + 1) / 2: the halves are part of the weights, except that of z.
    """

    def __init__(self, config: Config, params: Params) -> None:
        H, self.config, self.E = config.hidden_size, config, params["E"]
        self.recurrences = [RECURRENCES[config.cell](1, 1, H, np.float32) for _ in range(config.layers)]
        self.Wx, self.Wo = list[Array](), list[Array]()
        for k, recurrence in enumerate(self.recurrences):
            W = aligned(recurrence.pack(params, k, params.stacked(f"l{k}.Wx", f"l{k}.b")))
            if "z" in config.gates:
                W[:, :H] *= 0.5
            self.Wx.append(W)
            self.Wo.append(aligned(params.stacked(f"l{k}.Wo", f"l{k}.bo") * np.float32(0.5)))
        self.Wy = aligned(params.stacked("Wy", "by"))
        self.states1 = [with_ones(1, len(config.states) * H, np.float32)[0] for _ in range(config.layers)]
        self.x, self.og = empty((H,)), empty((2 * H,))
        self.u1: Array = with_ones(1, H, np.float32)[0]
        self.xw, self.crossed = empty((2 * H,)), empty((2, 1, H))
        self.first: dict[int, Array] = {}  # xw of layer 0 by symbol
        self.logits: Array = params["by"][None].copy()

    def step(self, ids: list[int]) -> None:
        self.step_all(ids)

    def step_all(self, ids: list[int]) -> None:
        x, H, og = self.x, self.config.hidden_size, self.og
        for i in ids:
            x[:] = self.E[i]
            for k, states1 in enumerate(self.states1):
                self.recur(k, states1[:-1], self.input(k, i))
                # x += o σ(g)
                matmul(states1, self.Wo[k], out=og)
                tanh(og[H:], og[H:])
                og[H:] += 1.0
                og[:H] *= og[H:]
                x += og[:H]
        if ids:
            self.logits = matmul(self.normalized(), self.Wy)[None]

    def input(self, k: int, i: int) -> Array:
        """xw of layer k; in layer 0 it depends on the symbol alone."""
        xw = self.xw
        if k == 0 and i in self.first:
            xw[:] = self.first[i]
        else:
            matmul(self.normalized(), self.Wx[k], out=xw)
            if k == 0:
                self.first[i] = xw.copy()
        return xw

    def normalized(self) -> Array:
        """[u 1]"""
        multiply(self.x, 1.0 / math.sqrt(float(self.x @ self.x) / len(self.x) + EPS), self.u1[:-1])
        return self.u1

    def recur(self, k: int, state: Array, xw: Array) -> None:
        """The state after the step; overwrites xw."""
        recurrence = self.recurrences[k]
        if isinstance(recurrence, LRU):
            s = state.reshape(2, 1, -1)
            multiply(s[::-1], recurrence.im, self.crossed)
            s *= recurrence.re
            s += self.crossed
            state += xw
            return
        # h = h_prev + (n - h_prev) z
        z, change = xw.reshape(2, -1)
        tanh(z, z)
        z += 1.0
        change -= state
        change *= z
        change *= 0.5
        state += change

    def state(self, stream: int = 0) -> State:
        states = np.stack([states1[:-1].reshape(-1, self.config.hidden_size) for states1 in self.states1], axis=1)
        return dict(zip(self.config.states, states, strict=True)), self.logits[0].copy()

    def set_state(self, state: State, stream: int = 0) -> None:
        for k, states1 in enumerate(self.states1):
            states1[:-1] = np.concatenate([state[0][name][k] for name in self.config.states])
        self.logits = state[1][None].copy()
