"""Counting instead of learning: what a network has to beat.

Interpolated n-grams with modified Kneser-Ney smoothing (Chen & Goodman 1999): three discounts a level; the level of
the order itself has counts, those below it have how many different symbols stand before what they count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Ids
from charrnn.text.corpus import Segment
from charrnn.text.ids import Symbols

ORDERS = 7
MOST = 10_000_000  # symbols that are counted: the last ones of the training text
PIECE = 1 << 23  # symbols that are scored with one counting
SLICE = 1 << 18  # and those that are looked up together
FALLBACK = np.array([0.0, 0.5, 1.0, 1.5])  # the discounts where a level has too few kinds of counts for its own
UNSEEN = -1
Ints = NDArray[np.signedinteger[Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Text:
    """Symbols to score, and those that are read before them: lines one after another.

    `starts` (m,) marks where a line begins, `scored` (m,) what counts.
    """

    ids: Ids
    starts: NDArray[np.bool_]
    scored: NDArray[np.bool_]


class Level:
    """The k-grams of a text: p(w | context) = (count - discount) / total + left / total · p(w | shorter context).

    `keys` (U,) are sorted, context · V + w, where a context is the rank of a (k-1)-gram among `contexts`.
    """

    def __init__(self, keys: Ints, counts: Ints, contexts: int, vocab_size: int) -> None:
        self.counts, self.discounts = counts, discounts(counts)
        context = (keys // vocab_size).astype(np.int32)
        taken = self.discounts[np.minimum(counts, 3)]
        self.total: Floats = np.asarray(np.bincount(context, counts, contexts), np.float64)
        self.left: Floats = np.asarray(np.bincount(context, taken, contexts), np.float64)

    def probabilities(self, context: Ints, found: Ints, lower: Floats) -> Floats:
        """p (n,) of symbols after their contexts, given `lower` (n,), their probabilities one level below.

        `context` and `found`, the rank of context and symbol together, are UNSEEN where the text lacks them.
        """
        total, count = self.total[context], self.counts[found]
        known = (context != UNSEEN) & (total > 0)
        kept = np.where(found == UNSEEN, 0.0, count - self.discounts[np.minimum(count, 3)])
        return np.where(known, (kept + self.left[context] * lower) / np.where(known, total, 1.0), lower)


def discounts(counts: Ints) -> Floats:
    """What is taken from a count of 0, 1, 2, and 3 or more."""
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == r)) for r in (1, 2, 3, 4))
    if not (n1 and n2 and n3):
        return FALLBACK
    Y = n1 / (n1 + 2 * n2)
    D = np.array([0.0, Y, 2 - 3 * Y * n3 / n2, 3 - 4 * Y * n4 / n3])  # 1 - 2 Y n2 / n1 is Y
    return D if D[1:].min() > 0 else FALLBACK


def ranked(context: Ints, ids: Ids, vocab_size: int) -> tuple[Ints, Ints, Ints, Ints]:
    """The distinct keys (U,) of contexts and symbols, sorted; their counts; the rank (n,) of every key; their places.

    The place of a key travels in its low bits: to sort that is four times as fast as to sort places by their keys.
    """
    size, bits = len(ids), np.uint64(len(ids).bit_length())
    packed = context.astype(np.uint64)
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
    return keys, np.diff(begins, append=np.int32(size)), ranks, places[begins]


def nats(train: Ids, text: Text, vocab_size: int) -> Floats:
    """Nats of the scored symbols in all, for the orders 1, 2, ... as far as the training symbols reach, 7 at most.

    `train` are ids below `vocab_size`. At any time there are the k-grams of two levels in memory.
    """
    V, size = vocab_size, len(text.ids)
    slices = [slice(begin, begin + SLICE) for begin in range(0, size, SLICE)]
    ranks: Ints = np.zeros(len(train) + 1, dtype=np.int32)  # of the (k-1)-gram that ends at each place
    keys, contexts, shorter = np.zeros(1, dtype=np.int64), 1, 0
    context: Ints = np.zeros(size, dtype=np.int32)
    found: Ints = np.zeros(size, dtype=np.int32)
    lower: Floats = np.full(size, 1 / V)
    totals = []
    for k in range(1, min(ORDERS, len(train)) + 1):
        above, counts, higher, places = ranked(ranks[:-1], train[k - 1 :], V)
        if k > 1:
            # how many different symbols stand before each (k-1)-gram; before that which begins the text, its start
            before = np.bincount(ranks[1:][places], minlength=contexts).astype(np.int32)
            before[ranks[0]] += 1
            level = Level(keys, before, shorter, V)
            for part in slices:
                lower[part] = level.probabilities(context[part], found[part], lower[part])
            del level, before
            context[0], context[1:] = UNSEEN, found[:-1]
            context[text.starts] = UNSEEN
        ranks, keys, shorter, contexts = higher, above, contexts, len(above)
        del above, higher, places
        level, total = Level(keys, counts, shorter, V), 0.0
        for part in slices:
            found[part] = lookup(keys, context[part], text.ids[part], V)
            p = level.probabilities(context[part], found[part], lower[part])
            total -= float(np.log(p[text.scored[part]]).sum())
        totals.append(total)
        del level, counts
    return np.array(totals)


def lookup(keys: Ints, context: Ints, ids: Ids, vocab_size: int) -> Ints:
    """The ranks of contexts and the symbols after them among the sorted `keys`, UNSEEN where they are not there."""
    wanted = context * np.int64(vocab_size) + ids
    rank = np.searchsorted(keys, wanted).astype(np.int32)
    np.minimum(rank, len(keys) - 1, out=rank)
    rank[(keys[rank] != wanted) | (context == UNSEEN)] = UNSEEN
    return rank


def texts(ids: Symbols, segments: Sequence[Segment], newline: int | None) -> Iterator[Text]:
    """The symbols of the segments to score, each after what stands before it in its file, a newline at its begin."""
    lines: list[tuple[Ids, Ids]] = []
    for segment in segments:
        for begin in range(segment.begin, segment.end, PIECE):
            before = ids[max(segment.file_begin, begin - ORDERS + 1) : begin]
            if begin == segment.file_begin and newline is not None:
                before = np.array([newline], dtype=ids.dtype)
            lines.append((before, ids[begin : min(begin + PIECE, segment.end)]))
            if sum(len(scored) for _, scored in lines) >= PIECE:
                yield joined(lines)
                lines = []
    if lines:
        yield joined(lines)


def joined(lines: Sequence[tuple[Ids, Ids]]) -> Text:
    sizes = np.array([(len(before), len(scored)) for before, scored in lines])
    starts = np.zeros(sizes.sum(), dtype=bool)
    starts[np.cumsum(sizes.sum(axis=1))[:-1]] = True
    starts[:1] = True
    scored = np.repeat(np.tile([False, True], len(lines)), sizes.ravel())
    return Text(np.concatenate([part for line in lines for part in line]), starts, scored)


def most(vocab_size: int) -> int:
    """How many symbols can be counted: rank, symbol and place share 64 bits."""
    return min(MOST, 1 << (64 - vocab_size.bit_length()) // 2)
