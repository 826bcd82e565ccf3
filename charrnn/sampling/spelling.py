"""Which symbols may come next, so that only whole characters come out: syllables of jamo, valid UTF-8 of bytes.

A character is spelled by one symbol or several. What stands there of one that may still grow is *held*, as codes; a
symbol may follow where a character can be spelled from there with the vocabulary, and one that is not banned.
"""

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache, cached_property

import numpy as np

from charrnn.arrays import Mask
from charrnn.text.units import UNITS, jamo_kind
from charrnn.text.vocab import Vocab

Held = tuple[int, ...]
Banned = Callable[[str], Collection[str]]  # the characters that may not come next, after `more` that is just spelled


class Spelling:
    """What the unit of a vocabulary allows next; `ban` are characters that never may, `raw` allows any bytes."""

    def __init__(self, vocab: Vocab, ban: str = "", raw: bool = False) -> None:
        self.vocab, self.ban, self.raw = vocab, frozenset(ban), raw
        self.may_follow = {"char": self.after_char, "byte": self.after_bytes, "jamo": self.after_jamo}[vocab.unit]
        whole = vocab.unit == "char" or (raw and vocab.unit == "byte")
        self.free = whole and not self.ban and vocab.replacement is None
        self.known: dict[Held, Mask] = {}

    def allowed(self, held: Held = (), banned: Banned | None = None) -> Mask | None:
        """Which symbols (V,) may follow `held`; None for all of them. `banned` is what else is, for the moment."""
        if banned is None and self.free:
            return None
        if held not in self.known:
            codes = self.vocab.codes.tolist()
            self.known[held] = np.array([self.may_follow(held, code, lambda more: self.ban) for code in codes])
            if self.vocab.replacement is not None:  # it stands for rare characters, and is none itself
                self.known[held][self.vocab.replacement] = False
        mask = self.known[held]
        if banned is None:
            return mask
        mask = mask.copy()
        now = cache(banned)  # asked for the same again and again
        affected = self.vocab.ids_of(np.fromiter(set(self.affected(held, now)), np.uint32))
        both = cache(lambda more: self.ban.union(now(more)))
        for i in affected[affected >= 0].tolist():
            mask[i] &= self.may_follow(held, int(self.vocab.codes[i]), both)
        return mask

    def affected(self, held: Held, banned: Banned) -> Iterator[int]:
        """The codes after `held` that spell what is banned for the moment."""
        now = banned("")
        yield from next_codes(self.vocab.unit, held, now)
        if len(held) == 2 and self.vocab.unit == "jamo":
            syllable = compose(held)
            yield from next_codes("jamo", (), banned(syllable))
            if syllable in now:
                yield from self.vocab.codes.tolist()

    def after_char(self, held: Held, code: int, banned: Banned) -> bool:
        return chr(code) not in banned("")

    def after_bytes(self, held: Held, code: int, banned: Banned) -> bool:
        if self.raw:
            return utf8((*held, code)) not in banned("")
        return self.spells((*held, code), banned(""))

    def spells(self, begun: Held, banned: Collection[str]) -> bool:
        """Whether these bytes are a character that is not banned, or the beginning of one."""
        if not begins_utf8(begun):
            return False
        character = utf8(begun)
        if character:
            return character not in banned
        return any(self.spells((*begun, code), banned) for code in self.continuations)

    def after_jamo(self, held: Held, code: int, banned: Banned) -> bool:
        """A vowel after a leading letter, a trailing letter after both, else whatever begins a character."""
        now, kind = banned(""), jamo_kind(chr(code))
        if len(held) == 1:
            return kind == "V" and self.becomes((*held, code), now)
        if len(held) == 2 and kind == "T":
            return compose((*held, code)) not in now
        if len(held) == 2:  # the syllable ends here, and the next character begins after it
            return compose(held) not in now and self.begins(code, banned(compose(held)))
        return self.begins(code, now)

    def begins(self, code: int, banned: Collection[str]) -> bool:
        """Whether a character can begin with this code."""
        kind = jamo_kind(chr(code))
        if kind == "L":
            return any(self.becomes((code, vowel), banned) for vowel in self.vowels)
        return not kind and chr(code) not in banned

    def becomes(self, pair: Held, banned: Collection[str]) -> bool:
        """Whether a leading letter and a vowel can become a syllable that is not banned."""
        return compose(pair) not in banned or any(compose((*pair, t)) not in banned for t in self.trailing)

    @cached_property
    def continuations(self) -> list[int]:
        """The bytes of the vocabulary that can follow the first of a character."""
        return [code for code in self.vocab.codes.tolist() if code & 0xC0 == 0x80]

    @cached_property
    def vowels(self) -> list[int]:
        return [code for code in self.vocab.codes.tolist() if jamo_kind(chr(code)) == "V"]

    @cached_property
    def trailing(self) -> list[int]:
        return [code for code in self.vocab.codes.tolist() if jamo_kind(chr(code)) == "T"]


def next_codes(unit: str, held: Held, characters: Iterable[str]) -> Iterator[int]:
    """The codes that come after `held` in the spelling of those characters that begin with it."""
    for character in characters:
        codes = tuple(UNITS[unit].codes(character).tolist())
        if len(codes) > len(held) and codes[: len(held)] == held:
            yield codes[len(held)]


def compose(letters: Held) -> str:
    return unicodedata.normalize("NFC", "".join(map(chr, letters)))


def utf8(codes: Held) -> str:
    """The character that these bytes are, or the empty string."""
    try:
        return bytes(codes).decode("utf-8")
    except UnicodeDecodeError:
        return ""


def begins_utf8(codes: Held) -> bool:
    """Whether these bytes are a character or the beginning of one, as RFC 3629 has it."""
    try:
        bytes(codes).decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and error.start == 0
    return True
