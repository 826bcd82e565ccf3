"""Steps without a target and steps that start from an empty state: differences, zeros, and examples one by one."""

import numpy as np
import pytest

from charrnn.nn.equations import CELLS
from charrnn.nn.fast.network import Network as Fast
from charrnn.nn.loss import cross_entropy
from charrnn.nn.network import Network as Plain
from charrnn.nn.params import Params
from tests.nn.checks import AnyNetwork, B, T, V, Window, differences, gradients, loss_of, make, marked, worst

KINDS = pytest.mark.parametrize("kind", [Plain, Fast], ids=["plain", "fast"])
Kind = type[AnyNetwork]


def masked(window: Window, *reset: tuple[int, int], share: float = 0.6) -> Window:
    """The window with a target at this share of the steps, and resets at (step, stream)."""
    return window._replace(loss_mask=np.random.default_rng(1).random((T, B)) < share, reset=marked(*reset))


@KINDS
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_with_masks_are_the_differences(cell: str, layers: int, kind: Kind) -> None:
    network, window = make(cell, layers, kind)
    window = masked(window, (0, 0), (2, 1), (2, 2), (5, 2), (4, 0))
    assert worst(gradients(network, window), differences(network, window)) < 1e-6


@KINDS
@pytest.mark.parametrize("cell", CELLS)
def test_a_reset_that_the_backward_pass_forgets_is_caught(cell: str, kind: Kind) -> None:
    network, window = make(cell, 2, kind)
    window = masked(window, (2, 1), (3, 0))
    wanted = differences(network, window)
    logits = network.forward(window.inputs, None, window.reset)
    cross_entropy(logits, window.targets, window.symbols, window.loss_mask)
    if isinstance(network, Plain):
        network.reset_mask = None
    else:
        network.resets = None
    grads = Params(network.config.shapes, np.float64)
    network.backward(window.inputs, logits, grads)
    assert worst(grads, {name: wanted[name] for name in grads}) > 1e-3


@KINDS
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_through_a_reset_is_exactly_zero(cell: str, layers: int, kind: Kind) -> None:
    network, window = make(cell, layers, kind)
    after = np.zeros((T, B), dtype=bool)
    after[3:, 0] = after[:, 1:] = True  # stream 0 has targets after its reset alone
    found = gradients(network, masked(window, (3, 0), (0, 1))._replace(loss_mask=after))
    for layer in range(layers):
        for name in network.config.states:
            gradient = found[f"{name}0.{layer}"]
            assert (gradient[:2] == 0.0).all()
            assert (gradient[2] != 0.0).any()


@KINDS
@pytest.mark.parametrize("cell", CELLS)
def test_nothing_before_a_reset_changes_anything_after_it(cell: str, kind: Kind) -> None:
    network, window = make(cell, 2, kind)
    reset = marked((3, 0), (3, 1), (3, 2))
    one = network.forward(window.inputs, None, reset).copy()
    network.carry()
    other = window.inputs.copy()
    other[:3] = (other[:3] + 1) % V
    two = network.forward(other, None, reset)
    assert (one[3:] == two[3:]).all()
    assert (one[:3] != two[:3]).any()


@KINDS
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_packed_examples_are_the_examples_one_at_a_time(cell: str, training: bool, kind: Kind) -> None:
    lengths = [[4, 2], [3, 3], [1, 5]]  # of the examples in each stream, one after another
    network, _ = make(cell, 2, kind)
    rng = np.random.default_rng(2)
    inputs, targets = rng.integers(0, V, (T, B)), rng.integers(0, V, (T, B))
    loss_mask, reset = rng.random((T, B)) < 0.7, np.zeros((T, B), dtype=bool)
    loss, sums = 0.0, Params(network.config.shapes, np.float64)
    total = int(loss_mask.sum())
    for b, sizes in enumerate(lengths):
        start = 0
        for size in sizes:
            reset[start, b] = True
            part = slice(start, start + size)
            alone = kind(network.config, network.params, size, 1, training=True)
            logits = alone.forward(inputs[part, b : b + 1])
            loss += cross_entropy(logits, targets[part, b : b + 1], total, loss_mask[part, b : b + 1])
            grads = Params(network.config.shapes, np.float64)
            alone.backward(inputs[part, b : b + 1], logits, grads)
            sums.flat += grads.flat
            start += size
    window = Window(inputs, targets, None, reset, loss_mask)
    if training:
        assert worst({k: g for k, g in gradients(network, window).items() if k in sums}, sums) < 1e-12
    else:
        network = kind(network.config, network.params, T, B)
    assert loss_of(network, window) == pytest.approx(loss, rel=1e-12)


@KINDS
def test_targets_that_do_not_count_change_nothing(kind: Kind) -> None:
    network, window = make("gru", 1, kind)
    window = masked(window, (2, 1))
    one = gradients(network, window)
    assert window.loss_mask is not None
    other = np.where(window.loss_mask, window.targets, (window.targets + 1) % V)
    two = gradients(network, window._replace(targets=other))
    assert all((one[name] == two[name]).all() for name in one)


@KINDS
def test_a_batch_without_targets_has_no_loss_and_no_gradient(kind: Kind) -> None:
    network, window = make("lstm", 1, kind)
    window = masked(window, share=0.0)
    assert window.symbols == 1
    assert loss_of(network, window) == 0.0
    assert all((gradient == 0.0).all() for gradient in gradients(network, window).values())
