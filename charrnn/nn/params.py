"""The configuration of a network, and its weights in one flat vector, each under its name."""

import math
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from charrnn.arrays import Array, RandomStream, zeros
from charrnn.checks import MOST_LAYERS, check_int, shown
from charrnn.errors import UsageError
from charrnn.nn.equations import CELLS
from charrnn.options import NGRAM

Shapes = dict[str, tuple[int, ...]]
FORGET_BIAS = 1.0


class Params(dict[str, Array]):
    """Weights by name: views of `flat`, so that one operation on `flat` changes them all."""

    def __init__(self, shapes: Shapes, dtype: DTypeLike = np.float32, flat: Array | None = None) -> None:
        sizes = [math.prod(shape) for shape in shapes.values()]
        self.shapes, self.flat = shapes, zeros((sum(sizes),), dtype) if flat is None else flat
        self.starts = dict(zip(shapes, accumulate(sizes, initial=0), strict=False))
        for (name, start), size in zip(self.starts.items(), sizes, strict=True):
            self[name] = self.flat[start : start + size].reshape(shapes[name])

    def matrix(self, layer: int) -> Array:
        """Wh, Wx and b of a layer, stacked: (H + inputs + 1, G·H), a view."""
        parts, start = [self[f"l{layer}.{name}"] for name in ("Wh", "Wx", "b")], self.starts[f"l{layer}.Wh"]
        return self.flat[start : start + sum(part.size for part in parts)].reshape(-1, parts[0].shape[1])

    def copy(self) -> "Params":
        """A copy with memory of its own."""
        twin = Params(self.shapes, self.flat.dtype)  # aligned, as self.flat.copy() would not be
        twin.flat[:] = self.flat
        return twin


@dataclass(frozen=True)
class Config:
    """The architecture: `cell` is a name in `CELLS`, `hidden_size` is H, `vocab_size` is V.

    A model that has only n-grams has the cell `NGRAM`, no layers, and no weights.
    """

    cell: str
    layers: int
    hidden_size: int
    vocab_size: int

    def __post_init__(self) -> None:
        check_int("vocab_size", self.vocab_size, 1)
        if (self.cell, self.layers, self.hidden_size) == (NGRAM, 0, 0):
            return
        if self.cell not in CELLS:
            raise UsageError(f"a cell is one of {', '.join(CELLS)}, not {shown(self.cell)}.")
        check_int("layers", self.layers, 1, MOST_LAYERS)
        check_int("hidden_size", self.hidden_size, 1)

    @property
    def name(self) -> str:
        """The cell and the sizes, such as LSTM 2 x 128."""
        return f"{self.cell.upper()} {self.layers} x {self.hidden_size}"

    @property
    def gates(self) -> str:
        return CELLS[self.cell].gates

    @property
    def states(self) -> str:
        return CELLS[self.cell].states if self.layers else ""

    @property
    def shapes(self) -> Shapes:
        """The shape of every weight by name: `l0.Wh` (H, G·H), `l0.Wx` (V, G·H), `l0.b` (G·H,), ..., `Wy`, `by`."""
        if not self.layers:
            return {}
        H, V, columns = self.hidden_size, self.vocab_size, len(self.gates) * self.hidden_size
        result: Shapes = {}
        for k in range(self.layers):
            result |= {f"l{k}.Wh": (H, columns), f"l{k}.Wx": (H if k else V, columns), f"l{k}.b": (columns,)}
        return {**result, "Wy": (H, V), "by": (V,)}

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def fresh_params(config: Config, seed: int, dtype: DTypeLike = np.float32) -> Params:
    """Random weights; the same seed gives the same weights. Raises UsageError if they do not fit into memory.

    Weights are uniform in ±1/sqrt(H), those of `Wh` in half of that; biases are 0, that of the forget gate 1
    (Jozefowicz et al. 2015). `l0.Wx` is uniform in ±sqrt(3), which has unit variance: its input is one-hot, so its
    fan-in is 1.
    """
    try:
        params = Params(config.shapes, dtype)
    except (MemoryError, ValueError):
        raise UsageError(f"{config.layers} x {config.hidden_size} does not fit into memory.") from None
    rng = np.random.Generator(np.random.PCG64([seed, RandomStream.WEIGHTS]))
    for name, values in params.items():
        if values.ndim == 2:
            bound = math.sqrt(3.0) if name == "l0.Wx" else 1.0 / math.sqrt(config.hidden_size)
            bound *= 0.5 if name.endswith("Wh") else 1.0
            values[:] = rng.uniform(-bound, bound, size=values.shape)
        elif name != "by" and "f" in config.gates:
            forget = config.gates.index("f") * config.hidden_size
            values[forget : forget + config.hidden_size] = FORGET_BIAS
    return params
