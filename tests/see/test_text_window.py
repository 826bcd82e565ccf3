"""The text window: its characters, the symbols before them, and its pieces as streams."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.errors import TextError
from charrnn.evaluation.scan import STREAMS, WARM_UP, windows
from charrnn.see.text_window import TextWindow, text_window
from charrnn.text.corpus import Corpus, Segment
from charrnn.text.vocab import Vocab

TEXT = "한글과 a cat\n은 mat 위에 👍 있다.\n"


@settings(deadline=None)
@given(before=st.integers(0, 400), count=st.integers(1, 20_000), steps=st.sampled_from([1, 7, 64]))
def test_every_symbol_is_a_target_once_and_read_after_those_before_it(before: int, count: int, steps: int) -> None:
    ids = np.arange(before + count)
    window = TextWindow(Vocab("char", [97]), ids[before:], ids[:before], [], ids[before:])
    pieces = window.pieces()
    assert len(pieces) <= 2 * STREAMS
    targets: list[int] = []
    rows: list[np.ndarray[tuple[int], np.dtype[np.intp]]] = []
    for symbols, places, scored in windows(window.ids_with_warm_up, pieces, steps):
        if rows:
            np.testing.assert_array_equal(symbols[0], rows.pop())  # the last targets are the next inputs
        rows += list(symbols)
        np.testing.assert_array_equal(symbols[1:][scored], places[scored])
        targets += (places[scored] - before).tolist()
    assert sorted(targets) == list(range(0 if before else 1, count))
    if rows:
        assert rows[0].tolist() == [max(0, piece.begin - WARM_UP) for piece in pieces]
        assert ((np.diff(rows, axis=0) == 1) | (np.array(rows)[1:] == 0)).all()


@pytest.mark.parametrize("unit", ["char", "byte", "jamo"])
def test_characters_in_every_unit(unit: str) -> None:
    corpus = Corpus.from_text(TEXT, unit)
    whole = text_window(corpus, corpus.segments, 10_000)
    assert "".join(whole.characters) == whole.text == TEXT
    assert whole.vocab.decode(whole.ids) == TEXT
    assert whole.owner[-1] == len(TEXT) - 1
    part = text_window(corpus, corpus.segments, 5, begin=7)
    assert part.text == TEXT[7:12]
    assert part.vocab.decode(part.before) == "\n" + TEXT[:7]
    assert part.owner[0] == 0


def test_the_start_of_a_file_counts_as_after_a_newline_of_the_vocabulary() -> None:
    corpus = Corpus.from_text("abc\n")
    assert text_window(corpus, corpus.segments, 9).before.tolist() == [corpus.vocab.newline]
    corpus = Corpus.from_text("abc")
    assert text_window(corpus, corpus.segments, 9).before.tolist() == []


def test_segments_are_one_text_after_the_symbols_before_the_first() -> None:
    corpus = Corpus.from_text("abcdefgh")
    found = text_window(corpus, [Segment(0, 2, 4), Segment(0, 6, 8)], 9)
    assert found.text == "cdgh"
    assert found.vocab.decode(found.before) == "ab"


def test_an_empty_window_is_refused() -> None:
    corpus = Corpus.from_text("abc")
    for segments, begin in (([], 0), (corpus.segments, 3)):
        with pytest.raises(TextError, match=f"a string has no characters after the first {begin}"):
            text_window(corpus, segments, 5, begin)


def test_invalid_bytes_are_one_character_each() -> None:
    corpus = Corpus.from_text("a\udcff\udcfeb", "byte")
    found = text_window(corpus, corpus.segments, 9)
    assert "".join(found.characters) == "a\udcff\udcfeb"
    assert len(found.text) == len(found.characters) == found.owner[-1] + 1
