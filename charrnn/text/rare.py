"""Rare symbols: what a text holds too seldom to be learned is one symbol, which is never written."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from charrnn.text.ids import Symbols, pieces
from charrnn.text.vocab import Vocab

if TYPE_CHECKING:
    from charrnn.text.corpus import Segment


def spelling_nats(ids: Symbols, segments: "Sequence[Segment]", vocab: Vocab) -> float:
    """Nats, in all the segments, to say which of R rare symbols each replacement stands for: ln R, each as likely."""
    if vocab.replacement is None:
        return 0.0
    parts = [part for segment in segments for part in pieces(segment.begin, segment.end)]
    number = sum(int(np.count_nonzero(ids[begin:end] == vocab.replacement)) for begin, end in parts)
    return number * math.log(len(vocab.rare))
