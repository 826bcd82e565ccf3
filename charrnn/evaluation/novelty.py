"""Is it copied? The longest run of a text that stands in a corpus, and the share of its n-grams that do not.

The text's runs are kept as hashes, and the corpus streams past them, so that its size does not matter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.text.raw_text import RawText
from charrnn.text.rolling_hash import Chars, Hashed, HashSet, Places
from charrnn.text.units import UNITS, Codes

LENGTHS = 4, 8, 16, 32  # of the n-grams
HELD_OUT = 100_000  # characters of held-out text that are looked at, at most
SEPARATOR = 0x110000  # between the parts of a text: no character, so no run reaches over it
MARKED = 16  # a copied run of so many characters is marked


@dataclass(frozen=True)
class Run:
    """`length` characters of a text, from `at` on, that stand in `file` from its character `offset` on, in `line`."""

    length: int
    at: int
    file: str
    offset: int
    line: int


@dataclass(frozen=True)
class Novelty:
    """How far a text is new: its characters, the longest run that is copied, the share of new n-grams for each n.

    A share is None where the text has no n characters. `copied` (chars,) marks what stands in a copied run of 16.
    """

    text: str
    chars: int
    longest: Run | None
    new: dict[int, float | None]
    copied: NDArray[np.bool_]

    def words(self, run: Run) -> str:
        return self.text[run.at : run.at + run.length]

    @property
    def runs(self) -> list[tuple[int, int]]:
        """Where what is copied begins and ends."""
        edges = np.flatnonzero(np.diff(np.concatenate([[False], self.copied, [False]]).astype(np.int8)))
        pairs: list[list[int]] = edges.reshape(-1, 2).tolist()
        return [(begin, end) for begin, end in pairs]


class Shares:
    """Which n-grams of a text stand in a corpus, and which of them in what was trained on."""

    def __init__(self, text: Hashed, n: int) -> None:
        self.n = n
        self.sieve = HashSet(text.hashes(n))
        self.anywhere = np.zeros(len(self.sieve.hashes), dtype=bool)
        self.trained = self.anywhere.copy()

    def look(self, chunk: Hashed, trained: int) -> None:
        """Looks through a chunk, of which the first `trained` characters were trained on."""
        if self.trained.all():
            return
        places, found = self.sieve.find(chunk.hashes(self.n))
        before = int(self.trained.sum())
        self.anywhere[found] = True
        self.trained[found[places + self.n <= trained]] = True
        if self.trained.sum() > before:
            self.sieve.keep(~self.trained)

    def seen(self, trained: bool) -> NDArray[np.bool_]:
        """Of the n-gram at each place of the text, whether it was found."""
        found: NDArray[np.bool_] = (self.trained if trained else self.anywhere)[self.sieve.inverse]
        return found


class Longest:
    """The longest run of a text that was seen so far: a longer one is looked for in every chunk."""

    def __init__(self, text: Hashed) -> None:
        self.text, self.length = text, 0
        self.run: Run | None = None
        self.sieve: HashSet | None = None
        self.look_for(1)

    def look_for(self, length: int) -> None:
        hashes = self.text.hashes(length)
        self.sieve = HashSet(hashes) if len(hashes) else None

    def look(self, chunk: Hashed, end: int, place: Callable[[int], tuple[str, int, int]]) -> None:
        """Looks through the first `end` characters of a chunk; `place` tells file, offset and line of a place in it."""
        length = self.length + 1
        if self.sieve is None or end < length:
            return
        places, _ = self.sieve.find(chunk.hashes(length)[: end - length + 1])
        if not len(places):
            return
        places, self.length = self.grown(chunk, places, length, end)
        at = int(places[0])
        mine = np.flatnonzero(self.text.hashes(self.length) == chunk.hashes_at(places[:1], self.length))
        self.run = Run(self.length, int(mine[0]), *place(at))
        self.look_for(self.length + 1)

    def grown(self, chunk: Hashed, places: Places, length: int, end: int) -> tuple[Places, int]:
        """The places of the longest runs among those of this length, and how long they are."""
        step, leaping = 1, True
        while step:
            inside = places[places + length + step <= end]
            longer = inside[np.isin(chunk.hashes_at(inside, length + step), self.text.hashes(length + step))]
            leaping &= bool(len(longer))
            if len(longer):
                places, length = longer, length + step
            step = 2 * step if leaping else step // 2
        return places, length


def look_through(library: RawText, shares: Sequence[Shares], mine: Longest, real: Longest | None) -> None:
    """Streams a corpus past what is looked for: all of it past the text, what was trained on past the held-out text."""
    for source, size, held in zip(library.sources, library.sizes, library.held_out, strict=True):
        rest: Chars = np.empty(0, dtype=np.uint8)
        begin, lines = 0, 1
        for codes in library.codes(source):
            whole: Chars = np.concatenate([rest, codes]) if len(rest) else codes
            chunk, trained = Hashed(whole), min(max(size - held - begin, 0), len(whole))

            def place(at: int, whole: Chars = whole, begin: int = begin, line: int = lines) -> tuple[str, int, int]:
                return source.name, begin + at, line + int(np.count_nonzero(whole[:at] == 10))  # noqa: B023

            for share in shares:
                share.look(chunk, trained)
            mine.look(chunk, len(whole), place)
            if real is not None:
                real.look(chunk, trained, place)
            kept = max(max(LENGTHS) - 1, mine.length, real.length if real else 0)  # a longer run may begin there
            rest = whole[max(len(whole) - kept, 0) :]
            begin, lines = begin + len(whole) - len(rest), place(len(whole) - len(rest))[2]


def novelty(codes: Sequence[Codes], library: RawText) -> tuple[Novelty, Novelty | None]:
    """How far the samples, as code points, are new; and the same for held-out text of the corpus.

    The samples are looked for in all of the corpus, the held-out text (None where there is none) in what stands before
    it in its file and in the other files, but for their held-out parts.
    """
    held = list(library.last_parts(HELD_OUT)) if any(library.held_out) else []
    text = Hashed(joined(codes))
    real = Hashed(joined(held)) if held else None
    both = Hashed(joined([*codes, *held]))
    shares = [Shares(both, n) for n in LENGTHS if len(both.codes) >= n]
    longest = Longest(text)
    longest_real = Longest(real) if real else None
    look_through(library, shares, longest, longest_real)
    end = len(text.codes)
    mine = judged("".join(map(text_of, codes)), text.codes, longest.run, shares, slice(0, end), False)
    if real is None or longest_real is None:
        return mine, None
    theirs = slice(end + 1, None)
    return mine, judged("".join(map(text_of, held)), real.codes, longest_real.run, shares, theirs, True)


def judged(text: str, codes: Codes, run: Run | None, shares: Sequence[Shares], part: slice, trained: bool) -> Novelty:
    """What was found about one part of the text that was looked for."""
    letters = codes != SEPARATOR
    new: dict[int, float | None] = dict.fromkeys(LENGTHS)
    copied = np.zeros(len(codes), dtype=bool)
    for share in shares:
        n = share.n
        seen = share.seen(trained)[part][: max(len(codes) - n + 1, 0)]
        whole = np.lib.stride_tricks.sliding_window_view(letters, n).all(axis=-1) if len(seen) else seen
        if whole.any():
            new[n] = 1.0 - float(seen[whole].mean())
        if n == MARKED:
            for shift in range(n):
                copied[shift : shift + len(seen)] |= seen
    at = run and Run(run.length, run.at - int(np.count_nonzero(~letters[: run.at])), run.file, run.offset, run.line)
    return Novelty(text, int(letters.sum()), at, new, copied[letters])


def joined(parts: Sequence[Codes]) -> Codes:
    """The parts one after another, with separators between them."""
    pieces: list[Codes] = []
    for part in parts:
        pieces += [part.astype(np.uint32), np.array([SEPARATOR], dtype=np.uint32)]
    return np.concatenate(pieces[:-1] or [np.empty(0, dtype=np.uint32)])


def text_of(codes: Codes) -> str:
    return UNITS["char"].text(codes)
