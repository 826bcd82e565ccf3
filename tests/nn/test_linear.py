"""Linear recurrences: plain against finite differences and PyTorch, fast against plain."""

from pathlib import Path

import numpy as np
import pytest

from charrnn.arrays import Array
from charrnn.nn import equations
from charrnn.nn.equations import LINEAR_CELLS, StepGradients, StepValues
from charrnn.nn.fast import engine, recurrences
from charrnn.nn.fast.linear import LinearNetwork as Fast
from charrnn.nn.linear import LinearNetwork as Plain
from charrnn.nn.loss import cross_entropy
from charrnn.nn.params import SLOWEST, Config, Params, fresh_params
from tests.nn.checks import (
    AnyNetwork,
    B,
    H,
    T,
    V,
    Window,
    differences,
    dropout_masks,
    gradients,
    loss_of,
    make,
    marked,
    worst,
)

TORCH = np.load(Path(__file__).parents[1] / "data" / "torch_linear.npz", allow_pickle=False)
KINDS = pytest.mark.parametrize("kind", [Plain, Fast], ids=["plain", "fast"])
CELLS = pytest.mark.parametrize("cell", LINEAR_CELLS)
Kind = type[AnyNetwork]


def regularised(window: Window, layers: int) -> Window:
    """The window with dropout, activation regularisation, resets, and targets at most of the steps."""
    reset = marked((0, 0), (2, 1), (2, 2), (5, 2), (4, 0))
    return window._replace(
        dropout=dropout_masks(layers), alpha=0.3, reset=reset, loss_mask=np.random.default_rng(0).random((T, B)) < 0.6
    )


@KINDS
@pytest.mark.parametrize("layers", [1, 2])
@CELLS
def test_gradients_are_the_differences(cell: str, layers: int, kind: Kind) -> None:
    network, window = make(cell, layers, kind)
    wanted = differences(network, window)
    assert worst(gradients(network, window), wanted) < 1e-6
    window = regularised(window, layers)
    wanted = differences(network, window)
    assert worst(gradients(network, window), wanted) < 1e-6
    assert worst(gradients(network, window._replace(alpha=0.0)), wanted) > 1e-3


@pytest.mark.parametrize("layers", [1, 3])
@CELLS
def test_the_fast_network_is_the_plain_one(cell: str, layers: int) -> None:
    plain, window = make(cell, layers, Plain)
    fast, _ = make(cell, layers, Fast)
    for case in (window, regularised(window, layers), regularised(window, layers)._replace(reset=None)):
        assert loss_of(fast, case) == pytest.approx(loss_of(plain, case), rel=1e-10)
        assert worst(gradients(fast, case), gradients(plain, case)) < 1e-10
        plain.carry()
        fast.carry()
        assert worst(fast.state(), plain.state()) < 1e-10


@KINDS
@pytest.mark.parametrize("layers", [1, 3])
@CELLS
def test_agrees_with_pytorch(cell: str, layers: int, kind: Kind) -> None:
    case = {key.split("/")[1]: TORCH[key] for key in TORCH.files if key.startswith(f"{cell}.{layers}/")}
    config = Config(cell, layers, H, V)
    params = Params(config.shapes, np.float64)
    for name in params:
        params[name][:] = case[f"params.{name}"]
    network = kind(config, params, T, B, training=True)
    network.set_state({name: case[f"state.{name}"] for name in config.states})
    window = Window(case["ids"][:-1], case["ids"][1:])
    logits = network.forward(window.inputs).copy()
    assert worst({"logits": logits}, {"logits": case["logits"]}) < 1e-10
    wanted = {name: case[f"dparams.{name}"] for name in params}
    for name in config.states:
        wanted |= {f"{name}0.{layer}": case[f"dstate.{name}"][layer] for layer in range(layers)}
    assert worst(gradients(network, window), wanted) < 1e-10
    assert loss_of(network, window) == pytest.approx(float(case["loss"]), rel=1e-12)


@CELLS
def test_pieces_change_no_bit(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time loop in pieces of 1, 2, and all steps, rows in pieces of 1, 6, and all."""
    found = []
    for size in (1, 2 * B * H, 1 << 14):
        monkeypatch.setattr(recurrences, "PIECE", size)
        network, window = make(cell, 2, Fast)
        assert len(recurrences.pieces(T, B * H)) == {1: T, 2 * B * H: T // 2, 1 << 14: 1}[size]
        case = regularised(window, 2)
        logits = network.forward(case.inputs, case.dropout, case.reset).tobytes()
        found.append((logits, gradients(network, case)))
    for logits, values in found[1:]:
        assert logits == found[0][0]
        assert worst(values, found[0][1]) < 1e-14  # sums over time are added up piece by piece


@KINDS
@CELLS
def test_two_windows_are_one(cell: str, kind: Kind) -> None:
    network, window = make(cell, 2, kind)
    whole = network.forward(window.inputs).copy()
    halves = []
    for half in (window.inputs[: T // 2], window.inputs[T // 2 :]):
        halves.append(network.forward(half).copy())
        network.carry()
    np.testing.assert_allclose(np.concatenate(halves), whole, rtol=1e-12)


@KINDS
@CELLS
def test_streams_do_not_touch_and_a_reset_forgets(cell: str, kind: Kind) -> None:
    network, window = make(cell, 2, kind)
    together = network.forward(window.inputs).copy()
    other = window.inputs.copy()
    other[:, 1] = (other[:, 1] + 1) % V
    apart = network.forward(other)
    np.testing.assert_allclose(apart[:, [0, 2]], together[:, [0, 2]], rtol=1e-12)
    assert np.abs(apart[:, 1] - together[:, 1]).max() > 1e-3
    network.carry()
    network.reset()
    empty = network.forward(window.inputs).copy()
    assert np.abs(empty - together).max() > 1e-3
    # after a reset of all streams nothing of the first half is left
    reset = marked((3, 0), (3, 1), (3, 2))
    one = network.forward(window.inputs, None, reset).copy()
    changed = window.inputs.copy()
    changed[:3] = (changed[:3] + 1) % V
    two = network.forward(changed, None, reset)
    np.testing.assert_allclose(one[3:], two[3:], rtol=1e-12)
    assert np.abs(one[:3] - two[:3]).max() > 1e-3


@KINDS
@CELLS
def test_the_gradient_through_a_reset_is_exactly_zero(cell: str, kind: Kind) -> None:
    network, window = make(cell, 2, kind)
    after = np.zeros((T, B), dtype=bool)
    after[3:, 0] = after[:, 1:] = True  # stream 0 has targets after its reset alone
    found = gradients(network, window._replace(loss_mask=after, reset=marked((3, 0), (0, 1))))
    for layer in range(2):
        for name in network.config.states:
            gradient = found[f"{name}0.{layer}"]
            assert (gradient[:2] == 0.0).all()
            assert (gradient[2] != 0.0).any()


@pytest.mark.parametrize("streams", [1, 3])
@CELLS
def test_steppers_give_the_logits_of_a_window(cell: str, streams: int) -> None:
    config = Config(cell, 2, 16, V)
    params = fresh_params(config, 0)
    ids = np.random.default_rng(0).integers(0, V, 40)
    wanted = Plain(config, params, 40, 1).forward(ids[:, None])[-1]
    stepper = engine.stepper(config, params, streams)
    np.testing.assert_array_equal(stepper.logits, np.tile(params["by"], (streams, 1)))
    stepper.step_all(ids[:20].tolist())
    kept = stepper.state(streams - 1)
    stepper.step_all([1, 2])
    stepper.set_state(kept, 0)
    for i in ids[20:].tolist():
        stepper.step([i] * streams)
    np.testing.assert_allclose(stepper.logits[0], wanted[0], rtol=1e-3, atol=1e-5)


@CELLS
def test_fresh_weights_forget_at_all_speeds(cell: str) -> None:
    config = Config(cell, 2, 64, V)
    params = fresh_params(config, seed=1)
    assert (params.flat == fresh_params(config, seed=1).flat).all()
    assert params["E"].std() == pytest.approx(1.0, abs=0.1)
    for k in range(2):
        if cell == "lru":
            kept = np.exp(-np.exp(params[f"l{k}.nu"]))
            assert (np.exp(params[f"l{k}.theta"]) < np.pi).all()
        else:
            kept = 1 - equations.sigmoid(params[f"l{k}.b"][:64])
            assert not params[f"l{k}.b"][64:].any()
        time_constants = -1 / np.log(kept)
        assert 1 <= time_constants.min() < 2
        assert 150 < time_constants.max() <= SLOWEST * 1.01
        assert not params[f"l{k}.bo"].any()


def test_an_lru_that_hardly_forgets_has_finite_gradients() -> None:
    """1 - |λ|² is below what float32 can tell from 0 there."""
    config = Config("lru", 1, H, V)
    params, grads = fresh_params(config, 0), Params(config.shapes)
    params["l0.nu"][:] = [-30.0, -20.0, -10.0, 2.0, 4.0]
    ids = np.random.default_rng(0).integers(0, V, (T + 1, B))
    for kind in (Plain, Fast):
        network = kind(config, params, T, B, training=True)
        logits = network.forward(ids[:-1])
        cross_entropy(logits, ids[1:])
        network.backward(ids[:-1], logits, grads)
        assert np.isfinite(grads.flat).all()


@pytest.mark.parametrize("fast", [False, True])
def test_the_comparisons_catch_a_mistake(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if fast:
        monkeypatch.setattr(recurrences.MinGRU, "clear_back", lambda *_: None)
        network, window = make("mingru", 2, Fast)
    else:
        right = equations.MinGRU.step_back

        def forgets_the_state(v: StepValues, dh: Array) -> StepGradients:
            d = right(v, dh)
            d.dh_prev = np.zeros_like(dh)
            return d

        monkeypatch.setattr(equations.MinGRU, "step_back", staticmethod(forgets_the_state))
        network, window = make("mingru", 2, Plain)
    case = regularised(window, 2)
    found, wanted = gradients(network, case), differences(network, case)
    names = list(network.params)
    assert worst({name: found[name] for name in names}, {name: wanted[name] for name in names}) > 1e-3
