"""The score of n-grams on a text, by order, with bounded memory: the baseline that a network has to beat."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from charrnn.arrays import Ids, Mask
from charrnn.evaluation.scan import cut
from charrnn.nn.ngram import UNSEEN, Floats, Grams, Ints, Level, continuation_counts, count_grams
from charrnn.text.corpus import Segment
from charrnn.text.ids import Symbols

ORDERS = 7
PIECE = 1 << 23  # symbols scored with one counting
SLICE = 1 << 18  # symbols looked up in one call


@dataclass(frozen=True)
class Text:
    """Lines to score, one after another: `starts` (m,) marks their first symbols, `scored` (m,) what is scored.

    No context contains symbols before a `boundary`.
    """

    ids: Ids
    starts: Mask
    scored: Mask
    boundary: int | None = None


class Scores:
    """The symbols of a text while the order k rises from 1.

    `context` and `rank` (m,) are the ranks of the k - 1 symbols before each, and of these with it; `lower` (m,) are the
    probabilities of order k - 1.
    """

    def __init__(self, text: Text, vocab_size: int) -> None:
        self.text, self.vocab_size, size = text, vocab_size, len(text.ids)
        self.slices = [slice(begin, begin + SLICE) for begin in range(0, size, SLICE)]
        self.context: Ints = np.zeros(size, dtype=np.int32)
        self.rank: Ints = np.zeros(size, dtype=np.int32)
        self.lower: Floats = np.full(size, 1 / vocab_size)
        self.order = 1

    def raise_order(self, level: Level) -> None:
        """From k - 1, whose `level` below k has continuation counts, to k."""
        for part in self.slices:
            self.lower[part] = level.interpolate(self.context[part], self.rank[part], self.lower[part])
        self.context[1:] = self.rank[:-1]
        self.context[self.text.starts] = UNSEEN
        if self.order > 1:  # the boundary before them is their only context
            self.context[1:][self.text.ids[:-1] == self.text.boundary] = UNSEEN
        self.order += 1

    def nats(self, grams: Grams, level: Level) -> float:
        """The nats of all scored symbols, of order k."""
        total = 0.0
        for part in self.slices:
            self.rank[part] = grams.rank(self.context[part], self.text.ids[part], self.vocab_size)
            p = level.interpolate(self.context[part], self.rank[part], self.lower[part])
            total -= float(np.log(p[self.text.scored[part]]).sum())
        return total


def ngram_nats(train: Ids, text: Text, vocab_size: int) -> Floats:
    """The nats of all scored symbols of a text, of the orders 1, 2, ... up to 7 or the length of the training text.

    `train` are ids below `vocab_size`. Memory holds the k-grams of two orders at a time, and one level.
    """
    scores, totals = Scores(text, vocab_size), []
    shorter = Grams(np.zeros(1, dtype=np.int64), np.zeros(len(train) + 1, dtype=np.int32), 0)  # the empty one
    for k in range(1, min(ORDERS, len(train)) + 1):
        grams, counts, places = count_grams(shorter, train[k - 1 :], vocab_size)
        if k > 1:
            scores.raise_order(Level(shorter, continuation_counts(shorter, places), vocab_size))
        shorter = grams
        totals.append(scores.nats(grams, Level(grams, counts, vocab_size)))
        del counts, places  # not needed while longer k-grams are counted
    return np.array(totals)


def ngram_texts(
    ids: Symbols, segments: Sequence[Segment], start: int | None, boundary: int | None = None
) -> Iterator[Text]:
    """The symbols of the segments to score, each after its context in its file or, at its start, after `start`."""
    lines, size = list[tuple[Ids, Ids]](), 0
    for piece in cut(segments, start, PIECE, ORDERS - 1):
        symbols, context = piece.read(ids, 0, piece.end - piece.first), piece.begin - piece.first
        lines.append((symbols[:context], symbols[context:]))
        size += len(symbols)
        if size >= PIECE:
            yield joined(lines, boundary)
            lines, size = [], 0
    if lines:
        yield joined(lines, boundary)


def joined(lines: Sequence[tuple[Ids, Ids]], boundary: int | None = None) -> Text:
    """The text of these lines, each as its context and its scored symbols."""
    sizes = np.array([(len(context), len(scored)) for context, scored in lines])
    ends = sizes.sum(axis=1).cumsum()
    starts = np.zeros(ends[-1], dtype=bool)
    starts[[0, *ends[:-1]]] = True
    scored = np.repeat(np.tile([False, True], len(lines)), sizes.ravel())
    return Text(np.concatenate([part for line in lines for part in line]), starts, scored, boundary)
