"""Arrays for the hot loop: aligned to cache lines, and cut into blocks of columns.

Both are measured choices, see docs/performance.md: NumPy's own arrays start anywhere, and element-wise work on them
runs at half speed where AVX-512 is wide; and OpenBLAS multiplies without packing its operands while M·N·K <= SMALL,
so that per-step products are cut into blocks of columns that stay under it. Large arrays ask for huge pages, where
the system has them.
"""

import numpy as np

from charrnn.arrays import Array

CACHED = 1 << 20  # bytes of weights that stay in the second cache beside what else a product needs
SMALL = 1_000_000
BLOCK_WIDTHS = (64, 32)
SHORTEST = 64  # inner dimension of a piece


def small(rows: int, inner: int, columns: int) -> bool:
    """Whether a product of these sizes is one that OpenBLAS multiplies without packing."""
    return rows * inner * columns <= SMALL


def block_width(hidden_size: int, streams: int) -> int:
    """Columns of a block: as many as keep the product of a step small; all of them where blocks do not pay."""
    H, B = hidden_size, streams
    if B == 1 or BLOCK_WIDTHS[0] >= H or (H >= 512 and B >= 128):
        return H
    fitting = [width for width in BLOCK_WIDTHS if H % width == 0]
    return next((width for width in fitting if small(B, H, width)), fitting[0] if fitting else H)


def pieces(inner: int, width: int, streams: int) -> int:
    """Into how many pieces the inner dimension is cut, so that each block's product is small."""
    count = 1
    while not small(streams, inner // count, width) and inner % (2 * count) == 0 and inner // count >= SHORTEST:
        count *= 2
    return count


def groups(weights: Array) -> list[slice]:
    """Blocks of weights (blocks, rows, columns), so many at a time as stay in the cache."""
    each = max(1, CACHED // weights[0].nbytes)
    return [slice(begin, begin + each) for begin in range(0, len(weights), each)]


def blocks(rows: Array, count: int) -> Array:
    """A view of (..., B, columns) as (..., count, B, columns / count)."""
    return np.moveaxis(rows.reshape(*rows.shape[:-1], count, -1), -2, -3)
