"""The plain network: layers of cells over a window, an output layer, and truncated backpropagation through time.

Forward pass, then backward pass, in the order of the computation. It computes the same as `nn/fast/`, in the dtype of
the weights, and keeps every value; only `grads` is changed in place. The tests of the fast engine compare with it.

Shapes: T steps, B streams, H units per layer, V symbols, G gates. Rows are streams: x (B, inputs) @ Wx (inputs, G·H).
"""

from collections.abc import Iterator, Sequence

import numpy as np

from charrnn.arrays import Array, Ids, Mask, Masks
from charrnn.nn.equations import Gates, StepGradients, StepValues, cell_of
from charrnn.nn.params import Config, Params


class Network:
    """A network that computes with `params`; `interface.py` describes its methods.

    `values[t][k]` is what layer k computed at step t of the last window, `before[k]` the carried state of layer k.
    `steps` and `training` size the buffers of the fast network; nothing here depends on them.
    """

    def __init__(self, config: Config, params: Params, steps: int, streams: int, training: bool = False) -> None:
        self.config, self.params, self.steps, self.streams = config, params, steps, streams
        self.cell = cell_of(config.cell)
        self.values: list[list[StepValues]] = []
        self.masks: Masks = None
        self.recurrent_masks: Masks = None
        self.reset_mask: Mask | None = None
        self.reset()

    def pack(self) -> None:
        """Nothing to do: the weights are used as they are."""

    @property
    def first(self) -> Array:
        """The logits (V,) before the first symbol: those of an empty state."""
        return self.params["by"]

    def weights(self, k: int) -> tuple[Array, Array, Array]:
        """Wx, Wh and b of layer k."""
        return self.params[f"l{k}.Wx"], self.params[f"l{k}.Wh"], self.params[f"l{k}.b"]

    # Forward pass

    def forward(self, ids: Ids, masks: Masks = None, reset: Mask | None = None, recurrent_masks: Masks = None) -> Array:
        """Logits (T, B, V): the prediction of the symbol after each of ids (T, B)."""
        self.read(ids, masks, reset, recurrent_masks)
        return self.logits(self.values)

    def read(self, ids: Ids, masks: Masks = None, reset: Mask | None = None, recurrent_masks: Masks = None) -> None:
        """The time loop: computes `values` from the carried state."""
        self.masks, self.reset_mask, self.recurrent_masks, self.values = masks, reset, recurrent_masks, []
        before = self.before
        for t in range(len(ids)):
            before = self.step(t, ids[t], before)
            self.values.append(before)

    def step(self, t: int, ids: Ids, before: list[StepValues]) -> list[StepValues]:
        """One step through all layers, from the values of the step before.

        To what the cell computes it adds the input `x` (ids in layer 0), `h_prev` (and `c_prev`), and the output `y` of
        the layer, which is h after dropout.
        """
        layers: list[StepValues] = []
        for k in range(self.config.layers):
            x = layers[k - 1].y if k else ids
            previous = {f"{name}_prev": self.cleared(t, getattr(before[k], name)) for name in self.cell.states}
            xw, hw = self.products(k, x, self.dropped(k, previous["h_prev"]))
            v = self.cell.step(self.split(xw), self.split(hw), **previous)
            y = v.h if self.masks is None else v.h * self.masks[k][t]
            layers.append(StepValues(x=x, y=y, **previous, **vars(v)))
        return layers

    def cleared(self, t: int, state: Array) -> Array:
        """A state before step t, or the gradient of one: zero in the streams that are reset."""
        return state if self.reset_mask is None else np.where(self.reset_mask[t][:, None], np.zeros_like(state), state)

    def dropped(self, k: int, state: Array) -> Array:
        """m * h_{t-1}, the input of Wh in layer k, or its gradient: recurrent dropout, the same mask m at all steps.

        Only the input of Wh is masked (Gal & Ghahramani 2016); what c, and z of the GRU, carry over is not (Semeniuta
        et al. 2016).
        """
        return state if self.recurrent_masks is None else state * self.recurrent_masks[k][0]

    def products(self, k: int, x: Array | Ids, h_prev: Array) -> tuple[Array, Array]:
        """xw and hw of layer k, (B, G·H) each; in layer 0, x are ids, and a one-hot row times Wx is a row of Wx."""
        Wx, Wh, b = self.weights(k)
        return (x @ Wx if k else Wx[x]) + b, h_prev @ Wh

    def logits(self, values: list[list[StepValues]]) -> Array:
        """The output layer: (T, B, V)."""
        y = np.stack([layers[-1].y for layers in values])
        logits: Array = y @ self.params["Wy"] + self.params["by"]
        return logits

    def split(self, columns: Array) -> Gates:
        """(B, G·H) as one (B, H) array per gate."""
        return Gates(**dict(zip(self.cell.gates, np.split(columns, len(self.cell.gates), axis=-1), strict=True)))

    # Backward pass

    def backward(self, ids: Ids, dlogits: Array, grads: Params, alpha: float = 0.0) -> None:
        """The gradient of a weight is the sum over t of its input, transposed, times the gradient of its output."""
        grads.flat[:] = 0.0
        for t, layers in self.back_through_time(dlogits, alpha):
            grads["Wy"] += self.values[t][-1].y.T @ dlogits[t]
            grads["by"] += dlogits[t].sum(axis=0)
            for k, d in enumerate(layers):
                v = self.values[t][k]
                x = v.x if k else self.one_hot(v.x)
                grads[f"l{k}.Wx"] += x.T @ d.dxw
                grads[f"l{k}.Wh"] += self.dropped(k, v.h_prev).T @ d.dhw
                grads[f"l{k}.b"] += d.dxw.sum(axis=0)

    def back_through_time(
        self, dlogits: Array | Sequence[Array], alpha: float = 0.0
    ) -> Iterator[tuple[int, list[StepGradients]]]:
        """The time loop of the backward pass: t and the gradients of each layer, from the last step to the first.

        With `alpha`, activation regularisation adds alpha * y to the gradient of the last y (see `interface.py`).
        At the first step, `dh_prev` and `dc_prev` are the gradients of the carried state.
        """
        zero = np.zeros((self.streams, self.config.hidden_size), self.params.flat.dtype)
        after = [StepGradients(dh_prev=zero, dc_prev=zero)] * self.config.layers  # truncated BPTT
        for t in range(len(self.values) - 1, -1, -1):
            dy = self.output_back(self.values[t][-1], dlogits[t])
            after = self.step_back(t, dy + alpha * self.values[t][-1].y if alpha else dy, after)
            yield t, after

    def output_back(self, top: StepValues, dlogits: Array) -> Array:
        """The gradient of the last y at one step, whose values are `top`."""
        dy: Array = dlogits @ self.params["Wy"].T
        return dy

    def step_back(self, t: int, dy: Array, after: list[StepGradients]) -> list[StepGradients]:
        """One step back through all layers, from the gradients of the step after it and dy, that of the last y.

        To what the cell computes it adds: `dh`, from above and from the step after; `dc_next`; the gradients `dxw` and
        `dhw` (B, G·H); and `dh_prev` (and `dc_prev`).
        """
        layers: list[StepGradients] = []
        for k in range(self.config.layers - 1, -1, -1):
            Wx, Wh, _ = self.weights(k)
            dh = (dy if self.masks is None else dy * self.masks[k][t]) + after[k].dh_prev
            dc_next = {"dc_next": after[k].dc_prev} if "c" in self.cell.states else {}
            d = self.cell.step_back(self.values[t][k], dh, **dc_next)
            dxw = np.concatenate([getattr(d, f"da_{gate}") for gate in self.cell.gates], axis=-1)
            dhw = np.concatenate([getattr(d, f"dhw_{gate}", getattr(d, f"da_{gate}")) for gate in self.cell.gates], -1)
            d.dh_prev = self.cleared(t, self.dropped(k, dhw @ Wh.T) + getattr(d, "dh_direct", 0.0))
            if dc_next:
                d.dc_prev = self.cleared(t, d.dc_prev)
            layers.insert(0, StepGradients(dh=dh, dxw=dxw, dhw=dhw, **dc_next, **vars(d)))
            if k:
                dy = dxw @ Wx.T
        return layers

    def one_hot(self, ids: Ids) -> Array:
        """(B, V): zeros but a 1 per row."""
        rows: Array = (ids[:, None] == np.arange(self.config.vocab_size)).astype(self.params.flat.dtype)
        return rows

    # The carried state

    def carry(self) -> None:
        self.before = self.values[-1]

    def reset(self) -> None:
        shape, dtype = (self.config.layers, self.streams, self.config.hidden_size), self.params.flat.dtype
        self.set_state({name: np.zeros(shape, dtype) for name in self.cell.states})

    def state(self) -> dict[str, Array]:
        return {name: np.stack([getattr(v, name) for v in self.before]) for name in self.cell.states}

    def store_state(self, out: dict[str, Array]) -> None:
        for name, values in self.state().items():
            out[name][:] = values

    def set_state(self, state: dict[str, Array]) -> None:
        dtype = self.params.flat.dtype
        self.before = [
            StepValues(**{name: state[name][k].astype(dtype) for name in self.cell.states})
            for k in range(self.config.layers)
        ]
