"""What a text is made of: units (char, byte, jamo), and the vocabulary that numbers them.

A *code* is what a symbol is (a code point, or a byte's value), an *id* is its place in the sorted vocabulary.
Codes are uint32 arrays, ids the smallest unsigned integers that hold them.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Ids
from charrnn.errors import TextError, UsageError
from charrnn.text.units import UNITS, Codes, in_range

if TYPE_CHECKING:
    pass

UNKNOWN = -1
CODE_LIMIT = 0x110000
REPLACEMENT = 0xFFFD  # the code of the symbol that stands for all rare ones


class Vocab:
    """The sorted symbols of a text, each with its id.

    `codes` (V,) are the symbols, strictly increasing; `unit` names the entry of `UNITS` that they belong to.
    `rare` (R,) are codes that have no symbol of their own: where there are any, `REPLACEMENT` stands for them all.
    """

    def __init__(self, unit: str, codes: Iterable[int], rare: Iterable[int] = ()) -> None:
        self.unit = unit
        self.rare: Codes = np.unique(np.fromiter(rare, dtype=np.uint32))
        own = np.fromiter(codes, dtype=np.uint32)
        self.codes: Codes = np.unique(np.append(own, np.uint32(REPLACEMENT)) if len(self.rare) else own)
        top = max((int(codes[-1]) for codes in (self.codes, self.rare) if len(codes)), default=0)
        self._id_of = np.full(top + 2, UNKNOWN, dtype=np.int32)
        self._id_of[self.codes] = np.arange(len(self.codes))
        if len(self.rare):
            self._id_of[self.rare] = self._id_of[REPLACEMENT]

    def __len__(self) -> int:
        return len(self.codes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocab):
            return NotImplemented
        same = np.array_equal(self.codes, other.codes) and np.array_equal(self.rare, other.rare)
        return self.unit == other.unit and same

    def __hash__(self) -> int:
        return hash((self.unit, self.codes.tobytes(), self.rare.tobytes()))

    def __repr__(self) -> str:
        return f"Vocab({self.unit!r}, {len(self)} symbols)"

    @property
    def symbols(self) -> list[str]:
        """The symbols as text, in the order of their ids (a byte above 127 as its surrogate escape)."""
        return [self.symbol(code) for code in self.codes.tolist()]

    def symbol(self, code: int) -> str:
        return UNITS[self.unit].text(np.array([code], dtype=np.uint32))

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger[Any]]:
        """The smallest type that holds an id."""
        return np.min_scalar_type(max(len(self) - 1, 0))

    def ids_of(self, codes: Codes | NDArray[np.uint8]) -> NDArray[np.int32]:
        """Ids (n,) of codes (n,); UNKNOWN (-1) where the vocabulary lacks one."""
        return self._id_of[np.minimum(codes, np.uint32(len(self._id_of) - 1))]

    def known_ids(self, codes: Codes | NDArray[np.uint8]) -> Ids:
        """Ids in the smallest type, of those codes that the vocabulary has; the others are left out."""
        if codes.dtype == np.uint8 and self.dtype == np.uint8:
            return np.frombuffer(codes.tobytes().translate(*self._byte_table), dtype=np.uint8)
        ids = self.ids_of(codes)
        known = ids != UNKNOWN
        return (ids if known.all() else ids[known]).astype(self.dtype)

    @cached_property
    def _byte_table(self) -> tuple[bytes, bytes]:
        """The id of each code below 256, and those codes that have none, as `bytes.translate` wants them."""
        ids = self.ids_of(np.arange(256, dtype=np.uint32))
        return ids.astype(np.uint8).tobytes(), bytes(np.flatnonzero(ids == UNKNOWN).tolist())

    def encode(self, text: str) -> NDArray[np.int32]:
        """Ids of a text; UNKNOWN (-1) where the vocabulary lacks a symbol."""
        return self.ids_of(UNITS[self.unit].codes(text))

    def decode(self, ids: Sequence[int] | Ids) -> str:
        """The text that these ids spell."""
        return UNITS[self.unit].text(self.codes[np.asarray(ids, dtype=np.intp)])

    def unknown(self, text: str) -> list[str]:
        """The symbols of a text that the vocabulary lacks, each once, in the order of the text."""
        codes = UNITS[self.unit].codes(text)
        missing = codes[self.ids_of(codes) == UNKNOWN]
        return [self.symbol(code) for code in dict.fromkeys(missing.tolist())]

    @property
    def sizes(self) -> NDArray[np.float64]:
        """Bytes of UTF-8 that each symbol takes; that for the rare ones, as many as they do on average."""
        sizes = UNITS[self.unit].sizes(self.codes).astype(np.float64)
        if self.replacement is not None:
            sizes[self.replacement] = UNITS[self.unit].sizes(self.rare).mean()
        return sizes

    @property
    def replacement(self) -> int | None:
        """The id of the symbol that stands for the rare ones, where there are any. It is never to be written."""
        return int(self._id_of[REPLACEMENT]) if len(self.rare) else None

    @property
    def newline(self) -> int | None:
        """The id of the newline, where there is one."""
        found = int(self.ids_of(np.array([10], dtype=np.uint32))[0])
        return None if found == UNKNOWN else found


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
