"""The surprise of each character of a text in bits, and the symbols that the model expected instead."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoint.model import Model
from charrnn.checkpoint.notebook import shaded
from charrnn.checks import quoted
from charrnn.evaluation.scan import WINDOW, scan
from charrnn.nn.fast import engine
from charrnn.nn.loss import softmax_nats
from charrnn.see.result import Result
from charrnn.see.text_window import TextWindow

EXPECTED = 3  # most probable symbols kept per place
SHOWN = 2000  # characters in a notebook
MOST = 10.0  # bits from which a character has the full colour


@dataclass(frozen=True, repr=False)
class Surprise(Result):
    """Per symbol: `bits` (n,), and the most probable symbols, `expected` (n, E), with `probabilities` (n, E)."""

    window: TextWindow
    bits: NDArray[np.float64]
    expected: NDArray[np.intp]
    probabilities: NDArray[np.float64]

    @property
    def by_character(self) -> NDArray[np.float64]:
        """The bits of each character: the sum over its symbols."""
        return np.asarray(np.bincount(self.window.owner, self.bits, len(self.window.characters)), np.float64)

    def __repr__(self) -> str:
        bits = self.by_character
        return f"Surprise({len(bits):,} characters, {bits.mean():.2f} bits per character)"

    def figure(self) -> str:
        """The first characters, the more surprising the redder; the pointer shows their bits."""
        bits = self.by_character[:SHOWN].tolist()
        return shaded(
            (c, value / MOST, f"{value:.1f} bits") for c, value in zip(self.window.characters, bits, strict=False)
        )

    def conclusion(self) -> str:
        return summary(self)

    def guesses(self) -> list[list[tuple[str, float]]]:
        """The symbols expected at the start of each character and their probabilities, the most probable first."""
        symbols = self.window.vocab.symbols
        firsts = np.flatnonzero(np.diff(self.window.owner, prepend=-1))
        rows = zip(self.expected[firsts].tolist(), self.probabilities[firsts].tolist(), strict=True)
        return [[(symbols[i], p) for i, p in zip(*row, strict=True)] for row in rows]


def surprise(model: Model, window: TextWindow) -> Surprise:
    """The surprise of each symbol of the window, given all symbols before it."""
    shape = len(window), min(EXPECTED, model.config.vocab_size)
    bits, expected, probabilities = np.zeros(len(window)), np.zeros(shape, np.intp), np.zeros(shape)
    pieces = window.pieces()
    network = engine.reader(model, WINDOW, len(pieces))
    for logits, targets, places in scan(network, window.ids_with_warm_up, pieces, window.vocab.boundary):
        places = places - len(window.before)
        bits[places] = softmax_nats(logits, targets) / math.log(2)  # leaves the probabilities in `logits`
        expected[places], probabilities[places] = most_probable(logits, shape[1])
    return Surprise(window, bits, expected, probabilities)


def most_probable(probabilities: NDArray[np.floating], count: int) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
    """The `count` most probable symbols of each row (n, V), in descending order, and their probabilities."""
    symbols = np.argpartition(-probabilities, count - 1, axis=-1)[:, :count]
    largest = np.take_along_axis(probabilities, symbols, axis=-1)
    order = np.argsort(-largest, axis=-1, kind="stable")
    return np.take_along_axis(symbols, order, axis=-1), np.take_along_axis(largest, order, axis=-1)


@dataclass(frozen=True)
class TextLine:
    """Line `number` (from 1) of a text window: its characters begin..end, newline included, and its score."""

    number: int
    begin: int
    end: int
    score: float = field(compare=False)


def lines(surprise: Surprise) -> list[TextLine]:
    """The lines in order; the score of a line is the bits of its most surprising character."""
    bits, characters = surprise.by_character, surprise.window.characters
    last = len(characters)
    ends = [place for place, character in enumerate(characters, 1) if character == "\n" or place == last]
    return [
        TextLine(number, begin, end, float(bits[begin:end].max()))
        for number, (begin, end) in enumerate(zip([0, *ends], ends, strict=False), 1)
    ]


def worst(surprise: Surprise, count: int) -> list[TextLine]:
    """The most surprising lines first."""
    return sorted(lines(surprise), key=lambda line: -line.score)[:count]


def summary(surprise: Surprise) -> str:
    """One sentence on the most surprising character, and on how concentrated the surprise is."""
    bits = surprise.by_character
    worst = int(bits.argmax())
    line = next(line for line in lines(surprise) if line.begin <= worst < line.end)
    symbol, p = surprise.guesses()[worst][0]
    half = int(np.searchsorted(np.cumsum(np.sort(bits)[::-1]), bits.sum() / 2)) + 1
    return (
        f"Half of the surprise is in {half / len(bits):.0%} of the characters; the most surprising one is "
        f"{quoted(surprise.window.characters[worst])} in line {line.number:,} ({bits[worst]:.1f} bits; "
        f"expected {quoted(symbol)}, {p:.0%})."
    )
