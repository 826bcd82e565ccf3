"""`Vocab`: the symbols of a text and their ids; rare symbols are mapped to an unknown symbol.

A *code* is the value of a symbol (a code point or a byte), an *id* its index in the sorted vocabulary. Codes are uint32
arrays; ids have the smallest unsigned integer type that is sufficient.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Ids, Mask
from charrnn.errors import TextError, UsageError
from charrnn.text.units import UNITS, AnyCodes, Codes, in_range

UNKNOWN = -1  # the id of a code that is not in the vocabulary
NEWLINE = 10
REPLACEMENT = 0xFFFD  # the code of the unknown symbol, to which rare symbols are mapped


class Vocab:
    """The symbols of a text, numbered in the order of their codes.

    `codes` (V,) are strictly increasing; `unit` is a key of `UNITS`. `rare` (R,) are the codes that are mapped to the
    unknown symbol, `REPLACEMENT`, which is part of the vocabulary only if there are any. `boundary_code` is that of the
    symbol that ends every text of a corpus of several: the end of text of the unit, which is not a character and has
    the last id, or the newline if every line is a text; None for a single text.
    """

    def __init__(
        self, unit: str, codes: Iterable[int], rare: Iterable[int] = (), boundary_code: int | None = None
    ) -> None:
        self.unit, self.boundary_code = unit, boundary_code
        self.rare: Codes = np.unique(np.fromiter(rare, np.uint32))
        more = [REPLACEMENT] if len(self.rare) else []
        more += [] if boundary_code is None else [boundary_code]
        self.codes: Codes = np.unique(np.fromiter([*codes, *more], np.uint32))
        top = max([0, *self.codes[-1:].tolist(), *self.rare[-1:].tolist()])
        self._id_of = np.full(top + 2, UNKNOWN, np.int32)
        self._id_of[self.codes] = np.arange(len(self.codes))
        self._id_of[self.rare] = np.searchsorted(self.codes, REPLACEMENT)

    def __len__(self) -> int:
        return len(self.codes)

    def _key(self) -> tuple[str, bytes, bytes, int | None]:
        return self.unit, self.codes.tobytes(), self.rare.tobytes(), self.boundary_code

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocab) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Vocab({self.unit!r}, {len(self)} symbols)"

    @property
    def symbols(self) -> list[str]:
        """The symbols as text, in the order of their ids (a byte above 127 as a surrogate escape)."""
        return list(map(self.symbol, self.codes.tolist()))

    def symbol(self, code: int) -> str:
        if code == UNITS[self.unit].end_of_text:
            return "end of text"
        return UNITS[self.unit].text(np.array([code], dtype=np.uint32))

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger[Any]]:
        """The smallest type of an id."""
        return np.min_scalar_type(max(len(self) - 1, 0))

    def ids_of(self, codes: AnyCodes) -> NDArray[np.int32]:
        """Ids (n,) of codes (n,); UNKNOWN (-1) for codes that are not in the vocabulary."""
        return self._id_of[np.minimum(codes, np.uint32(len(self._id_of) - 1))]

    def id_of(self, code: int) -> int:
        return int(self._id_of[min(code, len(self._id_of) - 1)])

    def known_ids(self, codes: AnyCodes) -> Ids:
        """Ids, in the smallest type, of the codes that are in the vocabulary; others are skipped."""
        if codes.dtype == np.uint8 and self.dtype == np.uint8:  # reading a text of ASCII is 60 % faster
            return np.frombuffer(codes.tobytes().translate(*self._byte_table), dtype=np.uint8)
        ids = self.ids_of(codes)
        known = ids != UNKNOWN
        return (ids if known.all() else ids[known]).astype(self.dtype)

    @cached_property
    def _byte_table(self) -> tuple[bytes, bytes]:
        """Arguments of `bytes.translate`: the id of each code below 256, and the codes without an id."""
        ids = self.ids_of(np.arange(256, dtype=np.uint32))
        return ids.astype(np.uint8).tobytes(), bytes(np.flatnonzero(ids == UNKNOWN).tolist())

    def encode(self, text: str) -> NDArray[np.int32]:
        """Ids of a text; UNKNOWN (-1) for symbols that are not in the vocabulary."""
        return self.ids_of(UNITS[self.unit].codes(text))

    def decode(self, ids: Sequence[int] | Ids) -> str:
        """The text of these ids; an end of text is written as a newline."""
        codes = self.codes[np.asarray(ids, dtype=np.intp)]
        if self.end_of_text is not None:
            codes[codes == self.boundary_code] = NEWLINE
        return UNITS[self.unit].text(codes)

    def unknown(self, text: str) -> list[str]:
        """The distinct symbols of a text that are not in the vocabulary, in the order of the text."""
        codes = UNITS[self.unit].codes(text)
        return list(map(self.symbol, dict.fromkeys(codes[self.ids_of(codes) == UNKNOWN].tolist())))

    @property
    def sizes(self) -> NDArray[np.float64]:
        """Length of each symbol in UTF-8, in bytes, (V,); for the unknown symbol, the mean of the rare symbols; 0 for
        the end of text.
        """
        sizes = UNITS[self.unit].sizes(self.codes).astype(np.float64)
        if self.replacement is not None:
            sizes[self.replacement] = UNITS[self.unit].sizes(self.rare).mean()
        return np.where(self.codes == UNITS[self.unit].end_of_text, 0.0, sizes)

    @property
    def starts(self) -> Mask:
        """Which symbols start a character, (V,): not the end of text."""
        unit = UNITS[self.unit]
        starts: Mask = unit.starts(self.codes) & (self.codes != unit.end_of_text)
        return starts

    @property
    def replacement(self) -> int | None:
        """The id of the unknown symbol, or None. It is never generated."""
        return self.id_of(REPLACEMENT) if len(self.rare) else None

    @property
    def newline(self) -> int | None:
        """The id of the newline, or None."""
        return self.id_of(NEWLINE) if NEWLINE in self.codes else None

    @property
    def characters(self) -> Codes:
        """The codes without that of the end of text."""
        return self.codes[: self.end_of_text]

    @property
    def boundary(self) -> int | None:
        """The id of the symbol that ends every text of several, and is read before one from an empty state; or None."""
        return None if self.boundary_code is None else self.id_of(self.boundary_code)

    @property
    def end_of_text(self) -> int | None:
        """The id of a boundary that is not a character, or None."""
        return self.boundary if self.boundary_code == UNITS[self.unit].end_of_text else None

    @property
    def by_line(self) -> bool:
        """Whether every line is a text."""
        return self.boundary_code == NEWLINE

    @property
    def start(self) -> int | None:
        """The id of the symbol that is read before a text: the boundary or else the newline, or None."""
        return self.newline if self.boundary is None else self.boundary


LARGE = 1000  # in a vocabulary of more symbols, rare ones are mapped to the unknown symbol by default:
OFTEN = 10  # those that occur fewer times than this, or than the largest smaller number for which
SHARE = 0.005  # they make up at most this share of the text


def vocabulary(
    unit: str,
    counts: NDArray[np.int64],
    min_count: int = 0,
    include: Vocab | None = None,
    boundary_code: int | None = None,
) -> tuple[Vocab, list[str]]:
    """The vocabulary of a text whose codes occur `counts` times, and notes on its rare symbols.

    Symbols that occur fewer than `min_count` times are rare; 1 keeps all, 0 decides by the rule above. The newline, the
    letters of Hangul syllables and the symbols of `include`, which are added, are never rare. `boundary_code` is that
    of the new vocabulary, also if `include` has another one. Raises TextError if all symbols would be rare, and
    UsageError if `include` has another unit.
    """
    include = include or Vocab(unit, ())
    if include.unit != unit:
        raise UsageError(f"a vocabulary of {unit}s cannot be combined with one of {include.unit}s.")
    codes = np.flatnonzero(counts).astype(np.uint32)
    counts = counts[codes]
    keep = np.isin(codes, np.append(include.codes, NEWLINE))
    if unit == "jamo":
        keep |= in_range(codes, 0x1100, 0x11FF)
    total, least = int(counts.sum()), 1
    if min_count and unit != "byte":
        least = min_count
    elif unit != "byte" and len(codes) > LARGE:
        few = counts[~keep]
        least = max(n for n in range(1, OFTEN + 1) if few[few < n].sum() <= SHARE * total)
    rare = (counts < least) & ~keep
    if rare.any() and (rare | (codes == NEWLINE)).all():
        raise TextError(
            f"`min_count={least}` makes every symbol unknown: the most frequent one occurs {counts.max():,} times."
        )
    if rare.any():
        rare |= codes == REPLACEMENT  # in the text it cannot be distinguished from the unknown symbol
    kept = np.union1d(codes[~rare], include.characters)
    others = np.setdiff1d(np.union1d(codes[rare], include.rare), kept)
    if len(include.rare) and not len(others):
        kept = kept[kept != REPLACEMENT]  # nothing is mapped to it any more
    vocab = Vocab(unit, kept, others, boundary_code)
    if not rare.any():
        return vocab, []
    return vocab, [
        f"{rare.sum():,} of {len(codes):,} distinct symbols occur fewer than {least} times "
        f"({counts[rare].sum() / total:.2%} of the text) and are mapped to an unknown symbol, which is never generated "
        "(`min_count=1` keeps them)."
    ]
