"""Arrays for the hot loop: where they begin, and how they are cut."""

import numpy as np
import pytest

from charrnn.arrays import LINE, empty, zeros
from charrnn.nn.fast.layout import CACHED, groups


@pytest.mark.parametrize("size", [1, (1 << 18) - 1, 1 << 18, 1 << 21])
def test_arrays_begin_on_a_line_of_the_cache_and_are_writable(size: int) -> None:
    array = zeros((size,))
    assert array.ctypes.data % LINE == 0
    assert not array.any()
    array[:] = 1.0
    assert array.sum(dtype=np.float64) == size


def test_large_arrays_are_apart_from_each_other() -> None:
    one, other = zeros((1 << 20,)), zeros((1 << 20,))
    one.fill(1.0)
    assert not other.any()


def test_memory_that_cannot_be_had_is_a_memory_error() -> None:
    with pytest.raises(MemoryError):
        empty((1 << 60,))


@pytest.mark.parametrize("shape", [(1, 5, 3), (64, 513, 32), (3, 1, CACHED), (7, 1000, 64)])
def test_groups_hold_every_block_once_and_no_more_than_the_cache_does(shape: tuple[int, int, int]) -> None:
    weights = np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), shape, (shape[1] * shape[2] * 4, 0, 0))
    found = groups(weights)
    assert [k for some in found for k in range(len(weights))[some]] == list(range(len(weights)))
    assert all(len(range(len(weights))[some]) == 1 or weights[some].nbytes <= CACHED for some in found)
