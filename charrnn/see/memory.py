"""How much context a network uses, and what truncated backpropagation through time loses.

Context: the loss when the state is cleared every n symbols. Truncation: the gradient truncated after n steps, compared
with the full gradient by the cosine of their angle and the ratio of their norms.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from charrnn.arrays import Array
from charrnn.checkpoint.model import Model
from charrnn.checkpoint.notebook import table
from charrnn.errors import TextError
from charrnn.evaluation.scan import STREAMS, WINDOW, Piece, Places, resets, scan
from charrnn.evaluation.score import total_score
from charrnn.nn.fast import engine
from charrnn.nn.loss import cross_entropy
from charrnn.nn.params import Params
from charrnn.see.result import Result
from charrnn.see.sentence import characters, finite, sentence
from charrnn.see.text_window import TextWindow

CLEARED = (1, 2, 5, 10, 20, 50, 100, 200, 500)
TRUNCATED = (5, 10, 20, 50, 100, 200)
FULL = 400  # steps of the gradient that counts as full
GRADIENT_STREAMS = 16
NOTICEABLE = 0.01  # nats


@dataclass(frozen=True)
class Truncation:
    """The gradient truncated after `window` steps, compared with the full one; NaN if either of them is zero."""

    window: int
    cosine: float
    ratio: float

    def as_dict(self) -> dict[str, float | None]:
        return {name: finite(value) for name, value in asdict(self).items()}


@dataclass(frozen=True, repr=False)
class Memory(Result):
    """The mean nats per symbol when the state is cleared every n symbols, as (n, nats), and when it `never` is (NaN if
    there is no symbol); and the truncated gradients.
    """

    cleared: list[tuple[int, float]]
    never: float
    truncated: list[Truncation]

    def __repr__(self) -> str:
        return f"Memory({len(self.cleared)} intervals, loss {self.never:.2f} without resets)"

    def figure(self) -> str:
        losses = [*self.cleared, ("never", self.never)]
        cuts = [(cut.window, f"{cut.cosine:.4f}", f"{cut.ratio:.4f}") for cut in self.truncated]
        return table([(n, f"{loss:.4f}") for n, loss in losses], ("reset every n", "loss")) + (
            table(cuts, ("truncated after n", "cosine", "norm ratio")) if cuts else ""
        )

    def conclusion(self) -> str:
        return summary(["the model"], [self])

    def as_dict(self) -> dict[str, Any]:
        cleared = {str(n): loss for n, loss in self.cleared}
        return {"cleared": cleared, "never": finite(self.never), "truncated": [cut.as_dict() for cut in self.truncated]}


def memory(model: Model, window: TextWindow) -> Memory:
    """The losses and gradients of a model on a text. Raises TextError if the text has no symbol to predict."""
    model = model.of_network()
    cuts = truncations(model, window)
    return Memory(cleared_losses(model, window), kept_loss(model, window), cuts)


def cleared_losses(model: Model, window: TextWindow, every: Sequence[int] = CLEARED) -> list[tuple[int, float]]:
    """The mean nats per symbol when the state is cleared every n symbols, for each n shorter than the window.

    All means are over the same symbols. Raises TextError if there are none.
    """
    ids = np.concatenate([window.before[-1:], window.ids])
    if len(ids) < 2:
        raise TextError("the text is too short: it has no symbol to predict.")
    return [(n, cleared_loss(model, ids, n)) for n in every if n < len(ids)]


def cleared_loss(model: Model, ids: Places, every: int) -> float:
    """The mean nats of ids[1:], with an empty state before every `every`th of them."""
    pieces = [Piece(k, k + 1, min(k + 1 + every, len(ids))) for k in range(0, len(ids) - 1, every)]
    network = engine.network(model.config, model.params, min(every, WINDOW), min(STREAMS, len(pieces)))
    return total_score(scan(network, ids, pieces, model.vocab.boundary)).nats


def kept_loss(model: Model, window: TextWindow) -> float:
    """The mean nats per symbol when the state is never cleared: over the symbols of `cleared_losses`, warmed up."""
    pieces = [replace(piece, begin=max(piece.begin, 1)) for piece in window.pieces()]
    network = engine.network(model.config, model.params, WINDOW, len(pieces))
    score = total_score(scan(network, window.ids_with_warm_up, pieces, model.vocab.boundary))
    return score.nats if score.symbols else math.nan


def truncations(
    model: Model, window: TextWindow, steps: Sequence[int] = TRUNCATED, full: int = FULL
) -> list[Truncation]:
    """The gradient of the mean loss over `full` steps, truncated after each number of `steps`, against the full one.

    Several streams are read in parallel. In the forward pass the state is always carried on. [] if the text is shorter
    than `full`.
    """
    ids = window.ids_with_warm_up
    streams = min(GRADIENT_STREAMS, (len(ids) - 1) // full)
    if not streams:
        return []
    starts = np.linspace(0, len(ids) - 1 - full, streams).round().astype(np.intp)
    symbols = ids[starts + np.arange(full + 1)[:, None]]
    whole = gradient(model, symbols, full)
    return [compared(n, gradient(model, symbols, n), whole) for n in steps if n < full]


def gradient(model: Model, symbols: Places, steps: int) -> Array:
    """The flat gradient, in float64, of the mean loss over symbols (T + 1, B), truncated every `steps` steps."""
    T, B = len(symbols) - 1, symbols.shape[1]
    network = engine.network(model.config, model.params, steps, B, training=True)
    grads, total = Params(model.config.shapes), np.zeros(len(model.params.flat), np.float64)
    for begin in range(0, T, steps):
        part = symbols[begin : begin + steps + 1]
        logits = network.forward(part[:-1], None, resets(part[:-1], model.vocab.boundary))
        cross_entropy(logits, part[1:], T * B)
        network.backward(part[:-1], logits, grads)
        total += grads.flat
        network.carry()
    return total


def compared(window: int, truncated: Array, full: Array) -> Truncation:
    norm, full_norm = float(np.linalg.norm(truncated)), float(np.linalg.norm(full))
    if not (norm and full_norm):
        return Truncation(window, math.nan, math.nan)
    return Truncation(window, float(truncated @ full) / (norm * full_norm), norm / full_norm)


def summary(names: Sequence[str], results: Sequence[Memory]) -> str:
    """One sentence on how much context lowers the losses of the models with these names."""
    clauses = []
    for name, result in zip(names, results, strict=True):
        loss = f"{name}'s loss" if len(names) > 1 else "the loss"
        gains = [(n, value - result.never) for n, value in result.cleared]
        last, gain = gains[-1]
        needed = max((n for n, gain in gains if not gain < NOTICEABLE), default=0)
        enough = next((n for n, _ in gains if n > needed), None)
        if enough is not None:
            clauses.append(f"context beyond {characters(enough)} lowers {loss} by less than {NOTICEABLE} nats")
        elif math.isfinite(gain):
            clauses.append(f"context beyond {characters(last)} still lowers {loss} by {gain:.2f} nats")
        else:
            clauses.append(f"the text is too short to measure how context lowers {loss}")
    return sentence("; ".join(clauses))
