"""The curves of a run: what the records said, against steps and seconds."""

import numpy as np
import pytest

from charrnn.checkpoint.history import LIMIT, History
from charrnn.errors import UsageError
from charrnn.see.curve import training_curves
from tests.sampling.test_sample import model_of
from tests.training.test_loop import begin


def test_curves_equal_the_records() -> None:
    training = begin(steps=30, eval_every=8)
    records = list(training)
    found = training_curves("m.npz", training.model, "steps")
    assert found.train == ([float(r.step) for r in records], [r.loss for r in records])
    assert found.val[0] == [float(r.step) for r in records if r.val_loss is not None]
    assert found.val[1] == [r.val_loss for r in records if r.val_loss is not None]
    np.testing.assert_allclose(found.rate[1], [r.lr for r in records], rtol=1e-12)
    np.testing.assert_allclose(found.norm[1], [r.grad_norm for r in records])
    spent = training_curves("m.npz", training.model, "seconds")
    assert spent.train[0] == sorted(spent.train[0])
    assert 0.0 < spent.train[0][0] <= records[0].seconds
    assert spent.train[0][-1] <= records[-1].seconds
    assert set(spent.val[0]) <= set(spent.train[0])


def test_thinned_series_keep_equal_lengths() -> None:
    history = History()
    for step in range(1, 2501):
        history.add(float(step), 2.0 * step, step % 2 == 0, step / 5, step / 10)
    assert history.stride == 4
    assert len(history.train) == len(history.points) < LIMIT
    assert history.series("norm") == [2.0 * loss for loss in history.train]
    assert set(history.series("clipped")) == {0.5}
    assert history.series("rate")[0] == 0.5
    assert history.series("seconds")[:3] == [0.4, 0.8, 1.2]
    assert History.from_dict(history.as_dict()).as_dict() == history.as_dict()


@pytest.mark.parametrize(
    "damage",
    [
        {"points": [[1.0, 1.0, 0.0, 0.1]]},
        {"points": [[1.0, 1.0, "x", 0.1, 0.0]]},
        {"points": [[1.0, 1.0, 1.5, 0.1, 0.0]]},
        {"points": [[1.0, 1.0, 0.0, -1.0, 0.0]]},
        {"points": [[1.0, None, 0.0, 0.1, 0.0]]},
        {"points": [1.0] * 5},
        {"points": [[1.0, 1.0, 0.0, 0.1, 0.0]] * LIMIT},
        {"sums": [0.0]},
        {"count": 1},
    ],
)
def test_a_damaged_history_is_refused(damage: dict[str, object]) -> None:
    history = History()
    for step in range(3):
        history.add(1.0, 1.0, False, 0.1, float(step))
    with pytest.raises((ValueError, UsageError)):
        History.from_dict({**history.as_dict(), **damage})


def test_a_model_without_a_run_has_no_curve() -> None:
    with pytest.raises(UsageError, match="m.npz has no training history: there is no curve to draw"):
        training_curves("m.npz", model_of("ab"), "steps")
