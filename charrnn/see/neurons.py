"""Single units: what they do along a text, which of them follow a question, and how often the gates are at their ends.

How well a unit follows a question is the R² of the straight line that was fitted from its activation to the answer on
the first half of the passage, and tried on the second: 1 where the answer can be read off, 0 or less where the mean
does as well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Array
from charrnn.checkpoint.model import Model
from charrnn.errors import TextError, UsageError
from charrnn.nn.equations import CELLS
from charrnn.nn.network import Network
from charrnn.see.probes import Question, answers
from charrnn.see.text_window import Passage, Streams

LOW, HIGH = 0.1, 0.9  # beyond which a gate counts as closed or open (Karpathy, Johnson & Fei-Fei 2016)
Sums = NDArray[np.float64]


@dataclass(frozen=True, order=True)
class Unit:
    """Unit `index` of what is called `of` (h, c, or a gate) in a layer; all are counted from 0."""

    layer: int
    of: str
    index: int

    def __str__(self) -> str:
        return f"layer {self.layer}, {self.of} {self.index}"


@dataclass(frozen=True)
class Fit:
    """How well a unit follows a question; `fit` is the R² on the second half, `correlation` that on the first."""

    question: str
    lasting: bool
    unit: Unit
    fit: float
    correlation: float

    def as_dict(self) -> dict[str, Any]:
        return {"question": self.question, **asdict(self.unit), "fit": self.fit, "correlation": self.correlation}


@dataclass(frozen=True)
class Saturation:
    """The share of a gate's activations below `LOW` and above `HIGH`, and their mean, over a layer and a passage."""

    layer: int
    gate: str
    closed: float
    open: float
    mean: float


def kinds(model: Model) -> list[str]:
    """What can be looked at: the states, then the gates."""
    config = model.config
    return [*config.states, *(gate for gate in config.gates if gate not in config.states)]


def check_unit(model: Model, unit: Unit) -> None:
    """Raises UsageError where the network has no such unit."""
    config = model.config
    if unit.of not in kinds(model):
        raise UsageError(f"--of is one of {', '.join(kinds(model))} for this {config.cell.upper()}, not {unit.of}.")
    for name, value, count in (("layer", unit.layer, config.layers), ("unit", unit.index, config.hidden_size)):
        if not 0 <= value < count:
            raise UsageError(f"--{name} is a whole number from 0 to {count - 1} for this model, not {value}.")


def read(
    model: Model, passage: Passage
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.bool_], list[dict[str, Array]]]]:
    """Row after row: the places in the passage, which streams they are of, and the values (B, H) layer by layer."""
    ids = np.concatenate([passage.before, passage.ids])
    streams = Streams(len(passage.before), len(passage))
    network = Network(model.config, model.params, 1, streams.count)
    for row, window in streams.windows(ids, 1):
        network.read(window)
        network.carry()
        mask, places = streams.places(row, 1)
        yield places, mask[0], [vars(v) for v in network.values[0]]


def activations(model: Model, passage: Passage, unit: Unit) -> NDArray[np.float32]:
    """The unit's activation (n,) after each symbol of the passage. Raises UsageError where there is no such unit."""
    check_unit(model, unit)
    found = np.zeros(len(passage), np.float32)
    for places, mask, layers in read(model, passage):
        found[places] = layers[unit.layer][unit.of][mask, unit.index]
    return found


def by_character(passage: Passage, values: NDArray[np.float32]) -> list[float]:
    """The value of each character: that after the last of its symbols."""
    last = np.flatnonzero(np.diff(passage.owner, append=passage.owner[-1] + 1))
    found: list[float] = values[last].tolist()
    return found


def limits(model: Model, of: str, values: Sequence[float]) -> tuple[float, float]:
    """Between what an activation lies: 0 and 1 for a sigmoid gate, -1 and 1 for h, and for c what these values need."""
    if of in CELLS[model.config.cell].sigmoids:
        return 0.0, 1.0
    if of != "c":
        return -1.0, 1.0
    most = float(f"{max(map(abs, values), default=0.0):.2g}") or 1.0
    return -most, most


class Moments:
    """Sums over symbols, of features (F) and answers (Q), from which a straight line and its R² follow."""

    def __init__(self, features: int, questions: int) -> None:
        self.count = 0
        self.a, self.aa = np.zeros(features), np.zeros(features)
        self.q, self.qq = np.zeros(questions), np.zeros(questions)
        self.aq = np.zeros((features, questions))

    def add(self, a: Array, q: Array) -> None:
        """Rows (n, F) and (n, Q)."""
        a = a.astype(np.float64)
        self.count += len(a)
        self.a, self.aa = self.a + a.sum(axis=0), self.aa + np.einsum("nf,nf->f", a, a)
        self.q, self.qq = self.q + q.sum(axis=0), self.qq + (q * q).sum(axis=0)
        self.aq += a.T @ q

    def correlation(self) -> Sums:
        """Pearson's, (F, Q); 0 where one of the two never changes."""
        n = max(self.count, 1)
        va, vq = self.aa / n - (self.a / n) ** 2, self.qq / n - (self.q / n) ** 2
        covariance = self.aq / n - np.outer(self.a, self.q) / n**2
        scale = np.sqrt(np.outer(np.maximum(va, 0.0), np.maximum(vq, 0.0)))
        with np.errstate(all="ignore"):
            return np.where((va[:, None] > 1e-12) & (vq > 1e-12), covariance / scale, 0.0)

    def line(self) -> tuple[Sums, Sums]:
        """Slope and intercept (F, Q) of the best straight line from a feature to an answer."""
        n = max(self.count, 1)
        va = (self.aa / n - (self.a / n) ** 2)[:, None]
        covariance = self.aq / n - np.outer(self.a, self.q) / n**2
        with np.errstate(all="ignore"):
            slope = np.where(va > 1e-12, covariance / va, 0.0)
        return slope, self.q / n - slope * (self.a / n)[:, None]

    def r_squared(self, slope: Sums, intercept: Sums) -> Sums:
        """1 - Σ (q - slope a - intercept)² / Σ (q - mean)², (F, Q); NaN where the answer never changes here."""
        n = max(self.count, 1)
        a, aa, q, qq = self.a[:, None], self.aa[:, None], self.q, self.qq
        residual = qq - 2 * slope * self.aq - 2 * intercept * q
        residual = residual + slope**2 * aa + 2 * slope * intercept * a + n * intercept**2
        spread = qq - q**2 / n
        with np.errstate(all="ignore"):
            return np.where(spread > 1e-9 * n, 1.0 - residual / spread, np.nan)


@dataclass(frozen=True)
class Found:
    """The best units for every question, the best first; the gates' saturation."""

    fits: list[Fit]
    saturation: list[Saturation]
    symbols: int


def find(model: Model, passage: Passage, of: Sequence[str] = (), top: int = 1) -> Found:
    """Ranks all units (of the states, or of these kinds) by each question that the passage asks.

    The unit is chosen on the first half of the passage and its fit measured on the second. Raises UsageError for a
    kind that the cell lacks, TextError where the passage asks nothing.
    """
    of = list(of) or list(model.config.states)
    for kind in of:
        check_unit(model, Unit(0, kind, 0))
    asked = answers(passage)
    if not asked:
        raise TextError("nothing changes in this text that a unit could follow: give more text.")
    wanted, half = np.stack(list(asked.values()), axis=1), len(passage) // 2
    H, layers = model.config.hidden_size, model.config.layers
    halves = [Moments(layers * len(of) * H, len(asked)) for _ in range(2)]
    gates = Gates(model)
    for places, mask, values in read(model, passage):
        features = np.concatenate([layer[kind][mask] for layer in values for kind in of], axis=1)
        first = places < half
        for moments, mine in zip(halves, (first, ~first), strict=True):
            if mine.any():
                moments.add(features[mine], wanted[places[mine]])
        gates.add(mask, values)
    units = [Unit(layer, kind, index) for layer in range(layers) for kind in of for index in range(H)]
    return Found(ranked(list(asked), units, halves, top), gates.found(), len(passage))


def ranked(questions: list[Question], units: list[Unit], halves: list[Moments], top: int) -> list[Fit]:
    correlation, fit = halves[0].correlation(), halves[1].r_squared(*halves[0].line())
    fits = []
    for column, question in enumerate(questions):
        best = np.argsort(-np.abs(correlation[:, column]), kind="stable")[:top]
        if np.isnan(fit[best, column]).any():
            continue  # the second half never asks it
        fits += [
            Fit(question.name, question.lasting, units[k], float(fit[k, column]), float(correlation[k, column]))
            for k in best.tolist()
        ]
    return fits


class Gates:
    """Counts how often the sigmoid gates of every layer are at their ends."""

    def __init__(self, model: Model) -> None:
        self.gates, self.layers = CELLS[model.config.cell].sigmoids, model.config.layers
        self.sums = np.zeros((self.layers, len(self.gates), 3))
        self.count = 0

    def add(self, mask: NDArray[np.bool_], values: list[dict[str, Array]]) -> None:
        for layer, found in enumerate(values):
            for place, gate in enumerate(self.gates):
                a = found[gate][mask]
                self.sums[layer, place] += (a < LOW).sum(), (a > HIGH).sum(), a.sum(dtype=np.float64)
        self.count += int(mask.sum()) * values[0]["h"].shape[1]

    def found(self) -> list[Saturation]:
        return [
            Saturation(layer, gate, *(self.sums[layer, place] / max(self.count, 1)).tolist())
            for layer in range(self.layers)
            for place, gate in enumerate(self.gates)
        ]
