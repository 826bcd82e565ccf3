"""The time loops of the linear recurrences of `nn/equations.py`, in place. You may skip this folder.

A recurrence is given the products xw of a whole window and leaves the gradients of xw in their place. It works in
pieces of a few steps that stay in the cache: whatever does not wait for h_{t-1} is computed by piece, the rest by step.
The numbers do not depend on the size of the pieces. xw is (gates, T, B, H) and the states of a window (T + 1, B, S, H),
where row t is the state before step t; their gradients from above are (S, T, B, H). The comments are the equations.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy import add, multiply, subtract, tanh
from numpy.typing import DTypeLike

from charrnn.arrays import Array, Ids, Mask, empty, zeros
from charrnn.nn.params import Params

PIECE = 1 << 15  # numbers of an array in a piece


def piece_rows(size: int) -> int:
    """The largest number of rows of `size` numbers in a piece."""
    return max(1, PIECE // size)


def pieces(count: int, size: int) -> list[slice]:
    """`count` rows of `size` numbers, cut into pieces."""
    rows = piece_rows(size)
    return [slice(first, min(first + rows, count)) for first in range(0, count, rows)]


def sigmoid(values: Array) -> None:
    """σ(v) = (tanh(v/2) + 1) / 2"""
    values *= 0.5
    tanh(values, values)
    values *= 0.5
    values += 0.5


class Resets:
    """The streams whose state is set to zero before a step."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        steps, streams = np.nonzero(mask)
        ends = np.searchsorted(steps, np.arange(len(mask) + 1)).tolist()
        self.streams: list[Ids] = [streams[start:end] for start, end in pairwise(ends)]


class Recurrence:
    """The recurrence of one layer, for windows of up to `steps` steps of B streams.

    `forward` reads xw and the carried state, states[0], and writes states[1:]. `backward` is given the gradients of
    states[1:] from above; afterwards xw holds its own gradient. Loops work on arrays of few steps without gaps between
    the rows: NumPy is twice as fast on them.
    """

    state_count = 1  # S

    def __init__(self, steps: int, streams: int, hidden_size: int, dtype: DTypeLike) -> None:
        self.B, self.H = streams, hidden_size
        longest, state = min(steps, piece_rows(streams * hidden_size)), (self.state_count, streams, hidden_size)
        self.recent = empty((longest + 1, *state), dtype)  # the states of a piece, and the one before
        self.sums = [empty(state, dtype) for _ in range(2)]  # of one step
        self.carried = zeros(state, dtype)  # the gradient that the step after passes back

    def pack(self, params: Params, layer: int, W: Array) -> Array:
        """Takes over the weights; returns those that make xw, given W = [Wx; b]."""
        return W

    def gradients(self, grads: Params, layer: int, W: Array, dW: Array) -> None:
        """Turns dW, the gradient of the weights that make xw, into that of W, and writes those of the vectors."""

    def forward(self, xw: Array, states: Array, resets: Resets | None) -> None:
        for piece in pieces(len(states) - 1, self.B * self.H):
            steps = piece.stop - piece.start
            recent = self.recent[: steps + 1]
            recent[0] = states[piece.start].swapaxes(0, 1)
            self.piece_forward(xw[:, piece], recent, resets.streams[piece] if resets else [None] * steps)
            states[piece.start + 1 : piece.stop + 1] = recent[1:].swapaxes(1, 2)

    def piece_forward(self, xw: Array, states: Array, resets: Sequence[Ids | None]) -> None:
        """Writes all but the first of the states (steps + 1, S, B, H) of a piece; `resets` has the streams by step."""
        raise NotImplementedError

    def backward(self, xw: Array, states: Array, dstates: Array, resets: Resets | None) -> None:
        raise NotImplementedError

    def clear_back(self, t: int, resets: Resets | None) -> None:
        """No gradient passes to the step before t in the streams that are reset."""
        if resets is not None:
            self.carried[:, resets.streams[t]] = 0.0


def cleared(states: Array, streams: Ids | None) -> Array:
    """States (S, B, H), zero in the given streams."""
    if streams is not None and len(streams):
        states = states.copy()
        states[:, streams] = 0.0
    return states


class MinGRU(Recurrence):
    """Minimal GRU."""

    def __init__(self, steps: int, streams: int, hidden_size: int, dtype: DTypeLike) -> None:
        super().__init__(steps, streams, hidden_size, dtype)
        self.scratch = [empty((len(self.recent) - 1, streams, hidden_size), dtype) for _ in range(2)]

    def piece_forward(self, xw: Array, states: Array, resets: Sequence[Ids | None]) -> None:
        z, n = xw
        change = self.sums[0][0]
        sigmoid(z)
        for t in range(len(z)):
            # h = (1 - z) h_prev + z n = h_prev + z (n - h_prev)
            (h_prev,) = cleared(states[t], resets[t])
            subtract(n[t], h_prev, change)
            multiply(change, z[t], change)
            add(h_prev, change, states[t + 1, 0])

    def backward(self, xw: Array, states: Array, dstates: Array, resets: Resets | None) -> None:
        z, n = xw
        dh, carried, h, above = self.sums[0][0], self.carried[0], states[:, :, 0], dstates[0]
        carried.fill(0.0)
        for piece in reversed(pieces(len(z), self.B * self.H)):
            change, kept = (scratch[: piece.stop - piece.start] for scratch in self.scratch)
            # da_z = da_n (n - h_prev) (1 - z), without da_n
            subtract(n[piece], h[piece], change)
            if resets is not None:
                change[resets.mask[piece]] = n[piece][resets.mask[piece]]
            subtract(1.0, z[piece], kept)
            multiply(change, kept, change)
            for t in range(piece.stop - 1, piece.start - 1, -1):
                # da_n = dh z, dh_prev = dh - da_n
                add(above[t], carried, dh)
                multiply(dh, z[t], n[t])
                subtract(dh, n[t], carried)
                self.clear_back(t, resets)
            multiply(n[piece], change, z[piece])


class LRU(Recurrence):
    """Linear recurrent unit. γ is a factor of the weights that make xw."""

    state_count = 2

    def __init__(self, steps: int, streams: int, hidden_size: int, dtype: DTypeLike) -> None:
        super().__init__(steps, streams, hidden_size, dtype)
        self.re, self.im = (empty((2, streams, hidden_size), dtype) for _ in range(2))  # [re re], [-im im]

    def pack(self, params: Params, layer: int, W: Array) -> Array:
        self.nu, self.theta = params[f"l{layer}.nu"], params[f"l{layer}.theta"]
        rate, angle = np.exp(self.nu), np.exp(self.theta)
        self.re[:] = np.exp(-rate) * np.cos(angle)
        self.im[1] = np.exp(-rate) * np.sin(angle)
        self.im[0] = -self.im[1]
        self.gamma = np.sqrt(-np.expm1(-2.0 * rate))
        scaled: Array = W * np.tile(self.gamma, 2)
        return scaled

    def piece_forward(self, xw: Array, states: Array, resets: Sequence[Ids | None]) -> None:
        direct, crossed = self.sums
        for t in range(xw.shape[1]):
            # h = re h_prev - im c_prev + xw_r, c = re c_prev + im h_prev + xw_i
            s_prev = cleared(states[t], resets[t])
            multiply(s_prev, self.re, direct)
            multiply(s_prev[::-1], self.im, crossed)
            add(direct, crossed, direct)
            add(direct, xw[:, t], states[t + 1])

    def backward(self, xw: Array, states: Array, dstates: Array, resets: Resets | None) -> None:
        (direct, crossed), carried = self.sums, self.carried
        carried.fill(0.0)
        totals = zeros((2, 2, self.H), xw.dtype)
        for piece in reversed(pieces(xw.shape[1], self.B * self.H)):
            for t in range(piece.stop - 1, piece.start - 1, -1):
                # dh_prev = dh re + dc im, dc_prev = dc re - dh im
                ds = xw[:, t]
                add(dstates[:, t], carried, ds)
                multiply(ds, self.re, direct)
                multiply(ds[::-1], self.im, crossed)
                subtract(direct, crossed, carried)
                self.clear_back(t, resets)
            # dre = dh h_prev + dc c_prev, dim = dc h_prev - dh c_prev, summed over the streams and the window
            totals += products(xw[:, piece], states[piece])
            if resets is not None:
                totals -= products(xw[:, piece][:, resets.mask[piece], None], states[piece][resets.mask[piece], None])
        self.dre, self.dim = totals[0, 0] + totals[1, 1], totals[1, 0] - totals[0, 1]

    def gradients(self, grads: Params, layer: int, W: Array, dW: Array) -> None:
        re, im, gamma = self.re[1, 0], self.im[1, 0], self.gamma
        dgamma = np.einsum("ij,ij->j", W, dW).reshape(2, -1).sum(axis=0)
        dW *= np.tile(gamma, 2)
        rate, angle = np.exp(self.nu), np.exp(self.theta)
        grads[f"l{layer}.nu"][:] = rate * (dgamma * (1.0 - gamma**2) / gamma - self.dre * re - self.dim * im)
        grads[f"l{layer}.theta"][:] = angle * (self.dim * re - self.dre * im)


def products(da: Array, states: Array) -> Array:
    """The products of each part of da (2, T, B, H) and each state (T, B, 2, H), summed over T and B: (2, 2, H)."""
    sums: Array = np.einsum("dtbh,tbsh->dsh", da, states)
    return sums


RECURRENCES: dict[str, type[Recurrence]] = {"mingru": MinGRU, "lru": LRU}
