"""The network against its own definition, finite differences, and PyTorch; then the laws of its time loop."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn import arrays
from charrnn.arrays import Array
from charrnn.errors import UsageError
from charrnn.nn.fast import layout
from charrnn.nn.fast.cells import CELLS, LSTM
from charrnn.nn.fast.layer import sum_rows
from charrnn.nn.fast.network import Network
from charrnn.nn.loss import cross_entropy
from charrnn.nn.params import Config, Params, fresh_params
from tests.naive import naive_logits

H, V, T, B = 5, 7, 6, 3
TORCH = np.load(Path(__file__).parents[1] / "data" / "torch_values.npz", allow_pickle=False)

Ids = NDArray[np.intp]


def make(cell: str, layers: int, seed: int = 0) -> tuple[Network, Ids]:
    """A float64 network with random weights and carried-in state, and a window of ids (T+1, B)."""
    rng = np.random.default_rng(seed)
    config = Config(cell, layers, H, V)
    params = Params(config.shapes, np.float64)
    params.flat[:] = 0.5 * rng.normal(size=params.flat.shape)
    network = Network(config, params, T, B, training=True)
    network.set_state({name: 0.5 * rng.normal(size=(layers, B, H)) for name in config.states})
    return network, rng.integers(0, V, size=(T + 1, B))


def loss_of(network: Network, window: Ids, masks: list[Array] | None = None) -> float:
    network.pack()
    return cross_entropy(network.forward(window[:-1], masks), window[1:])


def gradients(network: Network, window: Ids, masks: list[Array] | None = None) -> dict[str, Array]:
    """Every gradient of the loss by name, that of the carried-in states as h0.0 (layer 0) and so on."""
    grads = Params(network.config.shapes, network.params.flat.dtype)
    logits = network.forward(window[:-1], masks)
    cross_entropy(logits, window[1:])
    network.backward(window[:-1], logits, grads)
    found: dict[str, Array] = dict(grads)
    for layer in range(network.config.layers):
        for name, gradient in network.state_gradient(layer).items():
            found[f"{name}0.{layer}"] = gradient
    return found


def differences(network: Network, window: Ids, masks: list[Array] | None = None) -> dict[str, Array]:
    """The same by central differences."""
    eps = 1e-5
    inputs: dict[str, Array] = dict(network.params)
    state = network.state()
    for name, values in state.items():
        inputs |= {f"{name}0.{layer}": values[layer] for layer in range(len(values))}
    found = {}
    for name, values in inputs.items():
        found[name] = np.zeros_like(values)
        for index in np.ndindex(values.shape):
            kept, ends = values[index], []
            for change in (eps, -eps):
                values[index] = kept + change
                network.set_state(state)
                ends.append(loss_of(network, window, masks))
            values[index] = kept
            found[name][index] = (ends[0] - ends[1]) / (2 * eps)
    network.set_state(state)
    return found


def worst(found: dict[str, Array], wanted: dict[str, Array]) -> float:
    """max |a - n| / max |n|, over the arrays."""
    assert found.keys() == wanted.keys()
    assert all(np.abs(n).max() > 0 for n in wanted.values())
    return float(max(np.abs(found[name] - n).max() / np.abs(n).max() for name, n in wanted.items()))


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_the_differences(cell: str, layers: int) -> None:
    network, window = make(cell, layers)
    assert worst(gradients(network, window), differences(network, window)) < 1e-6


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_with_dropout_are_the_differences(cell: str) -> None:
    network, window = make(cell, 2)
    masks: list[Array] = [2.0 * (np.random.default_rng(k).random((T, B, H)) < 0.5) for k in range(2)]
    assert worst(gradients(network, window, masks), differences(network, window, masks)) < 1e-6


@pytest.mark.parametrize("cell", CELLS)
def test_blocks_and_pieces_change_nothing(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(cell, 2, 12, V)
    params = fresh_params(config, 0, np.float64)
    window = np.random.default_rng(0).integers(0, V, size=(T + 1, B))
    found = []
    for widths, small in (((64,), 10**6), ((4,), 10**6), ((4,), 40)):
        monkeypatch.setattr(layout, "BLOCK_WIDTHS", widths)
        monkeypatch.setattr(layout, "SMALL", small)
        monkeypatch.setattr(layout, "SHORTEST", 2)
        network = Network(config, params, T, B, training=True)
        network.set_state({name: np.full((2, B, 12), 0.3) for name in config.states})
        layer = network.layers[0]
        found.append(((network.window.n, layer.k_forward > 1, network.window.in_blocks), gradients(network, window)))
    assert [shape for shape, _ in found] == [(1, False, True), (3, False, True), (3, True, False)]
    assert worst(found[1][1], found[0][1]) < 1e-12
    assert worst(found[2][1], found[0][1]) < 1e-12


def test_buffers_start_on_cache_lines() -> None:
    for size in range(1, 40):
        for dtype in (np.float32, np.float64):
            array = arrays.zeros((size, 3), dtype)
            assert array.ctypes.data % arrays.LINE == 0
            assert array.shape == (size, 3)
            assert not array.any()


def test_the_gradient_check_catches_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    right = LSTM.step_back

    def forgets_the_forget_gate(self: LSTM, *args: object) -> None:
        right(self, *args)  # type: ignore[arg-type]
        self.dc0.fill(0.0)

    monkeypatch.setattr(LSTM, "step_back", forgets_the_forget_gate)
    network, window = make("lstm", 1)
    assert worst(gradients(network, window), differences(network, window)) > 1e-3


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_agrees_with_pytorch(cell: str, layers: int) -> None:
    case = {key.split("/")[1]: TORCH[key] for key in TORCH.files if key.startswith(f"{cell}.{layers}/")}
    config = Config(cell, layers, H, V)
    params = Params(config.shapes)
    for name in params:
        params[name][:] = case[f"params.{name}"]
    network = Network(config, params, T, B, training=True)
    network.set_state({name: case[f"state.{name}"] for name in config.states})
    window = case["ids"]
    logits = network.forward(window[:-1]).copy()
    assert worst({"logits": logits}, {"logits": case["logits"]}) < 1e-5
    found = gradients(network, window)
    assert all(values.dtype == np.float32 for values in found.values())
    wanted = {name: case[f"grads.{name}"] for name in params}
    for name in config.states:
        wanted |= {f"{name}0.{layer}": case[f"dstate.{name}"][layer] for layer in range(layers)}
    assert worst(found, wanted) < 1e-5
    assert loss_of(network, window) == pytest.approx(float(case["loss"]), rel=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_is_the_equations_step_by_step(cell: str) -> None:
    network, window = make(cell, 2, seed=3)
    wanted = naive_logits(cell, network.params, network.state(), window[:-1])
    np.testing.assert_allclose(network.forward(window[:-1]), wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("cell", CELLS)
def test_two_windows_are_one(cell: str) -> None:
    network, window = make(cell, 2)
    whole = network.forward(window[:-1]).copy()
    halves = []
    for half in (window[: T // 2], window[T // 2 : -1]):
        halves.append(network.forward(half).copy())
        network.carry()
    np.testing.assert_allclose(np.concatenate(halves), whole, rtol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_streams_do_not_touch(cell: str) -> None:
    network, window = make(cell, 2)
    together = network.forward(window[:-1]).copy()
    window[:, 1] = (window[:, 1] + 1) % V
    apart = network.forward(window[:-1])
    np.testing.assert_allclose(apart[:, [0, 2]], together[:, [0, 2]], rtol=1e-12)
    assert np.abs(apart[:, 1] - together[:, 1]).max() > 1e-3


@pytest.mark.parametrize("cell", CELLS)
def test_reset_forgets(cell: str) -> None:
    network, window = make(cell, 2)
    network.reset()
    first = network.forward(window[:-1]).copy()
    network.carry()
    assert np.abs(network.forward(window[:-1]) - first).max() > 1e-3
    network.reset()
    np.testing.assert_array_equal(network.forward(window[:-1]), first)


def test_cross_entropy_is_mean_nats_and_survives_huge_logits() -> None:
    logits = np.zeros((2, 1, 4))
    assert cross_entropy(logits, np.array([[0], [1]])) == pytest.approx(np.log(4))
    np.testing.assert_allclose(logits[0, 0], [-0.375, 0.125, 0.125, 0.125])
    huge = np.array([[[1e30, 0.0, -1e30]]], dtype=np.float32)
    assert cross_entropy(huge, np.array([[0]])) == 0.0
    assert np.isfinite(huge).all()


@pytest.mark.parametrize(("symbols", "columns"), [(7, 4), (3000, 4), (7, 300)])
def test_sum_rows_is_add_at(symbols: int, columns: int) -> None:
    rng = np.random.default_rng(0)
    ids, rows = rng.integers(0, symbols, size=50), rng.normal(size=(50, columns))
    wanted = np.zeros((symbols, columns))
    np.add.at(wanted, ids, rows)
    found = np.full((symbols, columns), np.nan)
    sum_rows(ids, rows, found)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_fresh_weights(cell: str) -> None:
    config = Config(cell, 2, 16, V)
    params = fresh_params(config, seed=1)
    assert params.flat.dtype == np.float32
    assert (params.flat == fresh_params(config, seed=1).flat).all()
    assert (params["l1.Wh"] != fresh_params(config, seed=2)["l1.Wh"]).any()
    assert np.abs(params["l1.Wh"]).max() <= 0.25
    assert params["l0.Wx"].std() == pytest.approx(1.0, abs=0.1)
    for bias in (params["l0.b"], params["l1.b"]):
        forget = bias.reshape(-1, 16)[config.gates.index("f")] if cell == "lstm" else np.ones(0)
        assert (forget == 1.0).all()
        assert bias.sum() == forget.sum()


@pytest.mark.parametrize("wrong", [{"cell": "cnn"}, {"layers": 0}, {"hidden_size": -1}, {"vocab_size": True}])
def test_config_refuses(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Config(**{"cell": "rnn", "layers": 1, "hidden_size": 2, "vocab_size": 3, **wrong})  # type: ignore[arg-type]
