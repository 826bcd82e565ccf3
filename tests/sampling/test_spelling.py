"""What may follow: whole syllables, valid UTF-8, and nothing that is banned."""

import unicodedata
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.sampling.spelling import Spelling
from charrnn.text.units import UNITS
from charrnn.text.vocab import Vocab


def spelling(unit: str, text: str, ban: str = "", raw: bool = False) -> Spelling:
    return Spelling(Vocab(unit, UNITS[unit].codes(text).tolist()), ban, raw)


def follow(spelling: Spelling, held: str = "", banned: str | None = None) -> str:
    """The symbols that may follow, as text."""
    codes = tuple(map(ord, held))
    mask = spelling.allowed(codes, None if banned is None else lambda more: banned)
    assert mask is not None
    return "".join(chr(code) for code in spelling.vocab.codes[mask].tolist())


L, V, T = "\u1100\u1102", "\u1161\u1165", "\u11a8\u11ab"  # ㄱ ㄴ, ㅏ ㅓ, ㄱ ㄴ
JAMO = L + V + T + "! "


def test_characters_are_free_but_for_those_banned() -> None:
    assert spelling("char", "abc").allowed() is None
    assert follow(spelling("char", "abc", "bz")) == "ac"
    assert follow(spelling("char", "abc", "b"), banned="a") == "c"
    assert follow(spelling("char", "abc", "b")) == "ac"  # what was banned for the moment is forgotten
    assert follow(spelling("char", "ab", "ab")) == ""


def test_jamo_make_whole_syllables() -> None:
    jamo = spelling("jamo", JAMO)
    assert follow(jamo) == " !" + L
    assert follow(jamo, L[0]) == V
    assert follow(jamo, L[0] + V[0]) == " !" + L + T


def test_a_banned_syllable_is_never_complete() -> None:
    jamo = spelling("jamo", JAMO, "가")
    assert follow(jamo, L[0] + V[0]) == T  # it must become 각 or 간
    assert follow(spelling("jamo", JAMO, "가각간"), L[0]) == V[1]
    assert follow(spelling("jamo", JAMO, "가각간거걱건")) == " !" + L[1]
    assert follow(spelling("jamo", JAMO), L[0] + V[0], banned="각") == " !" + L + T[1]
    assert follow(spelling("jamo", JAMO), L[0] + V[0], banned="가") == T
    assert follow(spelling("jamo", JAMO), L[0] + V[0], banned=" !") == L + T
    assert follow(spelling("jamo", L[0] + V[0]), banned="가") == ""


def test_letters_that_make_no_syllable_do_not_come() -> None:
    assert follow(spelling("jamo", L + "!")) == "!"
    assert follow(spelling("jamo", V + T)) == ""


def test_bytes_are_valid_utf8() -> None:
    every = Spelling(Vocab("byte", range(256)))
    for held, low, high in (
        ("", None, None),
        ("\xe0", 0xA0, 0xBF),
        ("\xed", 0x80, 0x9F),
        ("\xf0", 0x90, 0xBF),
        ("\xf4", 0x80, 0x8F),
        ("\xe1\x80", 0x80, 0xBF),
        ("\xc3", 0x80, 0xBF),
    ):
        found = [ord(c) for c in follow(every, held)]
        if low is None or high is None:
            assert found == [*range(0x80), *range(0xC2, 0xF5)]
        else:
            assert found == list(range(low, high + 1))
    assert Spelling(Vocab("byte", range(256)), raw=True).allowed() is None


def test_bytes_that_can_come_to_nothing_do_not_begin() -> None:
    assert follow(Spelling(Vocab("byte", b"a\xc3\xe2\x82"))) == "a\xc3\xe2"
    assert follow(Spelling(Vocab("byte", b"a\xe0\x82"))) == "a"  # after E0 comes A0 or more
    assert follow(spelling("byte", "aé", "é")) == "a"
    assert follow(spelling("byte", "aéè", "é"), "\xc3") == "\xa8"
    assert follow(spelling("byte", "aéè"), "\xc3", banned="è") == "\xa9"
    assert follow(spelling("byte", "aéè", "é"), banned="è") == "a"
    assert follow(spelling("byte", "aé", "é", raw=True), "\xc3") == "a\xc3"


def test_raw_bans_bytes_and_sequences() -> None:
    raw = spelling("byte", "aé\udce9", "\udce9é", raw=True)
    assert follow(raw) == "a\xa9\xc3"
    assert follow(raw, "\xc3") == "a\xc3"  # not é
    assert follow(raw, banned="\udcc3") == "a\xa9"
    assert follow(raw, "\xc3", banned="\udca9a") == "\xc3"
    every = Spelling(Vocab("byte", range(256)), "\udce2", raw=True)
    assert "\xe2" not in follow(every)  # not in a longer character either


@pytest.mark.parametrize(
    ("unit", "text", "ban", "possible", "impossible"),
    [
        ("char", "abc", "b", ["a", "aca"], ["b", "abc", "d", "a\n"]),
        ("byte", "aé\udce2", "", ["aé", "é"], ["è", "b"]),
        ("jamo", JAMO, "각", ["가", "간!", "가가"], ["각", "가각", "ㄱ", L[0], V[0], T[0], "a" + L[0]]),
    ],
)
def test_what_can_be_written(unit: str, text: str, ban: str, possible: list[str], impossible: list[str]) -> None:
    speller = spelling(unit, text, ban)
    assert [one for one in possible + impossible if speller.can_write(one)] == possible


@pytest.mark.parametrize("unit", UNITS)
@settings(deadline=None)
@given(text=st.text("가각힣하 aé€𝄞!", min_size=1), ban=st.text("가각a€", max_size=3))
def test_what_was_written_may_be_written(unit: str, text: str, ban: str) -> None:
    """A text is possible symbol by symbol exactly as long as it holds nothing that is banned."""
    speller = spelling(unit, text, ban)
    decoder, possible = UNITS[unit].decoder(), True
    for code in UNITS[unit].codes(text + "!").tolist():
        mask = speller.allowed(decoder.held)
        place = int(speller.vocab.ids_of(np.array([code], dtype=np.uint32))[0])
        if code == ord("!") and place < 0:
            break
        possible = mask is None or bool(mask[place])
        if not possible:
            break
        decoder.push(code)
    if possible and not decoder.held:
        assert not set(ban) & set(text)
    if set(ban) & set(text) and "!" in text:
        assert not possible


def test_all_syllables_of_some_letters() -> None:
    """Following the masks spells every syllable of the letters that is not banned, and nothing else."""
    jamo = spelling("jamo", JAMO, "걱")
    found = set()
    for first in follow(jamo).strip(" !"):
        for vowel in follow(jamo, first):
            after = follow(jamo, first + vowel)
            found |= {unicodedata.normalize("NFC", first + vowel + t) for t in after if t in T}
            found |= {unicodedata.normalize("NFC", first + vowel)} if "!" in after else set()
    letters = product(L, V, ["", *T])
    assert found == {unicodedata.normalize("NFC", "".join(parts)) for parts in letters} - {"걱"}


@pytest.mark.parametrize("unit", ["char", "jamo"])
def test_what_stands_for_rare_characters_is_not_written(unit: str) -> None:
    assert follow(Spelling(Vocab(unit, map(ord, "ab"), map(ord, "yz")))) == "ab"
    assert follow(Spelling(Vocab(unit, map(ord, "ab"), map(ord, "yz"))), banned="y") == "ab"
