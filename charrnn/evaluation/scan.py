"""The one warmed-up reading of a text in parallel streams: logits and targets, window by window."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Ids
from charrnn.text.corpus import Segment
from charrnn.text.ids import Symbols

STREAMS = 64
WARM_UP = 128
SHORTEST = 64
WINDOW = 64


@dataclass(frozen=True)
class Piece:
    """Inputs are the symbols first..end-1, targets those that follow; scored are the targets begin..end."""

    first: int
    begin: int
    end: int
    starts_file: bool


def cut(segments: Sequence[Segment]) -> list[Piece]:
    """Pieces of equal length, the longest first."""
    size = max(SHORTEST, -(-sum(map(len, segments)) // STREAMS))
    pieces = []
    for segment in segments:
        for begin in range(segment.begin, segment.end, size):
            end = min(begin + size, segment.end)
            pieces.append(Piece(max(segment.file_begin, begin - WARM_UP), begin, end, begin == segment.file_begin))
    return sorted(pieces, key=lambda piece: piece.first - piece.end)


class Line:
    """What is read to score a piece: its symbols, after a newline where they begin a file.

    The first `skipped` of its targets are only warm-up.
    """

    def __init__(self, ids: Symbols, piece: Piece, newline: int | None) -> None:
        self.ids, self.end = ids, piece.end
        self.newline = newline if piece.starts_file else None
        self.first = piece.first - (self.newline is not None)
        self.skipped = 0 if piece.starts_file else piece.begin - piece.first - 1

    def __len__(self) -> int:
        return self.end - self.first

    def put(self, begin: int, window: Ids, mask: NDArray[np.bool_]) -> None:
        """Fills a window (T+1,) with what follows place `begin` of the line, and marks the targets (T,) to score."""
        size = min(len(self) - begin, len(window))
        if size < 1:
            return
        first = self.first + begin
        if begin == 0 and self.newline is not None:
            window[0], window[1:size] = self.newline, self.ids[first + 1 : first + size]
        else:
            window[:size] = self.ids[first : first + size]
        mask[max(0, self.skipped - begin) : size - 1] = True
