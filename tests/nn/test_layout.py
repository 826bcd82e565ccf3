"""Arrays for the hot loop: where they begin, and how they are cut."""

import numpy as np
import pytest

from charrnn.arrays import HUGE_PAGE, LARGE, LINE, empty, zeros


@pytest.mark.parametrize("size", [1, LARGE // 4 - 1, LARGE // 4, HUGE_PAGE])
def test_arrays_begin_on_a_line_of_the_cache_and_are_writable(size: int) -> None:
    array = zeros((size,))
    assert array.ctypes.data % LINE == 0
    assert not array.any()
    array[:] = 1.0
    assert array.sum(dtype=np.float64) == size


def test_large_arrays_are_apart_from_each_other() -> None:
    one, other = zeros((LARGE,)), zeros((LARGE,))
    one.fill(1.0)
    assert not other.any()


def test_memory_that_cannot_be_had_is_a_memory_error() -> None:
    with pytest.raises(MemoryError):
        empty((1 << 60,))
