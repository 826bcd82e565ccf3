"""The time loops of the linear recurrences of `nn/equations.py`, in place. You may skip this folder.

A recurrence is given the products xw of a whole window and leaves the gradients of xw in their place. It works in
pieces of a few steps that stay in the cache: whatever does not wait for h_{t-1} is computed by piece, the rest by step.
The numbers do not depend on the size of the pieces. Arrays are (T, B, columns), states (T + 1, B, S·H): row t is the
state before step t. The comments are the equations.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy import add, multiply, subtract, tanh
from numpy.typing import DTypeLike

from charrnn.arrays import Array, Ids, Mask, empty, zeros
from charrnn.nn.params import Params

PIECE = 1 << 14  # numbers of an array in a piece


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
    states[1:] from above; afterwards xw holds its own gradient, and `carried` that of the carried state.
    """

    def __init__(self, steps: int, streams: int, hidden_size: int, dtype: DTypeLike) -> None:
        self.B, self.H = streams, hidden_size
        longest = min(steps, piece_rows(streams * hidden_size))
        self.scratch = [empty((longest, streams, self.columns), dtype) for _ in range(2)]
        self.one = empty((streams, self.columns), dtype)
        self.carried = zeros((streams, self.columns), dtype)

    @property
    def columns(self) -> int:
        """S·H"""
        return self.H

    def pack(self, params: Params, layer: int, W: Array) -> Array:
        """Takes over the weights; returns those that make xw, given W = [Wx; b]."""
        return W

    def gradients(self, grads: Params, layer: int, W: Array, dW: Array) -> None:
        """Turns dW, the gradient of the weights that make xw, into that of W, and writes those of the vectors."""

    def forward(self, xw: Array, states: Array, resets: Resets | None) -> None:
        raise NotImplementedError

    def backward(self, xw: Array, states: Array, dstates: Array, resets: Resets | None) -> None:
        raise NotImplementedError

    def before(self, t: int, states: Array, resets: Resets | None) -> Array:
        """The state before step t, zero in the streams that are reset."""
        if resets is None or not len(resets.streams[t]):
            state: Array = states[t]
        else:
            state = states[t].copy()
            state[resets.streams[t]] = 0.0
        return state

    def clear_back(self, t: int, resets: Resets | None) -> None:
        """No gradient passes to the step before t in the streams that are reset."""
        if resets is not None:
            self.carried[resets.streams[t]] = 0.0

    def back(self, steps: int) -> Iterator[tuple[slice, list[Array]]]:
        """The pieces from the last to the first, and scratch memory of their size."""
        for piece in reversed(pieces(steps, self.B * self.H)):
            yield piece, [scratch[: piece.stop - piece.start] for scratch in self.scratch]


class MinGRU(Recurrence):
    """Minimal GRU."""

    def forward(self, xw: Array, states: Array, resets: Resets | None) -> None:
        z, n, change = xw[:, :, : self.H], xw[:, :, self.H :], self.one
        for piece in pieces(len(xw), self.B * self.H):
            sigmoid(z[piece])
            for t in range(piece.start, piece.stop):
                # h = (1 - z) h_prev + z n = h_prev + z (n - h_prev)
                h_prev = self.before(t, states, resets)
                subtract(n[t], h_prev, change)
                multiply(change, z[t], change)
                add(h_prev, change, states[t + 1])

    def backward(self, xw: Array, states: Array, dstates: Array, resets: Resets | None) -> None:
        z, n, dh, carried = xw[:, :, : self.H], xw[:, :, self.H :], self.one, self.carried
        carried.fill(0.0)
        for piece, (change, kept) in self.back(len(xw)):
            # da_z = da_n (n - h_prev) (1 - z), without da_n
            subtract(n[piece], states[piece], change)
            if resets is not None:
                change[resets.mask[piece]] = n[piece][resets.mask[piece]]
            subtract(1.0, z[piece], kept)
            multiply(change, kept, change)
            for t in range(piece.stop - 1, piece.start - 1, -1):
                # da_n = dh z, dh_prev = dh - da_n
                add(dstates[t], carried, dh)
                multiply(dh, z[t], n[t])
                subtract(dh, n[t], carried)
                self.clear_back(t, resets)
            multiply(n[piece], change, z[piece])


class LRU(Recurrence):
    """Linear recurrent unit. γ is a factor of the weights that make xw."""

    @property
    def columns(self) -> int:
        return 2 * self.H

    def __init__(self, steps: int, streams: int, hidden_size: int, dtype: DTypeLike) -> None:
        super().__init__(steps, streams, hidden_size, dtype)
        self.re, self.im = empty((2, hidden_size), dtype), empty((2, hidden_size), dtype)  # [re re], [-im im]
        self.products = [empty((streams, 2, hidden_size), dtype) for _ in range(2)]

    def pack(self, params: Params, layer: int, W: Array) -> Array:
        self.nu, self.theta = params[f"l{layer}.nu"], params[f"l{layer}.theta"]
        rate, angle = np.exp(self.nu), np.exp(self.theta)
        self.re[:] = np.exp(-rate) * np.cos(angle)
        self.im[1] = np.exp(-rate) * np.sin(angle)
        self.im[0] = -self.im[1]
        self.gamma = np.sqrt(-np.expm1(-2.0 * rate))
        scaled: Array = W * np.tile(self.gamma, 2)
        return scaled

    def halves(self, values: Array) -> Array:
        """(..., 2 H) as (..., 2, H): h and c, or their gradients."""
        return values.reshape(*values.shape[:-1], 2, self.H)

    def forward(self, xw: Array, states: Array, resets: Resets | None) -> None:
        xw, after = self.halves(xw), self.halves(states)
        direct, crossed = self.products
        for t in range(len(xw)):
            # h = re h_prev - im c_prev + xw_r, c = re c_prev + im h_prev + xw_i
            s_prev = self.halves(self.before(t, states, resets))
            multiply(s_prev, self.re, direct)
            multiply(s_prev[:, ::-1], self.im, crossed)
            add(direct, crossed, direct)
            add(direct, xw[t], after[t + 1])

    def backward(self, xw: Array, states: Array, dstates: Array, resets: Resets | None) -> None:
        da, before, above, carried = (
            self.halves(xw),
            self.halves(states),
            self.halves(dstates),
            self.halves(self.carried),
        )
        direct, crossed = self.products
        carried.fill(0.0)
        self.dre, self.dim = zeros((2, self.H), da.dtype), zeros((2, self.H), da.dtype)
        for piece, scratch in self.back(len(xw)):
            for t in range(piece.stop - 1, piece.start - 1, -1):
                # dh_prev = dh re + dc im, dc_prev = dc re - dh im
                add(above[t], carried, da[t])
                multiply(da[t], self.re, direct)
                multiply(da[t][:, ::-1], self.im, crossed)
                subtract(direct, crossed, carried)
                self.clear_back(t, resets)
            # dre = dh h_prev + dc c_prev, dim = dc h_prev - dh c_prev, summed over the streams and the window
            reset = None if resets is None else resets.mask[piece]
            for swapped, total in ((before[piece], self.dre), (before[piece][:, :, ::-1], self.dim)):
                product = self.halves(scratch[0])
                multiply(da[piece], swapped, product)
                if reset is not None:
                    product[reset] = 0.0
                total += product.sum(axis=(0, 1))

    def gradients(self, grads: Params, layer: int, W: Array, dW: Array) -> None:
        re, im, gamma = self.re[1], self.im[1], self.gamma
        dre, dim = self.dre[0] + self.dre[1], self.dim[1] - self.dim[0]
        dgamma = np.einsum("ij,ij->j", W, dW).reshape(2, -1).sum(axis=0)
        dW *= np.tile(gamma, 2)
        rate, angle = np.exp(self.nu), np.exp(self.theta)
        grads[f"l{layer}.nu"][:] = rate * (dgamma * (1.0 - gamma**2) / gamma - dre * re - dim * im)
        grads[f"l{layer}.theta"][:] = angle * (dim * re - dre * im)


RECURRENCES: dict[str, type[Recurrence]] = {"mingru": MinGRU, "lru": LRU}
