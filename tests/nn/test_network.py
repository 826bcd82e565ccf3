"""The plain network against finite differences and PyTorch; the fast network against the plain one."""

from pathlib import Path

import numpy as np
import pytest

from charrnn import arrays
from charrnn.arrays import Array, RandomStream
from charrnn.errors import UsageError
from charrnn.nn import equations
from charrnn.nn.dropout import Dropout
from charrnn.nn.equations import CELLS, StepGradients, StepValues
from charrnn.nn.fast import cells, engine, layout
from charrnn.nn.fast.layer import sum_rows
from charrnn.nn.fast.network import Network as Fast
from charrnn.nn.fast.weights import PackedWeights, packed_shapes
from charrnn.nn.loss import cross_entropy
from charrnn.nn.network import Network as Plain
from charrnn.nn.optim import OPTIMIZERS
from charrnn.nn.params import Config, Params, fresh_params
from charrnn.text.corpus import Corpus
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
    recurrent_masks,
    regularised,
    worst,
)

ROOT = Path(__file__).parents[2]
TORCH = np.load(ROOT / "tests" / "data" / "torch_values.npz", allow_pickle=False)
KINDS = pytest.mark.parametrize("kind", [Plain, Fast], ids=["plain", "fast"])
Kind = type[AnyNetwork]


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_the_differences(cell: str, layers: int) -> None:
    network, window = make(cell, layers)
    assert worst(gradients(network, window), differences(network, window)) < 1e-6


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_with_dropout_are_the_differences(cell: str, layers: int) -> None:
    network, window = make(cell, layers)
    window = window._replace(dropout=dropout_masks(layers))
    assert worst(gradients(network, window), differences(network, window)) < 1e-6


@KINDS
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_with_every_regularisation_are_the_differences(cell: str, layers: int, kind: Kind) -> None:
    network, window = make(cell, layers, kind)
    window = regularised(window, layers)
    wanted = differences(network, window)
    assert worst(gradients(network, window), wanted) < 1e-6
    assert worst(gradients(network, window._replace(alpha=0.0)), wanted) > 1e-3
    assert worst(gradients(network, window._replace(recurrent=None)), wanted) > 1e-3


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_the_regularised_fast_network_is_the_plain_one(cell: str, layers: int) -> None:
    plain, window = make(cell, layers)
    fast, _ = make(cell, layers, Fast)
    for changes in ({}, {"reset": None, "loss_mask": None, "dropout": None}, {"alpha": 0.0}, {"recurrent": None}):
        case = regularised(window, layers)._replace(**changes)
        assert loss_of(fast, case) == pytest.approx(loss_of(plain, case), rel=1e-10)
        assert worst(gradients(fast, case), gradients(plain, case)) < 1e-10
        plain.carry()
        fast.carry()
        assert worst(fast.state(), plain.state()) < 1e-10


@KINDS
@pytest.mark.parametrize("cell", CELLS)
def test_recurrent_dropout_masks_the_input_of_wh_alone(cell: str, kind: Kind) -> None:
    network, window = make(cell, 2, kind)
    before = network.state()
    off, ones = window, window._replace(recurrent=[np.ones((1, B, H))] * 2)
    one, other = gradients(network, off), gradients(network, ones)
    assert all((one[name] == other[name]).all() for name in one)
    # with all of h_{t-1} masked, only z of the GRU and c pass anything on
    found = gradients(network, window._replace(recurrent=[np.zeros((1, B, H))] * 2))
    for layer in range(2):
        assert (found[f"l{layer}.Wh"] == 0.0).all()
        assert (found[f"h0.{layer}"] != 0.0).any() == (cell == "gru")
        assert cell != "lstm" or (found[f"c0.{layer}"] != 0.0).all()
    assert all((values == before[name]).all() for name, values in network.state().items())


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_the_fast_network_is_the_plain_one(cell: str, layers: int, masked: bool) -> None:
    plain, window = make(cell, layers)
    fast, _ = make(cell, layers, Fast)
    if masked:
        loss_mask = np.random.default_rng(0).random((T, B)) < 0.6
        reset = marked((0, 0), (2, 1), (2, 2), (5, 2), (4, 0))
        window = window._replace(dropout=dropout_masks(layers), reset=reset, loss_mask=loss_mask)
    logits = {"logits": plain.forward(window.inputs, window.dropout, window.reset)}
    assert worst({"logits": fast.forward(window.inputs, window.dropout, window.reset)}, logits) < 1e-10
    assert worst(gradients(fast, window), gradients(plain, window)) < 1e-10
    plain.carry()
    fast.carry()
    assert worst(fast.state(), plain.state()) < 1e-10


def test_training_with_either_engine_ends_at_the_same_loss() -> None:
    """200 steps of Adam with dropout, recurrent dropout and carried state, in float32."""
    corpus = Corpus.read([ROOT / "corpora" / "tales.txt"])
    steps, streams = 24, 16
    text = corpus.ids[: (len(corpus.ids) - 1) // streams * streams].astype(np.intp).reshape(streams, -1).T
    losses: list[list[float]] = []
    for name in engine.ENGINES:
        config = Config("lstm", 2, 24, len(corpus.vocab))
        params, grads = fresh_params(config, 0), Params(config.shapes)
        network, adam = engine.network(config, params, steps, streams, True, name), OPTIMIZERS["adam"](params.flat)
        assert isinstance(network, Fast if name == "fast" else Plain)
        dropout = Dropout(0.1, 0, config.layers, steps, config.hidden_size, slice(0, streams))
        shared = 0.1, 0, config.layers, 1, config.hidden_size, slice(0, streams), RandomStream.RECURRENT_DROPOUT
        recurrent_dropout = Dropout(*shared)
        losses.append([])
        for step in range(1, 201):
            window = text[(step - 1) * steps :][: steps + 1]
            network.pack()
            logits = network.forward(window[:-1], dropout.masks(step), None, recurrent_dropout.masks(step))
            losses[-1].append(cross_entropy(logits, window[1:]))
            network.backward(window[:-1], logits, grads, 1e-6)
            network.carry()
            adam.update(params.flat, grads.flat, 0.004, step)
    fast, plain = losses
    assert plain[-1] < plain[0] - 0.5
    assert fast[-1] == pytest.approx(plain[-1], abs=1e-3)


def test_a_cell_without_a_fast_class_is_computed_by_the_plain_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config("gru", 1, 4, V)
    params = fresh_params(config, 0)
    fast = engine.stepper(config, params), engine.stepper(config, params, 2)
    monkeypatch.delitem(cells.CELLS, "gru")
    plain = engine.stepper(config, params), engine.stepper(config, params, 2)
    assert isinstance(engine.network(config, params, 1, 1), Plain)
    for ours, theirs in zip(plain, fast, strict=True):
        for stepper in (ours, theirs):
            stepper.step_all([1, 2, 3])
        np.testing.assert_allclose(ours.logits, theirs.logits, rtol=1e-4, atol=1e-6)
        kept, logits = ours.state(), ours.logits.copy()
        ours.step([4] * len(logits))
        assert np.abs(ours.logits[0] - logits[0]).max() > 1e-3
        ours.set_state(kept)
        np.testing.assert_array_equal(ours.logits[0], logits[0])
        for stepper in (ours, theirs):
            stepper.set_state(kept)
            stepper.step([5] * len(logits))
        np.testing.assert_allclose(ours.logits[0], theirs.logits[0], rtol=1e-4, atol=1e-6)


def test_every_fast_cell_is_a_cell() -> None:
    assert cells.CELLS.keys() == CELLS.keys()
    for cell, plain in CELLS.items():
        fast = cells.CELLS[cell]
        assert (fast.gates, fast.states, fast.sigmoids) == (plain.gates, plain.states, plain.sigmoids)


@pytest.mark.parametrize("cell", CELLS)
def test_blocks_and_pieces_change_nothing(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for widths, small in (((64,), 10**6), ((4,), 10**6), ((4,), 40)):
        monkeypatch.setattr(layout, "BLOCK_WIDTHS", widths)
        monkeypatch.setattr(layout, "SMALL", small)
        monkeypatch.setattr(layout, "SHORTEST", 2)
        network, window = make(cell, 2, Fast, hidden_size=12)
        assert isinstance(network, Fast)
        window = window._replace(recurrent=recurrent_masks(2, 12), alpha=0.3)
        w = network.window
        found.append(((w.n, w.hw_pieces > 1, w.in_blocks), gradients(network, window)))
    assert [shape for shape, _ in found] == [(1, False, True), (3, False, True), (3, True, False)]
    assert worst(found[1][1], found[0][1]) < 1e-12
    assert worst(found[2][1], found[0][1]) < 1e-12


@pytest.mark.parametrize("small", [10**6, 40])
@pytest.mark.parametrize("cell", CELLS)
def test_parts_of_the_packed_weights_make_the_whole(cell: str, small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "BLOCK_WIDTHS", (4,))
    monkeypatch.setattr(layout, "SMALL", small)
    config = Config(cell, 2, 12, V)
    params, division = Params(config.shapes), layout.Division(len(config.gates), 12, streams=B)
    params.flat[:] = np.random.default_rng(0).normal(size=params.flat.shape)
    found = []
    for parts in (1, 2, 5):
        memory = {name: arrays.zeros(shape) for name, shape in packed_shapes(config, division, training=True).items()}
        for part in range(parts):
            PackedWeights(config, params, division, memory, part, parts).pack()
        assert all(values.all() for values in memory.values())
        found.append({name: values.tobytes() for name, values in memory.items()})
    assert found[0] == found[1] == found[2]


def test_buffers_start_on_cache_lines() -> None:
    for size in range(1, 40):
        for dtype in (np.float32, np.float64):
            array = arrays.zeros((size, 3), dtype)
            assert array.ctypes.data % arrays.LINE == 0
            assert array.shape == (size, 3)
            assert not array.any()


def test_the_gradient_check_catches_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    right = equations.LSTM.step_back

    def forgets_the_forget_gate(v: StepValues, dh: Array, dc_next: Array) -> StepGradients:
        d = right(v, dh, dc_next)
        d.dc_prev = np.zeros_like(d.dc_prev)
        return d

    monkeypatch.setattr(equations.LSTM, "step_back", staticmethod(forgets_the_forget_gate))
    network, window = make("lstm", 1)
    assert worst(gradients(network, window), differences(network, window)) > 1e-3


def test_the_comparison_of_the_engines_catches_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    right = cells.LSTM.step_back

    def forgets_the_forget_gate(self: cells.LSTM, *args: object) -> None:
        right(self, *args)  # type: ignore[arg-type]
        self.dc_prev.fill(0.0)

    monkeypatch.setattr(cells.LSTM, "step_back", forgets_the_forget_gate)
    wrong, window = make("lstm", 1, Fast)
    network, _ = make("lstm", 1)
    found, wanted = gradients(wrong, window), gradients(network, window)
    assert worst({name: found[name] for name in network.params}, {name: wanted[name] for name in network.params}) > 1e-3


@KINDS
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_agrees_with_pytorch(cell: str, layers: int, kind: Kind) -> None:
    case = {key.split("/")[1]: TORCH[key] for key in TORCH.files if key.startswith(f"{cell}.{layers}/")}
    config = Config(cell, layers, H, V)
    params = Params(config.shapes)
    for name in params:
        params[name][:] = case[f"params.{name}"]
    network = kind(config, params, T, B, training=True)
    network.set_state({name: case[f"state.{name}"] for name in config.states})
    window = Window(case["ids"][:-1], case["ids"][1:])
    logits = network.forward(window.inputs).copy()
    assert worst({"logits": logits}, {"logits": case["logits"]}) < 1e-5
    found = gradients(network, window)
    assert all(values.dtype == np.float32 for values in found.values())
    wanted = {name: case[f"grads.{name}"] for name in params}
    for name in config.states:
        wanted |= {f"{name}0.{layer}": case[f"dstate.{name}"][layer] for layer in range(layers)}
    assert worst(found, wanted) < 1e-5
    assert loss_of(network, window) == pytest.approx(float(case["loss"]), rel=1e-6)


@KINDS
@pytest.mark.parametrize("masks", [None, recurrent_masks(2)], ids=["", "recurrent-dropout"])
@pytest.mark.parametrize("cell", CELLS)
def test_two_windows_are_one(cell: str, masks: list[Array] | None, kind: Kind) -> None:
    network, window = make(cell, 2, kind)
    whole = network.forward(window.inputs, None, None, masks).copy()
    halves = []
    for half in (window.inputs[: T // 2], window.inputs[T // 2 :]):
        halves.append(network.forward(half, None, None, masks).copy())
        network.carry()
    np.testing.assert_allclose(np.concatenate(halves), whole, rtol=1e-12)


@KINDS
@pytest.mark.parametrize("cell", CELLS)
def test_streams_do_not_touch(cell: str, kind: Kind) -> None:
    network, window = make(cell, 2, kind)
    together = network.forward(window.inputs).copy()
    window.inputs[:, 1] = (window.inputs[:, 1] + 1) % V
    apart = network.forward(window.inputs)
    np.testing.assert_allclose(apart[:, [0, 2]], together[:, [0, 2]], rtol=1e-12)
    assert np.abs(apart[:, 1] - together[:, 1]).max() > 1e-3


@KINDS
@pytest.mark.parametrize("cell", CELLS)
def test_reset_forgets(cell: str, kind: Kind) -> None:
    network, window = make(cell, 2, kind)
    network.reset()
    first = network.forward(window.inputs).copy()
    network.carry()
    assert np.abs(network.forward(window.inputs) - first).max() > 1e-3
    network.reset()
    np.testing.assert_array_equal(network.forward(window.inputs), first)


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
    ids, rows = rng.integers(0, symbols, size=50), rng.normal(size=(50, columns + 2))
    wanted = np.zeros((symbols, columns))
    np.add.at(wanted, ids, rows[:, :-2])
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
