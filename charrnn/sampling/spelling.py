"""Which symbols may come next so that only whole characters are generated: jamo syllables, valid UTF-8 sequences.

A character is spelled by one or several symbols. The codes of a character that is incomplete or may still grow are
*held*. A symbol may follow them if the vocabulary can then complete a character that is not banned.
"""

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache

import numpy as np

from charrnn.arrays import Mask
from charrnn.text.units import UNITS, jamo_kind
from charrnn.text.vocab import NEWLINE, UNKNOWN, Vocab

Held = tuple[int, ...]
Banned = Callable[[str], Collection[str]]  # the characters banned after the text and the characters `more`


class Spelling:
    """The symbols that the unit of a vocabulary allows; the characters of `ban` never, any bytes if `raw`.

    With `raw`, a banned byte (a character below 128 or a surrogate escape) occurs nowhere, and another character is
    banned as a sequence of bytes.

    An end of text may follow a whole character, if there are `several` texts.
    """

    def __init__(self, vocab: Vocab, ban: str = "", raw: bool = False, several: bool = True) -> None:
        self.vocab, self.ban, self.raw, self.several = vocab, frozenset(ban), raw, several
        self.codes: list[int] = vocab.codes.tolist()
        self.characters = len(vocab) - (vocab.end_of_text is not None)
        self.may_follow = {"char": self.after_char, "byte": self.after_bytes, "jamo": self.after_jamo}[vocab.unit]
        whole = vocab.unit == "char" or (raw and vocab.unit == "byte")
        self.free = whole and not self.ban and vocab.replacement is None and (several or vocab.end_of_text is None)
        self.known: dict[Held, Mask] = {}
        self.continuations = [code for code in self.codes if code & 0xC0 == 0x80]  # of UTF-8
        self.letters = cache(
            lambda kind: [code for code in self.codes[: self.characters] if jamo_kind(chr(code)) == kind]
        )

    def allowed(self, held: Held = (), banned: Banned | None = None) -> Mask | None:
        """Which symbols (V,) may follow `held`; None allows all. `banned` adds banned characters."""
        if banned is None and self.free:
            return None
        if held not in self.known:
            self.known[held] = np.array([self.may_come(held, code, lambda more: self.ban) for code in self.codes])
            if self.vocab.replacement is not None:  # the unknown symbol is never generated
                self.known[held][self.vocab.replacement] = False
        mask = self.known[held]
        if banned is None:
            return mask
        mask = mask.copy()
        now = cache(banned)  # called with the same argument many times
        affected = self.vocab.ids_of(np.fromiter(set(self.affected(held, now)), np.uint32))
        both = cache(lambda more: self.ban.union(now(more)))
        for i in affected[affected >= 0].tolist():
            mask[i] &= self.may_come(held, self.codes[i], both)
        return mask

    def can_write(self, text: str) -> bool:
        """Whether a text can be generated, apart from rules that depend on what precedes it."""
        decoder = UNITS[self.vocab.unit].decoder()
        for code in UNITS[self.vocab.unit].codes(text).tolist():
            mask, place = self.allowed(decoder.held), self.vocab.id_of(code)
            if code == NEWLINE and place == UNKNOWN and self.vocab.end_of_text is not None:
                place = self.vocab.end_of_text  # it is written as a newline
            if place == UNKNOWN or not (mask is None or mask[place]):
                return False
            decoder.push(code)
        return self.ban.isdisjoint(text) and not (self.vocab.unit == "jamo" and jamo_kind(text[-1:]))

    def may_come(self, held: Held, code: int, banned: Banned) -> bool:
        """Whether this symbol may follow `held`: an end of text only if the character is whole, and not banned."""
        if code != UNITS[self.vocab.unit].end_of_text:
            return self.may_follow(held, code, banned)
        whole = len(held) == 2 and compose(held) not in banned("") if self.vocab.unit == "jamo" else self.raw
        return self.several and (not held or whole)

    def affected(self, held: Held, banned: Banned) -> Iterator[int]:
        """The codes after `held` that continue the spelling of a character that is banned at present."""
        now = banned("")
        yield from next_codes(self.vocab.unit, held, now)
        if self.raw:
            yield from next_codes("byte", (), banned(one_by_one(held)))
        if len(held) == 2 and self.vocab.unit == "jamo":
            syllable = compose(held)
            yield from next_codes("jamo", (), banned(syllable))
            if syllable in now:
                yield from self.codes

    def after_char(self, held: Held, code: int, banned: Banned) -> bool:
        return chr(code) not in banned("")

    def after_bytes(self, held: Held, code: int, banned: Banned) -> bool:
        if self.raw:
            return one_by_one((code,)) not in banned(one_by_one(held)) and utf8((*held, code)) not in banned("")
        return self.spells((*held, code), banned(""))

    def spells(self, start: Held, banned: Collection[str]) -> bool:
        """Whether these bytes are a character that is not banned, or the start of one."""
        character = utf8(start)
        if character == "":
            return any(self.spells((*start, code), banned) for code in self.continuations)
        return character is not None and character not in banned

    def after_jamo(self, held: Held, code: int, banned: Banned) -> bool:
        """A vowel after a leading letter, a trailing letter after both, else whatever starts a character."""
        now, kind = banned(""), jamo_kind(chr(code))
        if not held:
            return self.starts(code, now)
        if len(held) == 1:
            return kind == "V" and self.becomes((*held, code), now)
        if kind == "T":
            return compose((*held, code)) not in now
        # the syllable is complete, and the next character starts
        return compose(held) not in now and self.starts(code, banned(compose(held)))

    def starts(self, code: int, banned: Collection[str]) -> bool:
        """Whether a character that is not banned can start with this code."""
        kind = jamo_kind(chr(code))
        if kind == "L":
            return any(self.becomes((code, vowel), banned) for vowel in self.letters("V"))
        return not kind and chr(code) not in banned

    def becomes(self, pair: Held, banned: Collection[str]) -> bool:
        """Whether a leading letter and a vowel can become a syllable that is not banned."""
        return compose(pair) not in banned or any(compose((*pair, t)) not in banned for t in self.letters("T"))


def next_codes(unit: str, held: Held, characters: Iterable[str]) -> Iterator[int]:
    """The codes that follow `held` in the spelling of those characters that start with it."""
    for character in characters:
        codes = tuple(UNITS[unit].codes(character).tolist())
        if len(codes) > len(held) and codes[: len(held)] == held:
            yield codes[len(held)]


def one_by_one(codes: Held) -> str:
    """These bytes, each as a character, or as a surrogate escape above 127."""
    return bytes(codes).decode("ascii", "surrogateescape")


def compose(letters: Held) -> str:
    return unicodedata.normalize("NFC", "".join(map(chr, letters)))


def utf8(codes: Held) -> str | None:
    """The character that these bytes encode, "" for the start of one (RFC 3629), None for anything else."""
    try:
        return bytes(codes).decode("utf-8")
    except UnicodeDecodeError as error:
        return "" if error.reason == "unexpected end of data" and error.start == 0 else None
