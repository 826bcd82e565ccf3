"""What a text is made of: units (char, byte, jamo), and the vocabulary that numbers them.

A *code* is what a symbol is (a code point, or a byte's value), an *id* is its place in the sorted vocabulary.
Codes are uint32 arrays, ids the smallest unsigned integers that hold them.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Ids

Codes = NDArray[np.uint32]
UNKNOWN = -1
CODE_LIMIT = 0x110000
REPLACEMENT = 0xFFFD  # the code of the symbol that stands for all rare ones
SYLLABLES = 0xAC00, 11172  # the first, and how many
LETTERS = re.compile("[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?")  # leading, vowel, trailing


class Decoder(Protocol):
    """Turns codes back into text one by one, each character as soon as nothing that follows can change it."""

    def push(self, code: int) -> str:
        """The characters that this code completes."""

    def flush(self) -> str:
        """What was held back, as it stands."""

    @property
    def held(self) -> tuple[int, ...]:
        """The codes of a character that is not complete, or may still grow."""


class CharDecoder:
    """One code, one character."""

    held: tuple[int, ...] = ()

    def push(self, code: int) -> str:
        return chr(code)

    def flush(self) -> str:
        return ""


class ByteDecoder:
    """UTF-8; a byte that is none comes out as a surrogate escape, so that writing it gives the byte again."""

    def __init__(self) -> None:
        self.utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def push(self, code: int) -> str:
        return self.utf8.decode(bytes([code]))

    def flush(self) -> str:
        return self.utf8.decode(b"", True)

    @property
    def held(self) -> tuple[int, ...]:
        return tuple(self.utf8.getstate()[0])


class JamoDecoder:
    """Letters into syllables: a leading letter waits for its vowel, and the pair for a trailing letter."""

    def __init__(self) -> None:
        self.letters = ""

    def push(self, code: int) -> str:
        letter = chr(code)
        kind = jamo_kind(letter)
        if (kind, len(self.letters)) in (("V", 1), ("T", 2)):
            self.letters += letter
            return self.flush() if kind == "T" else ""
        done, self.letters = self.flush(), letter if kind == "L" else ""
        return done if self.letters else done + letter

    def flush(self) -> str:
        done, self.letters = unicodedata.normalize("NFC", self.letters), ""
        return done

    @property
    def held(self) -> tuple[int, ...]:
        return tuple(map(ord, self.letters))


def in_range(codes: Codes, first: int, last: int) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = (codes >= first) & (codes <= last)
    return mask


def jamo_kind(letter: str) -> str:
    """L, V or T for the leading, vowel and trailing letters of modern syllables, else the empty string."""
    for kind, first, last in (
        ("L", "\u1100", "\u1112"),
        ("V", "\u1161", "\u1175"),
        ("T", "\u11a8", "\u11c2"),
    ):
        if first <= letter <= last:
            return kind
    return ""


class Char:
    """Unicode code points."""

    decoder: type[Decoder] = CharDecoder

    @staticmethod
    def codes(text: str) -> Codes:
        return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")

    @staticmethod
    def text(codes: Codes) -> str:
        return codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")

    @staticmethod
    def starts(codes: Codes) -> NDArray[np.bool_]:
        return np.ones(len(codes), dtype=bool)

    @staticmethod
    def sizes(codes: Codes) -> NDArray[np.int64]:
        """Bytes of UTF-8 that each code takes; a surrogate escape stands for one."""
        longer = (codes >= 0x80).astype(np.int64) + (codes >= 0x800) + (codes >= 0x10000)
        return 1 + np.where(in_range(codes, 0xDC80, 0xDCFF), 0, longer)


class Byte:
    """The bytes of UTF-8, or of whatever the file holds."""

    decoder: type[Decoder] = ByteDecoder

    @staticmethod
    def codes(text: str) -> Codes:
        return np.frombuffer(text.encode("utf-8", "surrogateescape"), dtype=np.uint8).astype(np.uint32)

    @staticmethod
    def text(codes: Codes) -> str:
        return codes.astype(np.uint8).tobytes().decode("utf-8", "surrogateescape")

    @staticmethod
    def starts(codes: Codes) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = (codes & 0xC0) != 0x80
        return mask

    @staticmethod
    def sizes(codes: Codes) -> NDArray[np.int64]:
        return np.ones(len(codes), dtype=np.int64)


class Jamo:
    """Code points, but Hangul syllables as their two or three letters (NFD); other scripts stay as they are."""

    decoder: type[Decoder] = JamoDecoder

    @staticmethod
    def codes(text: str) -> Codes:
        codes = Char.codes(text)
        place = codes - np.uint32(SYLLABLES[0])  # unsigned, so that what is below comes out far above
        where = np.flatnonzero(place < SYLLABLES[1])
        if not len(where):
            return codes
        place = place[where]
        trailing = place % 28
        letters = np.ones(len(codes), dtype=np.intp)
        letters[where] = 2 + (trailing > 0)
        spelled = np.repeat(codes, letters)
        at = (np.cumsum(letters) - letters)[where]
        spelled[at], spelled[at + 1] = 0x1100 + place // 588, 0x1161 + place // 28 % 21
        spelled[at[trailing > 0] + 2] = 0x11A7 + trailing[trailing > 0]
        return spelled

    @staticmethod
    def text(codes: Codes) -> str:
        return LETTERS.sub(lambda match: unicodedata.normalize("NFC", match[0]), Char.text(codes))

    @staticmethod
    def starts(codes: Codes) -> NDArray[np.bool_]:
        return ~(in_range(codes, 0x1161, 0x1175) | in_range(codes, 0x11A8, 0x11C2))

    @staticmethod
    def sizes(codes: Codes) -> NDArray[np.int64]:
        """A syllable is three bytes however many letters it has: all counted with its first."""
        return Char.sizes(codes) * Jamo.starts(codes)


Unit = type[Char] | type[Byte] | type[Jamo]
UNITS: dict[str, Unit] = {"char": Char, "byte": Byte, "jamo": Jamo}


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
