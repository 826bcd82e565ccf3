"""How much of a text is copied from a corpus: the longest copied run, and the share of n-grams that are new.

The text is kept as hashes of its n-grams and the corpus is streamed past them, so the corpus may be of any size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Mask
from charrnn.text.raw_text import RawText
from charrnn.text.rolling_hash import Chars, Hashed, HashSet, Places
from charrnn.text.units import UNITS, Codes

LENGTHS = 4, 8, 16, 32  # of the n-grams
HELD_OUT = 100_000  # characters of validation text that are examined, at most
SEPARATOR = 0x110000  # between the parts of a text: not a character, so no copied run contains it
MARKED = 16  # characters of a run that is marked as copied, at least


@dataclass(frozen=True)
class CopiedRun:
    """`length` characters of a text from `at` on, found in `file` at character `offset`, in `line`."""

    length: int
    at: int
    file: str
    offset: int
    line: int


@dataclass(frozen=True)
class Novelty:
    """How new a text is: its number of characters, its longest copied run, the share of new n-grams per n.

    A share is None if the text is shorter than n. `copied` (chars,) marks copied runs of at least 16 characters.
    """

    text: str
    chars: int
    longest: CopiedRun | None
    new: dict[int, float | None]
    copied: Mask

    def words(self, run: CopiedRun) -> str:
        return self.text[run.at : run.at + run.length]

    @property
    def runs(self) -> list[tuple[int, int]]:
        """Start and end of each copied run."""
        edges = np.flatnonzero(np.diff(self.copied, prepend=False, append=False))
        return [(begin, end) for begin, end in edges.reshape(-1, 2).tolist()]


class Position(NamedTuple):
    """A place in a corpus: character `offset` of a file, in `line`."""

    file: str
    offset: int
    line: int

    def after(self, codes: Chars) -> "Position":
        """The place behind these characters."""
        return Position(self.file, self.offset + len(codes), self.line + int(np.count_nonzero(codes == ord("\n"))))


class SeenNgrams:
    """Which n-grams of a text occur in a corpus, and which in its training part; `at` is the index of each place."""

    def __init__(self, text: Hashed, n: int) -> None:
        self.n, self.sieve = n, HashSet(text.hashes(n))
        self.at = self.sieve.inverse
        self.anywhere = np.zeros(len(self.sieve.hashes), dtype=bool)
        self.trained = self.anywhere.copy()

    def search(self, chunk: Hashed, trained: int) -> None:
        """Searches a chunk of the corpus; its first `trained` characters belong to the training part."""
        if self.trained.all():
            return
        places, index = self.sieve.find(chunk.hashes(self.n))
        before = int(self.trained.sum())
        self.anywhere[index] = True
        self.trained[index[places + self.n <= trained]] = True
        if self.trained.sum() > before:
            self.sieve.keep(~self.trained)


class LongestRun:
    """The longest copied run of a text so far; each chunk of the corpus is searched for a longer one."""

    def __init__(self, parts: Sequence[Codes]) -> None:
        self.text, self.length = Hashed(joined(parts)), 0
        self.run: CopiedRun | None = None
        self.sieve = HashSet(self.text.hashes(1))

    def search(self, chunk: Hashed, end: int, position: Position) -> None:
        """Searches the first `end` characters of a chunk, which starts at a position of the corpus."""
        length = self.length + 1
        places, _ = self.sieve.find(chunk.hashes(length)[: max(end - length + 1, 0)])
        if not len(places):
            return
        place, self.length = self.extend(chunk, places, length, end)
        at = np.flatnonzero(self.text.hashes(self.length) == chunk.hashes_at(np.array([place]), self.length))
        self.run = CopiedRun(self.length, int(at[0]), *position.after(chunk.codes[:place]))
        self.sieve = HashSet(self.text.hashes(self.length + 1))

    def extend(self, chunk: Hashed, places: Places, length: int, end: int) -> tuple[int, int]:
        """The first of the longest runs that start at these places, and its length, by a galloping search."""
        step, doubling = 1, True
        while step:
            inside = places[places + length + step <= end]
            longer = inside[np.isin(chunk.hashes_at(inside, length + step), self.text.hashes(length + step))]
            doubling &= bool(len(longer))
            if len(longer):
                places, length = longer, length + step
            step = 2 * step if doubling else step // 2
        return int(places[0]), length


def search(corpus: RawText, ngrams: Sequence[SeenNgrams], sample: LongestRun, held_out: LongestRun) -> None:
    """Streams a corpus past the n-grams and runs: all of it for the sample, the training part for the held-out text."""
    for source, size, held in zip(corpus.sources, corpus.sizes, corpus.held_out, strict=True):
        rest: Chars = np.empty(0, dtype=np.uint8)
        position = Position(source.name, 0, 1)
        for codes in corpus.codes(source):
            whole: Chars = np.concatenate([rest, codes])
            chunk, trained = Hashed(whole), min(max(size - held - position.offset, 0), len(whole))
            for seen in ngrams:
                seen.search(chunk, trained)
            sample.search(chunk, len(whole), position)
            held_out.search(chunk, trained, position)
            # a longer run may start in the rest
            done = max(len(whole) - max(max(LENGTHS) - 1, sample.length, held_out.length), 0)
            rest, position = whole[done:], position.after(whole[:done])


def novelty(codes: Sequence[Codes], corpus: RawText) -> tuple[Novelty, Novelty | None]:
    """The novelty of samples, given as code points, and of the corpus' own validation text, None if it has none.

    Samples are searched for in the whole corpus, validation text in the training part.
    """
    held = list(corpus.last_parts(HELD_OUT)) if any(corpus.held_out) else []
    both = Hashed(joined([*codes, *held]))
    ngrams = [SeenNgrams(both, n) for n in LENGTHS]
    sample, held_out = LongestRun(codes), LongestRun(held)
    search(corpus, ngrams, sample, held_out)
    end = len(sample.text.codes)
    of_sample = summary(codes, sample, [seen.anywhere[seen.at[:end]] for seen in ngrams])
    return of_sample, summary(held, held_out, [seen.trained[seen.at[end + 1 :]] for seen in ngrams]) if held else None


def summary(parts: Sequence[Codes], longest: LongestRun, seen_ngrams: Sequence[Mask]) -> Novelty:
    """The novelty of a text of several parts, given its longest run and, for each n, which of its n-grams were seen."""
    letters, run = longest.text.codes != SEPARATOR, longest.run
    new: dict[int, float | None] = {}
    copied = np.zeros(len(letters), dtype=bool)
    for n, mask in zip(LENGTHS, seen_ngrams, strict=True):
        seen = mask[: max(len(letters) - n + 1, 0)]
        whole = np.lib.stride_tricks.sliding_window_view(letters, n).all(axis=-1) if len(seen) else seen
        new[n] = 1.0 - float(seen[whole].mean()) if whole.any() else None
        if n == MARKED:
            for shift in range(n):
                copied[shift : shift + len(seen)] |= seen
    if run:  # separators are not part of the text
        run = replace(run, at=run.at - int(np.count_nonzero(~letters[: run.at])))
    return Novelty("".join(map(UNITS["char"].text, parts)), int(letters.sum()), run, new, copied[letters])


def joined(parts: Sequence[Codes]) -> Codes:
    """The parts one after another, with separators between them."""
    separator = np.array([SEPARATOR], dtype=np.uint32)
    return np.concatenate([separator, *(codes for part in parts for codes in (part, separator))], dtype=np.uint32)[1:-1]
