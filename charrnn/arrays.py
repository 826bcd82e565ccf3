"""Types of arrays, arrays that start on a cache line, and the seeds of random numbers.

The alignment is a measured choice, see docs/performance.md: NumPy's own arrays start anywhere, and with wide AVX-512
element-wise work on them runs at half speed. Large arrays ask for huge pages, if the system has them.
"""

import math
import mmap
from contextlib import suppress
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[np.floating[Any]]
Ids = NDArray[np.integer[Any]]
Mask = NDArray[np.bool_]
Masks = list[Array] | None  # of dropout, one per layer
LINE = 64  # bytes of a cache line
HUGE_PAGE, LARGE = 1 << 21, 1 << 20  # bytes; NumPy asks for huge pages from four times LARGE on, and aligns to none


class RandomStream(IntEnum):
    """Purposes of random numbers: a generator is seeded with the seed of the run and one of these."""

    WEIGHTS = 0
    DROPOUT = 1
    SAMPLING = 2
    VALIDATION_SPLIT = 3
    EXAMPLE_ORDER = 4
    RECURRENT_DROPOUT = 5


def empty(shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> Array:
    """An uninitialised array that starts on a cache line."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    line = HUGE_PAGE if size >= LARGE and hasattr(mmap, "MADV_HUGEPAGE") else LINE
    raw = np.empty(size + line, dtype=np.uint8) if line == LINE else huge(size + line)
    begin = -raw.ctypes.data % line
    aligned: Array = raw[begin : begin + size].view(dtype).reshape(shape)
    return aligned


def huge(size: int) -> NDArray[np.uint8]:
    """`size` bytes of private memory, in huge pages if the system grants them."""
    try:
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError(f"no room for {size:,} bytes") from error
    with suppress(OSError):  # a kernel may be built without them
        memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, dtype=np.uint8)


def zeros(shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> Array:
    """An array of zeros that starts on a cache line."""
    array = empty(shape, dtype)
    array.fill(0.0)
    return array


def ceil_div(a: int, b: int) -> int:
    """a / b, rounded up."""
    return -(-a // b)
