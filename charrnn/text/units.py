"""Units (char, byte, jamo): text to codes, codes to text, incremental decoders."""

import codecs
import re
import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]
AnyCodes = NDArray[np.unsignedinteger[Any]]  # codes of any width: uint8 where all are below 256
SYLLABLES = 0xAC00, 11172  # the first one, and their number
END_OF_TEXT = 0x110000  # the code of the symbol that ends a text: no character, as the last code point is one less
LETTERS = re.compile("[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?")  # leading, vowel, trailing
INCOMPLETE = re.compile("[\u1100-\u1112][\u1161-\u1175]?\\Z")  # a syllable that more letters may extend


class Decoder:
    """Decodes codes one by one, and returns each character as soon as no later code can change it.

    Here one code is one character; other units override the methods.
    """

    def push(self, code: int) -> str:
        """The characters that this code completes."""
        return chr(code)

    def flush(self) -> str:
        """The incomplete character, as it is."""
        return ""

    @property
    def held(self) -> tuple[int, ...]:
        """The codes of the incomplete character."""
        return ()


class ByteDecoder(Decoder):
    """UTF-8; an invalid byte becomes a surrogate escape, which is encoded as the same byte."""

    def __init__(self) -> None:
        self.utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def push(self, code: int) -> str:
        return self.utf8.decode(bytes([code]))

    def flush(self) -> str:
        return self.utf8.decode(b"", True)

    @property
    def held(self) -> tuple[int, ...]:
        return tuple(self.utf8.getstate()[0])


class JamoDecoder(Decoder):
    """Composes syllables: a leading letter waits for a vowel, and both for a trailing letter."""

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
    return (codes >= first) & (codes <= last)


def jamo_kind(letter: str) -> str:
    """L, V or T for leading letters, vowels and trailing letters of modern syllables, otherwise an empty string."""
    for kind, first, last in (("L", "\u1100", "\u1112"), ("V", "\u1161", "\u1175"), ("T", "\u11a8", "\u11c2")):
        if first <= letter <= last:
            return kind
    return ""


def compose(text: str) -> tuple[str, int]:
    """The text with decomposed Hangul syllables composed, and their number."""
    return LETTERS.subn(lambda match: unicodedata.normalize("NFC", match[0]), text)


class Char:
    """Unicode code points."""

    decoder: type[Decoder] = Decoder
    end_of_text = END_OF_TEXT

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
        """Length of each code in UTF-8, in bytes; 1 for a surrogate escape."""
        longer = (codes >= 0x80).astype(np.int64) + (codes >= 0x800) + (codes >= 0x10000)
        return 1 + np.where(in_range(codes, 0xDC80, 0xDCFF), 0, longer)


class Byte:
    """Bytes of UTF-8, or of any other file."""

    decoder: type[Decoder] = ByteDecoder
    end_of_text = 256

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
    """Code points, with Hangul syllables as their two or three letters (NFD); other scripts are unchanged."""

    decoder: type[Decoder] = JamoDecoder
    end_of_text = END_OF_TEXT

    @staticmethod
    def codes(text: str) -> Codes:
        codes = Char.codes(text)
        place = codes - np.uint32(SYLLABLES[0])  # unsigned: smaller codes become very large
        syllables = np.flatnonzero(place < SYLLABLES[1])
        if not len(syllables):
            return codes
        place = place[syllables]
        trailing = place % 28
        letters = np.ones(len(codes), dtype=np.intp)
        letters[syllables] = 2 + (trailing > 0)
        spelled = np.repeat(codes, letters)
        first = (np.cumsum(letters) - letters)[syllables]
        spelled[first], spelled[first + 1] = 0x1100 + place // 588, 0x1161 + place // 28 % 21
        spelled[first[trailing > 0] + 2] = 0x11A7 + trailing[trailing > 0]
        return spelled

    @staticmethod
    def text(codes: Codes) -> str:
        return compose(Char.text(codes))[0]

    @staticmethod
    def starts(codes: Codes) -> NDArray[np.bool_]:
        return ~(in_range(codes, 0x1161, 0x1175) | in_range(codes, 0x11A8, 0x11C2))

    @staticmethod
    def sizes(codes: Codes) -> NDArray[np.int64]:
        """A syllable has three bytes, whatever the number of its letters: all are counted at the first."""
        return Char.sizes(codes) * Jamo.starts(codes)


Unit = type[Char] | type[Byte] | type[Jamo]
UNITS: dict[str, Unit] = {"char": Char, "byte": Byte, "jamo": Jamo}
