"""Steps that carry a target and steps that start afresh: differences, exact zeros, and examples one at a time."""

import numpy as np
import pytest

from charrnn.arrays import Array, Ids
from charrnn.nn.fast.cells import CELLS
from charrnn.nn.fast.network import Network
from charrnn.nn.loss import cross_entropy
from charrnn.nn.params import Config, Params
from charrnn.text.batches import Batch
from tests.nn.test_network import worst

H, V, T, B = 5, 7, 6, 3


def network_of(cell: str, layers: int, steps: int = T, streams: int = B) -> Network:
    """A float64 network with random weights and carried-in state."""
    rng = np.random.default_rng(0)
    config = Config(cell, layers, H, V)
    params = Params(config.shapes, np.float64)
    params.flat[:] = 0.5 * rng.normal(size=params.flat.shape)
    network = Network(config, params, steps, streams, training=True)
    network.set_state({name: 0.5 * rng.normal(size=(layers, streams, H)) for name in config.states})
    return network


def batch_of(fresh: list[tuple[int, int]], scored: float = 0.6) -> Batch:
    """Random ids and targets; `fresh` are (step, stream)."""
    rng = np.random.default_rng(1)
    begins = np.zeros((T, B), dtype=bool)
    for t, b in fresh:
        begins[t, b] = True
    return Batch(rng.integers(0, V, (T, B)), rng.integers(0, V, (T, B)), rng.random((T, B)) < scored, begins)


def loss_of(network: Network, batch: Batch) -> float:
    network.pack()
    logits = network.forward(batch.inputs, None, batch.fresh)
    return cross_entropy(logits, batch.targets, batch.symbols, batch.scored)


def gradients(network: Network, batch: Batch) -> dict[str, Array]:
    """Every gradient by name, and that of the carried-in states."""
    grads = Params(network.config.shapes, np.float64)
    logits = network.forward(batch.inputs, None, batch.fresh)
    cross_entropy(logits, batch.targets, batch.symbols, batch.scored)
    network.backward(batch.inputs, logits, grads)
    found: dict[str, Array] = dict(grads)
    for layer in range(network.config.layers):
        found |= {f"{name}0.{layer}": g.copy() for name, g in network.state_gradient(layer).items()}
    return found


def differences(network: Network, batch: Batch) -> dict[str, Array]:
    eps, state = 1e-5, network.state()
    inputs: dict[str, Array] = dict(network.params)
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
                ends.append(loss_of(network, batch))
            values[index] = kept
            found[name][index] = (ends[0] - ends[1]) / (2 * eps)
    network.set_state(state)
    return found


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_with_masks_are_the_differences(cell: str, layers: int) -> None:
    network, batch = network_of(cell, layers), batch_of([(0, 0), (2, 1), (2, 2), (5, 2), (4, 0)])
    state = network.state()
    wanted = differences(network, batch)
    network.set_state(state)
    assert worst(gradients(network, batch), wanted) < 1e-6


@pytest.mark.parametrize("cell", CELLS)
def test_a_reset_that_the_way_back_forgets_is_caught(cell: str) -> None:
    network, batch = network_of(cell, 2), batch_of([(2, 1), (3, 0)])
    state = network.state()
    wanted = differences(network, batch)
    network.set_state(state)
    logits = network.forward(batch.inputs, None, batch.fresh)
    cross_entropy(logits, batch.targets, batch.symbols, batch.scored)
    network.begins = None
    grads = Params(network.config.shapes, np.float64)
    network.backward(batch.inputs, logits, grads)
    assert worst(dict(grads), {name: wanted[name] for name in grads}) > 1e-3


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_through_a_reset_is_exactly_zero(cell: str, layers: int) -> None:
    network = network_of(cell, layers)
    batch = batch_of([(3, 0), (0, 1)])
    after = np.zeros((T, B), dtype=bool)
    after[3:, 0] = after[:, 1:] = True  # stream 0 has targets after its reset alone
    found = gradients(network, batch._replace(scored=after))
    for layer in range(layers):
        for name in network.config.states:
            gradient = found[f"{name}0.{layer}"]
            assert (gradient[:2] == 0.0).all()
            assert (gradient[2] != 0.0).any()


@pytest.mark.parametrize("cell", CELLS)
def test_what_stands_before_a_reset_changes_nothing_after_it(cell: str) -> None:
    network, batch = network_of(cell, 2), batch_of([(3, 0), (3, 1), (3, 2)])
    one = network.forward(batch.inputs, None, batch.fresh).copy()
    network.carry()
    other = batch.inputs.copy()
    other[:3] = (other[:3] + 1) % V
    two = network.forward(other, None, batch.fresh)
    assert (one[3:] == two[3:]).all()
    assert (one[:3] != two[:3]).any()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_packed_examples_are_the_examples_one_at_a_time(cell: str, training: bool) -> None:
    lengths = [[4, 2], [3, 3], [1, 5]]  # of the examples in each stream, one after another
    network = network_of(cell, 2)
    rng = np.random.default_rng(2)
    inputs, targets = rng.integers(0, V, (T, B)), rng.integers(0, V, (T, B))
    scored, fresh = rng.random((T, B)) < 0.7, np.zeros((T, B), dtype=bool)
    loss, sums = 0.0, Params(network.config.shapes, np.float64)
    total = int(scored.sum())
    for b, sizes in enumerate(lengths):
        begin = 0
        for size in sizes:
            fresh[begin, b] = True
            part = slice(begin, begin + size)
            alone = Network(network.config, network.params, size, 1, training=True)
            logits = alone.forward(inputs[part, b : b + 1])
            loss += cross_entropy(logits, targets[part, b : b + 1], total, scored[part, b : b + 1])
            grads = Params(network.config.shapes, np.float64)
            alone.backward(inputs[part, b : b + 1], logits, grads)
            sums.flat += grads.flat
            begin += size
    batch = Batch(inputs, targets, scored, fresh)
    if training:
        assert worst({k: g for k, g in gradients(network, batch).items() if k in sums}, dict(sums)) < 1e-12
    else:
        network = Network(network.config, network.params, T, B)
    assert loss_of(network, batch) == pytest.approx(loss, rel=1e-12)


def test_targets_that_do_not_count_change_nothing() -> None:
    network, batch = network_of("gru", 1), batch_of([(2, 1)])
    assert batch.scored is not None
    state = network.state()
    one = gradients(network, batch)
    network.set_state(state)
    other: Ids = np.where(batch.scored, batch.targets, (batch.targets + 1) % V)
    two = gradients(network, batch._replace(targets=other))
    assert all((one[name] == two[name]).all() for name in one)


def test_a_batch_without_targets_has_no_loss_and_no_gradient() -> None:
    network, batch = network_of("lstm", 1), batch_of([], scored=0.0)
    assert batch.symbols == 1
    assert loss_of(network, batch) == 0.0
    assert all((gradient == 0.0).all() for gradient in gradients(network, batch).values())
