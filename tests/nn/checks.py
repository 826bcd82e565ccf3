"""Random networks, their gradients from the backward pass, and the same by finite differences."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pytest

from charrnn.arrays import Array, Ids, Mask
from charrnn.nn.fast.layer import Layer
from charrnn.nn.fast.linear import LinearNetwork as FastLinear
from charrnn.nn.fast.network import Network as Fast
from charrnn.nn.loss import cross_entropy
from charrnn.nn.network import Network as Plain
from charrnn.nn.params import Config, Params

H, V, T, B = 5, 7, 6, 3
AnyNetwork = Plain | Fast | FastLinear


class Window(NamedTuple):
    """Inputs and targets (T, B), the masks of `forward` and of the loss, and `alpha` of `backward`."""

    inputs: Ids
    targets: Ids
    dropout: list[Array] | None = None
    reset: Mask | None = None
    loss_mask: Mask | None = None
    recurrent: list[Array] | None = None
    alpha: float = 0.0

    @property
    def symbols(self) -> int:
        """How many targets the loss is the mean of, at least 1."""
        return self.targets.size if self.loss_mask is None else max(int(self.loss_mask.sum()), 1)


def make(
    cell: str, layers: int, kind: type[AnyNetwork] = Plain, seed: int = 0, hidden_size: int = H
) -> tuple[AnyNetwork, Window]:
    """A float64 network with random weights and carried state, and a window of ids."""
    rng = np.random.default_rng(seed)
    config = Config(cell, layers, hidden_size, V)
    params = Params(config.shapes, np.float64)
    params.flat[:] = 0.5 * rng.normal(size=params.flat.shape)
    network = kind(config, params, T, B, training=True)
    network.set_state({name: 0.5 * rng.normal(size=(layers, B, hidden_size)) for name in config.states})
    ids = rng.integers(0, V, size=(T + 1, B))
    return network, Window(ids[:-1], ids[1:])


def dropout_masks(layers: int) -> list[Array]:
    """Half of the outputs are dropped."""
    return [2.0 * (np.random.default_rng(k).random((T, B, H)) < 0.5) for k in range(layers)]


def recurrent_masks(layers: int, hidden_size: int = H) -> list[Array]:
    """Of recurrent dropout at a rate of 0.4."""
    return [(np.random.default_rng(10 + k).random((1, B, hidden_size)) > 0.4) / 0.6 for k in range(layers)]


def regularised(window: Window, layers: int) -> Window:
    """The window with every regularisation, targets at most of the steps, and resets."""
    return window._replace(
        dropout=dropout_masks(layers),
        recurrent=recurrent_masks(layers),
        alpha=0.3,
        reset=marked((0, 0), (2, 1), (2, 2), (5, 2), (4, 0)),
        loss_mask=np.random.default_rng(0).random((T, B)) < 0.6,
    )


def marked(*places: tuple[int, int]) -> Mask:
    """A mask (T, B) that is set at these (step, stream)."""
    mask = np.zeros((T, B), dtype=bool)
    for place in places:
        mask[place] = True
    return mask


def loss_of(network: AnyNetwork, window: Window) -> float:
    network.pack()
    logits = network.forward(window.inputs, window.dropout, window.reset, window.recurrent)
    loss = cross_entropy(logits, window.targets, window.symbols, window.loss_mask)
    y = np.stack([layers[-1].y for layers in network.values]) if isinstance(network, Plain) else network.top
    return loss + window.alpha / 2 * float(np.square(y).sum())


def gradients(network: AnyNetwork, window: Window) -> dict[str, Array]:
    """Every gradient of `loss_of` by name; those of the carried state are `h0.0` (layer 0) and so on."""
    grads = Params(network.config.shapes, network.params.flat.dtype)
    logits = network.forward(window.inputs, window.dropout, window.reset, window.recurrent)
    cross_entropy(logits, window.targets, window.symbols, window.loss_mask)
    if isinstance(network, Plain):
        network.backward(window.inputs, logits, grads, window.alpha)
        *_, (_, first) = network.back_through_time(logits, window.alpha)
        states = network.cell.states
        state = {f"{name}0.{k}": getattr(d, f"d{name}_prev") for k, d in enumerate(first) for name in states}
    elif isinstance(network, FastLinear):
        network.backward(window.inputs, logits, grads, window.alpha)
        parts = [layer.recurrence.carried for layer in network.layers]
        names = network.config.states
        state = {f"{name}0.{k}": parts[k][j].copy() for k in range(len(parts)) for j, name in enumerate(names)}
    else:
        state = fast_backward(network, window, logits, grads)
    return {**grads, **state}


def fast_backward(network: Fast, window: Window, dlogits: Array, grads: Params) -> dict[str, Array]:
    """Runs `backward`; the gradients of the carried state, read from the buffers that the time loop leaves behind."""
    found: dict[str, Array] = {}
    time_back = Layer.time_back

    def recorded(layer: Layer, *given: object) -> None:
        time_back(layer, *given)  # type: ignore[arg-type]
        cell = layer.window.cell
        dh = layer.window.dh_parts.sum(axis=0)
        if cell.dh_direct is not None:
            dh += cell.dh_direct
        for name, gradient in {"h": dh, "c": getattr(cell, "dc_prev", dh)}.items():
            if name in network.config.states:
                found[f"{name}0.{layer.index}"] = np.moveaxis(gradient, 0, 1).reshape(gradient.shape[1], -1).copy()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Layer, "time_back", recorded)
        network.backward(window.inputs, dlogits, grads, window.alpha)
    return found


def differences(network: AnyNetwork, window: Window) -> dict[str, Array]:
    """The same as `gradients`, by central differences."""
    eps = 1e-5
    inputs: dict[str, Array] = dict(network.params)
    state = network.state()
    for name, values in state.items():
        inputs |= {f"{name}0.{layer}": values[layer] for layer in range(len(values))}
    found = {}
    for name, values in inputs.items():
        found[name] = np.zeros_like(values)
        for index in np.ndindex(values.shape):
            kept, ends = values[index], []
            for change in (eps, -eps):
                values[index] = kept + change
                network.set_state(state)
                ends.append(loss_of(network, window))
            values[index] = kept
            found[name][index] = (ends[0] - ends[1]) / (2 * eps)
    network.set_state(state)
    network.pack()
    return found


def worst(found: Mapping[str, Array], wanted: Mapping[str, Array]) -> float:
    """max |a - n| / max |n|, over the arrays."""
    assert found.keys() == wanted.keys()
    assert all(np.abs(n).max() > 0 for n in wanted.values())
    return float(max(np.abs(found[name] - n).max() / np.abs(n).max() for name, n in wanted.items()))
