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
from charrnn.nn.equations import CELLS, LINEAR_CELLS, cell_of
from charrnn.options import NGRAM

Shapes = dict[str, tuple[int, ...]]
FORGET_BIAS = 1.0
SLOWEST = 300.0


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
        return self.stacked(*(f"l{layer}.{name}" for name in ("Wh", "Wx", "b")))

    def stacked(self, *names: str) -> Array:
        """Neighbouring weights of the same width as one matrix, a view."""
        parts, start = [self[name] for name in names], self.starts[names[0]]
        return self.flat[start : start + sum(part.size for part in parts)].reshape(-1, parts[0].shape[1])

    def copy(self) -> "Params":
        """A copy with memory of its own."""
        twin = Params(self.shapes, self.flat.dtype)  # aligned, as self.flat.copy() would not be
        twin.flat[:] = self.flat
        return twin


@dataclass(frozen=True)
class Config:
    """The architecture: `cell` is a name in `CELLS` or `LINEAR_CELLS`, `hidden_size` is H, `vocab_size` is V.

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
        if self.cell not in CELLS and not self.linear:
            raise UsageError(f"a cell is one of {', '.join([*CELLS, *LINEAR_CELLS])}, not {shown(self.cell)}.")
        check_int("layers", self.layers, 1, MOST_LAYERS)
        check_int("hidden_size", self.hidden_size, 1)

    @property
    def name(self) -> str:
        """The cell and the sizes, such as LSTM 2 x 128."""
        return f"{self.cell.upper()} {self.layers} x {self.hidden_size}"

    @property
    def linear(self) -> bool:
        """Whether the cell is a linear recurrence, whose layers are those of `nn/linear.py`."""
        return self.cell in LINEAR_CELLS

    @property
    def gates(self) -> str:
        return cell_of(self.cell).gates

    @property
    def states(self) -> str:
        return cell_of(self.cell).states if self.layers else ""

    @property
    def lookup(self) -> str:
        """The name of the weights with a row per symbol."""
        return "E" if self.linear else "l0.Wx"

    @property
    def shapes(self) -> Shapes:
        """The shape of every weight by name: `l0.Wh` (H, G·H), `l0.Wx` (V, G·H), `l0.b` (G·H,), ..., `Wy`, `by`.

        Of a linear recurrence with S states: `E` (V, H), `l0.Wx` (H, G·H), `l0.b`, its vectors such as `l0.nu` (H,),
        `l0.Wo` (S·H, 2 H), `l0.bo` (2 H,), ..., `Wy`, `by`.
        """
        if not self.layers:
            return {}
        H, V, columns = self.hidden_size, self.vocab_size, len(self.gates) * self.hidden_size
        if self.linear:
            result: Shapes = {"E": (V, H)}
            for k in range(self.layers):
                result |= {f"l{k}.Wx": (H, columns), f"l{k}.b": (columns,)}
                result |= {f"l{k}.{name}": (H,) for name in LINEAR_CELLS[self.cell].vectors}
                result |= {f"l{k}.Wo": (len(self.states) * H, 2 * H), f"l{k}.bo": (2 * H,)}
            return {**result, "Wy": (H, V), "by": (V,)}
        result = {}
        for k in range(self.layers):
            result |= {f"l{k}.Wh": (H, columns), f"l{k}.Wx": (H if k else V, columns), f"l{k}.b": (columns,)}
        return {**result, "Wy": (H, V), "by": (V,)}

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def fresh_params(config: Config, seed: int, dtype: DTypeLike = np.float32) -> Params:
    """Random weights; the same seed gives the same weights. Raises UsageError if they do not fit into memory.

    Weights are uniform in ±1/sqrt(H), those of `Wh` in half of that; biases are 0, that of the forget gate 1
    (Jozefowicz et al. 2015). The rows that are looked up by symbol are uniform in ±sqrt(3), which has unit variance:
    their input is one-hot, so their fan-in is 1. `first_recurrence` describes the weights of a linear recurrence.
    """
    try:
        params = Params(config.shapes, dtype)
    except (MemoryError, ValueError):
        raise UsageError(f"{config.layers} x {config.hidden_size} does not fit into memory.") from None
    rng = np.random.Generator(np.random.PCG64([seed, RandomStream.WEIGHTS]))
    for name, values in params.items():
        if values.ndim == 2:
            bound = math.sqrt(3.0) if name == config.lookup else 1.0 / math.sqrt(config.hidden_size)
            bound *= 0.5 if name.endswith("Wh") else 1.0
            values[:] = rng.uniform(-bound, bound, size=values.shape)
        elif config.linear:
            first_recurrence(config, name.split(".")[-1], values, rng)
        elif name != "by" and "f" in config.gates:
            forget = config.gates.index("f") * config.hidden_size
            values[forget : forget + config.hidden_size] = FORGET_BIAS
    return params


def first_recurrence(config: Config, name: str, values: Array, rng: np.random.Generator) -> None:
    """Sets a first vector of a linear recurrence, so that its units forget at all speeds: after a time constant of
    1 to `SLOWEST` steps, log-uniform. The angles of λ are uniform between 0 and π.
    """
    H = config.hidden_size
    if name == "theta":
        values[:] = np.log(rng.uniform(1e-3, math.pi, size=H))
    elif name == "nu" or (name == "b" and "z" in config.gates):
        rates = np.exp(-rng.uniform(0.0, math.log(SLOWEST), size=H))  # of forgetting
        if name == "nu":
            values[:] = np.log(rates)
        else:  # what is kept is 1 - z = exp(-rate)
            z = config.gates.index("z") * H
            values[z : z + H] = np.log(np.expm1(rates))
