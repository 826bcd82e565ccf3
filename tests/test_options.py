"""Options: their metadata, ranges, lengths, and what may change when a run is resumed."""

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from charrnn.checks import declared
from charrnn.errors import ModelFileError, UsageError
from charrnn.nn.params import Config
from charrnn.options import CHANGEABLE, Options


@pytest.mark.parametrize(
    ("name", "values"),
    {
        "cell": [3, None],
        "engine": ["slow"],
        "task": ["translate"],
        "unit": ["word"],
        "optimizer": ["lion"],
        "schedule": ["linear"],
        "encoding": ["klingon", "base64", "a\0b"],
        "layers": [0, -1, 1.5, True],
        "hidden_size": [0],
        "seq_length": [0],
        "batch_size": [0],
        "epochs": [0, -3],
        "steps": [0],
        "seed": [-1, 2**63],
        "eval_every": [-1],
        "lr": [0, -1, math.nan, math.inf, "a"],
        "clip": [-0.1, math.nan, math.inf],
        "dropout": [-0.1, 1.0, math.nan],
        "recurrent_dropout": [-0.1, 1.0, math.nan],
        "activation_regularisation": [-0.1, math.nan, math.inf],
        "val_fraction": [-0.1, 1.0, math.nan],
    }.items(),
)
def test_out_of_range(name: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(UsageError, match=f"^{name} "):
            Options(**{name: value})


@pytest.mark.parametrize("name", ["dropout", "val_fraction", "clip", "seed", "eval_every"])
def test_zero_is_valid(name: str) -> None:
    assert getattr(Options(**{name: 0}), name) == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "length"),
    [
        (Options(), (1000, 1000)),
        (Options(steps=7), (7, 7)),
        (Options(epochs=3), (30, 30)),
        (Options(epochs=3, steps=13), (30, 13)),
        (Options(epochs=3, steps=130), (30, 30)),
    ],
)
def test_the_schedule_spans_the_epochs_and_the_run_ends_at_the_first_limit(
    options: Options, length: tuple[int, int]
) -> None:
    assert options.length(windows=10) == length


def test_every_field_has_a_setting_with_a_valid_default() -> None:
    assert [item.name for item in declared(Options)] == [field.name for field in fields(Options)]
    assert {item.name for item in declared(Options) if not item.setting.help} == {"task"}
    assert set(CHANGEABLE) == {"epochs", "steps", "lr", "workers", "patience", "engine"}
    for item in declared(Options):
        assert item.kind in (int, float, str, bool)
        assert not (item.kind is int and math.isinf(item.setting.at_least)), "a whole number has a lower limit"


def test_numbers_of_numpy_become_numbers_of_python() -> None:
    options = Options(layers=np.int64(3), lr=np.float32(0.5), steps=np.int32(7))  # type: ignore[arg-type]
    assert [type(value) for value in (options.layers, options.lr, options.steps)] == [int, float, int]


def test_resuming_may_restate_and_lengthen_but_not_contradict() -> None:
    options = Options(epochs=3, steps=137, lr=0.01)
    assert options.resumed({}) == options
    assert options.resumed({"lr": 0.01, "cell": "gru"}) == options
    assert options.resumed({"epochs": 3}) == Options(epochs=3, lr=0.01)
    assert options.resumed({"epochs": 3, "steps": 200}) == Options(epochs=3, steps=200, lr=0.01)
    assert options.resumed({"steps": 137}) == options
    assert options.resumed({"steps": 200}) == Options(epochs=3, steps=200, lr=0.01)
    assert options.resumed({"encoding": "UTF8"}) == options
    assert options.resumed({"lr": 0.02}) == Options(epochs=3, steps=137, lr=0.02)
    assert options.resumed({"engine": "plain"}).engine == "plain"
    with pytest.raises(UsageError, match="clip 2.0 contradicts"):
        options.resumed({"clip": 2.0})
    with pytest.raises(UsageError, match="hidden_size 64 contradicts"):
        options.resumed({"hidden_size": 64})


def test_stored_and_read_again() -> None:
    options = Options(epochs=3, dropout=0.25)
    assert Options.from_dict(options.as_dict()) == options
    with pytest.raises(UsageError, match="^layers is a whole number"):
        Options.from_dict({**options.as_dict(), "layers": "2"})
    with pytest.raises(ModelFileError, match="was written by a newer charrnn: it contains 'momentum'"):
        Options.from_dict({**options.as_dict(), "momentum": 0.9})
    wrong: Any = ["lr"]
    with pytest.raises((ModelFileError, TypeError)):
        Options.from_dict(wrong)


def test_the_name_of_a_cell_is_checked_by_the_network() -> None:
    assert Options(cell="transformer").cell == "transformer"
    with pytest.raises(UsageError, match="a cell is one of lstm, gru, rnn, mingru, lru, not transformer"):
        Config("transformer", 1, 1, 1)


def test_fields_that_later_versions_add_have_their_defaults() -> None:
    values = Options(lr=0.01).as_dict()
    for name in ("engine", "recurrent_dropout", "activation_regularisation"):
        del values[name]
    assert Options.from_dict(values) == Options(lr=0.01)
    assert Options.from_dict({**values, "cut": "3:6"}) == Options(lr=0.01)  # a field of earlier versions
