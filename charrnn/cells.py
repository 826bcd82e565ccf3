"""The equations: vanilla RNN, LSTM and GRU, each one step forward and one step back.

Forward, a cell finds h_{t-1} Wh in `a`, one block a gate, and is handed z = x_t Wx + b likewise (those of sigmoid
gates halved, because σ(v) = (tanh(v/2) + 1) / 2 needs only tanh). It returns h_t, and while everything is in the cache
it leaves on the tape the slopes that the way back multiplies with. Backward it is handed dh, the gradient of h_t,
and leaves in `da` the gradients of the pre-activations.

The arrays of a step are blocks (n, B, H/n), but a cell does not care: every line is an equation by element.
The comments are the papers' equations.
"""

import numpy as np
from numpy import add, copyto, multiply, subtract, tanh
from numpy.typing import DTypeLike

from charrnn.arrays import Array, empty, zeros

HALF, ONE = np.array(0.5, np.float32), np.array(1.0, np.float32)  # 0-d arrays: quicker to call with than floats

Slopes = list[Array]


class Cell:
    """One kind of recurrent network, with the scratch of one step.

    `gates` name the blocks of Wx, Wh and b in their order, `states` what is carried from step to step. `halved` are the
    sigmoid gates. `da` has a block for each gate, or more: those of Wh are the last ones, and `inputs` tells those of
    Wx as (first gate, end, first block).
    """

    gates: str
    states: str
    halved: str
    inputs: tuple[tuple[int, int, int], ...]
    slope_count: int
    a: Array
    h: Array
    da: Array
    rest: Array | None  # what reaches h_{t-1} past the product with Wh
    c: Array  # of the LSTM alone
    dc: Array

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        raise NotImplementedError

    @staticmethod
    def slopes(tape: Array) -> Slopes:
        """The slopes of one step, (slope_count, n, B, H/n), as the views that the two ways use."""
        raise NotImplementedError

    def begin(self, h: Array, c: Array) -> None:
        """Takes up the carried-in state, as far as the cell needs it beside `a`."""

    def step(self, z: Array, slopes: Slopes | None) -> Array:
        raise NotImplementedError

    def begin_back(self) -> None:
        """Forgets the gradients of the window before: nothing comes back from what follows the window."""

    def step_back(self, dh: Array, slopes: Slopes) -> None:
        raise NotImplementedError


class RNN(Cell):
    """The vanilla network (Elman 1990), with tanh."""

    gates, states, halved, inputs, slope_count = "h", "h", "", ((0, 1, 0),), 1

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.a, self.da = empty((1, *shape), dtype), empty((1, *shape), dtype)
        self.h, self.da_h = self.a[0], self.da[0]
        self.rest = None

    @staticmethod
    def slopes(tape: Array) -> Slopes:
        return [tape[0]]

    def step(self, z: Array, slopes: Slopes | None) -> Array:
        a, h = self.a, self.h
        add(a, z, a)  # h_t = tanh(x_t Wx + h_{t-1} Wh + b)
        tanh(a, a)
        if slopes is not None:
            multiply(h, h, slopes[0])  # 1 - h²
            subtract(ONE, slopes[0], slopes[0])
        return h

    def step_back(self, dh: Array, slopes: Slopes) -> None:
        multiply(dh, slopes[0], self.da_h)  # da = dh (1 - h²)


class LSTM(Cell):
    """Long short-term memory (Hochreiter & Schmidhuber 1997, forget gate Gers et al. 2000), no peepholes.

    The gates stand in the order i f o g, the sigmoids first; PyTorch's order is i f g o.
    """

    gates, states, halved, inputs, slope_count = "ifog", "hc", "ifo", ((0, 4, 0),), 6

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        s = empty((9, *shape), dtype)  # neighbours serve several equations with one call
        self.i, self.f, self.o, self.g, self.c, self.tanh_c, self.ig, self.fc, self.h = s
        self.a, self.ifo, self.i_f, self.g_c, self.ig_fc, self.ig_fc_h = s[:4], s[:3], s[:2], s[3:5], s[6:8], s[6:9]
        self.dc, self.u = zeros(shape, dtype), empty(shape, dtype)
        self.da = empty((4, *shape), dtype)
        self.da_if, self.da_o, self.da_g = self.da[:2], self.da[2], self.da[3]
        self.rest = None

    @staticmethod
    def slopes(tape: Array) -> Slopes:
        return [tape[:3], tape[:2], tape[2], tape[3], tape[4], tape[5]]  # ifo, if, o, g, c and f

    def begin(self, h: Array, c: Array) -> None:
        copyto(self.c, c)

    def step(self, z: Array, slopes: Slopes | None) -> Array:
        a, ifo, h, tanh_c = self.a, self.ifo, self.h, self.tanh_c
        add(a, z, a)  # i, f, o = σ(...), g = tanh(...)
        tanh(a, a)
        multiply(ifo, HALF, ifo)
        add(ifo, HALF, ifo)
        multiply(self.i_f, self.g_c, self.ig_fc)  # c_t = f * c_{t-1} + i * g
        add(self.ig, self.fc, self.c)
        tanh(self.c, tanh_c)  # h_t = o * tanh(c_t)
        multiply(self.o, tanh_c, h)
        if slopes is not None:
            s_ifo, _, _, s_g, s_c, s_f = slopes
            multiply(self.ig_fc_h, ifo, s_ifo)  # i g (1 - i), f c_{t-1} (1 - f), h (1 - o)
            subtract(self.ig_fc_h, s_ifo, s_ifo)
            multiply(self.ig, self.g, s_g)  # i (1 - g²)
            subtract(self.i, s_g, s_g)
            multiply(h, tanh_c, s_c)  # o (1 - tanh²(c))
            subtract(self.o, s_c, s_c)
            copyto(s_f, self.f)
        return h

    def begin_back(self) -> None:
        self.dc.fill(0.0)

    def step_back(self, dh: Array, slopes: Slopes) -> None:
        dc, u = self.dc, self.u
        _, s_if, s_o, s_g, s_c, f = slopes
        multiply(dh, s_c, u)  # dc += dh o (1 - tanh²(c))
        add(dc, u, dc)
        multiply(dc, s_if, self.da_if)  # da_i = dc g i (1 - i), da_f = dc c_{t-1} f (1 - f)
        multiply(dh, s_o, self.da_o)  # da_o = dh tanh(c) o (1 - o)
        multiply(dc, s_g, self.da_g)  # da_g = dc i (1 - g²)
        multiply(dc, f, dc)  # dc_{t-1} = dc f


class GRU(Cell):
    """Gated recurrent unit (Cho et al. 2014), the reset gate applied after the product, as in cuDNN and PyTorch.

    n = tanh(x_n + r * h_n), h_t = (1 - z) n + z h_{t-1}, where x_n = x_t Wx_n + b_n and h_n = h_{t-1} Wh_n. The paper's
    n = tanh(x_n + (r * h_{t-1}) Wh_n) and its z are the other convention. PyTorch's second bias of n is left out.
    The gradients of x_n and h_n differ, so `da` has four blocks, x_n r z h_n: Wx has the first three, Wh the last.
    """

    gates, states, halved, inputs, slope_count = "rzn", "h", "rz", ((0, 2, 1), (2, 3, 0)), 5

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        s = empty((8, *shape), dtype)
        self.r, self.z, self.h_n, self.m, self.e, self.n, self.u, self.h = s
        self.a, self.rz, self.m_e = s[:3], s[:2], s[3:5]
        self.da = empty((4, *shape), dtype)
        self.da_xn, self.da_r, self.da_z, self.da_hn = self.da
        self.rest = self.zh = zeros(shape, dtype)

    @staticmethod
    def slopes(tape: Array) -> Slopes:
        return [tape[:2], tape[3:], *tape]  # m and e, r and z; m, e, n, r, z

    def begin(self, h: Array, c: Array) -> None:
        copyto(self.h, h)

    def step(self, z: Array, slopes: Slopes | None) -> Array:
        rz, m, e, n, u, h = self.rz, self.m, self.e, self.n, self.u, self.h
        add(rz, z[:2], rz)  # r, z = σ(...)
        tanh(rz, rz)
        multiply(rz, HALF, rz)
        add(rz, HALF, rz)
        multiply(self.r, self.h_n, m)  # n = tanh(x_n + r * h_n), with m = r * h_n
        add(m, z[2], n)
        tanh(n, n)
        subtract(h, n, e)  # h_t = (1 - z) n + z h_{t-1} = n + e, with e = z (h_{t-1} - n)
        multiply(e, self.z, e)
        add(n, e, h)
        if slopes is not None:
            s_me, s_rz, _, _, s_n, _, _ = slopes
            multiply(self.m_e, rz, s_me)  # m (1 - r), e (1 - z)
            subtract(self.m_e, s_me, s_me)
            subtract(ONE, self.z, u)  # (1 - z) (1 - n²)
            multiply(n, n, n)
            multiply(n, u, n)
            subtract(u, n, s_n)
            copyto(s_rz, rz)
        return h

    def begin_back(self) -> None:
        self.zh.fill(0.0)

    def step_back(self, dh: Array, slopes: Slopes) -> None:
        _, _, s_r, s_z, s_n, r, z = slopes
        multiply(dh, s_n, self.da_xn)  # da_xn = dh (1 - z) (1 - n²)
        multiply(dh, s_z, self.da_z)  # da_z = dh (h_{t-1} - n) z (1 - z)
        multiply(self.da_xn, s_r, self.da_r)  # da_r = da_xn h_n r (1 - r)
        multiply(self.da_xn, r, self.da_hn)
        multiply(dh, z, self.zh)


CELLS: dict[str, type[Cell]] = {"lstm": LSTM, "gru": GRU, "rnn": RNN}
