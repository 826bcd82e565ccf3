"""Counting n-grams: interpolated n-grams with modified Kneser-Ney smoothing (Chen & Goodman 1999).

There are three discounts per level. The highest level counts k-grams; the levels below count how many different symbols
precede each k-gram.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Ids

MOST = 10_000_000  # symbols that can be counted
SLICE = 1 << 18  # symbols numbered in one call
FALLBACK = np.array([0.0, 0.5, 1.0, 1.5])  # discounts of a level with too few different counts to estimate them
UNSEEN = -1
Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]


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


def most_symbols(vocab_size: int) -> int:
    """How many symbols can be counted: rank, symbol and place share 64 bits."""
    return min(MOST, 1 << (64 - vocab_size.bit_length()) // 2)
