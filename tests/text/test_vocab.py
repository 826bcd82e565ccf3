"""Units and vocabularies: what goes in comes out."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.text.units import UNITS
from charrnn.text.vocab import UNKNOWN, Vocab

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
KOREAN = st.text(st.sampled_from("가각힣한글 \nabcㅋㅏ뷁é"))


def vocab_of(text: str, unit: str) -> Vocab:
    return Vocab(unit, UNITS[unit].codes(text).tolist())


def composed(text: str) -> str:
    """Loose letters of Hangul put together, nothing else."""
    return UNITS["jamo"].text(UNITS["char"].codes(text))


@pytest.mark.parametrize("unit", UNITS)
@given(text=TEXTS | KOREAN)
def test_round_trip(unit: str, text: str) -> None:
    vocab = vocab_of(text, unit)
    wanted = composed(text) if unit == "jamo" else text
    assert vocab.decode(vocab.encode(text)) == wanted


@pytest.mark.parametrize("unit", UNITS)
@given(text=TEXTS | KOREAN)
def test_the_decoder_says_the_same_bit_by_bit(unit: str, text: str) -> None:
    vocab = vocab_of(text, unit)
    decoder = UNITS[unit].decoder()
    pieces = [decoder.push(int(vocab.codes[i])) for i in vocab.encode(text)]
    assert "".join(pieces) + decoder.flush() == vocab.decode(vocab.encode(text))


@pytest.mark.parametrize("unit", UNITS)
@given(text=TEXTS | KOREAN)
def test_starts_counts_characters(unit: str, text: str) -> None:
    if unit == "jamo" and any("\u1100" <= c <= "\u11ff" for c in text):
        return  # loose letters are counted as they will be written
    assert int(UNITS[unit].starts(UNITS[unit].codes(text)).sum()) == len(text)


@given(data=st.binary())
def test_bytes_that_are_not_utf8_come_back(data: bytes) -> None:
    codes = np.frombuffer(data, dtype=np.uint8).astype(np.uint32)
    text = UNITS["byte"].text(codes)
    assert text.encode("utf-8", "surrogateescape") == data
    decoder = UNITS["byte"].decoder()
    written = "".join(decoder.push(code) for code in codes.tolist()) + decoder.flush()
    assert written.encode("utf-8", "surrogateescape") == data


def test_jamo_takes_syllables_apart_and_leaves_other_scripts() -> None:
    letters = UNITS["char"].text(UNITS["jamo"].codes("한글é가"))
    assert letters == unicodedata.normalize("NFD", "한글") + "é" + unicodedata.normalize("NFD", "가")


def test_jamo_waits_only_as_long_as_it_must() -> None:
    decoder = UNITS["jamo"].decoder()
    pieces = [decoder.push(ord(c)) for c in unicodedata.normalize("NFD", "각가") + "!"]
    assert pieces == ["", "", "각", "", "", "가!"]


@pytest.mark.parametrize(
    ("unit", "text", "held"),
    [("char", "각!", [0, 0, 0]), ("byte", "각!", [0, 1, 2, 0, 0]), ("jamo", "각가!", [0, 1, 2, 0, 1, 2, 0])],
)
def test_decoders_tell_what_they_hold(unit: str, text: str, held: list[int]) -> None:
    decoder, codes = UNITS[unit].decoder(), UNITS[unit].codes(text).tolist()
    for i, count in enumerate(held):
        assert decoder.held == tuple(codes[i - count : i])
        if i < len(codes):
            decoder.push(codes[i])


def test_vocabulary_is_sorted_and_knows_what_it_lacks() -> None:
    vocab = Vocab("char", map(ord, "banana"))
    assert vocab.symbols == ["a", "b", "n"]
    assert vocab.encode("nab").tolist() == [2, 0, 1]
    assert vocab.encode("cab\U0001f600").tolist() == [UNKNOWN, 0, 1, UNKNOWN]
    assert vocab.unknown("xaxyé") == ["x", "y", "é"]
    assert vocab.newline is None
    assert Vocab("char", [10, 65]).newline == 0
    assert vocab == Vocab("char", map(ord, "nab"))
    assert vocab != Vocab("byte", map(ord, "nab"))


@pytest.mark.parametrize(("symbols", "dtype"), [(2, np.uint8), (256, np.uint8), (257, np.uint16)])
def test_ids_take_the_least_room(symbols: int, dtype: type) -> None:
    assert Vocab("char", range(symbols)).dtype == dtype
