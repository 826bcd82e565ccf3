"""The configuration of a network, and its weights in one flat vector, each under its name."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from charrnn.arrays import Array, RandomStream, zeros
from charrnn.checks import MOST_LAYERS, check_int, shown
from charrnn.errors import UsageError
from charrnn.nn.equations import CELLS

Shapes = dict[str, tuple[int, ...]]
FORGET_BIAS = 1.0


def shapes(gates: int, layers: int, hidden_size: int, vocab_size: int) -> Shapes:
    """Name and shape of every weight: `l0.Wh` (H, G·H), `l0.Wx` (V, G·H), `l0.b` (G·H,), `l1.Wh`, ..., `Wy`, `by`."""
    result: Shapes = {}
    for layer in range(layers):
        inputs = hidden_size if layer else vocab_size
        result[f"l{layer}.Wh"] = (hidden_size, gates * hidden_size)
        result[f"l{layer}.Wx"] = (inputs, gates * hidden_size)
        result[f"l{layer}.b"] = (gates * hidden_size,)
    result["Wy"] = (hidden_size, vocab_size)
    result["by"] = (vocab_size,)
    return result


class Params(dict[str, Array]):
    """Weights by name: views of `flat`, so that one operation on `flat` changes them all."""

    def __init__(
        self, shapes: Mapping[str, tuple[int, ...]], dtype: DTypeLike = np.float32, flat: Array | None = None
    ) -> None:
        super().__init__()
        self.shapes = dict(shapes)
        size = sum(map(math.prod, shapes.values()))
        self.flat: Array = zeros((size,), dtype) if flat is None else flat
        self.starts: dict[str, int] = {}
        start = 0
        for name, shape in self.shapes.items():
            end = start + math.prod(shape)
            self.starts[name] = start
            self[name] = self.flat[start:end].reshape(shape)
            start = end

    def matrix(self, layer: int) -> Array:
        """Wh, Wx and b of a layer, stacked: (H + inputs + 1, G·H), a view."""
        names = [f"l{layer}.{name}" for name in ("Wh", "Wx", "b")]
        start, size = self.starts[names[0]], sum(self[name].size for name in names)
        return self.flat[start : start + size].reshape(-1, self[names[0]].shape[1])

    def copy(self) -> "Params":
        """A copy with memory of its own."""
        twin = Params(self.shapes, self.flat.dtype)  # aligned, as self.flat.copy() would not be
        twin.flat[:] = self.flat
        return twin


def initialise(params: Params, gates: str, hidden_size: int, rng: np.random.Generator) -> None:
    """Weights uniform in ±1/sqrt(H), biases 0, that of the forget gate 1 (Jozefowicz et al. 2015).

    l0.Wx is uniform in ±sqrt(3), which has unit variance: its input is one-hot, so its fan-in is 1.
    """
    for name, values in params.items():
        if values.ndim == 1:
            values[:] = 0.0
        else:
            bound = math.sqrt(3.0) if name == "l0.Wx" else 1.0 / math.sqrt(hidden_size)
            values[:] = rng.uniform(-bound, bound, size=values.shape)
        if name.endswith(".b") and "f" in gates:
            forget = gates.index("f") * hidden_size
            values[forget : forget + hidden_size] = FORGET_BIAS


@dataclass(frozen=True)
class Config:
    """The architecture: `cell` is a name in `CELLS`, `hidden_size` is H, `vocab_size` is V."""

    cell: str
    layers: int
    hidden_size: int
    vocab_size: int

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise UsageError(f"a cell is one of {', '.join(CELLS)}, not {shown(self.cell)}.")
        check_int("layers", self.layers, 1, MOST_LAYERS)
        for name in ("hidden_size", "vocab_size"):
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
    """Random weights; the same seed gives the same weights. Raises UsageError if they do not fit into memory."""
    try:
        params = Params(config.shapes, dtype)
    except (MemoryError, ValueError):
        raise UsageError(f"{config.layers} x {config.hidden_size} does not fit into memory.") from None
    rng = np.random.Generator(np.random.PCG64([seed, RandomStream.WEIGHTS]))
    initialise(params, config.gates, config.hidden_size, rng)
    return params
