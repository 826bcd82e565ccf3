"""The fast network: the methods are described in `nn/interface.py`."""

from itertools import pairwise

import numpy as np

from charrnn.arrays import Array, Ids, Mask, Masks, empty
from charrnn.nn.fast.layer import Layer, Resets, Window
from charrnn.nn.fast.layout import Division, blocks
from charrnn.nn.fast.weights import PackedWeights, packed_shapes
from charrnn.nn.params import Config, Params


class Network:
    """Layers of cells and an output layer on preallocated buffers; without `training`, `backward` is not possible."""

    def __init__(
        self,
        config: Config,
        params: Params,
        steps: int,
        streams: int,
        training: bool = False,
        packed: PackedWeights | None = None,
    ) -> None:
        self.config, self.params, self.steps, self.streams = config, params, steps, streams
        dtype = params.flat.dtype
        if packed is None:
            division = Division(len(config.gates), config.hidden_size, streams)
            shapes = packed_shapes(config, division, training)
            packed = PackedWeights(config, params, division, {name: empty(shapes[name], dtype) for name in shapes})
            packed.pack()
        self.packed = packed
        self.window = Window(config.cell, self.packed.division, steps, streams, dtype, training)
        self.layers = [Layer(k, self.packed, self.window) for k in range(config.layers)]
        self.top = empty((steps, streams, config.hidden_size), dtype)  # y of the last layer
        self.logits = empty((steps, streams, config.vocab_size), dtype)
        # y of every layer (T, B, H): x of the layer above, or the top
        self.outputs = [*(layer.x for layer in self.layers[1:]), self.top]
        self.above = [list(blocks(output, self.window.n)) for output in self.outputs]
        self.masks: Masks = None
        self.resets: Resets | None = None
        self.length = steps  # of the last window

    @property
    def first(self) -> Array:
        return self.params["by"]

    def pack(self) -> None:
        self.packed.pack()

    def forward(self, ids: Ids, masks: Masks = None, reset: Mask | None = None, recurrent_masks: Masks = None) -> Array:
        self.length, self.masks, self.resets = len(ids), masks, None if reset is None else reset_streams(reset)
        for k, layer in enumerate(self.layers):
            layer.mask = None
            if recurrent_masks is not None:
                layer.mask = np.ascontiguousarray(blocks(recurrent_masks[k][0], self.window.n))
            layer.forward(ids, self.above[k], self.resets)
            if masks is not None:
                np.multiply(self.outputs[k][: self.length], masks[k], out=self.outputs[k][: self.length])
        logits, top = self.logits[: self.length], self.top[: self.length]
        V = self.config.vocab_size
        np.matmul(top.reshape(-1, self.config.hidden_size), self.params["Wy"], out=logits.reshape(-1, V))
        logits += self.params["by"]
        return logits

    def backward(self, ids: Ids, dlogits: Array, grads: Params, alpha: float = 0.0) -> None:
        T, H = self.length, self.config.hidden_size
        flat, dy = dlogits.reshape(-1, self.config.vocab_size), self.window.dy[:T]
        np.matmul(self.top[:T].reshape(-1, H).T, flat, out=grads["Wy"])
        np.sum(flat, axis=0, out=grads["by"])
        np.matmul(flat, self.params["Wy"].T, out=dy.reshape(-1, H))
        if alpha:  # dy += alpha y, by way of the buffer of xw, which is free now
            alpha_y = self.window.xw_rows.reshape(-1)[: dy.size].reshape(dy.shape)
            np.multiply(self.top[:T], alpha, out=alpha_y)
            dy += alpha_y
        for k in range(self.config.layers - 1, -1, -1):
            if self.masks is not None:
                np.multiply(dy, self.masks[k], out=dy)
            self.layers[k].backward(ids, grads, self.resets)

    def carry(self) -> None:
        for layer in self.layers:
            layer.carry(self.length)

    def reset(self) -> None:
        for layer in self.layers:
            layer.reset()

    def state(self) -> dict[str, Array]:
        shape = (len(self.layers), self.streams, self.config.hidden_size)
        state = {name: np.empty(shape, self.window.dtype) for name in self.config.states}
        self.store_state(state)
        return state

    def store_state(self, out: dict[str, Array]) -> None:
        for k, layer in enumerate(self.layers):
            out["h"][k] = layer.h_carried
            if "c" in out:
                blocks(out["c"][k], self.window.n)[:] = layer.c

    def set_state(self, state: dict[str, Array]) -> None:
        for k, layer in enumerate(self.layers):
            layer.h_carried[:] = state["h"][k]
            if "c" in state:
                layer.c[:] = blocks(state["c"][k], self.window.n)


def reset_streams(mask: Mask) -> Resets:
    """The streams that are marked at each step of a mask (T, B)."""
    steps, streams = np.nonzero(mask)
    ends = np.searchsorted(steps, np.arange(len(mask) + 1)).tolist()
    return [streams[start:end] if start < end else None for start, end in pairwise(ends)]
