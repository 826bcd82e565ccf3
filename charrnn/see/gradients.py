"""The norm of the gradient of a loss with respect to h_{t-k}, and c_{t-k}, by lag k: does it vanish or explode?

L_t is the loss of one symbol, in nats. dL_t/dh_{t-k} is the total derivative, as in backpropagation through time; the
norms are means over many positions t of a text.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Array
from charrnn.checkpoint.model import Model
from charrnn.checkpoint.notebook import plot
from charrnn.errors import TextError, UsageError
from charrnn.evaluation.scan import resets
from charrnn.nn.linear import plain_network
from charrnn.nn.loss import cross_entropy
from charrnn.nn.network import Network
from charrnn.nn.params import Config, Params, fresh_params
from charrnn.see.result import Result
from charrnn.see.sentence import characters, finite, sentence
from charrnn.see.text_window import TextWindow

GROUP = 32  # positions computed in parallel
WARM_UP = 128
LEFT = 0.01
Norms = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class GradientNorms(Result):
    """Mean norms over the positions, by state (h, c): `by_layer[state]` (layers, K + 1), `total[state]` (K + 1,).

    `radius[l][gate]` is the spectral radius of the gate's (H, H) block of Wh in layer l. `clipped` is the share of the
    training steps whose gradient was clipped, None if unknown.
    """

    positions: int
    by_layer: dict[str, Norms]
    total: dict[str, Norms]
    radius: list[dict[str, float]]
    clipped: float | None = None

    @property
    def share(self) -> Norms:
        """The norm for h by lag, relative to lag 0."""
        h = self.total["h"]
        return h / (h[0] or math.inf)

    @property
    def left(self) -> int | None:
        """The first lag at which at most 1 % of the norm is left; None if there is none."""
        below = np.flatnonzero(self.share <= LEFT)
        return int(below[0]) if len(below) else None

    @property
    def slope(self) -> float:
        """The mean change of ln |dL/dh| per step, over the lags whose norm is not zero."""
        h = self.total["h"]
        last = int(np.flatnonzero((h > 0.0) & np.isfinite(h)).max(initial=0))
        return math.log(h[last] / h[0]) / last if last else -math.inf

    @property
    def course(self) -> tuple[str, str]:
        """What becomes of the gradient for h, as a verb and how far."""
        if not self.share.any():
            return "is", "zero"
        if self.left is not None:
            return "falls to 1 %", f"after {characters(self.left)}"
        if self.slope > 0.0:
            return "grows", f"by a factor of {math.exp(self.slope):.2f} per step"
        return "is still", f"{100 * self.share[-1]:.0f} % after {characters(len(self.share) - 1)}"

    def __repr__(self) -> str:
        return f"GradientNorms({self.positions:,} positions, {len(self.share) - 1:,} lags)"

    def figure(self) -> str:
        norms = {f"|dL/d{name}|": (range(len(values)), values.tolist()) for name, values in self.total.items()}
        return plot(norms, "lag", log_y=True)

    def conclusion(self) -> str:
        return summary(["the model"], [self])

    def as_dict(self) -> dict[str, Any]:
        total, layers = (
            {f"d{name}": values.tolist() for name, values in norms.items()} for norms in (self.total, self.by_layer)
        )
        found = {"positions": self.positions, "left": self.left, "slope": finite(self.slope), "clipped": self.clipped}
        return {**found, "spectral_radius": self.radius, **total, "layers": layers}


def summary(names: Sequence[str], results: Sequence[GradientNorms]) -> str:
    """One sentence on the gradients of the models with these names."""
    clauses: list[str] = []
    last = ""
    for name, result in zip(names, results, strict=True):
        verb, extent = result.course
        subject = f"{name}'s" if clauses else f"{name}'s gradient"
        clauses.append(f"{subject} {extent}" if verb == last else f"{subject} {verb} {extent}")
        last = verb
    return sentence(", ".join(clauses))


def gradient_norms(model: Model, window: TextWindow, lags: int, positions: int) -> GradientNorms:
    """Gradients of the losses at up to `positions` positions, spread over the window, through `lags` steps back.

    Raises TextError if the window is too short for one position.
    """
    model, ids = model.of_network(), window.ids_with_warm_up
    ends = places(len(ids), lags, positions)
    if not len(ends):
        raise TextError(
            f"the text has {len(ids):,} symbols, but {lags + 2:,} are needed: give more text, or fewer `lags`."
        )
    sums: dict[str, Norms] = {}
    for start in range(0, len(ends), GROUP):
        group = ends[start : start + GROUP]
        network = plain_network(model.config, model.params, lags + 1, len(group))
        for name, values in norms(network, ids, group, lags, model.vocab.boundary).items():
            sums[name] = sums.get(name, 0.0) + values.sum(axis=-1)
    return GradientNorms(
        len(ends),
        {name: sums[f"{name} by layer"] / len(ends) for name in model.config.states},
        {name: sums[name] / len(ends) for name in model.config.states},
        spectral_radii(model.config, model.params),
        clipped_share(model),
    )


def places(symbols: int, lags: int, positions: int) -> NDArray[np.intp]:
    """The positions of the targets: spread evenly, each with `lags` steps before it."""
    first, last = lags + 1, symbols - 1
    return np.unique(np.linspace(first, last, positions if first <= last else 0).round().astype(np.intp))


def norms(
    network: Network, ids: NDArray[np.intp], targets: NDArray[np.intp], lags: int, boundary: int | None = None
) -> dict[str, Norms]:
    """Norms for the losses of these targets: (K + 1, B) as `h` (and `c`), (layers, K + 1, B) as `h by layer`."""
    warm = int(min(WARM_UP, targets.min() - lags - 1))
    window = ids[targets - np.arange(lags + 1 + warm, 0, -1)[:, None]]
    reset = resets(window, boundary)
    network.reset()
    if warm:
        network.read(window[:warm], None, None if reset is None else reset[:warm])
        network.carry()
    network.read(window[warm:], None, None if reset is None else reset[warm:])
    logits = network.logits(network.values[-1:])
    cross_entropy(logits, ids[targets][None], 1)  # the losses are summed: each has a stream of its own
    dlogits = [np.zeros_like(logits[0])] * lags + [logits[0]]
    squares: dict[str, list[list[Array]]] = {name: [] for name in network.config.states}
    for _, layers in network.back_through_time(dlogits):
        for name, rows in squares.items():
            # all of the gradient of c_t is what `dc` holds, that by way of h_t included
            rows.append([np.square(getattr(d, f"d{name}"), dtype=np.float64).sum(axis=-1) for d in layers])
    found: dict[str, Norms] = {}
    for name, rows in squares.items():
        by_lag = np.array(rows)  # (K + 1, layers, B)
        found[name] = np.sqrt(by_lag.sum(axis=1))
        found[f"{name} by layer"] = np.sqrt(by_lag.transpose(1, 0, 2))
    return found


def spectral_radii(config: Config, params: Params) -> list[dict[str, float]]:
    """The largest |eigenvalue| of each gate's block of Wh, by layer; [] for a cell without Wh."""
    found = []
    for k in range(0 if config.linear else config.layers):
        blocks = np.split(params[f"l{k}.Wh"].astype(np.float64), len(config.gates), axis=1)
        found.append({g: float(np.abs(np.linalg.eigvals(b)).max()) for g, b in zip(config.gates, blocks, strict=True)})
    return found


def clipped_share(model: Model) -> float | None:
    """The share of the training's steps whose gradient was clipped."""
    shares = model.run.history.series("clipped") if model.run else []
    return sum(shares) / len(shares) if shares else None


def fresh(model: Model, scale: float) -> Model:
    """The same network before any training, with its recurrent weights Wh multiplied by `scale`.

    Raises UsageError for a scale other than 1 if it has no Wh.
    """
    model = model.of_network()
    if model.config.linear and scale != 1.0:
        raise UsageError(f"`scale` multiplies Wh, and the cell {model.config.cell} has no Wh: leave it out.")
    params = fresh_params(model.config, model.run.options.seed if model.run else 0)
    for k in range(0 if model.config.linear else model.config.layers):
        params[f"l{k}.Wh"] *= scale
    return Model(model.config, model.vocab, params)
