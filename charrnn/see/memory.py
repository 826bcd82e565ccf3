"""How much of the past a network uses, and what is lost where the gradient is cut.

The first: the loss where the state is cleared every so many characters. The second: how the gradient of truncated
backpropagation through time lies to the one that goes back all the way, over windows of several lengths.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Array
from charrnn.checkpoint.model import Model
from charrnn.errors import TextError
from charrnn.nn.fast import engine
from charrnn.nn.loss import cross_entropy, softmax_nats
from charrnn.nn.params import Params
from charrnn.see.text_window import Passage, Streams

CLEARED = (1, 2, 5, 10, 20, 50, 100, 200, 500)
WINDOWS = (5, 10, 20, 50, 100, 200)
FULL = 400  # how far the gradient goes back that counts as full
GRADIENT_STREAMS = 16
STEPS = 64
MOST_STREAMS = 128
Ids = NDArray[np.intp]


@dataclass(frozen=True)
class Truncation:
    """The truncated gradient beside the full one: the cosine of their angle, and the ratio of their norms."""

    window: int
    cosine: float
    ratio: float

    def as_dict(self) -> dict[str, float | None]:
        figures = {"cosine": self.cosine, "ratio": self.ratio}
        return {"window": self.window, **{name: f if math.isfinite(f) else None for name, f in figures.items()}}


def cleared_losses(model: Model, passage: Passage, every: Sequence[int] = CLEARED) -> list[tuple[int, float]]:
    """Mean nats a symbol of the passage where the state is cleared every n symbols, for each n that it has room for.

    All are means over the same symbols.
    """
    ids = np.concatenate([passage.before[-1:], passage.ids])  # each is predicted from what stands before it
    if len(ids) < 2:
        raise TextError("the text is too short: there is nothing to predict.")
    return [(n, cleared_loss(model, ids, n)) for n in every if n < len(ids)]


def cleared_loss(model: Model, ids: Ids, every: int) -> float:
    """The mean over ids[1:], read in pieces of `every` symbols that each start from an empty state."""
    begins = np.arange(0, len(ids) - 1, every)
    streams = min(MOST_STREAMS, len(begins))
    network = engine.network(model.config, model.params, min(every, STEPS), streams)
    total = 0.0
    for group in range(0, len(begins), streams):
        network.reset()
        first = np.resize(begins[group : group + streams], streams)  # the last group is filled up, and not counted
        counts = np.arange(streams) < len(begins) - group
        for begin in range(0, every, STEPS):
            index = first + np.arange(begin, min(begin + STEPS, every))[:, None]
            inside = (index < len(ids) - 1) & counts
            index = np.minimum(index, len(ids) - 2)
            nats = softmax_nats(network.forward(ids[index]), ids[index + 1])
            total += float(nats[inside].sum(dtype=np.float64))
            network.carry()
    return total / (len(ids) - 1)


def kept_loss(model: Model, passage: Passage) -> float:
    """The mean where the state is never cleared: each symbol after at least a warm-up of those before it."""
    ids = np.concatenate([passage.before, passage.ids])
    streams = Streams(len(passage.before), len(passage))
    network = engine.network(model.config, model.params, STEPS, streams.count)
    total, count = 0.0, 0
    for row, window in streams.windows(ids, STEPS):
        mask, places = streams.places(row, len(window), ahead=1)
        targets = np.zeros_like(window)
        targets[mask] = passage.ids[places]
        total += float(softmax_nats(network.forward(window), targets)[mask].sum(dtype=np.float64))
        count += len(places)
        network.carry()
    return total / count if count else math.nan


def truncations(model: Model, passage: Passage, windows: Sequence[int] = WINDOWS, full: int = FULL) -> list[Truncation]:
    """Each window's gradient of the mean loss over `full` steps of text, beside the one back through all of them.

    Several streams are read side by side; forward, the state is carried on in every case.
    """
    ids = np.concatenate([passage.before, passage.ids])
    streams = min(GRADIENT_STREAMS, (len(ids) - 1) // full)
    if not streams:
        return []
    begins = np.linspace(0, len(ids) - 1 - full, streams).round().astype(np.intp)
    window = ids[begins + np.arange(full + 1)[:, None]]
    whole = gradient(model, window, full)
    return [beside(n, gradient(model, window, n), whole) for n in windows if n < full]


def gradient(model: Model, window: Ids, steps: int) -> Array:
    """The flat gradient, in float64, of the mean loss of a window (T+1, B), cut every `steps` steps."""
    T, B = len(window) - 1, window.shape[1]
    network = engine.network(model.config, model.params, steps, B, training=True)
    grads, total = Params(model.config.shapes), np.zeros(len(model.params.flat), np.float64)
    for begin in range(0, T, steps):
        part = window[begin : begin + steps + 1]
        logits = network.forward(part[:-1])
        cross_entropy(logits, part[1:], T * B)
        network.backward(part[:-1], logits, grads)
        total += grads.flat
        network.carry()
    return total


def beside(window: int, cut: Array, whole: Array) -> Truncation:
    lengths = float(np.linalg.norm(cut)), float(np.linalg.norm(whole))
    if not all(lengths):
        return Truncation(window, math.nan, math.nan)
    return Truncation(window, float(cut @ whole) / (lengths[0] * lengths[1]), lengths[0] / lengths[1])
