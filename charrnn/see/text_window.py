"""The part of a text that a `see` command looks at, with the symbols before it as warm-up.

The segments of a validation split count as one text, in their order, as the training text does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from charrnn.errors import TextError
from charrnn.evaluation.scan import STREAMS, WARM_UP, Piece, Places, cut, piece_size
from charrnn.text.corpus import Corpus, Segment
from charrnn.text.ids import join
from charrnn.text.units import UNITS
from charrnn.text.vocab import Vocab

SYMBOLS_PER_CHARACTER = {"char": 1, "byte": 4, "jamo": 3}  # at most


@dataclass(frozen=True, repr=False)
class TextWindow:
    """The symbols `ids` (n,) of a text and up to `WARM_UP` symbols `before` them; `characters` is their text.

    `owner` (n,) is the index of the character that each symbol belongs to. `before` is empty only at the start of a
    text whose vocabulary has no newline. An end of text is a newline.
    """

    vocab: Vocab
    ids: Places
    before: Places
    characters: list[str]
    owner: Places

    def __repr__(self) -> str:
        return f"TextWindow({len(self.characters):,} characters)"

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def text(self) -> str:
        """The text with one code point per character, so that its indices are those of `characters`."""
        return "".join(character[:1] for character in self.characters)

    @cached_property
    def ids_with_warm_up(self) -> Places:
        return np.concatenate([self.before, self.ids])

    def pieces(self) -> list[Piece]:
        """The symbols of the window as targets, for `scan` over `ids_with_warm_up`."""
        whole = Segment(0, len(self.before), len(self.before) + len(self))
        return cut([whole], None, piece_size(len(self), 2 * STREAMS))


def text_window(corpus: Corpus, segments: Sequence[Segment], chars: int, begin: int = 0) -> TextWindow:
    """`chars` characters of the segments from character `begin` on, or as many as there are.

    Raises TextError if there are none.
    """
    vocab = corpus.vocab
    ids = join(corpus.ids, [(s.begin, s.end) for s in segments]) if segments else corpus.ids[:0]
    head = ids[: min(len(ids), (begin + chars + 1) * SYMBOLS_PER_CHARACTER[vocab.unit])].astype(np.intp)
    starts = UNITS[vocab.unit].starts(vocab.codes[head]) if len(head) else np.zeros(0, dtype=bool)
    owner = np.maximum(np.cumsum(starts) - 1, 0)
    first, end = (int(np.searchsorted(owner, place)) for place in (begin, begin + chars))
    if first >= end:
        raise TextError(f"{corpus.label} has no characters after the first {begin:,}.")
    before = head[:first]
    if len(before) < WARM_UP:
        segment = segments[0]
        more = corpus.ids[max(segment.file_begin, segment.begin - WARM_UP) : segment.begin].astype(np.intp)
        if segment.begin - len(more) == segment.file_begin and vocab.start is not None:
            more = np.append(np.intp(vocab.start), more)  # the start of a file counts as after a boundary or a newline
        before = np.concatenate([more, before])
    ids, owner = head[first:end], owner[first:end] - owner[first]
    return TextWindow(vocab, ids, before[-WARM_UP:], characters_of(vocab, ids, owner), owner)


def characters_of(vocab: Vocab, ids: Places, owner: Places) -> list[str]:
    """The text of each character."""
    if vocab.unit == "char":
        return list(vocab.decode(ids))
    return [vocab.decode(part) for part in np.split(ids, np.flatnonzero(np.diff(owner)) + 1)]
