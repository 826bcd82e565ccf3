"""Filters with exact probabilities, and draws that follow them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.arrays import Array
from charrnn.nn.loss import log_softmax, softmax
from charrnn.sampling.filters import (
    Filter,
    filters,
    mask_logits,
    min_p,
    sample_ids,
    temperature,
    top_k,
    top_p,
)

LOGITS = np.log([0.5, 0.25, 0.15, 0.1])
ANY_LOGITS = st.lists(st.floats(-50, 50), min_size=1, max_size=30).map(np.array)


def test_temperature() -> None:
    np.testing.assert_allclose(softmax(temperature(1.0)(LOGITS)), [0.5, 0.25, 0.15, 0.1])
    squares = np.array([0.25, 0.0625, 0.0225, 0.01])
    np.testing.assert_allclose(softmax(temperature(0.5)(LOGITS)), squares / squares.sum())
    for t in (0.0, 1e-320):
        np.testing.assert_array_equal(softmax(temperature(t)(LOGITS)), [1, 0, 0, 0])
    np.testing.assert_array_equal(softmax(temperature(0.0)(np.array([1.0, 3.0, 3.0]))), [0, 1, 0])
    np.testing.assert_allclose(softmax(temperature(1e308)(LOGITS)), 0.25)


def test_top_k_and_top_p() -> None:
    np.testing.assert_allclose(softmax(top_k(2)(LOGITS)), [2 / 3, 1 / 3, 0, 0])
    np.testing.assert_allclose(softmax(top_k(9)(LOGITS)), [0.5, 0.25, 0.15, 0.1])
    np.testing.assert_allclose(softmax(top_p(0.75)(LOGITS)), [2 / 3, 1 / 3, 0, 0])
    np.testing.assert_allclose(softmax(top_p(0.76)(LOGITS)), [5 / 9, 2.5 / 9, 1.5 / 9, 0])
    np.testing.assert_allclose(softmax(top_p(1e-9)(LOGITS)), [1, 0, 0, 0])


@settings(deadline=None)
@given(
    logits=ANY_LOGITS,
    masked=st.sets(st.integers(0, 29)),
    t=st.floats(0, 5),
    k=st.integers(0, 40),
    p=st.floats(0.001, 1.0),
    least=st.floats(0.0, 1.0),
)
def test_filters_never_empty_the_set_nor_revive_a_masked_symbol(
    logits: np.ndarray[tuple[int], np.dtype[np.float64]], masked: set[int], t: float, k: int, p: float, least: float
) -> None:
    kept = [i for i in range(len(logits)) if i not in masked] or [0]
    logits = np.where(np.isin(np.arange(len(logits)), kept), logits, -np.inf)
    filtered = logits
    for apply in filters(t, k, p, least):
        filtered = apply(filtered)
        assert (filtered > -np.inf).any()
        assert not (filtered[logits == -np.inf] > -np.inf).any()
    for uniform in (0.0, 0.5, np.nextafter(1.0, 0.0)):
        assert logits[sample_ids(logits[None], filters(t, k, p, least), [uniform])[0]] > -np.inf


def test_draws_follow_the_probabilities() -> None:
    counts = np.zeros(4)
    for uniform in (np.arange(10_000) + 0.5) / 10_000:
        counts[sample_ids(LOGITS[None], filters(1.0, 0, 1.0), [uniform])] += 1
    np.testing.assert_allclose(counts, [5000, 2500, 1500, 1000])


def test_draws_stay_inside_with_many_symbols() -> None:
    logits = np.zeros((2, 60_000))
    logits[1, 50_000:] = -np.inf
    assert sample_ids(logits, filters(1.0, 0, 1.0), [float(np.nextafter(1.0, 0.0))] * 2) == [59_999, 49_999]
    assert sample_ids(logits, filters(1.0, 0, 1.0), [0.0, 0.0]) == [0, 0]


def test_filters_work_row_by_row() -> None:
    rows = np.random.default_rng(0).normal(size=(5, 9))
    for apply in (temperature(0.7), temperature(0.0), top_k(3), top_p(0.6), min_p(0.3)):
        np.testing.assert_array_equal(apply(rows), [apply(row[None])[0] for row in rows])


def test_min_p() -> None:
    np.testing.assert_allclose(softmax(min_p(0.4)(LOGITS)), [2 / 3, 1 / 3, 0, 0])
    np.testing.assert_allclose(softmax(min_p(0.5 - 1e-9)(LOGITS)), [2 / 3, 1 / 3, 0, 0])
    np.testing.assert_allclose(softmax(min_p(0.25)(LOGITS)), [5 / 9, 2.5 / 9, 1.5 / 9, 0])
    np.testing.assert_allclose(softmax(min_p(1.0)(LOGITS)), [1, 0, 0, 0])
    np.testing.assert_allclose(softmax(min_p(1.0)(np.array([2.0, 2.0, 1.0]))), [0.5, 0.5, 0])


def test_the_filters_apply_in_the_order_that_is_documented() -> None:
    """Temperature, top-k, top-p, min-p: each case comes out otherwise in another order."""
    # at temperature 1/2 the squares: 100, 25, 9, 4 of 138; the first two make up 0.9
    np.testing.assert_allclose(through(filters(0.5, 0, 0.9)), [0.8, 0.2, 0, 0])
    # of the first three, 0.5 and 0.25 of 0.9 make up 0.8, which of all four they do not
    np.testing.assert_allclose(through(filters(1.0, 3, 0.8)), [2 / 3, 1 / 3, 0, 0])
    np.testing.assert_allclose(through([top_p(0.8), top_k(3)]), [5 / 9, 2.5 / 9, 1.5 / 9, 0])
    # the second is a quarter as likely as the first once the temperature has been applied
    np.testing.assert_allclose(through(filters(0.5, 0, 1.0, 0.3)), [1, 0, 0, 0])
    np.testing.assert_allclose(through([min_p(0.3), temperature(0.5)]), np.array([100, 25, 9, 0]) / 134)
    # min-p looks at what top-p has left
    np.testing.assert_allclose(through(filters(1.0, 0, 0.7, 0.29)), [2 / 3, 1 / 3, 0, 0])


def through(chosen: list[Filter]) -> Array:
    logits = LOGITS
    for apply in chosen:
        logits = apply(logits)
    return softmax(logits)


@pytest.mark.parametrize(
    "chosen", [filters(1.0), filters(0.7), filters(1.3, 12, 0.9, 0.02)], ids=["plain", "temperature", "all"]
)
def test_a_hundred_thousand_draws_follow_the_distribution(chosen: list[Filter]) -> None:
    """Chi-square against what the definition gives; 5 standard deviations above its mean is next to impossible."""
    rng = np.random.default_rng(3)
    logits = rng.normal(size=20) * 1.5
    wanted = logits
    for apply in chosen:
        wanted = apply(wanted)
    expected = softmax(wanted) * 100_000
    counts = np.zeros(20)
    for _ in range(100):
        rows = np.tile(logits, (1000, 1))
        counts += np.bincount(sample_ids(rows, chosen, rng.random(1000).tolist()), minlength=20)
    kept = expected > 0
    assert counts[~kept].sum() == 0
    freedom = kept.sum() - 1
    chi_square = ((counts - expected)[kept] ** 2 / expected[kept]).sum()
    assert chi_square < freedom + 5 * np.sqrt(2 * freedom)
    skewed = np.roll(counts, 1)  # the test can fail
    assert ((skewed - expected)[kept] ** 2 / expected[kept]).sum() > freedom + 5 * np.sqrt(2 * freedom)


@pytest.mark.parametrize("chosen", [filters(0.9), filters(0.0), filters(1.1, 5), filters(0.7, 0, 0.8, 0.02)])
def test_one_row_is_drawn_as_among_many(chosen: list[Filter]) -> None:
    rng = np.random.default_rng(1)
    rows, uniforms = rng.normal(size=(200, 7)), rng.random(200).tolist()
    rows[:, 3] = -np.inf
    uniforms[:2] = 0.0, float(np.nextafter(1.0, 0.0))
    alone = [sample_ids(row[None], chosen, [u])[0] for row, u in zip(rows, uniforms, strict=True)]
    assert sample_ids(rows, chosen, uniforms) == alone


def test_log_probabilities_are_those_of_the_model() -> None:
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])).astype(np.float32) + 3
    np.testing.assert_allclose(log_softmax(logits)[[0, 1], [1, 2]], np.log([0.25, 0.7]), rtol=1e-6)


def test_mask_logits_masks_rows() -> None:
    logits = np.zeros((2, 3), dtype=np.float32)
    masked = mask_logits(logits, [None, np.array([True, False, True])])
    np.testing.assert_array_equal(softmax(masked), [[1 / 3] * 3, [0.5, 0, 0.5]])
    assert masked.dtype == np.float64
    assert not logits.any()
