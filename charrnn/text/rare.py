"""Rare symbols: what a text holds too seldom to be learned is one symbol, which is never written."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import TextError, UsageError
from charrnn.text.symbols import Symbols, pieces
from charrnn.text.vocab import REPLACEMENT, Vocab, in_range

if TYPE_CHECKING:
    from charrnn.text.corpus import Segment

LARGE = 1000  # a vocabulary of more symbols gives up its rare ones by itself:
OFTEN = 10  # those that occur fewer times than this, or than the largest number below it
SHARE = 0.005  # where they make up no more than this share of the text
NEWLINE = 10


def vocabulary(
    unit: str, counts: NDArray[np.int64], min_count: int = 0, beside: Vocab | None = None
) -> tuple[Vocab, list[str]]:
    """The symbols of a text whose codes occur `counts` times, and what a user is to be told of the rare ones.

    What occurs fewer than `min_count` times is rare; 1 keeps all, 0 lets the rule above choose. The newline, the
    letters of Hangul syllables, which need each other, and the symbols `beside` the text's own always stay.
    Raises TextError where nothing else would, and UsageError where `beside` is of another unit.
    """
    if beside and beside.unit != unit:
        raise UsageError(f"symbols that are {beside.unit}s cannot stand beside {unit}s.")
    codes = np.flatnonzero(counts).astype(np.uint32)
    counts = counts[codes]
    stays = np.isin(codes, [NEWLINE, *(beside.codes.tolist() if beside else [])])
    if unit == "jamo":
        stays |= in_range(codes, 0x1100, 0x11FF)
    total = int(counts.sum())
    least = 1 if unit == "byte" else min_count or by_rule(counts[~stays], len(codes), total)
    rare = (counts < least) & ~stays
    if rare.any() and (rare | (codes == NEWLINE)).all():
        raise TextError(
            f"--min-count {least} leaves nothing of the text: its commonest symbol occurs {counts.max():,} times."
        )
    if rare.any():
        rare |= codes == REPLACEMENT  # as a character of the text it cannot be told from the symbol
    kept, others = codes[~rare], codes[rare]
    if beside:
        others = np.setdiff1d(np.union1d(others, beside.rare), np.union1d(kept, beside.codes))
        kept = np.union1d(kept, beside.codes)
        if len(beside.rare) and not len(others):
            kept = kept[kept != REPLACEMENT]  # all that it stood for have symbols of their own now
    vocab = Vocab(unit, kept, others)
    if not rare.any():
        return vocab, []
    return vocab, [
        f"{rare.sum():,} of {len(codes):,} distinct symbols occur fewer than {least} times, in all "
        f"{counts[rare].sum() / total:.2%} of the text: one symbol stands for them, which is never written "
        "(--min-count 1 keeps them)."
    ]


def by_rule(counts: NDArray[np.int64], kinds: int, total: int) -> int:
    """How often a symbol has to occur to stand for itself, in a text of `total` symbols, `kinds` of them distinct."""
    if kinds <= LARGE:
        return 1
    return max(least for least in range(1, OFTEN + 1) if counts[counts < least].sum() <= SHARE * total)


def spelling_nats(ids: Symbols, segments: "Sequence[Segment]", vocab: Vocab) -> float:
    """Nats, in all the segments, to say which of R rare symbols each replacement stands for: ln R, each as likely."""
    if vocab.replacement is None:
        return 0.0
    parts = [part for segment in segments for part in pieces(segment.begin, segment.end)]
    number = sum(int(np.count_nonzero(ids[begin:end] == vocab.replacement)) for begin, end in parts)
    return number * math.log(len(vocab.rare))
