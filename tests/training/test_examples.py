"""Training on examples: it learns, it is resumed bit for bit, workers agree, and the file keeps the task."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import charrnn
from charrnn.checkpoint.model import VERSION
from charrnn.errors import ModelFileError, TextError
from charrnn.evaluation import scan
from charrnn.evaluation.score import Scorer
from charrnn.nn.fast.network import Network
from charrnn.nn.loss import cross_entropy
from charrnn.nn.params import Params
from charrnn.text.examples import Examples
from charrnn.text.tasks import Task
from charrnn.training.loop import Training

COPIES = [(word, word) for word in "ab ba aa bb abc cab bca acb bac cba".split()]  # noqa: SIM905
WORDS = [("vowel", w) for w in ("aei", "ioa", "eea", "ouo", "iau")] + [
    ("other", w) for w in ("bcd", "dbb", "ccd", "db")
]
SMALL = {"hidden_size": 16, "layers": 1, "batch_size": 4, "seq_length": 6, "dropout": 0.0, "lr": 0.01, "workers": 1}


def begin(kind: str, rows: list[tuple[str, str]], **options: Any) -> Training:
    return charrnn.train(Examples.of(rows, kind), **{**SMALL, "steps": 20, "val_fraction": 0.2, **options})


@pytest.mark.parametrize("kind", ["generate", "classify", "pairs"])
@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn", "mingru", "lru"])
def test_it_learns(kind: str, cell: str) -> None:
    rows = COPIES if kind == "pairs" else WORDS
    training = begin(kind, rows, cell=cell, steps=300, val_fraction=0.0)
    losses = [record.loss for record in training]
    # a text that follows its label still has its first letters to be guessed
    assert np.mean(losses[-20:]) < (0.9 if kind == "generate" else 0.2) < np.mean(losses[:5])


@pytest.mark.parametrize("kind", ["generate", "classify", "pairs"])
def test_a_run_is_resumed_bit_for_bit(kind: str, tmp_path: Path) -> None:
    rows = COPIES if kind == "pairs" else WORDS
    whole = begin(kind, rows, steps=25)
    list(whole)
    half = begin(kind, rows, steps=25)
    for _ in range(11):
        next(half)
    half.model.save(tmp_path / "m.npz")
    model = charrnn.load(tmp_path / "m.npz")
    assert model.task == half.source.task
    again = charrnn.train(Examples.of(rows, kind), model=model)
    list(again)
    np.testing.assert_array_equal(again.params.flat, whole.params.flat)
    assert again.run.history.val == whole.run.history.val


@pytest.mark.parametrize("kind", ["classify", "pairs"])
def test_workers_agree(kind: str) -> None:
    rows = COPIES if kind == "pairs" else WORDS
    options = {"steps": 12, "recurrent_dropout": 0.2, "activation_regularisation": 0.5}
    alone, together = begin(kind, rows, **options), begin(kind, rows, **options, workers=2)
    for one, other in zip(alone, together, strict=True):
        assert other.loss == pytest.approx(one.loss, rel=1e-4)
    np.testing.assert_allclose(together.params.flat, alone.params.flat, atol=1e-3)
    together.close()


@pytest.mark.parametrize("kind", ["generate", "classify", "pairs"])
def test_the_held_out_loss_is_that_of_the_examples_one_at_a_time(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    training = begin(kind, COPIES if kind == "pairs" else WORDS)
    list(training)
    examples, params = training.source, training.params
    assert isinstance(examples, Examples)
    rows = examples.numbered(examples.rows)
    scorer = Scorer(replace(training.latest, params=params))
    score = scorer.score(rows)
    assert score.symbols == rows.loss_mask.sum()
    nats = 0.0
    for begins, end in zip(rows.starts[:-1], rows.starts[1:], strict=True):
        part = slice(begins, end)
        logits = Network(training.config, params, end - begins, 1).forward(rows.inputs[part, None])
        nats += cross_entropy(logits, rows.targets[part, None], 1, rows.loss_mask[part, None])
    assert score.total == pytest.approx(nats, rel=1e-4)
    monkeypatch.setattr(scan, "LONGEST", 1)
    groups = scorer.score(rows)  # several groups of streams
    assert groups.symbols == score.symbols
    assert groups.total == pytest.approx(nats, rel=1e-4)


def test_the_file_keeps_the_task_and_a_text_has_none(tmp_path: Path) -> None:
    training = begin("classify", WORDS, steps=2)
    list(training)
    training.model.save(tmp_path / "m.npz")
    model = charrnn.load(tmp_path / "m.npz")
    assert model.task == Task("classify", ("other", "vowel"), (4, 5))
    assert model.config.vocab_size == len(model.vocab) + 2
    with np.load(tmp_path / "m.npz") as file:
        assert f'"version": {VERSION}'.encode() in file["meta"].tobytes()
    plain = charrnn.train(charrnn.Corpus.from_text("to be or not to be " * 9), hidden_size=8, steps=1)
    list(plain)
    plain.model.save(tmp_path / "p.npz")
    assert charrnn.load(tmp_path / "p.npz").task is None
    with np.load(tmp_path / "p.npz") as file:
        assert f'"version": {VERSION}'.encode() in file["meta"].tobytes()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "pairs"},
        {"kind": "sing"},
        {"labels": ["a", "a"]},
        {"labels": [1, 2]},
        {"counts": [1]},
        {"counts": [1, -1]},
        {"reverse": 1},
        {"more": 1},
    ],
)
def test_a_task_that_is_none_is_refused(change: dict[str, Any]) -> None:
    values = {"kind": "classify", "labels": ["a", "b"], "counts": [1, 2], "reverse": False}
    assert Task.from_dict(values).labels == ("a", "b")
    with pytest.raises(ValueError, match="task"):
        Task.from_dict({**values, **change})


def test_other_examples_are_not_resumed_with() -> None:
    training = begin("classify", WORDS, steps=2)
    next(training)
    with pytest.raises(TextError, match="is not the text"):
        charrnn.train(Examples.of(WORDS[1:], "classify"), model=training.model)


def test_weights_of_another_task_are_damage(tmp_path: Path) -> None:
    training = begin("pairs", COPIES, steps=1)
    list(training)
    model = training.model
    model.task = Task("generate", ("a", "b"), (1, 1))
    model.save(tmp_path / "m.npz")
    with pytest.raises(ModelFileError, match="damaged"):
        charrnn.load(tmp_path / "m.npz")
    assert isinstance(model.params, Params)


def test_a_step_without_a_target_has_the_loss_of_before() -> None:
    """Texts of 29 letters in windows of 4 steps: most have no target, and those with one are no jump."""
    rows = [(label, letter * 29) for label, letter in (("one", "a"), ("two", "b"), ("six", "c"))]
    training = begin("classify", rows, steps=60, batch_size=1, seq_length=4, val_fraction=0.0)
    records = list(training)
    assert not any(record.setback for record in records)
    scores = [training.streams.batch(record.step).has_targets for record in records]
    assert 5 < scores.count(True) < 15
    assert all(record.loss > 0.0 for record, scored in zip(records, scores, strict=True) if scored)
    after = [record.loss for record, scored in zip(records, scores, strict=True) if not scored and record.step > 10]
    assert min(after) > 0.0
