"""One layer of cells over a window: the time loop, forward and back, written once for every cell.

Rows are streams. `X` holds the rows [h_{t-1} | x_t | 1] of the window, so that the product of its transpose with the
gradients of the pre-activations is the gradient of Wh, Wx and b at once, without a copy. Row 0 of `h` is the state
that was carried in. The weights keep their published shapes; `pack` makes the copies that the loop multiplies with.
"""

import numpy as np
from numpy import add, copyto
from numpy.typing import DTypeLike

from charrnn.arrays import LINE, Array, Ids, empty, zeros
from charrnn.nn.fast.cells import CELLS, Cell
from charrnn.nn.fast.layout import block_width, blocks, groups, pieces, small
from charrnn.nn.params import Params

ONE_HOT_COLUMNS = 256  # up to so many columns a product with one-hot rows beats adding rows one by one
ONE_HOT_SYMBOLS = 512
Resets = list[Ids | None]  # per step the streams whose state is set to zero before it; None for none


class Window:
    """The buffers of one window shape that all layers of a network share, one after another."""

    def __init__(self, cell: str, hidden_size: int, steps: int, streams: int, dtype: DTypeLike, training: bool) -> None:
        self.T, self.B, self.H = steps, streams, hidden_size
        self.dtype, self.training = dtype, training
        self.C = block_width(hidden_size, streams)
        self.n = hidden_size // self.C
        self.cell: Cell = CELLS[cell]((self.n, streams, self.C), dtype)
        self.G, self.slots = len(self.cell.gates), len(self.cell.da)
        # z = x Wx + b on the way forward, in blocks where their products are small, and da on the way back
        flat = empty((steps * streams * self.slots * hidden_size,), dtype)
        rows = flat[: steps * streams * self.G * hidden_size].reshape(steps, streams, -1)
        self.in_blocks = small(streams, hidden_size + 1, self.C)
        self.z = rows.reshape(steps, -1, streams, self.C) if self.in_blocks else blocks(rows, self.G * self.n)
        self.da = flat.reshape(steps, streams, self.slots * hidden_size)
        self.dy = empty((steps, streams, hidden_size), dtype)
        # which columns of Wx go with which of da
        self.columns = [
            (
                slice(first * hidden_size, end * hidden_size),
                slice(block * hidden_size, (block + end - first) * hidden_size),
            )
            for first, end, block in self.cell.inputs
        ]
        self.halving = np.repeat([0.5 if gate in self.cell.halved else 1.0 for gate in self.cell.gates], hidden_size)
        self.halving = self.halving.astype(dtype)
        self.z_rows = rows.reshape(steps * streams, -1)
        self.z_blocks = [z.reshape(self.cell.a.shape) for z in self.z]
        self.da_blocks = [da.reshape(self.cell.da.shape) for da in blocks(self.da, self.slots * self.n)]
        self.dy_blocks = list(blocks(self.dy, self.n))


class Layer:
    """Layer `index` of a network, with its tape."""

    def __init__(self, index: int, vocab_size: int, window: Window) -> None:
        w, self.index, self.window = window, index, window
        T, B, H, G, n, C = w.T, w.B, w.H, w.G, w.n, w.C
        self.inputs = H if index else vocab_size
        width = H + (H if index else 0) + 1
        # layer 0 has no columns for x: it looks rows of Wx up; rows are padded to whole cache lines
        self.X = zeros((T + 1, B, -(-width // (LINE // 4)) * (LINE // 4)), w.dtype)
        self.X[:, :, width - 1] = 1.0
        self.h, self.x = self.X[:, :, :H], self.X[:T, :, H : width - 1]
        self.c, self.c_end = zeros((n, B, C), w.dtype), zeros((n, B, C), w.dtype)
        self.k_forward, self.k_back = pieces(H, C, B), pieces(G * H, C, B)
        self.Wh = empty((self.k_forward, G * n, H // self.k_forward, C), w.dtype)
        self.part = empty((self.k_forward, G * n, B, C), w.dtype)
        self.h_blocks = list(blocks(self.h, n))
        self.h_pieces = list(blocks(self.h, self.k_forward)[:, :, None])
        if index:
            self.Wx = empty((G * n, H + 1, C) if w.in_blocks else (1, H + 1, G * H), w.dtype)
        else:
            self.table, self.z_row = empty((G * n, vocab_size, C), w.dtype), empty((G * n, B, C), w.dtype)
        # a tape is kept for the way back alone
        self.tape = zeros((T + 1 if w.training else 1, len(w.cell.tape), n, B, C), w.dtype)
        self.rows = w.cell.rows(self.tape) if w.training else w.cell.rows(self.tape) * T
        if w.training:
            self.Wh_T = empty((self.k_back, n, G * H // self.k_back, C), w.dtype)
            self.part_back, self.dh = empty((self.k_back, n, B, C), w.dtype), empty((n, B, C), w.dtype)
            recurrent = w.da[:, :, (w.slots - G) * H :]
            self.da_pieces = list(blocks(recurrent, self.k_back)[:, :, None])

    def pack(self, params: Params) -> None:
        """Copies the weights into the blocks that the loop multiplies with; needed whenever they have changed."""
        w, W = self.window, params.matrix(self.index)
        H, n, C = w.H, w.n, w.C
        Wh, halving = W[:H], w.halving.reshape(-1, 1, C)
        np.multiply(blocks(Wh.reshape(self.k_forward, H // self.k_forward, -1), w.G * n), halving, out=self.Wh)
        if self.index:
            np.multiply(blocks(W[H:], len(self.Wx)), w.halving.reshape(len(self.Wx), 1, -1), out=self.Wx)
        else:
            add(blocks(W[H:-1], w.G * n), W[-1].reshape(-1, 1, C), out=self.table)
            np.multiply(self.table, halving, out=self.table)
        if w.training:
            copyto(self.Wh_T, blocks(Wh.T.reshape(self.k_back, -1, H), n))

    def forward(self, ids: Ids, above: list[Array], resets: Resets | None = None) -> None:
        """Runs the window of ids (T, B), or of what stands in `x`, and writes every h_t to `above[t]` too.

        `resets[t]` are the streams whose state is set to zero before step t.
        """
        w, T = self.window, len(ids)
        cell = w.cell
        gates = cell.a.reshape(1, *self.part.shape[1:])
        part = gates if self.k_forward == 1 else self.part
        z_row = None if self.index else self.z_row.reshape(cell.a.shape)
        if self.index:
            self._inputs(T)
        cell.begin(self.h_blocks[0], self.c, self.rows[0])
        for t in range(T):
            if resets is not None and (mine := resets[t]) is not None:
                self._forget(t, mine)
            if z_row is not None:  # a one-hot x_t times Wx is a row of Wx
                np.take(self.table, ids[t], axis=1, out=self.z_row, mode="clip")
            np.matmul(self.h_pieces[t], self.Wh, out=part)
            if part is not gates:
                np.sum(part, axis=0, out=gates[0])
            h = cell.step(w.z_blocks[t] if z_row is None else z_row, self.rows[t])
            copyto(self.h_blocks[t + 1], h)
            copyto(above[t], h)
        if "c" in cell.states:
            copyto(self.c_end, cell.c)

    def _forget(self, t: int, streams: Ids) -> None:
        """These streams come to step t with nothing."""
        cell, c = self.window.cell, self.c
        self.h[t, streams] = 0.0
        if "c" in cell.states:
            c = cell.c if t else self.c
            c[:, streams] = 0.0
        cell.begin(self.h_blocks[t], c, self.rows[t])

    def _inputs(self, T: int) -> None:
        """z = [x | 1] [Wx; b] of the whole window."""
        w, rows = self.window, self.X[:T, :, self.window.H : 2 * self.window.H + 1]
        if w.in_blocks:
            for some in groups(self.Wx):
                np.matmul(rows[:, None], self.Wx[some], out=w.z[:T, some])
        else:
            np.matmul(rows.reshape(T * w.B, -1), self.Wx[0], out=w.z_rows[: T * w.B])

    def backward(self, ids: Ids, params: Params, grads: Params, resets: Resets | None = None) -> None:
        """From dy (T, B, H) of this layer to the gradients of its weights, and to dy of the layer below.

        Where something new began (`resets`, as in `forward`), nothing goes back to the step before.
        """
        w, T = self.window, len(ids)
        self.time_back(T, resets)
        X, da = self.X[:T].reshape(T * w.B, -1), w.da[:T].reshape(T * w.B, -1)
        self._weights(ids, X, da, grads.matrix(self.index))
        if self.index:
            Wx = params.matrix(self.index)[w.H : -1]
            if len(w.columns) > 1:
                Wx = np.concatenate([Wx[:, mine] for mine, _ in sorted(w.columns, key=lambda pair: pair[1].start)], 1)
            np.matmul(da[:, : w.G * w.H], Wx.T, out=w.dy[:T].reshape(T * w.B, w.H))

    def time_back(self, T: int, resets: Resets | None) -> None:
        w, cell, part, dh = self.window, self.window.cell, self.part_back, self.dh
        part.fill(0.0)
        cell.begin_back()
        for t in range(T - 1, -1, -1):
            add(w.dy_blocks[t], part[0], dh)  # from above, and by way of what follows
            for more in part[1:]:
                add(dh, more, dh)
            if cell.dh_direct is not None:
                add(dh, cell.dh_direct, dh)
            cell.step_back(dh, self.rows[t])
            copyto(w.da_blocks[t], cell.da)
            np.matmul(self.da_pieces[t], self.Wh_T, out=part)
            if resets is not None and (mine := resets[t]) is not None:
                part[:, :, mine] = 0.0
                if cell.dh_direct is not None:
                    cell.dh_direct[:, mine] = 0.0
                if "c" in cell.states:
                    cell.dc_prev[:, mine] = 0.0

    def _weights(self, ids: Ids, X: Array, da: Array, dW: Array) -> None:
        """dW (H + inputs + 1, G·H) = [h | x | 1]ᵀ da, summed over the window."""
        w, H = self.window, self.window.H
        if self.index and len(w.columns) == 1:
            np.matmul(X[:, : 2 * H + 1].T, da, out=dW)
            return
        np.matmul(X[:, :H].T, da[:, (w.slots - w.G) * H :], out=dW[:H])
        for mine, theirs in w.columns:
            if self.index:
                np.matmul(X[:, H : 2 * H + 1].T, da[:, theirs], out=dW[H:, mine])
            else:
                sum_rows(ids.reshape(-1), da[:, theirs], dW[H:-1, mine])
        if not self.index:
            np.sum(dW[H:-1], axis=0, out=dW[-1])

    def carry(self, T: int) -> None:
        """The state after a window of T steps becomes the state before the next."""
        copyto(self.h[0], self.h[T])
        copyto(self.c, self.c_end)

    def reset(self) -> None:
        """Starts from nothing."""
        self.h[0] = 0.0
        self.c.fill(0.0)


def sum_rows(ids: Ids, rows: Array, out: Array) -> None:
    """out[v] = the sum of the rows whose id is v: the gradient of looking rows up."""
    if rows.shape[1] <= ONE_HOT_COLUMNS and len(out) <= ONE_HOT_SYMBOLS:
        one_hot = zeros((len(ids), len(out)), rows.dtype)
        one_hot[np.arange(len(ids)), ids] = 1.0
        np.matmul(one_hot.T, rows, out=out)
        return
    out[:] = 0.0
    sums = list(out)
    for i, row in zip(ids.tolist(), rows, strict=True):
        add(sums[i], row, sums[i])
