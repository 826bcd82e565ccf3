"""The plain engine trains as well: the same losses but for rounding, with workers, and after a change of the engine."""

from typing import Any

import pytest

import charrnn
from charrnn.nn.fast import cells
from charrnn.options import CELLS, ENGINES
from tests.training.test_loop import TEXT, begin

REGULARISATION: dict[str, Any] = {"recurrent_dropout": 0.2, "activation_regularisation": 0.5}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_both_engines_train_alike(cell: str, workers: int) -> None:
    options: dict[str, Any] = {"cell": cell, "steps": 14, "dropout": 0.3, "workers": workers, **REGULARISATION}
    fast, plain = (list(begin(**options, engine=engine)) for engine in ENGINES)
    assert [record.loss for record in plain] == pytest.approx([record.loss for record in fast], rel=1e-4)
    assert plain[-1].val_loss == pytest.approx(fast[-1].val_loss, rel=1e-4)
    assert [record.loss for record in plain] != [record.loss for record in fast]


def test_a_resumed_run_may_change_the_engine() -> None:
    first = begin(engine="plain", steps=5)
    list(first)
    corpus = charrnn.Corpus.from_text(TEXT)
    same = charrnn.train(corpus, model=first.model, steps=8)
    assert same.options.engine == "plain"
    assert not [note for note in same.notes if "engine" in note]
    other = charrnn.train(corpus, model=first.model, steps=8, engine="fast")
    assert "engine: fast instead of plain, so rounding may differ." in other.notes
    assert [record.loss for record in other] == pytest.approx([record.loss for record in same], rel=1e-4)


def test_a_resumed_plain_run_is_as_if_never_stopped() -> None:
    whole, first = (begin(engine="plain", epochs=3, steps=steps, dropout=0.3, **REGULARISATION) for steps in (12, 5))
    list(whole)
    list(first)
    resumed = charrnn.train(charrnn.Corpus.from_text(TEXT), model=first.model, epochs=3, steps=12)
    list(resumed)
    assert resumed.params.flat.tobytes() == whole.params.flat.tobytes()


def test_a_cell_with_equations_only_trains_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(cells.CELLS, "gru")
    training = begin(cell="gru", steps=20)
    assert "cell gru has no fast implementation: training with the plain engine." in training.notes
    losses = [record.loss for record in training]
    assert losses[-1] < losses[0]
    assert not [note for note in begin(cell="lstm", steps=1).notes if "engine" in note]
