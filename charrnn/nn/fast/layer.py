"""One layer of cells over a window: the time loop, forward and backward, the same for every cell.

T steps, B streams, H units, G gates. The H columns of a gate are n blocks of C columns, so that the arrays of a step
are (G, n, B, C); `layout.py` says why, and chooses C.
"""

from itertools import pairwise

import numpy as np
from numpy import add, copyto, multiply
from numpy.typing import DTypeLike

from charrnn.arrays import LINE, Array, Ids, ceil_div, empty, zeros
from charrnn.nn.fast.cells import CELLS
from charrnn.nn.fast.layout import Division, blocks
from charrnn.nn.fast.weights import PackedWeights
from charrnn.nn.params import Params

Resets = list[Ids | None]  # per step the streams whose state is set to zero before it; None for none


class Window:
    """The buffers of one window shape, which all layers of a network use, one after another."""

    def __init__(self, cell: str, d: Division, steps: int, streams: int, dtype: DTypeLike, training: bool) -> None:
        self.T, self.B, self.H, self.G, self.n, self.C = T, B, H, G, n, C = steps, streams, d.H, d.G, d.n, d.C
        self.dtype, self.training, self.in_blocks = dtype, training, d.in_blocks
        self.hw_pieces, self.dh_pieces = d.hw_pieces, d.dh_pieces
        self.cell = CELLS[cell]((n, B, C), dtype)
        D = len(self.cell.da)  # blocks of da: G, or more
        # xw of the forward pass and da of the backward pass share one buffer: they are not needed at the same time
        flat = empty((T * B * D * H,), dtype)
        self.xw_rows = flat[: T * B * G * H].reshape(T * B, G * H)
        self.xw: Array = self.xw_rows.reshape(T, G * n, B, C)
        if not self.in_blocks:
            self.xw = blocks(self.xw_rows.reshape(T, B, G * H), G * n)
        self.xw_steps: list[Array] = [xw.reshape(G, n, B, C) for xw in self.xw]
        self.da = flat.reshape(T, B, D * H)
        self.da_steps = [da.reshape(D, n, B, C) for da in blocks(self.da, D * n)]
        self.dy = empty((T, B, H), dtype)
        self.dy_steps = list(blocks(self.dy, n))  # (n, B, C) each
        # products with the recurrent weights, in pieces that are summed
        self.hw = empty((G, n, B, C), dtype)
        self.hw_parts = self.hw.reshape(1, G * n, B, C)
        if self.hw_pieces > 1:
            self.hw_parts = empty((self.hw_pieces, G * n, B, C), dtype)
        self.dh, self.dh_parts = empty((n, B, C), dtype), empty((self.dh_pieces, n, B, C), dtype)
        # da of the gates of hw, (dh_pieces, 1, B, G·H / dh_pieces) each
        self.da_pieces = list(blocks(self.da[:, :, (D - G) * H :], self.dh_pieces)[:, :, None])


class Layer:
    """Layer `index` of a network, with its weights, its states and its tape."""

    def __init__(self, index: int, packed: PackedWeights, window: Window) -> None:
        w, self.index, self.window, self.W = window, index, window, packed.params.matrix(index)
        T, B, H, G, n, C, dtype = w.T, w.B, w.H, w.G, w.n, w.C, w.dtype
        # rows [h_{t-1} | x_t | 1], so that Xᵀ da is the gradient of Wh, Wx and b at once; row 0 of h is the carried
        # state, and recurrent dropout masks all rows but the last. Layer 0 has no columns for x: it looks rows of Wx
        # up. Rows are padded to whole cache lines.
        width = H + (H if index else 0) + 1
        self.X = zeros((T + 1, B, ceil_div(width, LINE // 4) * (LINE // 4)), dtype)
        self.X[:, :, width - 1] = 1.0
        self.h, self.x = self.X[:, :, :H], self.X[:T, :, H : width - 1]
        self.h_steps = list(blocks(self.h, n))  # (n, B, C) each
        self.h_pieces = list(blocks(self.h, w.hw_pieces)[:, :, None])  # (hw_pieces, 1, B, H / hw_pieces) each
        # the carried state, and the carried memory, if the cell has one
        self.h_carried, self.c = zeros((B, H), dtype), zeros((n, B, C), dtype)
        self.mask: Array | None = None  # (n, B, C), of recurrent dropout
        self.Wh, self.Wx = packed[f"l{index}.Wh"], packed[f"l{index}.Wx"]
        if not index:
            self.xw = empty((G * n, B, C), dtype)  # of one step
            self.xw_gates = self.xw.reshape(G, n, B, C)
        # only the backward pass needs a tape
        self.tape = zeros((T + 1 if w.training else 1, len(w.cell.tape), n, B, C), dtype)
        self.rows = w.cell.rows(self.tape) if w.training else w.cell.rows(self.tape) * T
        if w.training:
            self.Wh_T = packed[f"l{index}.Wh_T"]

    # Forward pass

    def forward(self, ids: Ids, above: list[Array], resets: Resets | None = None) -> None:
        """Runs the window of ids (T, B), or of `x` above layer 0, and writes every h_t to `above[t]` too.

        `resets[t]` are the streams whose state is set to zero before step t.
        """
        w, cell, T = self.window, self.window.cell, len(ids)
        if self.index:  # xw = [x | 1] [Wx; b] of the whole window
            x = self.X[:T, :, w.H : 2 * w.H + 1]
            if w.in_blocks:
                np.matmul(x[:, None], self.Wx, out=w.xw[:T])
            else:
                np.matmul(x.reshape(T * w.B, -1), self.Wx[0], out=w.xw_rows[: T * w.B])
        copyto(self.h[0], self.h_carried)
        cell.load(self.h_steps[0], self.c, self.rows[0])
        if self.mask is not None:
            multiply(self.h_steps[0], self.mask, self.h_steps[0])
        for t in range(T):
            self.clear(t, resets)
            h = cell.step(self.input(t, ids), self.recurrent(t), self.rows[t])
            if self.mask is None or t + 1 == T:  # the last state is carried, and not masked
                copyto(self.h_steps[t + 1], h)
            else:
                multiply(h, self.mask, self.h_steps[t + 1])
            copyto(above[t], h)

    def clear(self, t: int, resets: Resets | None) -> None:
        """Sets the state of the streams that are reset to zero."""
        if resets is not None and (streams := resets[t]) is not None:
            self.h[t, streams] = 0.0
            self.window.cell.clear(streams, self.rows[t])

    def input(self, t: int, ids: Ids) -> Array:
        """xw (G, n, B, C): a one-hot x_t times Wx is a row of Wx."""
        if self.index:
            return self.window.xw_steps[t]
        np.take(self.Wx, ids[t], axis=1, out=self.xw, mode="clip")
        return self.xw_gates

    def recurrent(self, t: int) -> Array:
        """hw = h_{t-1} Wh (G, n, B, C); with recurrent dropout, h_{t-1} is masked."""
        w = self.window
        np.matmul(self.h_pieces[t], self.Wh, out=w.hw_parts)
        if w.hw_pieces > 1:
            np.sum(w.hw_parts, axis=0, out=w.hw.reshape(w.hw_parts.shape[1:]))
        return w.hw

    # Backward pass

    def backward(self, ids: Ids, grads: Params, resets: Resets | None = None) -> None:
        """From dy (T, B, H) of this layer to the gradients of its weights, and to dy of the layer below."""
        w, T = self.window, len(ids)
        self.time_back(T, resets)
        X, da = self.X[:T].reshape(T * w.B, -1), w.da[:T].reshape(T * w.B, -1)
        self.weight_gradients(ids, X, da, grads.matrix(self.index))
        if self.index:
            Wx_T = in_order_of_da(self.W[w.H : -1], w.cell.x_blocks).T
            np.matmul(da[:, : w.G * w.H], Wx_T, out=w.dy[:T].reshape(T * w.B, w.H))

    def time_back(self, T: int, resets: Resets | None) -> None:
        """da of the whole window, from dy."""
        w, cell = self.window, self.window.cell
        w.dh_parts.fill(0.0)
        cell.start_back()
        for t in range(T - 1, -1, -1):
            cell.step_back(self.dh(t), self.rows[t])
            copyto(w.da_steps[t], cell.da)
            np.matmul(w.da_pieces[t], self.Wh_T, out=w.dh_parts)
            if self.mask is not None:
                multiply(w.dh_parts, self.mask, w.dh_parts)
            self.clear_back(t, resets)

    def dh(self, t: int) -> Array:
        """The gradient of h_t (n, B, C): from the layer above, and from step t + 1."""
        w, dh = self.window, self.window.dh
        add(w.dy_steps[t], w.dh_parts[0], dh)
        for part in w.dh_parts[1:]:
            add(dh, part, dh)
        if w.cell.dh_direct is not None:
            add(dh, w.cell.dh_direct, dh)
        return dh

    def clear_back(self, t: int, resets: Resets | None) -> None:
        """No gradient passes from step t to the step before it in the streams that are reset."""
        if resets is not None and (streams := resets[t]) is not None:
            self.window.dh_parts[:, :, streams] = 0.0
            self.window.cell.clear_back(streams)

    def weight_gradients(self, ids: Ids, X: Array, da: Array, dW: Array) -> None:
        """dW (H + inputs + 1, G·H) = [h | x | 1]ᵀ da, summed over the window."""
        w, H, cell = self.window, self.window.H, self.window.cell
        if self.index and cell.x_blocks == cell.h_blocks:
            np.matmul(X[:, : 2 * H + 1].T, da, out=dW)
            return
        np.matmul(X[:, :H].T, da[:, -w.G * H :], out=dW[:H])
        ordered = cell.x_blocks == tuple(range(w.G))
        dWx = dW[H:] if ordered else np.empty_like(dW[H:])  # the gates in the order of da
        if self.index:
            np.matmul(X[:, H : 2 * H + 1].T, da[:, : w.G * H], out=dWx)
        else:
            sum_rows(ids.reshape(-1), da, dWx[:-1])
            np.sum(dWx[:-1], axis=0, out=dWx[-1])
        if not ordered:
            copyto(dW[H:].reshape(-1, w.G, H), dWx.reshape(-1, w.G, H)[:, list(cell.x_blocks)])

    # The carried state

    def carry(self, T: int) -> None:
        """The state after a window of T steps becomes the state before the next."""
        copyto(self.h_carried, self.h[T])
        self.window.cell.store(self.c, self.rows[T - 1])

    def reset(self) -> None:
        """An empty state."""
        self.h_carried.fill(0.0)
        self.c.fill(0.0)


def in_order_of_da(Wx: Array, x_blocks: tuple[int, ...]) -> Array:
    """Wx (inputs, G·H) with its gates in the order of their blocks of da."""
    gates = np.argsort(x_blocks).tolist()
    if gates == list(range(len(gates))):
        return Wx
    columns = np.split(Wx, len(gates), axis=1)
    return np.concatenate([columns[gate] for gate in gates], axis=1)


def sum_rows(ids: Ids, rows: Array, out: Array) -> None:
    """out[v] = the sum of the rows whose id is v, of as many columns as out has: the gradient of looking rows up."""
    out[:] = 0.0
    order = np.argsort(ids, kind="stable")
    symbols, starts = np.unique(ids[order], return_index=True)
    for symbol, (start, end) in zip(symbols.tolist(), pairwise([*starts.tolist(), len(ids)]), strict=True):
        add.reduce(rows.take(order[start:end], axis=0)[:, : out.shape[1]], axis=0, out=out[symbol])
