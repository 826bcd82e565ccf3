"""Single units: their activation along a text, the probes that they follow, and the saturation of the gates.

How well a unit follows a probe is measured by R²: a straight line from its activation to the target is fitted on the
first half of the text and evaluated on the second. 1 means that the target can be read off the unit; 0 or less, that
the mean predicts it as well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Array
from charrnn.checkpoint.model import Model
from charrnn.checkpoint.notebook import table
from charrnn.checks import quoted
from charrnn.errors import TextError, UsageError
from charrnn.evaluation.scan import Piece, Places, resets, windows
from charrnn.nn.equations import cell_of
from charrnn.nn.linear import plain_network
from charrnn.see.probes import Probe, probe_targets
from charrnn.see.result import Result
from charrnn.see.text_window import TextWindow

LOW, HIGH = 0.1, 0.9  # a gate counts as closed below, as open above (Karpathy, Johnson & Fei-Fei 2016)
FOLLOWS = 0.1  # R² from which a unit is said to follow a probe
FREQUENT = 5  # occurrences from which the mean after a character counts
CONSTANT = 1e-12  # a variance up to which a feature or target counts as constant
Sums = NDArray[np.float64]


@dataclass(frozen=True, order=True)
class Unit:
    """Unit `index` of `of` (h, c, or a gate) in a layer; both are counted from 0."""

    layer: int
    of: str
    index: int

    def __str__(self) -> str:
        return f"layer {self.layer}, {self.of} {self.index}"

    @property
    def name(self) -> str:
        return f"unit {self.of} {self.index} of layer {self.layer}"


@dataclass(frozen=True)
class ProbeFit:
    """How well a unit follows a probe: `fit` is the R² on the second half, `correlation` that on the first."""

    probe: Probe
    unit: Unit
    fit: float
    correlation: float

    def as_dict(self) -> dict[str, Any]:
        return {"probe": self.probe.name, **asdict(self.unit), "fit": self.fit, "correlation": self.correlation}


@dataclass(frozen=True)
class Saturation:
    """The share of a gate's activations below `LOW` and above `HIGH`, and their mean, in one layer."""

    layer: int
    gate: str
    closed: float
    open: float
    mean: float


def kinds(model: Model) -> list[str]:
    """The values that have units: the states, then the gates."""
    return list(dict.fromkeys(model.config.states + model.config.gates))


def check_unit(model: Model, unit: Unit) -> None:
    """Raises UsageError if the network has no such unit."""
    config = model.of_network().config
    if unit.of not in kinds(model):
        raise UsageError(f"`of` is one of {', '.join(kinds(model))} for this {config.cell.upper()}, not {unit.of}.")
    for name, value, count in (("layer", unit.layer, config.layers), ("unit", unit.index, config.hidden_size)):
        if not 0 <= value < count:
            raise UsageError(f"`{name}` is a whole number from 0 to {count - 1} for this model, not {value}.")


def unit_values(model: Model, window: TextWindow) -> Iterator[tuple[Places, list[dict[str, Array]]]]:
    """Step by step: the places (n,) of symbols in the window, and for each layer all values (n, H) after them."""
    # the values after a symbol are those from which the next one is predicted
    pieces = [Piece(piece.first, piece.begin + 1, piece.end + 1) for piece in window.pieces()]
    network = plain_network(model.config, model.params, 1, len(pieces))
    for symbols, targets, scored in windows(window.ids_with_warm_up, pieces, network.steps):
        network.read(symbols[:1], None, resets(symbols[:1], model.vocab.boundary))
        network.carry()
        places, mask = targets[0] - 1 - len(window.before), scored[0]
        if mask.any():
            yield places[mask], [{name: getattr(v, name)[mask] for name in kinds(model)} for v in network.values[0]]


def activations(model: Model, window: TextWindow, unit: Unit) -> NDArray[np.float32]:
    """The unit's activation (n,) after each symbol of the window. Raises UsageError if there is no such unit."""
    check_unit(model, unit)
    values = np.zeros(len(window), np.float32)
    for places, layers in unit_values(model, window):
        values[places] = layers[unit.layer][unit.of][:, unit.index]
    return values


def by_character(window: TextWindow, values: NDArray[np.float32]) -> list[float]:
    """The value of each character: the one after the last of its symbols."""
    last = np.flatnonzero(np.diff(window.owner, append=window.owner[-1] + 1))
    return [float(value) for value in values[last]]


def limits(model: Model, of: str, values: Sequence[float]) -> tuple[float, float]:
    """The range of an activation: 0 to 1 for a sigmoid gate, -1 to 1 for h; for c, and all other values of a linear
    recurrence, a range that holds `values`.
    """
    if of in cell_of(model.config.cell).sigmoids:
        return 0.0, 1.0
    if of != "c" and not model.config.linear:
        return -1.0, 1.0
    largest = float(f"{max(map(abs, values), default=0.0):.2g}") or 1.0
    return -largest, largest


class RunningRegression:
    """Sums over symbols of features x (F,) and targets y (Q,), from which all F·Q simple linear regressions follow."""

    def __init__(self, features: int, targets: int) -> None:
        self.n = 0
        self.x, self.xx = np.zeros((2, features, 1))
        self.y, self.yy = np.zeros((2, targets))
        self.xy = np.zeros((features, targets))

    def add(self, x: Array, y: Array) -> None:
        """Adds rows (n, F) and (n, Q)."""
        x = x.astype(np.float64)
        self.n += len(x)
        self.x += x.sum(axis=0)[:, None]
        self.xx += np.einsum("nf,nf->f", x, x)[:, None]
        self.y += y.sum(axis=0)
        self.yy += (y * y).sum(axis=0)
        self.xy += x.T @ y

    def moments(self) -> tuple[Sums, Sums, Sums]:
        """The variances (F, 1) and (Q,), and the covariances (F, Q)."""
        n = max(self.n, 1)
        return self.xx / n - (self.x / n) ** 2, self.yy / n - (self.y / n) ** 2, self.xy / n - self.x * self.y / n**2

    def correlation(self) -> Sums:
        """Pearson's correlation (F, Q); 0 if the feature or the target is constant."""
        var_x, var_y, covariance = self.moments()
        scale = np.sqrt(np.maximum(var_x, CONSTANT) * np.maximum(var_y, CONSTANT))
        return np.where((var_x > CONSTANT) & (var_y > CONSTANT), covariance / scale, 0.0)

    def line(self) -> tuple[Sums, Sums]:
        """Slope and intercept (F, Q) of the least-squares line from a feature to a target."""
        var_x, _, covariance = self.moments()
        slope = np.where(var_x > CONSTANT, covariance / np.maximum(var_x, CONSTANT), 0.0)
        return slope, (self.y - slope * self.x) / max(self.n, 1)

    def r_squared(self, slope: Sums, intercept: Sums) -> Sums:
        """R² = 1 - Σ (y - slope x - intercept)² / Σ (y - mean)², (F, Q); NaN if the target is constant."""
        residual = self.yy - 2 * slope * self.xy - 2 * intercept * self.y
        residual = residual + slope**2 * self.xx + 2 * slope * intercept * self.x + self.n * intercept**2
        total = self.yy - self.y**2 / max(self.n, 1)
        with np.errstate(all="ignore"):
            return np.where(total > 1e-9 * self.n, 1.0 - residual / total, np.nan)


@dataclass(frozen=True, repr=False)
class Ranking(Result):
    """The best units for each probe, the best first, and the saturation of the gates, over `symbols` symbols."""

    symbols: int
    fits: list[ProbeFit]
    saturation: list[Saturation]

    def __repr__(self) -> str:
        return f"Ranking({len(self.fits)} fits, {self.symbols:,} symbols)"

    def figure(self) -> str:
        fits = sorted(self.fits, key=lambda fit: -fit.fit)
        return table([(fit.probe.name, fit.unit, f"{fit.fit:.3f}") for fit in fits], ("probe", "unit", "R²"))

    def conclusion(self) -> str:
        return summary(self.fits)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "fits": [fit.as_dict() for fit in self.fits]}


def find(model: Model, window: TextWindow, of: Sequence[str] = (), top: int = 1) -> Ranking:
    """Ranks all units of the states, or of the values `of`, by how well they follow each probe.

    Units are chosen on the first half of the window and evaluated on the second. Raises UsageError for values that the
    cell lacks, TextError if no probe has a target that varies.
    """
    model = model.of_network()
    of = list(of) or list(model.config.states)
    for kind in of:
        check_unit(model, Unit(0, kind, 0))
    targets = probe_targets(window)
    if not targets:
        raise TextError("the text is too short or too uniform for any probe: use more text.")
    y, half = np.stack(list(targets.values()), axis=1), len(window) // 2
    H, layers = model.config.hidden_size, model.config.layers
    halves = [RunningRegression(layers * len(of) * H, len(targets)) for _ in range(2)]
    gates = cell_of(model.config.cell).sigmoids
    sums = np.zeros((layers, len(gates), 3))
    for places, values in unit_values(model, window):
        x = np.concatenate([layer[kind] for layer in values for kind in of], axis=1)
        first = places < half
        for regression, mask in zip(halves, (first, ~first), strict=True):
            regression.add(x[mask], y[places[mask]])
        sums += np.reshape([[gate_sums(layer[gate]) for gate in gates] for layer in values], sums.shape)
    units = [Unit(layer, kind, index) for layer in range(layers) for kind in of for index in range(H)]
    means = (sums / (len(window) * H)).tolist()
    saturation = [Saturation(layer, gate, *means[layer][k]) for layer in range(layers) for k, gate in enumerate(gates)]
    return Ranking(len(window), ranked(list(targets), units, halves, top), saturation)


def ranked(probes: list[Probe], units: list[Unit], halves: list[RunningRegression], top: int) -> list[ProbeFit]:
    correlation, fit = halves[0].correlation(), halves[1].r_squared(*halves[0].line())
    fits: list[ProbeFit] = []
    for column, probe in enumerate(probes):
        best = np.argsort(-np.abs(correlation[:, column]), kind="stable")[:top]
        if not np.isnan(fit[best, column]).any():  # the target varies in the second half
            fits += [ProbeFit(probe, units[k], float(fit[k, column]), float(correlation[k, column])) for k in best]
    return fits


def gate_sums(a: Array) -> tuple[float, float, float]:
    """How many activations (n, H) of a gate are low and how many high, and their sum."""
    return float((a < LOW).sum()), float((a > HIGH).sum()), float(a.sum(dtype=np.float64))


def best(fits: Sequence[ProbeFit]) -> ProbeFit | None:
    """The fit of the unit that best follows a probe, one that requires memory if any is followed."""
    return max(fits, key=lambda fit: (fit.probe.needs_memory and fit.fit >= FOLLOWS, fit.fit), default=None)


def summary(fits: Sequence[ProbeFit]) -> str:
    """One sentence on the unit that follows a probe best."""
    fit = best(fits)
    if fit is None or fit.fit < FOLLOWS:
        return "No unit follows any of the probes."
    return f"U{fit.unit.name[1:]} follows {fit.probe.name!r} best (R² {fit.fit:.2f})."


def unit_summary(unit: Unit, characters: Sequence[str], values: Sequence[float]) -> str:
    """One sentence on the characters after which a unit is highest and lowest on average."""
    groups: dict[str, list[float]] = {}
    for character, value in zip(characters, values, strict=True):
        groups.setdefault(character, []).append(value)
    common = {c: group for c, group in groups.items() if len(group) >= FREQUENT} or groups
    means = sorted((sum(group) / len(group), c) for c, group in common.items())
    (low, lowest), (high, highest) = means[0], means[-1]
    top = f"highest after {quoted(highest)} (mean {high:.2f})"
    return f"U{unit.name[1:]} is {top} and lowest after {quoted(lowest)} ({low:.2f})."
