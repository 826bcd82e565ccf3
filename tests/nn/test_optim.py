"""Optimizers against steps computed by hand from their papers, clipping, and schedules."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.nn import optim
from charrnn.nn.optim import (
    OPTIMIZERS,
    WARM_UP_STEPS,
    Status,
    clip_scale,
    decay_start,
    learning_rate,
    squares,
    steps_if_decayed,
    wsd,
)
from charrnn.training.step import ParamShard

GRADS = [np.array([0.5, -2.0]), np.array([1.0, 0.25]), np.array([-0.5, 0.0])]
LR = 0.1


def by_hand(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Three steps, written out."""
    w, m, v = np.array([1.0, 2.0]), np.zeros(2), np.zeros(2)
    for t, g in enumerate(GRADS, 1):
        if name == "sgd":
            v = 0.9 * v + g
            w = w - LR * v
        elif name == "rmsprop":
            v = 0.95 * v + 0.05 * g**2
            w = w - LR * g / (np.sqrt(v) + 1e-8)
        elif name == "adagrad":
            v = v + g**2
            w = w - LR * g / (np.sqrt(v) + 1e-8)
        else:
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g**2
            w = w - LR * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("chunk", [1, 1 << 14])
def test_three_steps_by_hand(name: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optim, "CHUNK", chunk)
    params = np.array([1.0, 2.0])
    optimizer = OPTIMIZERS[name](params)
    for step, grads in enumerate(GRADS, 1):
        optimizer.update(params, grads.copy(), LR, step)
    np.testing.assert_allclose(params, by_hand(name), rtol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_float32_stays_float32(name: str) -> None:
    params = np.ones(3, dtype=np.float32)
    optimizer = OPTIMIZERS[name](params)
    optimizer.update(params, np.ones(3, dtype=np.float32), LR, 1)
    assert params.dtype == np.float32
    assert all(vector.dtype == np.float32 for vector in optimizer.state.values())
    assert set(optimizer.state) == set(optimizer.vectors)


def test_clipping_scales_what_is_longer() -> None:
    assert [clip_scale(5.0, limit) for limit in (10.0, 5.0, 0.0, 1.0)] == [1.0, 1.0, 1.0, 0.2]
    assert clip_scale(math.inf, 1.0) == 1.0  # what is not finite is noticed, not scaled
    params, clipped = np.zeros(2), np.zeros(2)
    OPTIMIZERS["sgd"](params).update(params, np.array([0.6, 0.8]), LR, 1)
    grads = np.array([3.0, 4.0])
    OPTIMIZERS["sgd"](clipped).update(clipped, grads, LR, 1, scale=clip_scale(math.sqrt(squares(grads)), 1.0))
    np.testing.assert_allclose(clipped, params)
    np.testing.assert_allclose(grads, [0.6, 0.8])


def test_the_norm_of_large_gradients_does_not_overflow() -> None:
    grads = np.full(100_000, 1e30, dtype=np.float32)
    assert math.sqrt(squares(grads)) == pytest.approx(1e30 * math.sqrt(100_000), rel=1e-6)


@pytest.mark.parametrize("size", [5, 2 * optim.CHUNK + 3])
def test_a_part_adds_in_order_and_tells_the_squares(size: int) -> None:
    rng = np.random.default_rng(0)
    first, second, third = (rng.normal(size=size).astype(np.float32) for _ in range(3))
    wanted = (first + second) + third
    params = np.zeros(size, np.float32)
    part = ParamShard(OPTIMIZERS["sgd"](params), params, first, [second, third])
    assert math.sqrt(part.add()) == pytest.approx(math.sqrt(squares(wanted)))
    np.testing.assert_array_equal(first, wanted)
    assert part.update(LR, 1, 0.0, 1.0) == Status.FINITE
    np.testing.assert_allclose(params, -LR * wanted, rtol=1e-6)


@pytest.mark.parametrize("place", [0, optim.CHUNK, 2 * optim.CHUNK])
@pytest.mark.parametrize("value", [np.inf, np.nan, 1e30])
def test_what_is_no_finite_number_is_told(place: int, value: float) -> None:
    params, grads = np.zeros(2 * optim.CHUNK + 1, np.float32), np.zeros(2 * optim.CHUNK + 1, np.float32)
    grads[place] = value
    with np.errstate(all="ignore"):
        # the square of a large gradient is none, and then it moves nothing
        wanted = Status.BAD_MEAN if value == 1e30 else Status.BAD_WEIGHT
        assert OPTIMIZERS["adam"](params).update(params, grads, LR, 1) == wanted
    large = np.full(1000, 3e38, np.float32)  # numbers whose sum is none are numbers
    with np.errstate(over="ignore"):
        assert OPTIMIZERS["sgd"](large).update(large, np.zeros(1000, np.float32), LR, 1) == Status.FINITE


def test_cosine_warms_up_and_ends_at_nothing() -> None:
    rates = [learning_rate("cosine", 2.0, step, 1000) for step in range(1, 1001)]
    assert rates[0] == 2.0 / WARM_UP_STEPS
    assert all(a > b for a, b in pairwise(rates[WARM_UP_STEPS:]))
    assert rates[500] == pytest.approx(1.0, abs=0.005)
    assert 0 < rates[-1] < 1e-5


def test_constant_and_short_schedules() -> None:
    assert learning_rate("constant", 2.0, 5000, 1000) == 2.0
    assert learning_rate("wsd", 2.0, 1, 1) == learning_rate("cosine", 2.0, 1, 1) == 2.0 / WARM_UP_STEPS
    assert [learning_rate("constant", WARM_UP_STEPS, s, 20) for s in (1, 2, 3)] == [1.0, 2.0, 3.0]


def test_wsd_warms_up_is_stable_and_decays_linearly_to_nothing() -> None:
    rates = [learning_rate("wsd", 2.0, step, 1000) for step in range(1, 1001)]
    assert rates[WARM_UP_STEPS - 1 : 700] == [2.0] * (701 - WARM_UP_STEPS)
    np.testing.assert_allclose(rates[700:], 2.0 * np.arange(300, 0, -1) / 301)


@given(st.integers(1, 10**7), st.integers(1, 10**7))
def test_the_length_matters_from_the_decay_on(steps: int, other: int) -> None:
    begin = min(decay_start(steps), decay_start(other))
    for step in {1, begin // 2 + 1, begin}:
        assert learning_rate("wsd", 1.0, step, steps) == learning_rate("wsd", 1.0, step, other)
    assert decay_start(steps) == steps or wsd(decay_start(steps) + 1, steps) < 1.0


@given(st.integers(1, 10**9))
def test_a_run_can_be_as_long_as_its_decay_begins_after_any_step(step: int) -> None:
    assert decay_start(steps_if_decayed(step)) == step


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weight_decay_shrinks_weights_apart_from_the_gradient(name: str) -> None:
    plain, decayed, none = (np.array([1.0, -2.0, 0.5], np.float32) for _ in range(3))
    grads = np.array([0.3, -0.1, 0.2], np.float32)
    OPTIMIZERS[name](none).update(none, np.zeros_like(grads), lr=0.1, step=1, weight_decay=0.5)
    np.testing.assert_allclose(none, [0.95, -1.9, 0.475], rtol=1e-6)
    OPTIMIZERS[name](plain).update(plain, grads, lr=0.1, step=1)
    OPTIMIZERS[name](decayed).update(decayed, grads, lr=0.1, step=1, weight_decay=0.5)
    np.testing.assert_allclose(decayed - plain, [-0.05, 0.1, -0.025], rtol=1e-5)
