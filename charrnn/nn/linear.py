"""The plain network of linear recurrences: layers with a normalisation, a gated output and a skip connection.

    x_0 = row of E for the symbol
    u = x / rms(x)                   normalisation
    h, c = cell(u Wx + b, h, c)      the recurrence, `equations.py`
    o, g = [h c] Wo + bo             two halves of H columns
    y = x + o σ(g)                   gated output, skip connection: x of the layer above
    logits = y / rms(y) Wy + by

Orvieto et al. (2023) read the real part of C s from the complex state s; that is a product with its real part h and its
imaginary part c. Shapes and the order of the computation are those of `network.py`.
"""

import numpy as np

from charrnn.arrays import Array, Ids
from charrnn.nn.equations import LINEAR_CELLS, StepGradients, StepValues, sigmoid
from charrnn.nn.network import Network
from charrnn.nn.params import Config, Params

EPS = 1e-6  # so that a row of zeros stays one


def normalized(x: Array) -> tuple[Array, Array]:
    """x / rms(x) by rows, root mean square normalisation (Zhang & Sennrich 2019), and 1 / rms(x)."""
    scale = 1.0 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + EPS)
    return x * scale, scale


def normalized_back(du: Array, u: Array, scale: Array) -> Array:
    """The gradient of x, from that of u = x * scale."""
    dx: Array = scale * (du - u * np.mean(du * u, axis=-1, keepdims=True))
    return dx


class LinearNetwork(Network):
    """Layers of a linear recurrence; `interface.py` describes the methods."""

    def step(self, t: int, ids: Ids, before: list[StepValues]) -> list[StepValues]:
        """As in `Network`. To what the cell computes it adds the input x, u and `scale`; the states before the step and
        the vectors, by name; o, g (after the sigmoid) and the output y of the layer.
        """
        layers: list[StepValues] = []
        x = self.params["E"][ids]
        for k in range(self.config.layers):
            u, scale = normalized(x)
            given = {f"{name}_prev": self.cleared(t, getattr(before[k], name)) for name in self.cell.states}
            given |= self.vectors(k)
            v = self.cell.step(self.split(self.product(k, u)), **given)
            o, g = self.read_out(k, v)
            out = o * g if self.masks is None else o * g * self.masks[k][t]
            y = x + out
            layers.append(StepValues(x=x, u=u, scale=scale, o=o, g=g, y=y, **given, **vars(v)))
            x = y
        return layers

    def vectors(self, k: int) -> dict[str, Array]:
        """The weights of the recurrence of layer k that are vectors, as rows (1, H)."""
        return {name: self.params[f"l{k}.{name}"][None] for name in LINEAR_CELLS[self.config.cell].vectors}

    def product(self, k: int, u: Array) -> Array:
        """xw of layer k (B, G·H)."""
        xw: Array = u @ self.params[f"l{k}.Wx"] + self.params[f"l{k}.b"]
        return xw

    def states_of(self, v: StepValues) -> Array:
        """[h c] (B, S·H), or h alone."""
        return np.concatenate([getattr(v, name) for name in self.cell.states], axis=-1)

    def read_out(self, k: int, v: StepValues) -> tuple[Array, Array]:
        """o and σ(g) of layer k."""
        o, g = np.split(self.states_of(v) @ self.params[f"l{k}.Wo"] + self.params[f"l{k}.bo"], 2, axis=-1)
        return o, sigmoid(g)

    def logits(self, values: list[list[StepValues]]) -> Array:
        u, _ = normalized(np.stack([layers[-1].y for layers in values]))
        logits: Array = u @ self.params["Wy"] + self.params["by"]
        return logits

    # Backward pass

    def backward(self, ids: Ids, dlogits: Array, grads: Params, alpha: float = 0.0) -> None:
        grads.flat[:] = 0.0
        for t, layers in self.back_through_time(dlogits, alpha):
            u, _ = normalized(self.values[t][-1].y)
            grads["Wy"] += u.T @ dlogits[t]
            grads["by"] += dlogits[t].sum(axis=0)
            for k, d in enumerate(layers):
                v = self.values[t][k]
                grads[f"l{k}.Wo"] += self.states_of(v).T @ d.dout
                grads[f"l{k}.bo"] += d.dout.sum(axis=0)
                for name in self.vectors(k):
                    grads[f"l{k}.{name}"] += getattr(d, f"d{name}").sum(axis=0)
                grads[f"l{k}.Wx"] += v.u.T @ d.dxw
                grads[f"l{k}.b"] += d.dxw.sum(axis=0)
            grads["E"] += self.one_hot(ids[t]).T @ layers[0].dx

    def output_back(self, top: StepValues, dlogits: Array) -> Array:
        u, scale = normalized(top.y)
        return normalized_back(dlogits @ self.params["Wy"].T, u, scale)

    def step_back(self, t: int, dy: Array, after: list[StepGradients]) -> list[StepGradients]:
        """As in `Network`. To what the cell computes it adds: dy; `dout`, the gradient of o and g before the sigmoid;
        dh and dc; dxw; and dx, which is dy of the layer below.
        """
        layers: list[StepGradients] = []
        for k in range(self.config.layers - 1, -1, -1):
            v = self.values[t][k]
            dout = dy if self.masks is None else dy * self.masks[k][t]
            dout = np.concatenate([dout * v.g, dout * v.o * v.g * (1 - v.g)], axis=-1)
            parts = np.split(dout @ self.params[f"l{k}.Wo"].T, len(self.cell.states), axis=-1)
            states = {
                f"d{name}": part + getattr(after[k], f"d{name}_prev")
                for name, part in zip(self.cell.states, parts, strict=True)
            }
            d = self.cell.step_back(v, **states)
            for name in self.cell.states:
                setattr(d, f"d{name}_prev", self.cleared(t, getattr(d, f"d{name}_prev")))
            dxw = np.concatenate([getattr(d, f"da_{gate}") for gate in self.cell.gates], axis=-1)
            dx = dy + normalized_back(dxw @ self.params[f"l{k}.Wx"].T, v.u, v.scale)
            layers.insert(0, StepGradients(dy=dy, dout=dout, dxw=dxw, dx=dx, **states, **vars(d)))
            dy = dx
        return layers


def plain_network(config: Config, params: Params, steps: int, streams: int) -> Network:
    """The plain network of this cell."""
    return (LinearNetwork if config.linear else Network)(config, params, steps, streams)
