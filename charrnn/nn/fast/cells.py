"""The equations: vanilla RNN, LSTM and GRU, each one step forward and one step back.

Forward, a cell finds h_{t-1} Wh in `a`, one block a gate, and is handed z = x_t Wx + b likewise (those of sigmoid
gates halved, because σ(v) = (tanh(v/2) + 1) / 2 needs only tanh). It writes its gates and what else the way back needs
to the tape, and returns h_t. Backward it is handed dh, the gradient of h_t, and leaves in `da` the gradients of the
pre-activations.

The arrays of a step are blocks (n, B, H/n), but a cell does not care: every line is an equation by element.
The comments are the papers' equations.
"""

import numpy as np
from numpy import add, copyto, multiply, subtract, tanh
from numpy.typing import DTypeLike

from charrnn.arrays import Array, empty, zeros

HALF, ONE = np.array(0.5, np.float32), np.array(1.0, np.float32)  # 0-d arrays: quicker to call with than floats
Row = list[Array]


class Cell:
    """One kind of recurrent network, with the scratch of one step.

    `gates` name the blocks of Wx, Wh and b in their order, `states` what is carried from step to step. `halved` are the
    sigmoid gates. `da` has a block for each gate, or more: those of Wh are the last ones, and `inputs` tells those of
    Wx as (first gate, end, first block). `tape` names what the tape keeps of a step.
    """

    gates: str
    states: str
    halved: str
    inputs: tuple[tuple[int, int, int], ...]
    tape: tuple[str, ...]
    a: Array
    da: Array
    dh_direct: Array | None  # what reaches h_{t-1} past the product with Wh
    c: Array  # of the LSTM alone
    dc_prev: Array  # and what comes back to c_{t-1}

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        raise NotImplementedError

    @staticmethod
    def row(now: Array, then: Array) -> Row:
        """A step's row of the tape, (len(tape), n, B, H/n), and the next one's, as the views that the two ways use."""
        raise NotImplementedError

    def rows(self, tape: Array) -> list[Row]:
        """The rows of T steps, given a tape of T + 1; a tape of one is a row that is written over and over."""
        return [self.row(tape[t], tape[min(t + 1, len(tape) - 1)]) for t in range(max(len(tape) - 1, 1))]

    def begin(self, h: Array, c: Array, row: Row) -> None:
        """Takes up the carried-in state, as far as the cell needs it beside `a`; `row` is the first."""

    def step(self, z: Array, row: Row) -> Array:
        raise NotImplementedError

    def begin_back(self) -> None:
        """Forgets the gradients of the window before: nothing comes back from what follows the window."""

    def step_back(self, dh: Array, row: Row) -> None:
        raise NotImplementedError


class RNN(Cell):
    """The vanilla network (Elman 1990), with tanh."""

    gates, states, halved, inputs, tape = "h", "h", "", ((0, 1, 0),), ("h",)

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.a, self.da = empty((1, *shape), dtype), empty((1, *shape), dtype)
        self.a_h, self.da_h = self.a[0], self.da[0]
        self.dh_direct = None

    @staticmethod
    def row(now: Array, then: Array) -> Row:
        return [now[0]]

    def step(self, z: Array, row: Row) -> Array:
        (h,) = row
        add(self.a, z, self.a)  # h_t = tanh(x_t Wx + h_{t-1} Wh + b)
        tanh(self.a_h, h)
        return h

    def step_back(self, dh: Array, row: Row) -> None:
        (h,), da = row, self.da_h
        multiply(h, h, da)  # da = dh (1 - h²)
        subtract(ONE, da, da)
        multiply(dh, da, da)


class LSTM(Cell):
    """Long short-term memory (Hochreiter & Schmidhuber 1997, forget gate Gers et al. 2000), no peepholes.

    The gates stand in the order i f o g, the sigmoids first; PyTorch's order is i f g o.
    """

    gates, states, halved, inputs = "ifog", "hc", "ifo", ((0, 4, 0),)
    tape = ("i", "f", "o", "g", "c", "tanh_c")  # c is c_{t-1}; neighbours serve several equations with one call

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.a, self.da = empty((4, *shape), dtype), empty((4, *shape), dtype)
        self.ig_fc, self.h, self.u = empty((2, *shape), dtype), empty(shape, dtype), empty(shape, dtype)
        self.ig, self.fc = self.ig_fc
        self.da_ifo, self.da_g = self.da[:3], self.da[3]
        self.e, self.p, self.q = zeros((3, *shape), dtype), empty((3, *shape), dtype), empty((3, *shape), dtype)
        self.e_if, self.p_if, self.dc = self.e[:2], self.p[:2], empty(shape, dtype)
        self.e_i, self.dc_prev, self.e_o = self.e
        self.p_i, _, self.p_o = self.p
        self.dh_direct = None

    @staticmethod
    def row(now: Array, then: Array) -> Row:
        return [now[:4], now[:3], now[:2], now[3:5], now[2], now[3], now[5], then[4]]

    def begin(self, h: Array, c: Array, row: Row) -> None:
        _, _, _, g_c, _, _, _, _ = row
        copyto(g_c[1], c)

    def step(self, z: Array, row: Row) -> Array:
        a, h = self.a, self.h
        gates, ifo, i_f, g_c, o, _, tanh_c, c = row
        add(a, z, a)  # i, f, o = σ(...), g = tanh(...)
        tanh(a, gates)
        multiply(ifo, HALF, ifo)
        add(ifo, HALF, ifo)
        multiply(i_f, g_c, self.ig_fc)  # c_t = f * c_{t-1} + i * g
        add(self.ig, self.fc, c)
        tanh(c, tanh_c)  # h_t = o * tanh(c_t)
        multiply(o, tanh_c, h)
        self.c = c
        return h

    def begin_back(self) -> None:
        self.e.fill(0.0)

    def step_back(self, dh: Array, row: Row) -> None:
        e_o, p_o, p, q, u, dc = self.e_o, self.p_o, self.p, self.q, self.u, self.dc
        _, ifo, i_f, g_c, o, g, tanh_c, _ = row
        multiply(dh, o, e_o)  # dc_t = dc_{t+1} f_{t+1} + dh o (1 - tanh²(c_t))
        multiply(e_o, tanh_c, p_o)
        multiply(p_o, tanh_c, u)
        subtract(e_o, u, u)
        add(self.dc_prev, u, dc)
        multiply(i_f, dc, self.e_if)  # dc i, and dc f, which goes back to dc_{t-1}
        multiply(self.e_if, g_c, self.p_if)
        multiply(p, ifo, q)  # da_i = dc i g (1 - i), da_f = dc f c_{t-1} (1 - f), da_o = dh o tanh(c) (1 - o)
        subtract(p, q, self.da_ifo)
        multiply(self.p_i, g, u)  # da_g = dc i (1 - g²)
        subtract(self.e_i, u, self.da_g)


class GRU(Cell):
    """Gated recurrent unit (Cho et al. 2014), the reset gate applied after the product, as in cuDNN and PyTorch.

    n = tanh(x_n + r * h_n), h_t = (1 - z) n + z h_{t-1}, where x_n = x_t Wx_n + b_n and h_n = h_{t-1} Wh_n. The paper's
    n = tanh(x_n + (r * h_{t-1}) Wh_n) and its z are the other convention. PyTorch's second bias of n is left out.
    The gradients of x_n and h_n differ, so `da` has four blocks, x_n r z h_n: Wx has the first three, Wh the last.
    """

    gates, states, halved, inputs = "rzn", "h", "rz", ((0, 2, 1), (2, 3, 0))
    tape = ("r", "z", "m", "e", "n")  # m = r * h_n, e = z (h_{t-1} - n)

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.a, self.da = empty((3, *shape), dtype), empty((4, *shape), dtype)
        self.a_rz, self.h_n = self.a[:2], self.a[2]
        self.da_xn, self.da_r, self.da_z, self.da_hn = self.da
        self.da_rz = self.da[1:3]
        self.h, self.u = empty(shape, dtype), empty(shape, dtype)
        self.p, self.q = empty((2, *shape), dtype), empty((2, *shape), dtype)
        self.p_r, self.p_z = self.p
        self.dh_direct = self.zh = zeros(shape, dtype)

    @staticmethod
    def row(now: Array, then: Array) -> Row:
        return [now[:2], *now]

    def begin(self, h: Array, c: Array, row: Row) -> None:
        copyto(self.h, h)

    def step(self, z: Array, row: Row) -> Array:
        a, h = self.a_rz, self.h
        rz, r, zg, m, e, n = row
        add(a, z[:2], a)  # r, z = σ(...)
        tanh(a, rz)
        multiply(rz, HALF, rz)
        add(rz, HALF, rz)
        multiply(r, self.h_n, m)  # n = tanh(x_n + r * h_n), with m = r * h_n
        add(m, z[2], n)
        tanh(n, n)
        subtract(h, n, e)  # h_t = (1 - z) n + z h_{t-1} = n + e, with e = z (h_{t-1} - n)
        multiply(e, zg, e)
        add(n, e, h)
        return h

    def begin_back(self) -> None:
        self.zh.fill(0.0)

    def step_back(self, dh: Array, row: Row) -> None:
        p, q, u, da_xn, zh = self.p, self.q, self.u, self.da_xn, self.zh
        rz, r, z, m, e, n = row
        multiply(dh, z, zh)  # dh_{t-1} = dh z, and by way of the product
        subtract(dh, zh, u)  # da_xn = dh (1 - z) (1 - n²)
        multiply(u, n, da_xn)
        multiply(da_xn, n, da_xn)
        subtract(u, da_xn, da_xn)
        multiply(da_xn, m, self.p_r)  # da_r = da_xn h_n r (1 - r), da_z = dh (h_{t-1} - n) z (1 - z)
        multiply(dh, e, self.p_z)
        multiply(p, rz, q)
        subtract(p, q, self.da_rz)
        multiply(da_xn, r, self.da_hn)  # da_hn = da_xn r


CELLS: dict[str, type[Cell]] = {"lstm": LSTM, "gru": GRU, "rnn": RNN}
