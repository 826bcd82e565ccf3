"""The one warmed-up reading of a text in parallel streams: logits and targets, window by window.

A text is cut into pieces of equal length. Each piece is read by its own stream, which starts from an empty state
`WARM_UP` symbols before the piece: the result does not depend on the order of the pieces, which are read in parallel.
Of several texts each is read from an empty state and its boundary symbol on, as in training. A long text has several
groups of streams, which ranks of MPI may read at the same time.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Array, Ids, Mask, ceil_div
from charrnn.nn.interface import Reader
from charrnn.text.batches import Batch
from charrnn.text.corpus import Segment
from charrnn.text.ids import Symbols

STREAMS = 64  # pieces read in parallel
SHORTEST, LONGEST = 64, 4096  # targets per piece, unless the text has fewer; of a longer one there are more pieces
WARM_UP = 128  # symbols read before a piece
WINDOW = 64  # steps per forward pass
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Piece:
    """The targets begin..end of a text, predicted by a stream that reads from symbol `first` on.

    At the start of a file the symbol `start` is read in place of symbol `first`, which is one before the file.
    """

    first: int
    begin: int
    end: int
    start: int | None = None

    def read(self, ids: Symbols, row: int, count: int) -> Ids:
        """`count` symbols from row `row` of the stream on; fewer at its end."""
        begin, end = self.first + row, min(self.first + row + count, self.end)
        if row == 0 and self.start is not None:
            return np.concatenate([np.array([self.start], ids.dtype), ids[begin + 1 : end]])
        return ids[begin:end]


def cut(
    segments: Sequence[Segment],
    start: int | None,
    size: int | None = None,
    warm_up: int = WARM_UP,
    boundary: int | None = None,
) -> list[Piece]:
    """Pieces of `size` targets (default: see `piece_size`), each inside one file.

    `start` is read before a piece at the start of a file; if it is a `boundary`, also before a later piece whose
    warm-up begins with the file.
    """
    symbols = sum(map(len, segments))
    size = size or piece_size(symbols, STREAMS * group_count(symbols))
    pieces = []
    for segment in segments:
        for begin in range(segment.begin, segment.end, size):
            first, before = max(segment.file_begin, begin - warm_up), None
            warmed = boundary is not None and first == segment.file_begin
            if (begin == segment.file_begin or warmed) and start is not None:
                first, before = segment.file_begin - 1, start
            pieces.append(Piece(first, begin, min(begin + size, segment.end), before))
    return pieces


def piece_size(symbols: int, streams: int = STREAMS) -> int:
    """The size of the pieces of a text that is divided among the streams."""
    return max(SHORTEST, ceil_div(symbols, streams))


def group_count(symbols: int) -> int:
    """The number of groups of streams that read a text or examples."""
    return max(1, ceil_div(symbols, STREAMS * LONGEST))


def windows(ids: Symbols, pieces: Sequence[Piece], steps: int) -> Iterator[tuple[Ids, Places, Mask]]:
    """Windows of T <= `steps` steps, one stream per piece: symbols (T + 1, B), whose first T are the inputs.

    For the T targets (T, B): their places in the text, and which of them belong to the pieces.
    """
    first, begin, end = np.array([(piece.first, piece.begin, piece.end) for piece in pieces], np.intp).T
    rows = int((end - first).max()) - 1
    for row in range(0, rows, steps):
        symbols = np.zeros((min(steps, rows - row) + 1, len(pieces)), np.intp)
        for stream, piece in enumerate(pieces):
            part = piece.read(ids, row, len(symbols))
            symbols[: len(part), stream] = part
        places = first + np.arange(row + 1, row + len(symbols))[:, None]
        yield symbols, places, (places >= begin) & (places < end)


def scan(
    network: Reader, ids: Symbols, pieces: Sequence[Piece], boundary: int | None = None
) -> Iterator[tuple[Array, Ids, Places]]:
    """Window by window: logits (n, V) and targets (n,) of the pieces, and the places (n,) of the targets in the text.

    Every target is yielded once; one with no symbol before it is predicted from an empty state. The state is reset
    before each symbol `boundary`.
    """
    yield from first_targets(network, ids, pieces)
    for group in groups(pieces, network.streams):
        network.reset()
        for symbols, places, scored in windows(ids, group, network.steps):
            logits = network.forward(symbols[:-1], None, resets(symbols[:-1], boundary))
            yield logits[scored], symbols[1:][scored], places[scored]
            network.carry()


def first_targets(network: Reader, ids: Symbols, pieces: Sequence[Piece]) -> Iterator[tuple[Array, Ids, Places]]:
    """The targets with no symbol before them, as in `scan`."""
    alone = np.array([piece.begin for piece in pieces if piece.first == piece.begin], np.intp)
    if len(alone):
        targets = np.concatenate([ids[place : place + 1] for place in alone.tolist()])
        yield np.tile(network.first, (len(alone), 1)), targets, alone


def groups(pieces: Sequence[Piece], streams: int) -> Iterator[list[Piece]]:
    """The pieces that are read at the same time, about equally long; empty ones complete the last group."""
    pieces = sorted(pieces, key=lambda piece: piece.first - piece.end)
    for begin in range(0, len(pieces), streams):
        group = pieces[begin : begin + streams]
        yield group + [Piece(0, 0, 0)] * (streams - len(group))


def batches(ids: Symbols, pieces: Sequence[Piece], boundary: int | None = None) -> Iterator[Batch]:
    """Each group of streams as a whole, for `read`; together with `first_targets` they have every target once."""
    for group in groups(pieces, STREAMS):
        for symbols, _, scored in windows(ids, group, sys.maxsize):
            yield Batch(symbols[:-1], symbols[1:], scored, resets(symbols[:-1], boundary))


def read(network: Reader, batch: Batch) -> Iterator[tuple[Array, Ids, Places]]:
    """Window by window of a batch with a loss mask: logits (n, V) and targets (n,) of the steps that have a target, and
    their places in the flattened batch.
    """
    network.reset()
    for begin in range(0, len(batch.inputs), network.steps):
        window = batch.part(begin, begin + network.steps)
        assert window.loss_mask is not None
        logits = network.forward(window.inputs, None, window.reset)
        places = np.flatnonzero(window.loss_mask)
        yield logits[window.loss_mask], window.targets[window.loss_mask], places + begin * network.streams
        network.carry()


def resets(inputs: Ids, boundary: int | None) -> Mask | None:
    """The steps (T, B) before which the state is empty: those that read the symbol between two texts."""
    return None if boundary is None else inputs == boundary
