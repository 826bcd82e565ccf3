"""A planned run on the command line: it ends in time, gives reasons, and its command repeats it bit for bit."""

import re
import shlex

import pytest

from charrnn.checkpoint.model import load
from charrnn.cli.train_plan import clock_seconds
from charrnn.cli.train_session import Session
from charrnn.errors import UsageError
from charrnn.training.schedule import TimeLimit
from tests.cli.test_train import Command, charrnn
from tests.training.test_loop import begin

__all__ = ["charrnn"]


def test_the_plan_is_printed_and_its_command_repeats_the_run(charrnn: Command) -> None:
    code, out, err = charrnn("train", "corpus.txt", "--minutes", "0.02", "--no-baselines")
    assert (code, out) == (0, "")
    assert re.search(r"^plan for 0:01: LSTM 1 x ", err, re.MULTILINE)
    assert "--hidden-size" in err.split("To repeat this run")[0]
    *_, hint, repeat = err.splitlines()
    assert hint.startswith("Now: charrnn sample --temp 0.")
    start, _, command = repeat.partition(": ")
    assert start == "To repeat this run exactly"
    assert re.match(r"charrnn train corpus\.txt --cell lstm --layers 1 ", command)
    assert charrnn(*shlex.split(command)[1:], "-m", "again.npz", "--no-baselines", "-q")[0] == 0
    first, again = load("model.npz", "last"), load("again.npz", "last")
    assert first.run is not None
    assert first.params.flat.tobytes() == again.params.flat.tobytes()
    assert first.run.options == again.run.options  # type: ignore[union-attr]


def test_without_a_time_limit_sizes_still_suit_the_text(charrnn: Command) -> None:
    code, _, err = charrnn("train", "corpus.txt", "--steps", "3", "--no-baselines")
    assert code == 0
    assert "--hidden-size 32: largest network suitable for the text" in err
    assert "steps 3 " in err.partition("To repeat this run exactly: charrnn train corpus.txt ")[2]
    assert "To repeat this run" not in charrnn("train", "--resume", "--steps", "4")[2]


@pytest.mark.parametrize(
    ("minutes", "given", "wanted"),
    [(None, {}, 180.0), (2.0, {}, 120.0), (None, {"steps": 3}, None), (None, {"epochs": 3}, None)],
)
def test_the_time_of_a_run(minutes: float | None, given: dict[str, int], wanted: float | None) -> None:
    assert clock_seconds(minutes, given) == wanted


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("nan"), float("inf"), 1e9])
def test_an_invalid_time_is_refused(minutes: float) -> None:
    with pytest.raises(UsageError, match="^minutes is a number"):
        clock_seconds(minutes, {})


def test_two_lengths_are_refused(charrnn: Command) -> None:
    code, _, err = charrnn("train", "corpus.txt", "--minutes", "1", "--steps", "5")
    assert (code, err) == (
        2,
        "error: --minutes and --steps both set the length of the run: use one of them.\n",
    )
    assert charrnn("train", "corpus.txt", "--steps", "2", "-q")[0] == 0
    code, _, err = charrnn("train", "--resume", "--minutes", "1")
    assert code == 2
    assert "use --steps or --epochs with --resume" in err


def test_events_of_a_run_are_in_its_file(charrnn: Command) -> None:
    assert charrnn("train", "corpus.txt", "--steps", "6", "-q")[0] == 0
    model = load("model.npz")
    assert model.run is not None
    assert model.run.step == 6
    assert "set back" not in charrnn("info")[1]
    model.run.health.set_back(5)
    model.save("model.npz")
    assert "set back         at step 5" in charrnn("info")[1]


def test_a_length_on_the_command_line_overrules_minutes_in_the_environment(
    charrnn: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARRNN_TRAIN_MINUTES", "0.02")
    code, _, err = charrnn("train", "corpus.txt", "--steps", "3", "--no-baselines")
    assert code == 0, err
    assert "step 3/3" in err
    code, _, err = charrnn("train", "--resume", "--steps", "5", "--no-baselines")
    assert code == 0, err
    assert "step 5/5" in err


def test_the_time_of_a_suspended_process_does_not_count() -> None:
    training = begin(steps=5)
    training.limit = TimeLimit(1000.0, 60.0, 100)
    training.limit.first = 5, 1001.0
    session = Session(training, "m.npz", 0, None, True, False, None)
    session.start_time = 1000.0
    session.step_at -= 500.0
    session.exclude_pause()
    assert 0.0 <= training.limit.start - 1500.0 < 60.0
    assert session.start_time == training.limit.start
    assert training.limit.first is None  # the speed is measured anew
