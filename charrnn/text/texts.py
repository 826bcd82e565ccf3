"""Several texts in one corpus: each ends with a boundary symbol. Lines as texts; which parts are held out.

The symbol is an end of text if the texts are files, and the newline if they are lines. The state of a network is empty
before a boundary symbol is read, which then predicts the first symbol of a text.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Mask, RandomStream
from charrnn.text.ids import Symbols, pieces
from charrnn.text.units import UNITS, AnyCodes
from charrnn.text.vocab import NEWLINE, Vocab

MANY, LONG = 50, 0.05  # whole texts are held out if there are this many, none longer than this share of all
TAIL = 64  # last characters of a long text that are learned, so that the end of a text is
MOST_SORTED = 1 << 18  # symbols that are searched for sorted lines
FEW_LINES, IN_ORDER = 40, 0.9  # pairs of adjacent lines, at least, and the share of them that is in order
SORTED = (
    "the lines are sorted, so that the model learns the order of the list, and the validation split is its end: "
    "if each line is an example, train with --by-line."
)
Sizes = NDArray[np.int64]


def boundary_code(unit: str, by_line: bool, texts: int, include: Vocab | None) -> int | None:
    """The boundary of a new vocabulary for this number of texts; one that `include` has is kept for a single text."""
    if by_line:
        return NEWLINE
    known = include is not None and include.end_of_text is not None
    return UNITS[unit].end_of_text if texts > 1 or known else None


def whole_lines(chunks: Iterable[AnyCodes]) -> Iterator[AnyCodes]:
    """The codes of a file without blank lines, with a newline at the end of the last line."""
    last = NEWLINE
    for codes in chunks:
        if not len(codes):
            continue
        newline = codes == NEWLINE
        before = np.append(last == NEWLINE, newline[:-1])
        last = int(codes[-1])
        yield codes[~(newline & before)]
    if last != NEWLINE:
        yield np.array([NEWLINE], np.uint8)


def held_out(sizes: Sizes, fraction: float, seed: int, by_line: bool) -> Sizes:
    """How many of the last characters of each text (n,) are held out; those of a whole text are all.

    Whole texts, chosen by the seed, if they are lines or if there are many short ones. Otherwise the last part of each
    long text or, if there is none, of all of them together.
    """
    total = int(sizes.sum())
    long = sizes > LONG * total
    if by_line or (len(sizes) >= MANY and not long.any()):
        rng = np.random.Generator(np.random.PCG64([seed, RandomStream.VALIDATION_SPLIT]))
        chosen = rng.permutation(len(sizes))[: min(round(len(sizes) * fraction), len(sizes) - 1)]
        return np.where(np.isin(np.arange(len(sizes)), chosen), sizes, 0)
    if long.any():
        return np.where(long, (sizes * fraction).astype(np.int64), 0)
    return np.clip(np.cumsum(sizes) - (total - int(total * fraction)), 0, sizes)


def text_ends(ids: Symbols, boundary: int) -> Sizes:
    """The end (n,) of each text."""
    ranges = [*pieces(0, len(ids))][::-1]
    return 1 + np.concatenate([begin + np.flatnonzero(ids[begin:end] == boundary) for begin, end in ranges])


def characters(ids: Symbols, starts: Mask, ends: Sizes) -> Sizes:
    """The number of characters (n,) of each text; `starts` (V,) are the symbols that start one."""
    before = np.zeros(len(ends) + 1, np.int64)
    for begin, end in pieces(0, len(ids)):
        total = np.append(0, np.cumsum(starts[ids[begin:end]]))
        before[1:] += total[np.clip(ends - begin, 0, end - begin)]
    return np.diff(before)


def cut_places(ids: Symbols, starts: Mask, texts: tuple[Sizes, Sizes], sizes: Sizes, held: Sizes, tail: int) -> Sizes:
    """Four places (n, 4) in each text: begin, cut, resumption and end; what is between the middle ones is held out.

    `texts` are begins and ends, `sizes` and `held` numbers of characters. If not all of a text is held out, its last
    `tail` characters, or as many as are held out, are not.
    """
    begins, ends = texts
    places = np.stack([begins, np.where((held > 0) & (held == sizes), begins, ends), ends, ends], axis=1)
    for k in np.flatnonzero((held > 0) & (held < sizes)).tolist():
        chars, (first, *_, last) = int(held[k]), places[k].tolist()
        kept = min(tail, chars, int(sizes[k]) - chars)
        places[k, 1] = last_characters(ids, starts, first, last, chars + kept)
        if kept:
            places[k, 2] = last_characters(ids, starts, first, last, kept)
    return places


def last_characters(ids: Symbols, starts: Mask, first: int, last: int, chars: int) -> int:
    """Where the last characters of the symbols first..last begin."""
    if starts.all():  # every symbol is a character
        return last - chars
    for begin, end in pieces(first, last):
        places = np.flatnonzero(starts[ids[begin:end]])
        if len(places) >= chars:
            return begin + int(places[-chars])
        chars -= len(places)
    return first


def are_sorted(text: str) -> bool:
    """Whether the lines of a text are in alphabetical order, upwards or downwards, with few exceptions."""
    lines = [line.strip().casefold() for line in text.split("\n")[:-1]]
    pairs = [(one, other) for one, other in pairwise(filter(None, lines)) if one != other]
    share = sum(one < other for one, other in pairs) / max(len(pairs), 1)
    return len(pairs) >= FEW_LINES and not 1 - IN_ORDER < share < IN_ORDER
