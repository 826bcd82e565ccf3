"""A stretch of a text to look at, and how it is read: in streams side by side, each warmed up on what stands before it.

The parts that were held out count as one text, in their order, as the training text does.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import TextError
from charrnn.text.corpus import Corpus, Segment
from charrnn.text.ids import join
from charrnn.text.units import UNITS
from charrnn.text.vocab import Vocab

WARM_UP = 128
STREAMS = 128
SHORTEST = 64
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Passage:
    """Symbols to look at, `ids` (n,), after those `before` them; `characters` is their text, character by character.

    `owner` (n,) tells which character each symbol belongs to. `before` is empty only at the begin of a text whose
    vocabulary has no newline.
    """

    vocab: Vocab
    ids: Places
    before: Places
    characters: list[str]
    owner: Places

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def text(self) -> str:
        """The text, one code point a character, so that places in it are those of `characters`."""
        return "".join(character[:1] for character in self.characters)


def passage(corpus: Corpus, segments: Sequence[Segment], chars: int, begin: int = 0) -> Passage:
    """`chars` characters from character `begin` on of these segments, or as many as there are.

    Up to `WARM_UP` symbols before them come with it. Raises TextError where there is nothing.
    """
    vocab, unit = corpus.vocab, UNITS[corpus.vocab.unit]
    ids = join(corpus.ids, [(s.begin, s.end) for s in segments]) if segments else corpus.ids[:0]
    widest = 4 if vocab.unit == "byte" else 3 if vocab.unit == "jamo" else 1
    head = ids[: min(len(ids), (begin + chars + 1) * widest)].astype(np.intp)
    starts = unit.starts(vocab.codes[head]) if len(head) else np.zeros(0, dtype=bool)
    owner = np.maximum(np.cumsum(starts) - 1, 0)
    first, end = (int(np.searchsorted(owner, place)) for place in (begin, begin + chars))
    if first >= end:
        raise TextError(f"{corpus.label} has no character to look at after the first {begin:,}.")
    before = head[:first]
    if segments and len(before) < WARM_UP:
        segment = segments[0]
        more = corpus.ids[max(segment.file_begin, segment.begin - WARM_UP) : segment.begin].astype(np.intp)
        if segment.begin - len(more) == segment.file_begin and vocab.newline is not None:
            more = np.append(np.intp(vocab.newline), more)  # a text begins as after a newline
        before = np.concatenate([more, before])
    owner = owner[first:end] - owner[first]
    return Passage(
        vocab,
        head[first:end],
        before[-WARM_UP:],
        spelled(vocab, head[first:end], owner),
        owner,
    )


def spelled(vocab: Vocab, ids: Places, owner: Places) -> list[str]:
    """The text of every character."""
    if vocab.unit == "char":
        symbols = vocab.symbols
        return [symbols[i] for i in ids.tolist()]
    cuts = np.flatnonzero(np.diff(owner)) + 1
    return [vocab.decode(part) for part in np.split(ids, cuts)]


class Streams:
    """Symbols as streams side by side: rows of `window` are fed to a network, `places` says what they were.

    Stream b reads the symbols firsts[b]..ends[b] of what stands before the passage and the passage itself, and counts
    for begins[b]..ends[b].
    """

    def __init__(self, before: int, count: int) -> None:
        size = max(SHORTEST, math.ceil(count / STREAMS))
        self.begins = before + np.arange(0, count, size)
        self.ends = np.minimum(self.begins + size, before + count)
        self.firsts = np.maximum(0, self.begins - WARM_UP)
        self.before = before
        self.count, self.rows = len(self.begins), int((self.ends - self.firsts).max())

    def windows(self, ids: Places, steps: int) -> Iterator[tuple[int, Places]]:
        """Windows (T, B) of the symbols before and in the passage, T at most `steps`, and the row of the first."""
        for row in range(0, self.rows, steps):
            rows = self.firsts + np.arange(row, min(row + steps, self.rows))[:, None]
            yield row, ids[np.minimum(rows, len(ids) - 1)]

    def places(self, row: int, steps: int, ahead: int = 0) -> tuple[NDArray[np.bool_], Places]:
        """Which of the rows row..row+steps count, (T, B), and the place in the passage of each that does.

        With `ahead` 1 a row counts for the symbol that follows what it has read.
        """
        index = self.firsts + np.arange(row, row + steps)[:, None] + ahead
        mask = (index >= self.begins) & (index < self.ends)
        return mask, index[mask] - self.before
