"""Types of arrays, arrays that start on a cache line, and the seeds of random numbers.

The alignment is a measured choice, see docs/performance.md: NumPy's own arrays start anywhere, and with wide AVX-512
element-wise work on them runs at half speed.
"""

import math
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[np.floating[Any]]
Ids = NDArray[np.integer[Any]]
Mask = NDArray[np.bool_]
LINE = 64  # bytes of a cache line


class RandomStream(IntEnum):
    """Purposes of random numbers: a generator is seeded with the seed of the run and one of these."""

    WEIGHTS = 0
    DROPOUT = 1
    SAMPLING = 2
    VALIDATION_SPLIT = 3
    EXAMPLE_ORDER = 4


def empty(shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> Array:
    """An uninitialised array that starts on a cache line."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(size + LINE, dtype=np.uint8)
    start = -raw.ctypes.data % LINE
    aligned: Array = raw[start : start + size].view(dtype).reshape(shape)
    return aligned


def zeros(shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> Array:
    """An array of zeros that starts on a cache line."""
    array = empty(shape, dtype)
    array.fill(0.0)
    return array


def ceil_div(a: int, b: int) -> int:
    """a / b, rounded up."""
    return -(-a // b)
