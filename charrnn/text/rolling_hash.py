"""Hashes of all n-grams of a text, for any n: polynomial hashes modulo 2^64, and a filter of the n-grams of a corpus.

The hash of characters a_0 ... a_{n-1} is Σ v(a_j) B^j, where v scatters code points over 64 bits and B is odd, so that
it has an inverse: with the prefix sums P of v(a_j) B^j over a text, the hash at place p is (P[p+n] - P[p]) / B^p
(Karp & Rabin 1987). N-grams with equal hashes count as equal: two different ones collide with probability 2^-64.
"""

from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from charrnn.text.units import AnyCodes

Chars = AnyCodes  # code points
Hashes = NDArray[np.uint64]
Places = NDArray[np.intp]
BASE = 0x9E3779B97F4A7C15
MODULUS = 1 << 64
SPARSE = 16  # entries of the table of a HashSet per hash
PER_WORD = 4  # n-grams per word of 64 bits
PROBES = (8, 14, 20, 26)  # the bits of a hash that select four bits of a word: their positions


def scattered(codes: Chars) -> Hashes:
    """v: a bijection of 64-bit numbers (SplitMix64, Steele et al. 2014)."""
    if codes.dtype == np.uint8:
        return byte_table()[codes]
    z = codes.astype(np.uint64)
    z += np.uint64(1)
    z *= np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z ^= z >> np.uint64(shift)
        z *= np.uint64(factor)
    z ^= z >> np.uint64(31)
    return z


@cache
def byte_table() -> Hashes:
    return scattered(np.arange(256, dtype=np.uint32))


class Powers:
    """The powers of B and of 1 / B, kept between calls because texts are read chunk by chunk."""

    up = np.ones(1, dtype=np.uint64)
    down = np.ones(1, dtype=np.uint64)

    @classmethod
    def extend(cls, count: int) -> None:
        if len(cls.up) < count:
            cls.up, cls.down = series(BASE, count), series(pow(BASE, -1, MODULUS), count)


def series(base: int, count: int) -> Hashes:
    factors = np.full(count, base, dtype=np.uint64)
    factors[0] = 1
    return np.multiply.accumulate(factors)


class Hashed:
    """A text with the prefix sums that give the hash of any n-gram."""

    def __init__(self, codes: Chars) -> None:
        self.codes = codes
        Powers.extend(len(codes) + 1)
        self.sums = np.zeros(len(codes) + 1, dtype=np.uint64)
        np.cumsum(scattered(codes) * Powers.up[: len(codes)], out=self.sums[1:])

    def hashes(self, n: int) -> Hashes:
        """The hash of the n-gram at each place, (max(len(codes) - n + 1, 0),)."""
        count = max(len(self.codes) - n + 1, 0)
        hashes: Hashes = self.sums[n : n + count] - self.sums[:count]
        hashes *= Powers.down[:count]
        return hashes

    def hashes_at(self, places: Places, n: int) -> Hashes:
        """The hashes of the n-grams at these places, all of which end inside the text."""
        return (self.sums[places + n] - self.sums[places]) * Powers.down[places]


def hash_of(text: str) -> int:
    """The hash of one short text."""
    total = 0
    for character in reversed(text):
        total = (total * BASE + value(character)) % MODULUS
    return total


@cache
def value(character: str) -> int:
    return int(scattered(np.array([ord(character)], dtype=np.uint32))[0])


def overlapping(chunks: Iterable[Chars], size: int) -> Iterator[Chars]:
    """The chunks, each with the last `size` characters before it."""
    rest: Chars = np.empty(0, dtype=np.uint8)
    for chunk in chunks:
        whole = np.concatenate([rest, chunk]) if len(rest) else chunk
        yield whole
        rest = whole[max(len(whole) - size, 0) :]


class HashSet:
    """A set of a few hashes; a table of their first bits rules most other hashes out quickly.

    `hashes` (n,) are sorted; `inverse` gives the index in them of each hash that was passed.
    """

    def __init__(self, hashes: Hashes) -> None:
        self.hashes, self.inverse = np.unique(hashes, return_inverse=True)
        self.bits = max((SPARSE * len(self.hashes)).bit_length(), 8)
        self.table = np.zeros(1 << self.bits, dtype=bool)
        self.keep(np.ones(len(self.hashes), dtype=bool))

    def find(self, hashes: Hashes) -> tuple[Places, Places]:
        """The places in `hashes` of those that are in the set, and the index of each in the set."""
        places = np.flatnonzero(self.table[first_bits(hashes, self.bits)])
        index = np.minimum(np.searchsorted(self.hashes, hashes[places]), len(self.hashes) - 1)
        same = self.hashes[index] == hashes[places]
        return places[same], index[same]

    def keep(self, wanted: NDArray[np.bool_]) -> None:
        """Limits the set to these; others may still be found."""
        self.table.fill(False)
        self.table[first_bits(self.hashes[wanted], self.bits)] = True


class NgramFilter:
    """The n-grams of texts, and the characters that complete one (a Bloom filter, Bloom 1970).

    Every n-gram of the texts is found, and about one in a thousand others. `size` is the largest number of characters;
    each takes 2 to 4 bytes.
    """

    def __init__(self, n: int, size: int) -> None:
        self.n = n
        self.bits = max((size // PER_WORD).bit_length(), 8)
        self.words = np.zeros(1 << self.bits, dtype=np.uint64)
        self.alphabet: Chars = np.empty(0, dtype=np.uint32)
        self.last_values: Hashes = np.empty(0, dtype=np.uint64)  # what each character adds to the hash as the last of n

    def add(self, chunks: Iterable[Chars]) -> None:
        """Adds the n-grams of a text."""
        for codes in overlapping(chunks, self.n - 1):
            hashes = Hashed(codes).hashes(self.n)
            np.bitwise_or.at(self.words, first_bits(hashes, self.bits), marks(hashes))
            self.alphabet = np.union1d(self.alphabet, np.flatnonzero(np.bincount(codes)).astype(np.uint32))
        self.last_values = scattered(self.alphabet) * np.uint64(pow(BASE, self.n - 1, MODULUS))

    def completing(self, context: str) -> list[str]:
        """The characters that complete an n-gram of the texts after n - 1 others."""
        hashes = np.uint64(hash_of(context)) + self.last_values
        wanted = marks(hashes)
        present = self.words[first_bits(hashes, self.bits)] & wanted == wanted
        return list(map(chr, self.alphabet[present].tolist()))


def first_bits(hashes: Hashes, bits: int) -> Places:
    return (hashes >> np.uint64(64 - bits)).view(np.intp)


def marks(hashes: Hashes) -> Hashes:
    """The four bits of a word that mark each n-gram."""
    bits = np.zeros(len(hashes), dtype=np.uint64)
    for shift in PROBES:
        bits |= np.uint64(1) << ((hashes >> np.uint64(shift)) & np.uint64(63))
    return bits
