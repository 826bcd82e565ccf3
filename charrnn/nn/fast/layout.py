"""How the columns of a gate are cut into blocks.

A measured choice, see docs/performance.md: OpenBLAS multiplies without packing its operands while M·N·K <= SMALL, so
the products of a step are cut into blocks of columns, and pieces of the inner dimension, that stay below it.
"""

import numpy as np

from charrnn.arrays import Array

SMALL = 1_000_000
BLOCK_WIDTHS = (64, 32)
SHORTEST = 64  # a piece that is cut further has at least this inner dimension


def small(rows: int, inner: int, columns: int) -> bool:
    """Whether OpenBLAS multiplies (rows, inner) @ (inner, columns) without packing."""
    return rows * inner * columns <= SMALL


def block_width(hidden_size: int, streams: int) -> int:
    """The number of columns per block, a divisor of the hidden size."""
    if streams == 1 or hidden_size <= BLOCK_WIDTHS[0]:
        return hidden_size  # one block is small
    if hidden_size >= 512 and streams >= 128:
        return hidden_size  # packing pays for itself
    divisors = [width for width in BLOCK_WIDTHS if hidden_size % width == 0]
    if not divisors:
        return hidden_size
    return next((width for width in divisors if small(streams, hidden_size, width)), divisors[0])


def pieces(inner: int, width: int, streams: int) -> int:
    """The number of pieces into which the inner dimension is cut, so that the product of each is small."""
    count = 1
    while not small(streams, inner // count, width) and inner % (2 * count) == 0 and inner // count >= SHORTEST:
        count *= 2
    return count


def blocks(rows: Array, count: int) -> Array:
    """A view of (..., B, columns) as (..., count, B, columns / count)."""
    return np.moveaxis(rows.reshape(*rows.shape[:-1], count, -1), -2, -3)


class Division:
    """How the weights and the values of a step are divided, for G gates, H units, and windows of up to B streams.

    The H columns of a gate are n blocks of C columns. Products with the recurrent weights cut their inner dimension
    into pieces. xw of a step is in blocks where the product of a step and a block is small, otherwise in rows.
    """

    def __init__(self, gates: int, hidden_size: int, streams: int) -> None:
        self.G, self.H = gates, hidden_size
        self.C = block_width(hidden_size, streams)
        self.n = hidden_size // self.C
        self.hw_pieces = pieces(hidden_size, self.C, streams)
        self.dh_pieces = pieces(gates * hidden_size, self.C, streams)
        self.in_blocks = small(streams, hidden_size + 1, self.C)
