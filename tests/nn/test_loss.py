"""softmax and log_softmax: against exact values, with forbidden symbols and huge logits."""

import numpy as np
import pytest

from charrnn.arrays import Array
from charrnn.nn.loss import log_softmax, softmax


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_of_known_probabilities(dtype: type) -> None:
    wanted: Array = np.array([[0.5, 0.25, 0.25], [0.125, 0.0, 0.875]], dtype)
    with np.errstate(divide="ignore"):
        logits = np.log(wanted)
    logits += np.array([[3.0], [-7.0]], dtype)  # a constant per row changes nothing
    kept = logits.copy()
    np.testing.assert_allclose(softmax(logits), wanted, rtol=1e-6)
    np.testing.assert_allclose(np.exp(log_softmax(logits)), wanted, rtol=1e-6)
    assert log_softmax(logits)[1, 1] == -np.inf
    assert softmax(logits).dtype == log_softmax(logits).dtype == dtype
    np.testing.assert_array_equal(logits, kept)


def test_huge_logits_do_not_overflow() -> None:
    logits = np.array([1e30, 0.0, -1e30], np.float32)
    np.testing.assert_array_equal(softmax(logits), [1.0, 0.0, 0.0])
    np.testing.assert_array_equal(log_softmax(logits), [0.0, -np.float32(1e30), -np.float32(2e30)])
