"""n-gram models by counting: the baseline that a network has to beat.

Interpolated n-grams with modified Kneser-Ney smoothing (Chen & Goodman 1999), with three discounts per level. The
highest level counts k-grams; the levels below count how many different symbols precede each k-gram.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Ids, Mask
from charrnn.evaluation.scan import cut
from charrnn.text.corpus import Segment
from charrnn.text.ids import Symbols

ORDERS = 7
MOST = 10_000_000  # symbols that are counted: the last ones of the training text
PIECE = 1 << 23  # symbols scored with one counting
SLICE = 1 << 18  # symbols looked up in one call
FALLBACK = np.array([0.0, 0.5, 1.0, 1.5])  # discounts of a level with too few different counts to estimate them
UNSEEN = -1
Ints = NDArray[np.signedinteger[Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Text:
    """Lines to score, one after another: `starts` (m,) marks their first symbols, `scored` (m,) what is scored.

    No context contains symbols before a `boundary`.
    """

    ids: Ids
    starts: Mask
    scored: Mask
    boundary: int | None = None


class Grams(NamedTuple):
    """The k-grams of a text: sorted `keys` (U,), context · V + symbol, and the rank (n,) of the k-gram at each place.

    A context is the rank of a (k-1)-gram, of which there are `contexts`.
    """

    keys: Ints
    ranks: Ints
    contexts: int

    def rank(self, context: Ints, ids: Ids, vocab_size: int) -> Ints:
        """The ranks (n,) of contexts and the symbols after them, UNSEEN for those not in the text."""
        wanted = context * np.int64(vocab_size) + ids
        rank = np.searchsorted(self.keys, wanted).astype(np.int32)
        np.minimum(rank, len(self.keys) - 1, out=rank)
        rank[(self.keys[rank] != wanted) | (context == UNSEEN)] = UNSEEN
        return rank


class Level:
    """p(w | context) = (count - discount) / total + left / total · p(w | shorter context), with `counts` of k-grams."""

    def __init__(self, grams: Grams, counts: Ints, vocab_size: int) -> None:
        self.counts, self.discounts = counts, discounts(counts)
        context = (grams.keys // vocab_size).astype(np.int32)
        taken = self.discounts[np.minimum(counts, 3)]
        self.total: Floats = np.asarray(np.bincount(context, counts, grams.contexts), np.float64)
        self.left: Floats = np.asarray(np.bincount(context, taken, grams.contexts), np.float64)

    def interpolate(self, context: Ints, rank: Ints, lower: Floats) -> Floats:
        """p (n,) of symbols after their contexts, given `lower` (n,), their probabilities one level below.

        `context` and `rank`, that of context and symbol together, are UNSEEN for those not in the text.
        """
        total, count = self.total[context], self.counts[rank]
        known = (context != UNSEEN) & (total > 0)
        kept = np.where(rank == UNSEEN, 0.0, count - self.discounts[np.minimum(count, 3)])
        return np.where(known, (kept + self.left[context] * lower) / np.where(known, total, 1.0), lower)


def discounts(counts: Ints) -> Floats:
    """The discounts of a count of 0, 1, 2, and 3 or more."""
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == r)) for r in (1, 2, 3, 4))
    if not (n1 and n2 and n3):
        return FALLBACK
    Y = n1 / (n1 + 2 * n2)
    D = np.array([0.0, Y, 2 - 3 * Y * n3 / n2, 3 - 4 * Y * n4 / n3])  # 1 - 2 Y n2 / n1 is Y
    return D if D[1:].min() > 0 else FALLBACK


def count_grams(shorter: Grams, ids: Ids, vocab_size: int) -> tuple[Grams, Ints, Ints]:
    """The k-grams of a text, their counts (U,), and a place (U,) of each; `ids` (n,) follow the (k-1)-grams `shorter`.

    Place and key are sorted as one integer: this is four times as fast as sorting places by their keys.
    """
    size, bits = len(ids), np.uint64(len(ids).bit_length())
    packed = shorter.ranks[:-1].astype(np.uint64)
    packed *= np.uint64(vocab_size)
    packed += ids
    packed <<= bits
    for begin in range(0, size, SLICE):
        packed[begin : begin + SLICE] |= np.arange(begin, min(begin + SLICE, size), dtype=np.uint64)
    packed.sort()
    places = np.empty(size, dtype=np.int32)
    np.bitwise_and(packed, (np.uint64(1) << bits) - np.uint64(1), out=places, casting="unsafe")
    packed >>= bits
    first = np.ones(size, dtype=bool)
    np.not_equal(packed[1:], packed[:-1], out=first[1:])
    begins = np.flatnonzero(first).astype(np.int32)
    keys = packed[begins].astype(np.int64)
    del packed
    ranks = np.empty(size, dtype=np.int32)
    ranks[places] = np.cumsum(first, dtype=np.int32) - 1
    return Grams(keys, ranks, len(shorter.keys)), np.diff(begins, append=np.int32(size)), places[begins]


def continuation_counts(grams: Grams, places: Ints) -> Ints:
    """How many different symbols, or the text's start, precede each k-gram (U,), given a place of each (k+1)-gram."""
    counts = np.bincount(grams.ranks[1:][places], minlength=len(grams.keys)).astype(np.int32)
    counts[grams.ranks[0]] += 1
    return counts


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


def most_symbols(vocab_size: int) -> int:
    """How many symbols can be counted: rank, symbol and place share 64 bits."""
    return min(MOST, 1 << (64 - vocab_size.bit_length()) // 2)
