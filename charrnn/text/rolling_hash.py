"""Runs of n characters as numbers: polynomial hashes modulo 2^64, of all places of a text at once and for any n.

The hash of characters a_0 ... a_{n-1} is Σ v(a_j) B^j, where v scatters code points over 64 bits and B is odd, so that
it can be divided by: with the sums P of v(a_j) B^j over a whole text, the hash at place p is (P[p+n] - P[p]) / B^p
(Karp & Rabin 1987). Only equal hashes are compared: two runs that differ fall together once in 2^64.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Chars = NDArray[np.unsignedinteger[Any]]  # code points, of any width
Hashes = NDArray[np.uint64]
Places = NDArray[np.intp]
BASE = 0x9E3779B97F4A7C15
MODULUS = 1 << 64
SPARSE = 16  # places in a sieve for each hash
PER_WORD = 4  # runs to a word of 64 bits
PROBES = (8, 14, 20, 26)  # where in a hash the numbers of the bits stand that mark a run


def scattered(codes: Chars) -> Hashes:
    """v: a bijection of 64 bits that leaves no pattern (SplitMix64, Steele et al. 2014)."""
    if codes.dtype == np.uint8:
        known: Hashes = table()[codes]
        return known
    z = codes.astype(np.uint64)
    z += np.uint64(1)
    z *= np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z ^= z >> np.uint64(shift)
        z *= np.uint64(factor)
    z ^= z >> np.uint64(31)
    return z


@cache
def table() -> Hashes:
    return scattered(np.arange(256, dtype=np.uint32))


class Powers:
    """The powers of B and of 1 / B, as many as were asked for; made once, because texts are read chunk by chunk."""

    up = np.ones(1, dtype=np.uint64)
    down = np.ones(1, dtype=np.uint64)

    @classmethod
    def reach(cls, count: int) -> None:
        if len(cls.up) < count:
            cls.up, cls.down = series(BASE, count), series(pow(BASE, -1, MODULUS), count)


def series(base: int, count: int) -> Hashes:
    factors = np.full(count, base, dtype=np.uint64)
    factors[0] = 1
    return np.multiply.accumulate(factors)


class Hashed:
    """A text of which the hash of any run can be had."""

    def __init__(self, codes: Chars) -> None:
        self.codes = codes
        Powers.reach(len(codes) + 1)
        self.sums = np.zeros(len(codes) + 1, dtype=np.uint64)
        np.cumsum(scattered(codes) * Powers.up[: len(codes)], out=self.sums[1:])

    def hashes(self, n: int) -> Hashes:
        """Of the runs of n characters at every place (places,), none where the text is shorter."""
        count = max(len(self.codes) - n + 1, 0)
        found: Hashes = self.sums[n : n + count] - self.sums[:count]
        found *= Powers.down[:count]
        return found

    def hashes_at(self, places: Places, n: int) -> Hashes:
        """Of the runs of n characters at these places, all of which end inside the text."""
        found: Hashes = (self.sums[places + n] - self.sums[places]) * Powers.down[places]
        return found


def hash_of(text: str) -> int:
    """The same hash of one short text."""
    total = 0
    for character in reversed(text):
        total = (total * BASE + value(character)) % MODULUS
    return total


@cache
def value(character: str) -> int:
    return int(scattered(np.array([ord(character)], dtype=np.uint32))[0])


def overlapping(chunks: Iterable[Chars], size: int) -> Iterator[Chars]:
    """The chunks, each with the last `size` characters of what came before it."""
    rest: Chars | None = None
    for chunk in chunks:
        whole = chunk if rest is None or not len(rest) else np.concatenate([rest, chunk])
        yield whole
        rest = whole[max(len(whole) - size, 0) :]


class Sieve:
    """Finds the hashes that are among some few: a table of places sorts most of the others out."""

    def __init__(self, hashes: Hashes) -> None:
        self.hashes, self.inverse = np.unique(hashes, return_inverse=True)
        self.shift = np.uint64(64 - max((SPARSE * len(self.hashes)).bit_length(), 8))
        self.table = np.zeros(1 << (64 - int(self.shift)), dtype=bool)
        self.slots = self.slots_of(self.hashes)
        self.table[self.slots] = True

    def slots_of(self, hashes: Hashes) -> Places:
        return (hashes >> self.shift).view(np.intp)

    def find(self, hashes: Hashes) -> tuple[Places, Places]:
        """Where in `hashes` those stand that are looked for, and which of them it is at each place."""
        places = np.flatnonzero(self.table[self.slots_of(hashes)])
        index = np.minimum(np.searchsorted(self.hashes, hashes[places]), len(self.hashes) - 1)
        same = self.hashes[index] == hashes[places]
        return places[same], index[same]

    def keep(self, wanted: NDArray[np.bool_]) -> None:
        """From now on only these are found for certain; others may be, too."""
        self.table.fill(False)
        self.table[self.slots[wanted]] = True


class Runs:
    """The runs of n characters of some texts, and which characters complete one (a Bloom filter, Bloom 1970).

    A run that is there is always found; of those that are not, about one in a thousand is taken for one. `size` is how
    many characters there will be at most; 2 to 4 bytes are taken for each.
    """

    def __init__(self, n: int, size: int) -> None:
        self.n = n
        self.bits = max((size // PER_WORD).bit_length(), 8)
        self.words = np.zeros(1 << self.bits, dtype=np.uint64)
        self.present: set[int] = set()
        self.last: tuple[Chars, Hashes] | None = None

    def add(self, chunks: Iterable[Chars]) -> None:
        """Takes the runs of a text, in chunks."""
        for codes in overlapping(chunks, self.n - 1):
            hashes = Hashed(codes).hashes(self.n)
            np.bitwise_or.at(self.words, self.places(hashes), marks(hashes))
            self.present.update(np.flatnonzero(np.bincount(codes)).tolist())
        self.last = None

    def completing(self, context: str) -> list[str]:
        """The characters that make a run of these texts of n - 1 others."""
        if self.last is None:  # what each character adds to the hash as the last of n
            codes = np.array(sorted(self.present), dtype=np.uint32)
            self.last = codes, scattered(codes) * np.uint64(pow(BASE, self.n - 1, MODULUS))
        codes, values = self.last
        hashes = np.uint64(hash_of(context)) + values
        mine = marks(hashes)
        found = np.flatnonzero(self.words[self.places(hashes)] & mine == mine)
        return [chr(code) for code in codes[found].tolist()]

    def places(self, hashes: Hashes) -> Places:
        return (hashes >> np.uint64(64 - self.bits)).view(np.intp)


def marks(hashes: Hashes) -> Hashes:
    """The bits of a word that mark each run."""
    found = np.zeros(len(hashes), dtype=np.uint64)
    for shift in PROBES:
        found |= np.uint64(1) << ((hashes >> np.uint64(shift)) & np.uint64(63))
    return found
