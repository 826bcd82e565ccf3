"""Training as a whole: it learns, is reproducible, stops and resumes, and notices divergence."""

import math
import time
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import charrnn
from charrnn.checkpoint.history import MOST_SETBACKS, History, Step
from charrnn.checkpoint.model import load
from charrnn.errors import DivergedError, TextError, UsageError
from charrnn.evaluation.score import Score, evaluate
from charrnn.nn.optim import steps_if_decayed
from charrnn.nn.params import fresh_params
from charrnn.options import CELLS, OPTIMIZERS, Options
from charrnn.training.loop import Training
from charrnn.training.schedule import Schedule, TimeLimit
from charrnn.training.train import train

SENTENCE = "the quick brown fox jumps over the lazy dog.\n"
TEXT = "".join(
    f"{a} and {b} went to {c}.\n"
    for a in ("Tom", "Ann")
    for b in ("Bob", "Eve", "Kim")
    for c in ["the sea", "a hill", "bed"]
)
SMALL: dict[str, Any] = {
    "dropout": 0.0,
    "hidden_size": 12,
    "batch_size": 4,
    "seq_length": 10,
    "eval_every": 7,
    "lr": 0.01,
}


def begin(text: str = TEXT, **options: Any) -> Training:
    return train(charrnn.Corpus.from_text(text), **{**SMALL, **options})


def digest(training: Training) -> dict[str, bytes]:
    """Every bit that later steps depend on."""
    model = training.model
    assert model.run is not None
    arrays = {"last": model.run.last.flat, "best": model.params.flat, **model.run.optimizer, **model.run.state}
    found = {name: values.tobytes() for name, values in arrays.items()}
    scalars = (model.run.step, model.run.best_step, model.run.best_loss, timeless_curves(model.run.history))
    return {**found, "scalars": repr(scalars).encode()}


def timeless_curves(history: History) -> tuple[Any, ...]:
    """All that a history holds, but the seconds, which are never the same twice."""
    return history.stride, history.count, history.points[:, :-1].tolist(), history.sums.tolist(), history.val


def timeless(record: Step) -> dict[str, Any]:
    return {name: value for name, value in record.as_dict().items() if name not in ("chars_per_second", "seconds")}


@pytest.mark.parametrize("cell", CELLS)
def test_learns_one_sentence_and_writes_it(cell: str) -> None:
    training = train(
        charrnn.Corpus.from_text(SENTENCE * 6),
        cell=cell,
        layers=1,
        hidden_size=48,
        batch_size=4,
        seq_length=30,
        steps=250,
        lr=0.01,
        val_fraction=0.0,
        dropout=0.0,
    )
    records = list(training)
    assert records[0].loss > 3.0
    assert records[-1].loss < 0.1
    assert "".join(charrnn.sample(training.model, len(SENTENCE), temp=0.0, prompt="\n")) == SENTENCE


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_loss_falls(cell: str, optimizer: str) -> None:
    lr = {"adam": 0.01, "rmsprop": 0.005, "adagrad": 0.05, "sgd": 0.1}[optimizer]
    losses = [record.loss for record in begin(cell=cell, optimizer=optimizer, lr=lr, steps=60)]
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:5])


def test_a_record_describes_its_step() -> None:
    records = list(begin(steps=20))
    assert [r.step for r in records] == list(range(1, 21))
    assert [r.step for r in records if r.val_loss is not None] == [7, 14, 20]
    assert records[9].epoch == pytest.approx(10 / begin(steps=20).streams.windows)
    assert all(r.grad_norm > 0 and r.chars_per_second > 0 for r in records)
    assert all(a.seconds < b.seconds for a, b in pairwise(records))


def test_the_same_seed_gives_the_same_bits() -> None:
    one, two, other = (begin(steps=15, dropout=0.3, seed=seed) for seed in (1, 1, 2))
    records = [[timeless(r) for r in t] for t in (one, two, other)]
    assert records[0] == records[1] != records[2]
    assert digest(one) == digest(two)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_resumed_is_as_if_never_stopped(cell: str, optimizer: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"cell": cell, "optimizer": optimizer, "dropout": 0.4, "epochs": 2}
    whole = begin(**options)
    wanted = [(timeless(record), digest(whole)) for record in whole]
    for stop in (1, 7, 13):
        first = begin(**options, steps=stop)
        list(first)
        first.model.save(tmp_path / "m.npz")
        corpus = charrnn.Corpus.from_text(TEXT)
        again = train(corpus, model=load(tmp_path / "m.npz"), epochs=2)
        found = [(timeless(record), digest(again)) for record in again]
        assert found == wanted[stop:]


@pytest.mark.parametrize("cell", CELLS)
def test_a_regularised_run_is_resumed_as_if_never_stopped(cell: str, tmp_path: Path) -> None:
    regularisation = {"dropout": 0.2, "recurrent_dropout": 0.3, "activation_regularisation": 1.0}
    options: dict[str, Any] = {"cell": cell, "epochs": 2, **regularisation}
    whole, first = begin(**options), begin(**options, steps=7)
    wanted = [(timeless(record), digest(whole)) for record in whole]
    list(first)
    first.model.save(tmp_path / "m.npz")
    model = load(tmp_path / "m.npz")
    again = train(charrnn.Corpus.from_text(TEXT), model=model, epochs=2)
    assert again.options.recurrent_dropout == 0.3
    assert [(timeless(record), digest(again)) for record in again] == wanted[7:]
    corpus = charrnn.Corpus.from_text(TEXT, vocab=model.vocab)
    _, held_out = corpus.split(0.1)
    assert evaluate(model, corpus, held_out).nats == model.run.best_loss  # type: ignore[union-attr]


def test_regularisation_of_0_is_off_and_the_loss_is_the_cross_entropy() -> None:
    off = begin(steps=8, dropout=0.3)
    wanted = [timeless(record) for record in off]
    zero = begin(steps=8, dropout=0.3, recurrent_dropout=0.0, activation_regularisation=0.0)
    assert [timeless(record) for record in zero] == wanted
    assert digest(zero) == digest(off)
    changed = [timeless(record) for record in begin(steps=8, dropout=0.3, activation_regularisation=1.0)]
    assert changed[0]["loss"] == wanted[0]["loss"]  # of the same weights, although the gradients differ
    assert changed[0]["grad_norm"] != wanted[0]["grad_norm"]
    assert begin(steps=1, dropout=0.3, recurrent_dropout=0.3).__next__().loss != wanted[0]["loss"]


def test_a_finished_run_has_nothing_left(tmp_path: Path) -> None:
    first = begin(steps=5)
    list(first)
    first.model.save(tmp_path / "m.npz")
    corpus = charrnn.Corpus.from_text(TEXT)
    assert list(train(corpus, model=load(tmp_path / "m.npz"))) == []
    assert len(list(train(corpus, model=load(tmp_path / "m.npz"), steps=8))) == 3


def test_evaluations_that_count_are_at_multiples_and_at_the_end_of_the_schedule() -> None:
    stopped = begin(epochs=10, steps=16)
    assert [r.step for r in stopped if r.val_loss is not None] == [7, 14]
    assert stopped.model.run is not None
    assert stopped.model.run.best_step in (7, 14)


def test_best_and_last_weights(tmp_path: Path) -> None:
    training = begin(steps=30)
    seen = {}
    for record in training:
        if record.val_loss is not None:
            seen[record.val_loss] = training.params.flat.copy()
    training.model.save(tmp_path / "m.npz")
    best, last = load(tmp_path / "m.npz"), load(tmp_path / "m.npz", weights="last")
    np.testing.assert_array_equal(best.params.flat, seen[min(seen)])
    np.testing.assert_array_equal(last.params.flat, training.params.flat)


def test_eval_gives_the_number_of_the_training(tmp_path: Path) -> None:
    training = begin(steps=14, dropout=0.5)
    losses = [record.val_loss for record in training if record.val_loss is not None]
    training.model.save(tmp_path / "m.npz")
    model = load(tmp_path / "m.npz")
    corpus = charrnn.Corpus.from_text(TEXT, vocab=model.vocab)
    _, held_out = corpus.split(0.1)
    assert evaluate(model, corpus, held_out).nats == min(losses)


def test_without_held_out_text_best_and_last_are_the_same() -> None:
    training = begin(steps=10, val_fraction=0.0)
    assert all(record.val_loss is None for record in training)
    assert training.model.params is training.params
    assert begin("abc", steps=3, val_fraction=0.1).notes[-1].startswith("the text is too short for a validation split")


def test_an_interrupted_training_leaves_a_usable_model(monkeypatch: pytest.MonkeyPatch) -> None:
    training = begin(steps=50)
    for _ in range(10):
        next(training)

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training.learner.pool.worker.params, "update", interrupt)
        with pytest.raises(KeyboardInterrupt):
            next(training)
    assert len("".join(charrnn.sample(training.model, 20))) == 20
    assert next(training).step == 11


def test_one_distinct_character_trains_to_nothing() -> None:
    training = begin("a" * 200, steps=5)
    assert [record.loss for record in training] == [0.0] * 5
    assert any("one distinct character" in note for note in training.notes)


def test_a_tiny_text_shrinks_streams_and_windows() -> None:
    training = begin("abcabcabc", steps=4, batch_size=32, seq_length=64)
    list(training)
    assert (training.streams.batch_size, training.streams.seq_length) == (1, 8)
    assert sum("the text is short" in note for note in training.notes) == 2


def test_a_learning_rate_without_sense_ends_with_the_best_weights() -> None:
    training = begin(lr=3e38, clip=0.0, schedule="constant", steps=50)
    with pytest.raises(DivergedError, match=r"diverged at step \d+.*4th time.*`lr`"):
        list(training)
    assert len(training.run.health.setbacks) == MOST_SETBACKS
    np.testing.assert_array_equal(training.params.flat, fresh_params(training.config, training.options.seed).flat)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_planted_nan_sets_the_run_back_to_its_best_weights(workers: int) -> None:
    training = begin(steps=50, eval_every=5, workers=workers, lr=0.1)
    list(islice(training, 7))
    best = training.best
    assert best is not None
    kept, rate = best.flat.copy(), training.rate(8)
    training.params.flat[3] = np.nan
    record = next(training)
    assert record.step == training.run.step == 8
    assert record.setback is not None
    assert "step 8: the loss is not finite; back to the best weights, of step 5," in record.setback
    assert training.run.health.setbacks == [8]
    assert 0.0 < record.lr < 0.5 * rate
    assert np.abs(training.params.flat - kept).max() < 0.1  # one small step from there
    assert [later.setback for later in training] == [None] * 42
    assert training.model.run is not None
    training.close()


def test_a_loss_that_jumps_sets_the_run_back() -> None:
    training = begin(steps=60, eval_every=5, lr=0.03)
    list(islice(training, 30))
    training.params["Wy"][:] *= 30.0  # finite, and far from what was learned
    records = list(training)
    (step,) = training.run.health.setbacks
    assert 31 <= step <= 45
    assert [r.step for r in records if r.setback] == [step]
    assert "jumped" in str(records[step - 31].setback)


def test_a_run_that_was_set_back_is_resumed_bit_for_bit() -> None:
    def run(stop: int) -> list[bytes]:
        training = begin(steps=60, eval_every=5, lr=0.03)
        digests = []
        for record in training:
            digests.append(training.params.flat.tobytes())
            if record.step == 20:
                training.params["Wy"][:] *= 30.0
            if record.step == stop:
                training = train(charrnn.Corpus.from_text(TEXT), model=training.model)
                digests += [training.params.flat.tobytes() for _ in training]
                break
        assert training.run.health.setbacks
        return digests

    whole = run(0)
    assert run(22) == whole  # between the cause and the setback
    assert run(40) == whole


def test_patience_begins_the_decay_and_then_ends_the_run() -> None:
    training = begin("ab" * 300 + "ba" * 60, steps=400, eval_every=4, patience=3, val_fraction=0.15)
    records = list(training)
    (note,) = [record for record in records if record.note]
    best = next(step for step, loss in training.run.history.val if step == note.step - 12)
    assert note.note == (
        f"no improvement for 3 evaluations: the learning rate decays from step {best + 12} to the end at step "
        f"{steps_if_decayed(note.step)}."
    )
    assert records[-1].step <= training.end == steps_if_decayed(note.step) < 400
    again = begin("ab" * 300 + "ba" * 60, steps=training.end, eval_every=4, patience=3, val_fraction=0.15)
    assert [record.loss for record in again] == [record.loss for record in records]
    assert again.params.flat.tobytes() == training.params.flat.tobytes()
    assert list(train(training.corpus, model=training.model)) == []


def test_patience_ends_a_run_without_decay() -> None:
    options = {"steps": 400, "eval_every": 4, "patience": 3, "val_fraction": 0.15, "schedule": "constant"}
    training = begin("ab" * 300 + "ba" * 60, **options)
    last = list(training)[-1].step
    best = training.run.best_step
    assert best is not None
    assert last == best + 12 < 400
    assert training.stale
    assert list(train(training.corpus, model=training.model)) == []
    assert len(list(train(training.corpus, model=training.model, patience=5))) == 8


@pytest.mark.parametrize("schedule", ["wsd", "constant"])
def test_a_run_that_was_stopped_early_is_extended_at_the_full_rate(schedule: str, tmp_path: Path) -> None:
    options = {"steps": 400, "eval_every": 4, "patience": 3, "val_fraction": 0.15, "schedule": schedule}
    first = begin("ab" * 300 + "ba" * 60, **options)
    list(first)
    anew = f"early stopping counts the evaluations from step {first.run.step + 1} on."
    parts, whole = (train(first.corpus, model=first.model, steps=500) for _ in range(2))
    assert anew in whole.notes
    assert [record.lr for record in islice(parts, 11)] == [parts.rate(first.run.step + k) for k in range(1, 12)]
    assert parts.rate(100) == parts.options.lr
    assert parts.end == 500  # no decay yet
    parts.model.save(tmp_path / "m.npz")
    again = train(first.corpus, model=charrnn.load(tmp_path / "m.npz"))
    assert again.run.extended == first.run.step
    assert anew not in again.notes
    list(again)
    list(whole)
    assert digest(again) == digest(whole)
    assert first.run.step + 12 <= whole.run.step < 500  # it was stopped again, by later evaluations


@pytest.mark.parametrize("length", [15, 20, 60])
def test_another_length_in_the_stable_phase_leaves_no_trace(length: int) -> None:
    changed = begin(steps=40, dropout=0.3)
    list(islice(changed, 10))
    changed.set_length(length)
    rates = [record.lr for record in changed]
    whole = begin(steps=length, dropout=0.3)
    assert [record.lr for record in whole][10:] == rates
    assert whole.params.flat.tobytes() == changed.params.flat.tobytes()
    assert whole.run.history.val == changed.run.history.val


def test_a_run_is_extended_from_its_stable_phase_without_a_trace_and_otherwise_with_a_note() -> None:
    whole = begin(steps=60)
    list(whole)
    for done, noted in ((28, False), (29, True)):
        first = begin(steps=40)
        list(islice(first, done))
        longer = train(first.corpus, model=first.model, steps=60)
        assert any("the result differs from that of such a run" in note for note in longer.notes) is noted
        list(longer)
        assert (longer.params.flat.tobytes() == whole.params.flat.tobytes()) is not noted


def test_another_peak_is_no_other_schedule() -> None:
    def schedule(lr: float, steps: int = 40) -> Schedule:
        return Schedule(Options(lr=lr, steps=steps), 10)

    for step in range(1, 41):
        for lr in (0.003, 0.007, 0.0113):
            assert schedule(lr).difference(schedule(0.01), step) == []
    assert schedule(0.003, 80).difference(schedule(0.01), 40)


def test_a_coarse_clock_measures_no_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    limit = TimeLimit(100.0, 60.0, 1000)
    assert [limit.steps(step, 500, step) for step in range(1, 30)] == [None] * 29


def test_the_time_decides_when_the_decay_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(seconds: float, slow: float = 1.0, **options: Any) -> tuple[Training, float]:
        clock, training = [100.0], begin(steps=1000, batch_size=2, seq_length=4, **options)
        training.limit = TimeLimit(clock[0], seconds, 1500)
        monkeypatch.setattr(time, "monotonic", lambda: clock[0])
        for record in training:
            clock[0] += 1.0 if record.step < 150 else slow
        return training, clock[0] - 100.0

    for seconds, slow in ((250.0, 1.0), (500.0, 1.5), (500.0, 0.5), (2000.0, 1.0)):
        training, took = run(seconds, slow)
        assert training.run.step == training.end
        assert took == pytest.approx(min(seconds, 1500.0), rel=0.1)
    assert training.end == 1500
    for seconds, slow in ((200.0, 1.5), (200.0, 0.5)):
        training, took = run(seconds, slow, schedule="constant")
        assert took == pytest.approx(seconds, abs=2.0 * slow)
        assert training.run.history.val[-1][0] == training.run.step == training.end  # the last weights are evaluated


def test_a_probe_changes_nothing() -> None:
    plain, probed = begin(steps=12, dropout=0.3), begin(steps=12, dropout=0.3)
    assert probed.probe(0.01) > 0.0
    assert [r.loss for r in probed] == [r.loss for r in plain]
    assert probed.params.flat.tobytes() == plain.params.flat.tobytes()


def test_another_text_or_other_options_do_not_resume(tmp_path: Path) -> None:
    first = begin(steps=5)
    list(first)
    with pytest.raises(TextError, match="not the text"):
        train(charrnn.Corpus.from_text(TEXT + "x"), model=first.model, steps=9)
    with pytest.raises(UsageError, match="contradicts"):
        train(charrnn.Corpus.from_text(TEXT), model=first.model, hidden_size=13)


def test_unknown_options_are_refused() -> None:
    with pytest.raises(UsageError, match="hiden_size"):
        train("x.txt", hiden_size=3)


def test_absurd_sizes_are_refused_before_they_are_allocated() -> None:
    with pytest.raises(UsageError, match=r"`hidden_size=1000000` .*needs [\d,.]+ GB.*try `hidden_size"):
        begin(hidden_size=1_000_000)


def test_a_corpus_brings_its_unit(tmp_path: Path) -> None:
    corpus = charrnn.Corpus.from_text("옛날 옛적에 호랑이가 살았다. " * 20, "jamo")
    training = train(corpus, hidden_size=8, steps=2)
    assert training.options.unit == "jamo"
    with pytest.raises(UsageError, match="made of jamos"):
        train(corpus, unit="char")


def test_resuming_does_not_change_the_model() -> None:
    first = begin(steps=8)
    list(first)
    model = first.model
    assert model.run is not None
    kept = (model.params.flat.copy(), model.run.step, list(model.run.history.train))
    list(train(charrnn.Corpus.from_text(TEXT), model=model, steps=12))
    np.testing.assert_array_equal(model.params.flat, kept[0])
    assert (model.run.step, model.run.history.train) == kept[1:]


def test_the_last_weights_saved_do_not_claim_to_be_the_best(tmp_path: Path) -> None:
    training = begin(steps=30)
    list(training)
    training.model.save(tmp_path / "m.npz")
    load(tmp_path / "m.npz", "last").save(tmp_path / "last.npz")
    again = load(tmp_path / "last.npz")
    assert again.run is not None
    assert again.run.best_loss is None
    np.testing.assert_array_equal(again.params.flat, training.params.flat)


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    training = begin(steps=np.int64(2), lr=np.float32(0.01), hidden_size=np.int32(8))
    list(training)
    training.model.save(tmp_path / "m.npz")
    run = load(tmp_path / "m.npz").run
    assert run is not None
    assert run.options.steps == 2


def test_a_held_out_loss_that_is_not_finite_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    training = begin(steps=30)
    next(training)
    monkeypatch.setattr(training, "score", lambda: Score(math.nan, 1, 0))
    with pytest.raises(DivergedError, match="validation loss is not finite"):
        list(training)


def test_versions_are_recorded_and_differences_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    first = begin(steps=3)
    list(first)
    model, corpus = first.model, charrnn.Corpus.from_text(TEXT)
    assert model.run is not None
    assert set(model.run.versions) == {"charrnn", "numpy", "blas", "blas_threads", "processor"}
    assert not [note for note in train(corpus, model=model, steps=4).notes if "last bits" in note]
    model.run.versions["numpy"] = "1.0 \x1b"
    (note,) = [note for note in train(corpus, model=model, steps=4).notes if "last bits" in note]
    assert note.startswith("numpy: ")
    model.run.versions.clear()
    assert not [note for note in train(corpus, model=model, steps=4).notes if "last bits" in note]


def test_squares_that_overflow_are_noticed() -> None:
    training = train(charrnn.Corpus.from_text(TEXT), **{**SMALL, "clip": 0.0}, steps=3)
    shard = training.learner.pool.worker.params
    add = shard.add

    def add_large() -> float:
        shard.grads[:] *= np.float32(1e25)
        return add()

    shard.add = add_large  # type: ignore[method-assign]
    with pytest.raises(DivergedError, match="its squared norm"):
        list(training)
