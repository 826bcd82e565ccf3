"""A passage of a text: its characters, what stands before them, and how it is read in streams."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.errors import TextError
from charrnn.see import text_window as module
from charrnn.see.text_window import Streams, passage
from charrnn.text.corpus import Corpus, Segment

TEXT = "한글과 a cat\n은 mat 위에 👍 있다.\n"


@settings(deadline=None)
@given(before=st.integers(0, 400), count=st.integers(1, 20_000), steps=st.sampled_from([1, 7, 64]))
def test_every_symbol_counts_once_and_is_read_after_those_before_it(before: int, count: int, steps: int) -> None:
    streams = Streams(before, count)
    ids = np.arange(before + count)
    counted, predicted, rows = [], [], []
    for row, window in streams.windows(ids, steps):
        rows += list(window)
        mask, places = streams.places(row, len(window))
        np.testing.assert_array_equal(window[mask] - before, places)
        counted += places.tolist()
        ahead, later = streams.places(row, len(window), ahead=1)
        np.testing.assert_array_equal(window[ahead] + 1 - before, later)
        predicted += later.tolist()
    assert sorted(counted) == list(range(count))
    assert sorted(predicted) == list(range(0 if before else 1, count))
    assert streams.count <= module.STREAMS
    moves = np.diff(rows, axis=0)
    assert ((moves == 1) | (np.array(rows)[1:] == len(ids) - 1)).all()


@pytest.mark.parametrize("unit", ["char", "byte", "jamo"])
def test_characters_in_every_unit(unit: str) -> None:
    corpus = Corpus.from_text(TEXT, unit)
    whole = passage(corpus, corpus.segments, 10_000)
    assert "".join(whole.characters) == whole.text == TEXT
    assert whole.vocab.decode(whole.ids) == TEXT
    assert whole.owner[-1] == len(TEXT) - 1
    part = passage(corpus, corpus.segments, 5, begin=7)
    assert part.text == TEXT[7:12]
    assert part.vocab.decode(part.before) == "\n" + TEXT[:7]
    assert part.owner[0] == 0


def test_the_begin_of_a_file_is_as_after_a_newline_where_there_is_one() -> None:
    corpus = Corpus.from_text("abc\n")
    assert passage(corpus, corpus.segments, 9).before.tolist() == [corpus.vocab.newline]
    corpus = Corpus.from_text("abc")
    assert passage(corpus, corpus.segments, 9).before.tolist() == []


def test_held_out_parts_are_one_text_after_what_stands_before_the_first() -> None:
    corpus = Corpus.from_text("abcdefgh")
    found = passage(corpus, [Segment(0, 2, 4), Segment(0, 6, 8)], 9)
    assert found.text == "cdgh"
    assert found.vocab.decode(found.before) == "ab"


def test_nothing_to_look_at() -> None:
    corpus = Corpus.from_text("abc")
    for segments, begin in (([], 0), (corpus.segments, 3)):
        with pytest.raises(TextError, match="no character to look at"):
            passage(corpus, segments, 5, begin)


def test_bytes_that_are_no_text_stay_one_character_each_place() -> None:
    corpus = Corpus.from_text("a\udcff\udcfeb", "byte")
    found = passage(corpus, corpus.segments, 9)
    assert "".join(found.characters) == "a\udcff\udcfeb"
    assert len(found.text) == len(found.characters) == found.owner[-1] + 1
