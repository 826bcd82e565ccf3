"""The network: embedding by row look-up, layers of cells, a linear output, and the way back through them.

Time runs 1..T in every per-step buffer; row 0 holds the state carried in, so that `h[:-1]` is all previous
hidden states as one view. The time loop is written once, here, for every cell.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from charrnn.cells import CELLS
from charrnn.errors import UsageError
from charrnn.options import check_int, shown
from charrnn.params import Array, Params, initialise, shapes

Ids = NDArray[np.integer[Any]]

ONE_HOT_LIMIT = 512  # symbols up to which a product with one-hot rows beats sorting


@dataclass(frozen=True)
class Config:
    """What a network is: its cell, its sizes. `vocab_size` V, `hidden_size` H."""

    cell: str
    layers: int
    hidden_size: int
    vocab_size: int

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise UsageError(f"a cell is one of {', '.join(CELLS)}, not {shown(self.cell)}.")
        for name in ("layers", "hidden_size", "vocab_size"):
            check_int(name, getattr(self, name), 1)

    @property
    def gates(self) -> str:
        return CELLS[self.cell].gates

    @property
    def states(self) -> str:
        return CELLS[self.cell].states

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return shapes(len(self.gates), self.layers, self.hidden_size, self.vocab_size)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def fresh_params(config: Config, seed: int, dtype: DTypeLike = np.float32) -> Params:
    """New random weights; the same seed gives the same weights."""
    try:
        params = Params(config.shapes, dtype)
    except (MemoryError, ValueError):
        raise UsageError(f"{config.layers} x {config.hidden_size} does not fit into memory.") from None
    initialise(params, config.gates, config.hidden_size, np.random.Generator(np.random.PCG64([seed, 0])))
    return params


class Tape:
    """What one layer's forward pass leaves for its backward pass, for windows of up to T steps of B streams.

    Rows 1..T; row 0 of `h` (and `c`) is the state carried in.
    """

    def __init__(self, config: Config, steps: int, batch_size: int, dtype: DTypeLike, training: bool) -> None:
        cell, H, G = CELLS[config.cell], config.hidden_size, len(config.gates)
        self.hidden_size, self.gate_count, self.length = H, G, steps
        rows, columns = (steps + 1, batch_size, H), (steps + 1, batch_size, G * H)
        self.z: Array = np.zeros(columns, dtype)
        self.a: Array = np.zeros(columns[1:], dtype)
        self.h: Array = np.zeros(rows, dtype)
        self.u: Array = np.zeros(rows[1:], dtype)
        if "c" in cell.states:
            self.c: Array = np.zeros(rows, dtype)
            self.tanh_c: Array = np.zeros(rows, dtype)
        if cell.splits:
            self.h_n: Array = np.zeros(rows, dtype)
        self.states = [getattr(self, name) for name in cell.states]
        if training:
            self.da: Array = np.zeros(columns, dtype)
            self.dz: Array = np.zeros(columns, dtype) if cell.splits else self.da
            self.dh: Array = np.zeros(rows[1:], dtype)
            if "c" in cell.states:
                self.dc: Array = np.zeros(rows[1:], dtype)
            self.dy: Array = np.zeros(rows, dtype)

    def gates(self, columns: Array) -> list[Array]:
        """The gates of (B, G·H), each (B, H)."""
        H = self.hidden_size
        return [columns[:, k * H : (k + 1) * H] for k in range(self.gate_count)]

    def carry(self) -> None:
        """The state after the window becomes the state before the next."""
        for state in self.states:
            state[0] = state[self.length]

    def reset(self) -> None:
        """Starts from nothing."""
        for state in self.states:
            state[0] = 0.0


class Network:
    """Computes with `params`; owns the buffers of one window shape."""

    def __init__(self, config: Config, params: Params, steps: int, batch_size: int, training: bool = False):
        self.config, self.params = config, params
        self.cell = CELLS[config.cell]
        dtype = params.flat.dtype
        self.tapes = [Tape(config, steps, batch_size, dtype, training) for _ in range(config.layers)]
        self.logits: Array = np.zeros((steps, batch_size, config.vocab_size), dtype)
        self.outputs: list[Array] = []  # of each layer, after dropout, as the forward pass used them
        self.masks: list[Array] | None = None

    def forward(self, ids: Ids, masks: list[Array] | None = None) -> Array:
        """Logits (T, B, V) for the symbols ids (T, B), T up to the steps of the buffers.

        `masks`, one (T, B, H) array a layer, multiply what the layer hands on (inverted dropout,
        Zaremba et al. 2014). The carried-in states are row 0 of the tapes.
        """
        p, T, B = self.params, len(ids), ids.shape[1]
        self.outputs, self.masks = [], masks
        x: Array | None = None
        for layer, tape in enumerate(self.tapes):
            tape.length = T
            Wx, Wh, b = p[f"l{layer}.Wx"], p[f"l{layer}.Wh"], p[f"l{layer}.b"]
            z = tape.z[1 : T + 1]
            if x is None:
                # a one-hot x_t times Wx is a row of Wx
                np.take(Wx, ids, axis=0, out=z, mode="clip")
            else:
                np.matmul(x.reshape(T * B, -1), Wx, out=z.reshape(T * B, -1))
            z += b
            for t in range(1, T + 1):
                np.matmul(tape.h[t - 1], Wh, out=tape.a)
                self.cell.step(tape, t)
            x = tape.h[1 : T + 1]
            if masks is not None:
                x = x * masks[layer]
            self.outputs.append(x)
        logits = self.logits[:T]
        np.matmul(self.outputs[-1].reshape(T * B, -1), p["Wy"], out=logits.reshape(T * B, -1))
        logits += p["by"]
        return logits

    def backward(self, ids: Ids, dlogits: Array, grads: Params) -> None:
        """Writes the gradients of all weights to `grads`, given those of the logits (T, B, V) of `forward`.

        The gradients of the carried-in states are left for `state_gradient`; what comes after the window
        sends nothing back (truncated backpropagation through time, Williams & Peng 1990).
        """
        p, T, B = self.params, len(ids), ids.shape[1]
        flat = dlogits.reshape(T * B, -1)
        np.matmul(self.outputs[-1].reshape(T * B, -1).T, flat, out=grads["Wy"])
        np.sum(flat, axis=0, out=grads["by"])
        np.matmul(flat, p["Wy"].T, out=self.tapes[-1].dy[1 : T + 1].reshape(T * B, -1))
        for layer in reversed(range(len(self.tapes))):
            tape = self.tapes[layer]
            if self.masks is not None:
                tape.dy[1 : T + 1] *= self.masks[layer]
            self._time_back(tape, p[f"l{layer}.Wh"].T, T)
            dz, da = (d[1 : T + 1].reshape(T * B, -1) for d in (tape.dz, tape.da))
            np.matmul(tape.h[:T].reshape(T * B, -1).T, da, out=grads[f"l{layer}.Wh"])
            np.sum(dz, axis=0, out=grads[f"l{layer}.b"])
            if layer:
                np.matmul(self.outputs[layer - 1].reshape(T * B, -1).T, dz, out=grads[f"l{layer}.Wx"])
                below = self.tapes[layer - 1].dy[1 : T + 1]
                np.matmul(dz, p[f"l{layer}.Wx"].T, out=below.reshape(T * B, -1))
            else:
                sum_rows(ids.reshape(-1), dz, grads["l0.Wx"])

    def _time_back(self, tape: Tape, Wh_T: Array, T: int) -> None:
        for name in self.cell.states:
            getattr(tape, f"d{name}").fill(0.0)
        for t in range(T, 0, -1):
            tape.dh += tape.dy[t]
            self.cell.step_back(tape, t)
            tape.dh += tape.da[t] @ Wh_T

    def carry(self) -> None:
        for tape in self.tapes:
            tape.carry()

    def reset(self) -> None:
        for tape in self.tapes:
            tape.reset()

    def state(self) -> dict[str, Array]:
        """The carried-in states by name (`h`, `c`), each (layers, B, H)."""
        return {name: np.stack([getattr(t, name)[0] for t in self.tapes]) for name in self.cell.states}

    def set_state(self, state: dict[str, Array]) -> None:
        for name in self.cell.states:
            for tape, values in zip(self.tapes, state[name], strict=True):
                getattr(tape, name)[0] = values

    def state_gradient(self, layer: int) -> dict[str, Array]:
        """After `backward`: the gradients (B, H) of the state carried into this layer, by name."""
        return {name: getattr(self.tapes[layer], f"d{name}") for name in self.cell.states}


def sum_rows(ids: Ids, rows: Array, out: Array) -> None:
    """out[v] = the sum of the rows whose id is v: the gradient of looking rows up."""
    if len(out) <= ONE_HOT_LIMIT:
        one_hot = np.zeros((len(ids), len(out)), dtype=rows.dtype)
        one_hot[np.arange(len(ids)), ids] = 1.0
        np.matmul(one_hot.T, rows, out=out)
        return
    order = np.argsort(ids, kind="stable")
    present, begins = np.unique(ids[order], return_index=True)
    out.fill(0.0)
    out[present] = np.add.reduceat(rows[order], begins, axis=0)


def softmax_nats(logits: Array, targets: Ids) -> Array:
    """-ln p(target) (T, B) in nats; leaves the probabilities in `logits` (T, B, V)."""
    logits -= logits.max(axis=-1, keepdims=True)
    picked = np.take_along_axis(logits, targets[..., None].astype(np.intp), axis=-1)[..., 0]
    np.exp(logits, out=logits)
    total = logits.sum(axis=-1)
    logits /= total[..., None]
    nats: Array = np.log(total) - picked
    return nats


def cross_entropy(logits: Array, targets: Ids) -> float:
    """Mean nats per symbol; leaves the gradient of that mean in `logits`: (softmax - one-hot) / (T·B)."""
    nats = softmax_nats(logits, targets)
    rows = logits.reshape(-1, logits.shape[-1])
    rows[np.arange(len(rows)), targets.reshape(-1)] -= 1.0
    logits *= 1.0 / len(rows)
    return float(nats.mean(dtype=np.float64))
