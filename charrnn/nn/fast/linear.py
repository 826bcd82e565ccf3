"""The fast network of linear recurrences: all matrix products of a window are before and after the time loop.

It computes the results of `nn/linear.py`; the methods are described in `nn/interface.py`. Rows are those of a window,
step by step: row t·B + b. The weights are used where they are, next to their biases: an input with a column of ones
times the stacked matrix [W; b].
"""

import numpy as np
from numpy import multiply, subtract
from numpy.typing import DTypeLike

from charrnn.arrays import LINE, Array, Ids, Mask, Masks, ceil_div, empty, zeros
from charrnn.nn.fast.layer import sum_rows
from charrnn.nn.fast.recurrences import RECURRENCES, Resets, piece_rows, pieces, sigmoid
from charrnn.nn.linear import EPS
from charrnn.nn.params import Config, Params


def with_ones(rows: int, columns: int, dtype: DTypeLike) -> Array:
    """(rows, columns + 1), of which the last column is 1; the memory of a row is whole cache lines."""
    values = zeros((rows, ceil_div(columns + 1, LINE // 4) * (LINE // 4)), dtype)[:, : columns + 1]
    values[:, columns] = 1.0
    return values


def dot_rows(a: Array, b: Array, out: Array) -> None:
    """out (rows, 1) = the dot products of the rows of a and b."""
    np.matmul(a[:, None], b[:, :, None], out=out[:, None])


class Normalization:
    """u = x / rms(x) for up to `rows` rows, in place of the first columns of `u1`, whose last is 1."""

    def __init__(self, rows: int, columns: int, dtype: DTypeLike) -> None:
        self.u1 = with_ones(rows, columns, dtype)
        self.u, self.scale, self.columns = self.u1[:, :columns], empty((rows, 1), dtype), columns
        self.dots, self.scratch = empty((rows, 1), dtype), empty((piece_rows(columns), columns), dtype)

    def forward(self, x: Array) -> Array:
        """[u 1] for x (rows, columns)."""
        n, scale = len(x), self.scale[: len(x)]
        for rows in pieces(n, self.columns):
            dot_rows(x[rows], x[rows], scale[rows])
            scale[rows] = 1.0 / np.sqrt(scale[rows] / self.columns + EPS)
            multiply(x[rows], scale[rows], self.u[rows])
        return self.u1[:n]

    def backward(self, du: Array) -> Array:
        """Turns du into the gradient of x."""
        dots, scratch = self.dots, self.scratch
        for rows in pieces(len(du), self.columns):
            dot_rows(du[rows], self.u[rows], dots[rows])
            dots[rows] /= self.columns
            part = scratch[: rows.stop - rows.start]
            multiply(self.u[rows], dots[rows], part)
            subtract(du[rows], part, du[rows])
            du[rows] *= self.scale[rows]
        return du


class Tape:
    """What one layer computes in a window: [u 1], xw by gate, the states with a column of ones, and o and σ(g)."""

    def __init__(self, config: Config, steps: int, streams: int, dtype: DTypeLike) -> None:
        rows, H, S = steps * streams, config.hidden_size, len(config.states)
        self.norm = Normalization(rows, H, dtype)
        self.xw = empty((len(config.gates), rows, H), dtype)
        self.states1 = with_ones(rows + streams, S * H, dtype)
        self.states = self.states1[:, :-1].reshape(steps + 1, streams, S, H)
        self.og = empty((2, rows, H), dtype)


class Layer:
    """Layer k, with its weights and its states. Its input x becomes its output y in place."""

    def __init__(self, k: int, network: "LinearNetwork", tape: Tape) -> None:
        config, self.k, self.tape, self.network = network.config, k, tape, network
        self.B, self.H, dtype = network.streams, config.hidden_size, network.params.flat.dtype
        self.recurrence = RECURRENCES[config.cell](network.steps, self.B, self.H, dtype)
        # the states before the window, and after it
        self.carried, self.last = (zeros((self.B, len(config.states), self.H), dtype) for _ in range(2))
        self.scratch = [empty((piece_rows(self.H), self.H), dtype) for _ in range(2)]

    def pack(self, params: Params) -> None:
        """Takes over the weights."""
        self.W = params.stacked(f"l{self.k}.Wx", f"l{self.k}.b")
        self.Wx = halves(self.recurrence.pack(params, self.k, self.W))
        self.Wo = halves(params.stacked(f"l{self.k}.Wo", f"l{self.k}.bo"))

    def forward(self, x: Array, mask: Array | None, resets: Resets | None) -> None:
        """Adds the output of the layer to x (rows, H); `mask` is that of dropout."""
        tape, n = self.tape, len(x)
        self.product(x)
        states = tape.states[: n // self.B + 1]
        states[0] = self.carried
        self.recurrence.forward(self.by_step(tape.xw[:, :n]), states, resets)
        self.last[:] = states[-1]
        o, g = np.matmul(tape.states1[self.B : self.B + n], self.Wo, out=tape.og[:, :n])
        for rows in pieces(n, self.H):
            out = self.scratch[0][: rows.stop - rows.start]
            sigmoid(g[rows])
            multiply(o[rows], g[rows], out)
            if mask is not None:
                out *= mask[rows]
            x[rows] += out

    def by_step(self, values: Array) -> Array:
        """Rows (..., T·B, H) as (..., T, B, H)."""
        return values.reshape(*values.shape[:-2], -1, self.B, self.H)

    def product(self, x: Array) -> None:
        """xw of all rows. In layer 0 equal symbols have equal rows, so each is computed once."""
        xw, network = self.tape.xw[:, : len(x)], self.network
        if self.k:
            np.matmul(self.tape.norm.forward(x), self.Wx, out=xw)
        else:
            u1 = self.tape.norm.forward(network.params["E"][network.symbols])
            for symbol_rows, rows in zip(u1 @ self.Wx, xw, strict=True):
                np.take(symbol_rows, network.places, axis=0, out=rows, mode="clip")

    def backward(self, dx: Array, mask: Array | None, grads: Params, resets: Resets | None) -> None:
        """Turns the gradient of y into that of x (rows, H), and writes the gradients of the weights."""
        tape, k, n = self.tape, self.k, len(dx)
        og, xw = tape.og[:, :n], tape.xw[:, :n]
        o, g = og
        for rows in pieces(n, self.H):
            dg, part = (scratch[: rows.stop - rows.start] for scratch in self.scratch)
            # do = dout g, dg = do o (1 - g)
            multiply(dx[rows], g[rows], dg)
            if mask is not None:
                dg *= mask[rows]
            subtract(1.0, g[rows], part)
            part *= o[rows]
            o[rows] = dg
            multiply(dg, part, g[rows])
        np.matmul(tape.states1[self.B : self.B + n].T, og, out=halves(grads.stacked(f"l{k}.Wo", f"l{k}.bo")))
        # the rows of Wo are those of the states, its columns those of o and g
        Wo = self.Wo[:, :-1].reshape(2, -1, self.H, self.H).swapaxes(2, 3)
        dstates, from_g = np.matmul(og[:, None], Wo, out=self.network.dstates[:, :, :n])
        dstates += from_g
        self.recurrence.backward(self.by_step(xw), tape.states[: n // self.B + 1], self.by_step(dstates), resets)
        dW = grads.stacked(f"l{k}.Wx", f"l{k}.b")
        if k:
            np.matmul(tape.norm.u1[:n].T, xw, out=halves(dW))
            du, from_second = np.matmul(xw, self.Wx[:, :-1].swapaxes(1, 2), out=self.network.du[:, :n])
            du += from_second
            dx += tape.norm.backward(du)
        else:
            self.embedding(xw, dx, dW, grads)
        self.recurrence.gradients(grads, k, self.W, dW)

    def embedding(self, da: Array, dx: Array, dW: Array, grads: Params) -> None:
        """The gradients of the weights of layer 0 and of the rows of E, by way of sums over equal symbols."""
        network, norm = self.network, self.tape.norm
        symbols, places = network.symbols, network.places
        sums, rows = empty((2, len(symbols), self.H), da.dtype), empty((len(symbols), self.H), da.dtype)
        for values, total in zip((*da, dx), (*sums, rows), strict=True):
            sum_rows(places, values, total)
        np.matmul(norm.u1[: len(symbols)].T, sums, out=halves(dW))
        rows += norm.backward((sums @ self.Wx[:, :-1].swapaxes(1, 2)).sum(axis=0))
        grads["E"].fill(0.0)
        grads["E"][symbols] = rows


def halves(W: Array) -> Array:
    """The two halves of the columns (2, rows, columns / 2), a view."""
    return W.reshape(len(W), 2, -1).swapaxes(0, 1)


class LinearNetwork:
    """Layers of a linear recurrence on preallocated buffers; without `training`, `backward` is not possible."""

    def __init__(self, config: Config, params: Params, steps: int, streams: int, training: bool = False) -> None:
        self.config, self.params, self.steps, self.streams = config, params, steps, streams
        rows, H, V, dtype = steps * streams, config.hidden_size, config.vocab_size, params.flat.dtype
        tapes = [Tape(config, steps, streams, dtype) for _ in range(config.layers if training else 1)]
        self.layers = [Layer(k, self, tapes[k] if training else tapes[0]) for k in range(config.layers)]
        self.x, self.norm, self.logits = empty((rows, H), dtype), Normalization(rows, H, dtype), empty((rows, V), dtype)
        if training:
            # two summands each, one per half of the columns of a matrix
            self.dx, self.du = empty((rows, H), dtype), empty((2, rows, H), dtype)
            self.dstates = empty((2, len(config.states), rows, H), dtype)
        self.masks: list[Array | None] = [None] * config.layers
        self.resets: Resets | None = None
        self.symbols: Ids
        self.places: Ids
        self.pack()

    @property
    def first(self) -> Array:
        return self.params["by"]

    @property
    def top(self) -> Array:
        """y of the last layer (T, B, H)."""
        return self.x[: len(self.places)].reshape(-1, self.streams, self.config.hidden_size)

    def pack(self) -> None:
        for layer in self.layers:
            layer.pack(self.params)

    def forward(self, ids: Ids, masks: Masks = None, reset: Mask | None = None, recurrent_masks: Masks = None) -> Array:
        self.symbols, places = np.unique(ids, return_inverse=True)
        self.places = places.reshape(-1)
        n, H = ids.size, self.config.hidden_size
        self.masks = [None if masks is None else masks[k].reshape(-1, H)[:n] for k in range(self.config.layers)]
        self.resets = None if reset is None else Resets(reset)
        x = self.x[:n]
        np.take(self.params["E"], ids.reshape(-1), axis=0, out=x, mode="clip")
        for layer, mask in zip(self.layers, self.masks, strict=True):
            layer.forward(x, mask, self.resets)
        logits = np.matmul(self.norm.forward(x), self.params.stacked("Wy", "by"), out=self.logits[:n])
        return logits.reshape(*ids.shape, -1)

    def backward(self, ids: Ids, dlogits: Array, grads: Params, alpha: float = 0.0) -> None:
        n = ids.size
        flat, dx = dlogits.reshape(n, -1), self.dx[:n]
        np.matmul(self.norm.u1[:n].T, flat, out=grads.stacked("Wy", "by"))
        np.matmul(flat, self.params["Wy"].T, out=dx)
        self.norm.backward(dx)
        if alpha:
            dx += alpha * self.x[:n]
        for layer, mask in zip(reversed(self.layers), reversed(self.masks), strict=True):
            layer.backward(dx, mask, grads, self.resets)

    # The carried state

    def carry(self) -> None:
        for layer in self.layers:
            layer.carried[:] = layer.last

    def reset(self) -> None:
        for layer in self.layers:
            layer.carried.fill(0.0)

    def state(self) -> dict[str, Array]:
        shape = (len(self.layers), self.streams, self.config.hidden_size)
        state = {name: np.empty(shape, self.params.flat.dtype) for name in self.config.states}
        self.store_state(state)
        return state

    def store_state(self, out: dict[str, Array]) -> None:
        for k, layer in enumerate(self.layers):
            for i, name in enumerate(self.config.states):
                out[name][k] = layer.carried[:, i]

    def set_state(self, state: dict[str, Array]) -> None:
        for k, layer in enumerate(self.layers):
            for i, name in enumerate(self.config.states):
                layer.carried[:, i] = state[name][k]
