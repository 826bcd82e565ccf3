"""The equations of `nn/equations.py`, computed in place: each cell one step forward and one step backward.

You may skip this folder: it computes the same results faster.

Forward, a cell is given xw = x_t Wx + b and hw = h_{t-1} Wh, one block per gate, writes what the backward pass needs to
its row of the tape, and returns h_t. Backward, it is given dh and the same row, and leaves in `da` the gradients of xw
and hw. All arrays are (..., n, B, C), the H columns of a gate as n blocks of C, but every line works by element.
Neighbouring gates are computed by one call where the equation is the same. The comments are the equations.
"""

from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy import add, copyto, multiply, subtract, tanh
from numpy.typing import DTypeLike

from charrnn.arrays import Array, Ids, empty, zeros

HALF, ONE = np.array(0.5, np.float32), np.array(1.0, np.float32)  # 0-d arrays: quicker to call with than floats
Row = TypeVar("Row")


class Cell(Generic[Row]):
    """One kind of recurrent network, with the scratch memory of one step.

    `gates`, `states` and `sigmoids` are those of the class of the same name in `nn/equations.py`, with the sigmoid
    gates first. `x_blocks` and `h_blocks` tell which block of `da` is the gradient of each gate's block of xw, and of
    hw. In `da`, the blocks of xw are the first, and those of hw the last. `tape` names what the tape keeps of a step.
    """

    gates: str
    states: str
    sigmoids: str
    x_blocks: tuple[int, ...]
    h_blocks: tuple[int, ...]
    tape: tuple[str, ...]
    da: Array  # (blocks of da, n, B, C)
    dh_direct: Array | None = None  # (n, B, C), the gradient of h_{t-1} that does not pass through Wh

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        """`shape` is (n, B, C)."""
        raise NotImplementedError

    @classmethod
    def fold(cls, W: Array, out: Array) -> None:
        """Copies weights (..., G·H) to `out` (..., G·n, C), those of the sigmoid gates halved.

        σ(v) = (tanh(v/2) + 1) / 2, so with half of the weights one call of tanh serves all gates.
        """
        copyto(out, W.reshape(out.shape))
        sigmoids = out[..., : out.shape[-2] * len(cls.sigmoids) // len(cls.gates), :]
        multiply(sigmoids, HALF, sigmoids)

    @staticmethod
    def row(now: Array, following: Array) -> Row:
        """Views of a step's memory on the tape, (len(tape), n, B, C), and on that of the following step."""
        raise NotImplementedError

    def rows(self, tape: Array) -> list[Row]:
        """The rows of T steps on a tape of T + 1; a tape of one is a single row, used by every step."""
        return [self.row(tape[t], tape[min(t + 1, len(tape) - 1)]) for t in range(max(len(tape) - 1, 1))]

    def load(self, h: Array, c: Array, row: Row) -> None:
        """Sets the state before the step of this row."""

    def clear(self, streams: Ids, row: Row) -> None:
        """Sets the state of these streams before the step of this row to zero."""

    def step(self, xw: Array, hw: Array, row: Row) -> Array:
        """h_t, from xw and hw (G, n, B, C)."""
        raise NotImplementedError

    def store(self, c: Array, row: Row) -> None:
        """Copies the memory after the step of this row, if there is one."""

    def start_back(self) -> None:
        """No gradient enters from after the window."""

    def step_back(self, dh: Array, row: Row) -> None:
        """Computes `da`, `dh_direct`, and the gradient of c_{t-1}."""

    def clear_back(self, streams: Ids) -> None:
        """Stops the gradients of these streams, whose state was cleared before this step."""


def sigmoid_of_tanh(values: Array) -> None:
    """Completes σ(v) = (tanh(v/2) + 1) / 2, given tanh(v/2)."""
    multiply(values, HALF, values)
    add(values, HALF, values)


class RNNRow(NamedTuple):
    gates: Array  # (1, n, B, C)
    h: Array


class RNN(Cell[RNNRow]):
    """The vanilla network."""

    gates, states, sigmoids, x_blocks, h_blocks = "h", "h", "", (0,), (0,)
    tape = ("h",)

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.da = empty((1, *shape), dtype)

    @staticmethod
    def row(now: Array, following: Array) -> RNNRow:
        return RNNRow(gates=now, h=now[0])

    def step(self, xw: Array, hw: Array, row: RNNRow) -> Array:
        # h = tanh(xw + hw)
        add(xw, hw, row.gates)
        tanh(row.gates, row.gates)
        return row.h

    def step_back(self, dh: Array, row: RNNRow) -> None:
        # da = dh (1 - h²)
        da = self.da[0]
        multiply(row.h, row.h, da)
        subtract(ONE, da, da)
        multiply(dh, da, da)


class LSTMRow(NamedTuple):
    gates: Array  # i f o g
    ifo: Array
    i_f: Array
    g_c: Array  # g and c_{t-1}
    o: Array
    g: Array
    c_prev: Array
    tanh_c: Array
    c: Array  # c_t, which is c_prev of the following step


class LSTM(Cell[LSTMRow]):
    """Long short-term memory."""

    gates, states, sigmoids, x_blocks, h_blocks = "ifog", "hc", "ifo", (0, 1, 2, 3), (0, 1, 2, 3)
    tape = ("i", "f", "o", "g", "c_prev", "tanh_c")

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.h = empty(shape, dtype)
        self.ig_fc = empty((2, *shape), dtype)  # i g, f c_{t-1}
        self.ig, self.fc = self.ig_fc
        self.da = empty((4, *shape), dtype)
        self.da_ifo, self.da_g = self.da[:3], self.da[3]
        self.dc, self.scratch, self.scratch_ifo = empty(shape, dtype), empty(shape, dtype), empty((3, *shape), dtype)
        gradients = zeros((3, *shape), dtype)  # dc i, dc f, dh o
        self.dc_if = gradients[:2]
        self.dc_i, self.dc_prev, self.dh_o = gradients
        self.terms = empty((3, *shape), dtype)  # dc i g, dc f c_prev, dh o tanh(c)
        self.terms_if = self.terms[:2]
        self.dc_i_g, _, self.dh_o_tanh_c = self.terms

    @staticmethod
    def row(now: Array, following: Array) -> LSTMRow:
        return LSTMRow(now[:4], now[:3], now[:2], now[3:5], now[2], now[3], now[4], now[5], following[4])

    def load(self, h: Array, c: Array, row: LSTMRow) -> None:
        copyto(row.c_prev, c)

    def clear(self, streams: Ids, row: LSTMRow) -> None:
        row.c_prev[:, streams] = 0.0

    def step(self, xw: Array, hw: Array, row: LSTMRow) -> Array:
        # i, f, o = σ(xw + hw), g = tanh(xw + hw)
        add(xw, hw, row.gates)
        tanh(row.gates, row.gates)
        sigmoid_of_tanh(row.ifo)
        # c = f * c_prev + i * g
        multiply(row.i_f, row.g_c, self.ig_fc)
        add(self.ig, self.fc, row.c)
        # h = o * tanh(c)
        tanh(row.c, row.tanh_c)
        multiply(row.o, row.tanh_c, self.h)
        return self.h

    def store(self, c: Array, row: LSTMRow) -> None:
        copyto(c, row.c)

    def start_back(self) -> None:
        self.dc_prev.fill(0.0)

    def step_back(self, dh: Array, row: LSTMRow) -> None:
        scratch = self.scratch
        # dc = dc_next + dh o (1 - tanh²(c)), where dc_next is dc_prev of the following step
        multiply(dh, row.o, self.dh_o)
        multiply(self.dh_o, row.tanh_c, self.dh_o_tanh_c)
        multiply(self.dh_o_tanh_c, row.tanh_c, scratch)
        subtract(self.dh_o, scratch, scratch)
        add(self.dc_prev, scratch, self.dc)
        # dc_prev = dc f
        multiply(row.i_f, self.dc, self.dc_if)
        multiply(self.dc_if, row.g_c, self.terms_if)
        # da_i = dc i g (1 - i), da_f = dc f c_prev (1 - f), da_o = dh o tanh(c) (1 - o)
        multiply(self.terms, row.ifo, self.scratch_ifo)
        subtract(self.terms, self.scratch_ifo, self.da_ifo)
        # da_g = dc i (1 - g²)
        multiply(self.dc_i_g, row.g, scratch)
        subtract(self.dc_i, scratch, self.da_g)

    def clear_back(self, streams: Ids) -> None:
        self.dc_prev[:, streams] = 0.0


class GRURow(NamedTuple):
    rz: Array
    r: Array
    z: Array
    r_hw: Array  # r hw_n
    z_diff: Array  # z (h_{t-1} - n)
    n: Array


class GRU(Cell[GRURow]):
    """Gated recurrent unit. The gradients of xw_n and hw_n differ: `da` has the blocks xw_n, r, z, hw_n."""

    gates, states, sigmoids, x_blocks, h_blocks = "rzn", "h", "rz", (1, 2, 0), (1, 2, 3)
    tape = ("r", "z", "r_hw", "z_diff", "n")

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.h = empty(shape, dtype)
        self.da = empty((4, *shape), dtype)
        self.da_xn, self.da_rz, self.da_hn = self.da[0], self.da[1:3], self.da[3]
        self.scratch, self.scratch_rz = empty(shape, dtype), empty((2, *shape), dtype)
        self.terms = empty((2, *shape), dtype)  # da_xn r hw_n, dh z (h_{t-1} - n)
        self.dh_direct = self.dh_z = zeros(shape, dtype)

    @staticmethod
    def row(now: Array, following: Array) -> GRURow:
        return GRURow(now[:2], *now)

    def load(self, h: Array, c: Array, row: GRURow) -> None:
        copyto(self.h, h)

    def clear(self, streams: Ids, row: GRURow) -> None:
        self.h[:, streams] = 0.0

    def step(self, xw: Array, hw: Array, row: GRURow) -> Array:
        h = self.h  # h_prev, until the last line
        # r, z = σ(xw + hw)
        add(xw[:2], hw[:2], row.rz)
        tanh(row.rz, row.rz)
        sigmoid_of_tanh(row.rz)
        # n = tanh(xw_n + r hw_n)
        multiply(row.r, hw[2], row.r_hw)
        add(row.r_hw, xw[2], row.n)
        tanh(row.n, row.n)
        # h = (1 - z) n + z h_prev = n + z (h_prev - n)
        subtract(h, row.n, row.z_diff)
        multiply(row.z_diff, row.z, row.z_diff)
        add(row.n, row.z_diff, h)
        return h

    def start_back(self) -> None:
        self.dh_z.fill(0.0)

    def step_back(self, dh: Array, row: GRURow) -> None:
        da_xn, scratch = self.da_xn, self.scratch
        # da_xn = dh (1 - z) (1 - n²)
        multiply(dh, row.z, self.dh_z)
        subtract(dh, self.dh_z, scratch)
        multiply(scratch, row.n, da_xn)
        multiply(da_xn, row.n, da_xn)
        subtract(scratch, da_xn, da_xn)
        # da_r = da_xn hw_n r (1 - r), da_z = dh (h_prev - n) z (1 - z)
        multiply(da_xn, row.r_hw, self.terms[0])
        multiply(dh, row.z_diff, self.terms[1])
        multiply(self.terms, row.rz, self.scratch_rz)
        subtract(self.terms, self.scratch_rz, self.da_rz)
        # da_hn = da_xn r
        multiply(da_xn, row.r, self.da_hn)

    def clear_back(self, streams: Ids) -> None:
        self.dh_z[:, streams] = 0.0


CELLS: dict[str, type[Cell[Any]]] = {"lstm": LSTM, "gru": GRU, "rnn": RNN}
