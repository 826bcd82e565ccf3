"""The plan: sizes that grow with text and time, choices that respect given options, lengths that fit the time."""

import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import charrnn
from charrnn.nn.optim import OPTIMIZERS
from charrnn.nn.params import Config
from charrnn.options import CHOSEN, Options
from charrnn.training.cost import recurrent_weights
from charrnn.training.loop import Training
from charrnn.training.plan import (
    ENOUGH_EPOCHS,
    LOADED,
    LOADED_EPOCHS,
    MOST_EPOCHS,
    STREAMS,
    TOKENS,
    WEIGHTS,
    choose,
    expected_speed,
    most_epochs,
    plan_training,
    settle_length,
)
from charrnn.training.rates import TIMES, dropout, rate_for, weight_decay

RATE = 3e11
TASKS = (("generate", 1.0), ("classify", 0.1))  # each with its share of steps that have a target
TEXT = "the quick brown fox jumps over the lazy dog. " * 60


def sizes(symbols: int, seconds: float, **given: Any) -> tuple[int, int]:
    options = choose(given, symbols, 65, RATE, seconds).options
    return options.layers, options.hidden_size


@given(symbols=st.integers(1, 10**9), seconds=st.floats(0.1, 1e5), vocab=st.integers(1, 20_000))
def test_every_text_and_time_has_a_plan_within_its_rules(symbols: int, seconds: float, vocab: int) -> None:
    plan = choose({}, symbols, vocab, RATE, seconds)
    options = plan.options
    config = Config(options.cell, options.layers, options.hidden_size, vocab)
    weights = recurrent_weights(config)
    if options.hidden_size > 16:
        assert weights <= WEIGHTS * symbols
        read = seconds * expected_speed(config, STREAMS, RATE)
        assert read >= min(TOKENS * weights, ENOUGH_EPOCHS * symbols)
    assert 0.0 <= options.recurrent_dropout <= options.dropout <= 0.6
    assert 0.0 < options.lr <= 0.025
    assert set(plan.reasons) == set(CHOSEN)


@given(symbols=st.integers(1000, 10**8), seconds=st.floats(1.0, 1e4))
def test_more_time_never_makes_a_smaller_network(symbols: int, seconds: float) -> None:
    def weights(seconds: float) -> int:
        options = choose({}, symbols, 65, RATE, seconds).options
        return recurrent_weights(Config(options.cell, options.layers, options.hidden_size, 65))

    assert weights(2.0 * seconds) >= weights(seconds)


def test_given_options_are_kept() -> None:
    chosen = {"cell": "lstm", "layers": 2, "hidden_size": 128, "dropout": 0.15, "lr": 0.001, "seq_length": 50}
    plan = choose(chosen, 10**6, 65, RATE, 600.0)
    assert all(getattr(plan.options, name) == value for name, value in chosen.items())
    assert not set(plan.reasons) & set(chosen)
    assert "recurrent_dropout" not in choose({"recurrent_dropout": 0.0}, 10**6, 65, RATE, 600.0).reasons
    assert sizes(10**6, 600.0, layers=3)[0] == 3
    assert sizes(10**6, 600.0, hidden_size=100) == (1, 100)
    assert sizes(10**6, 600.0, hidden_size=700) == (2, 700)
    assert "patience" not in choose({"val_fraction": 0.0}, 10**6, 65, RATE, 600.0).reasons


def test_without_a_time_limit_the_machine_does_not_matter() -> None:
    plan = choose({"epochs": 3}, 10**6, 65, None, 180.0)
    assert plan.options.epochs == 3
    assert plan.options.patience == 0
    assert "patience" not in plan.reasons
    assert choose({"steps": 7}, 10**6, 65, None, 180.0).options.steps == 7


def test_small_texts_get_few_streams() -> None:
    assert choose({}, 1800, 40, RATE, 60.0).options.batch_size == 4
    assert choose({}, 10**6, 40, RATE, 60.0).options.batch_size == 32
    # but enough that a window of a classifier has targets
    streams = [
        choose({"task": "classify"}, 1800, 40, RATE, 60.0, share).options.batch_size for share in (0.5, 0.1, 0.01)
    ]
    assert streams == [4, 8, 32]


def test_the_fewer_symbols_for_each_weight_the_fewer_epochs() -> None:
    epochs = [most_epochs(load) for load in (0.01, LOADED, 100.0)]
    assert epochs == [MOST_EPOCHS, LOADED_EPOCHS, LOADED_EPOCHS]


def test_the_smallest_text_is_read_by_a_fixed_number_of_updates() -> None:
    plan = choose({}, 2, 2, RATE, 60.0)
    assert plan.most_steps(1) == 400
    assert plan.most_steps(1000) == 1000 * LOADED_EPOCHS


def test_small_tables_of_pairs_get_a_wide_network_small_batches_and_many_updates() -> None:
    plan = choose({"task": "pairs"}, 9000, 40, RATE, 180.0, 0.4, 25.0)
    options = plan.options
    assert (options.cell, options.hidden_size, options.batch_size, options.seq_length) == ("lstm", 256, 4, 160)
    assert plan.most_steps(15) == 6000
    assert options.dropout == 0.4
    # of 60 evaluations, so that a long plateau does not end the run
    assert options.patience == 20
    assert choose({"task": "pairs"}, 90_000, 40, RATE, 180.0, 0.4, 25.0).options.batch_size == 16
    assert choose({"task": "pairs"}, 90_000, 40, RATE, 6.0, 0.4, 25.0).options.hidden_size < 256  # no time


def test_a_number_of_steps_gives_the_epochs_that_the_run_has() -> None:
    corpus = charrnn.Corpus.from_text(TEXT)
    lengths: list[dict[str, Any]] = [{"steps": 50}, {"epochs": 3}, {"steps": 7, "seq_length": 20}]
    for length in lengths:
        training, plan = plan_training(corpus, Options(**length), length, None, 0.0)
        assert f"{training.end / training.streams.windows:.1f} epochs" in plan.reasons["dropout"]
    long, short = (choose({"steps": steps}, 200_000, 40, None, 180.0) for steps in (6000, 300))
    assert (short.options.seq_length, long.options.seq_length) == (32, 64)
    assert short.options.dropout < long.options.dropout


def test_a_short_planned_run_is_evaluated_often() -> None:
    training, plan = plan_training(
        charrnn.Corpus.from_text(TEXT), Options(workers=1), {"workers": 1}, 100.0, time.monotonic()
    )
    assert training.limit is not None
    assert training.end == MOST_EPOCHS * training.streams.windows
    assert training.options.eval_every == math.ceil(training.end / 20)
    assert f"{MOST_EPOCHS:.1f} epochs" in plan.reasons["dropout"]


def test_dropout_grows_with_pressure_and_width() -> None:
    for place, highest in enumerate((0.6, 0.5)):  # between layers, and of the recurrent state
        rates = [dropout(pressure, 512)[place] for pressure in (0.01, 0.3, 1.0, 4.0, 100.0, 10_000.0)]
        assert rates == sorted(rates)
        assert (rates[0], rates[-1]) == (0.0, highest)
        assert dropout(1e4, 32)[place] < highest
    linear = [dropout(pressure, 512, linear=True)[0] for pressure in (1.0, 4.0, 16.0, 10_000.0)]
    assert linear == [0.0, 0.05, 0.15, 0.6]
    assert linear[1] < dropout(4.0, 512)[0]


def begin(seconds: float, **given: Any) -> tuple[Training, float]:
    corpus = charrnn.Corpus.from_text(TEXT)
    plan = choose({"workers": 1, **given}, len(TEXT), len(corpus.vocab), RATE, seconds)
    training = Training.new(corpus, plan.options)
    return training, settle_length(training, plan, seconds)[0]


def test_the_length_fits_the_time_and_the_epochs() -> None:
    short, ratio = begin(0.4)
    long, _ = begin(3600.0)
    assert ratio > 0.0
    plan = choose({"workers": 1}, len(TEXT), len(long.vocab), RATE, 3600.0)
    assert 1 <= short.end < long.end == plan.most_steps(long.streams.windows)
    assert short.run.options.steps == short.end == short.schedule.span
    assert short.run.step == 0
    assert long.options.eval_every == math.ceil(long.end / 20)


def test_windows_are_longer_where_few_steps_carry_a_target() -> None:
    many, few = (choose({}, 1_000_000, 60, 1e11, 60.0, share) for share in (1.0, 1 / 500))
    assert few.options.seq_length == 512 > many.options.seq_length
    assert few.reasons["seq_length"] == "few steps have a target"
    assert choose({"seq_length": 7}, 1_000_000, 60, 1e11, 60.0, 1 / 500).options.seq_length == 7


def test_pairs_get_windows_that_hold_several_and_little_dropout() -> None:
    pairs = [choose({"task": "pairs"}, 400_000, 20, RATE, 600.0, 0.4, example) for example in (5.0, 11.0, 26.0, 500.0)]
    assert [plan.options.seq_length for plan in pairs] == [64, 96, 160, 512]
    assert {(plan.options.cell, plan.options.dropout) for plan in pairs} == {("lstm", 0.2)}
    assert choose({"task": "pairs", "cell": "rnn"}, 400_000, 20, RATE, 600.0, 0.4, 5.0).options.cell == "rnn"
    assert {(plan.options.layers, plan.options.hidden_size) for plan in pairs} == {(1, 256)}
    assert choose({"task": "classify", "hidden_size": 64}, 400_000, 20, RATE, 600.0, 0.1, 11.0).options.seq_length == 64
    mine = choose({"task": "pairs", "dropout": 0.3, "seq_length": 7}, 400_000, 20, RATE, 600.0, 0.4, 11.0).options
    assert (mine.dropout, mine.seq_length) == (0.3, 7)


def test_the_cell_is_an_lstm_unless_the_user_chooses() -> None:
    assert {choose({}, 10**6, 65, RATE, 60.0 * minutes).options.cell for minutes in (0.1, 1.0, 10.0)} == {"lstm"}
    assert choose({"cell": "rnn"}, 10**6, 65, RATE, 600.0).options.cell == "rnn"
    assert "cell" not in choose({"cell": "lstm"}, 10**6, 65, RATE, 600.0).reasons


def test_weight_decay_grows_with_the_weights_per_symbol() -> None:
    lstm = Config("lstm", 1, 256, 65)
    assert [weight_decay(lstm, load) for load in (0.1, 6.0, 18.0, 45.0, 1e3)] == [0.02, 0.02, 0.06, 0.15, 0.15]
    assert weight_decay(Config("mingru", 3, 128, 65), 0.1) == 0.15
    assert choose({"task": "pairs"}, 400_000, 20, RATE, 600.0, 0.4, 11.0).options.weight_decay == 0.05


def test_a_linear_recurrence_learns_at_a_lower_rate() -> None:
    lstm, mingru = (rate_for(Config(cell, 3, 192, 65)) for cell in ("lstm", "mingru"))
    assert lstm > 3 * mingru
    assert choose({"cell": "mingru"}, 10**6, 65, RATE, 600.0).options.lr < 0.004


@pytest.mark.parametrize(("optimizer", "times"), [("adam", 1.0), ("rmsprop", 1.0), ("adagrad", 8.0), ("sgd", 60.0)])
def test_rates_suit_the_optimizer(optimizer: str, times: float) -> None:
    given: list[dict[str, Any]] = [{}, {"task": "pairs"}]
    for chosen in given:
        adam, mine = (
            choose({**chosen, "optimizer": name}, 10**6, 65, RATE, 60.0).options for name in ("adam", optimizer)
        )
        assert mine.lr == pytest.approx(times * adam.lr, rel=0.01)
        assert mine.lr * mine.weight_decay == pytest.approx(adam.lr * adam.weight_decay, rel=0.02)
    assert set(TIMES) == set(OPTIMIZERS)


def test_examples_are_regularised_as_a_text_if_every_step_has_a_target() -> None:
    by_label, classifier = (choose({"task": task}, 10**6, 65, RATE, 60.0, share).options for task, share in TASKS)
    assert (by_label.activation_regularisation, by_label.weight_decay) == (2.0, 0.02)
    assert (classifier.activation_regularisation, classifier.weight_decay) == (0.0, 0.05)
