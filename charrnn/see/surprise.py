"""How unexpected every character of a text was, in bits, and what was expected in its place."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoint.model import Model
from charrnn.nn.fast import engine
from charrnn.nn.loss import softmax_nats
from charrnn.see.text_window import Passage, Streams

STEPS = 64
EXPECTED = 3  # likeliest symbols kept for each place


@dataclass(frozen=True)
class Surprise:
    """By symbol: `bits` (n,), the likeliest symbols in its place, `expected` (n, E), and their `shares` (n, E)."""

    passage: Passage
    bits: NDArray[np.float64]
    expected: NDArray[np.intp]
    shares: NDArray[np.float64]

    @property
    def by_character(self) -> NDArray[np.float64]:
        """The bits of each character: those of its symbols together."""
        sums = np.zeros(len(self.passage.characters))
        np.add.at(sums, self.passage.owner, self.bits)
        return sums

    def guesses(self) -> list[list[tuple[str, float]]]:
        """For each character what was expected where it begins: symbols and probabilities, the likeliest first."""
        symbols = self.passage.vocab.symbols
        firsts = np.flatnonzero(np.diff(self.passage.owner, prepend=-1))
        return [
            [(symbols[i], share) for i, share in zip(ids, shares, strict=True)]
            for ids, shares in zip(self.expected[firsts].tolist(), self.shares[firsts].tolist(), strict=True)
        ]


def surprise(model: Model, passage: Passage) -> Surprise:
    """Reads the passage, each symbol predicted from all that stands before it."""
    ids = np.concatenate([passage.before, passage.ids])
    best = min(EXPECTED, model.config.vocab_size)
    bits, expected = np.zeros(len(passage)), np.zeros((len(passage), best), np.intp)
    shares = np.zeros((len(passage), best))
    streams = Streams(len(passage.before), len(passage))
    network = engine.network(model.config, model.params, STEPS, streams.count)
    for row, window in streams.windows(ids, STEPS):
        mask, places = streams.places(row, len(window), ahead=1)
        targets = np.zeros_like(window)
        targets[mask] = passage.ids[places]
        logits = network.forward(window)
        bits[places] = softmax_nats(logits, targets)[mask] / math.log(2)
        expected[places], shares[places] = likeliest(logits[mask], best)
        network.carry()
    if not len(passage.before):  # nothing stands before the first symbol: predicted from an empty state
        logits = model.params["by"][None].copy()
        bits[0] = softmax_nats(logits, passage.ids[:1])[0] / math.log(2)
        expected[:1], shares[:1] = likeliest(logits, best)
    return Surprise(passage, bits, expected, shares)


def likeliest(probabilities: NDArray[np.floating], count: int) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
    """The `count` likeliest symbols of each row (n, V), the likeliest first, and their probabilities."""
    found = np.argpartition(-probabilities, count - 1, axis=-1)[:, :count]
    shares = np.take_along_axis(probabilities, found, axis=-1)
    order = np.argsort(-shares, axis=-1, kind="stable")
    return np.take_along_axis(found, order, axis=-1), np.take_along_axis(shares, order, axis=-1)


@dataclass(frozen=True)
class Line:
    """A line of a passage: its number there from 1 on, the places of its characters, newline included, its score."""

    number: int
    begin: int
    end: int
    score: float = field(compare=False)


def lines(surprise: Surprise) -> list[Line]:
    """The lines in their order; the score is the bits of the most surprising character."""
    bits, begin = surprise.by_character, 0
    found: list[Line] = []
    for place, character in enumerate(surprise.passage.characters):
        if character == "\n" or place == len(surprise.passage.characters) - 1:
            found.append(Line(len(found) + 1, begin, place + 1, float(bits[begin : place + 1].max())))
            begin = place + 1
    return found


def worst(surprise: Surprise, count: int) -> list[Line]:
    """The most surprising lines first."""
    return sorted(lines(surprise), key=lambda line: -line.score)[:count]
