"""The verdict on models of examples: figures, simplest answers, and advice."""

import json
import random
from typing import Any

import pytest

from charrnn.evaluation.graded import MOST, graded, spread
from charrnn.text.examples import Examples
from charrnn.text.tasks import Example
from charrnn.training.train import train
from tests.cli.test_train import Command, charrnn

__all__ = ["charrnn"]


def labelled() -> list[Example]:
    draw = random.Random(1)
    texts = {"a": "xyz", "b": "pqr", "most": "klm"}
    return [(label, "".join(draw.choices(texts[label], k=6))) for label in ["a", "b", "most", "most"] * 30]


def test_a_classifier_is_compared_with_the_most_frequent_label() -> None:
    training = train(Examples.of(labelled(), "classify"), steps=60, hidden_size=16, layers=1, lr=0.02)
    list(training)
    found = graded(training.model, training.source)  # type: ignore[arg-type]
    assert found is not None
    assert found.figures == {"examples": 12, "accuracy": 1.0, "most_frequent": 0.5}
    assert found.verdict == "Correct for 12 of 12 validation examples (100.0%); the most frequent label, most: 50.0%."


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"steps": 1}, "Undertrained"),
        ({"steps": 30, "lr": 100.0}, "The learning rate 100 is too large"),
        ({"steps": 30, "lr": 1e-9}, "The learning rate 1e-09 is too small"),
    ],
)
def test_pairs_that_are_not_learned_get_advice(options: dict[str, Any], wanted: str) -> None:
    rows = [(f"{a}+{b}", str(a + b)) for a in range(10) for b in range(10)]
    training = train(Examples.of(rows, "pairs"), hidden_size=8, layers=1, **options)
    list(training)
    found = graded(training.model, training.source)  # type: ignore[arg-type]
    assert found is not None
    assert set(found.figures) == {"examples", "exact", "character_error_rate", "most_frequent"}
    assert found.verdict.startswith("Exact on ")
    assert wanted in found.verdict


def test_texts_by_label_are_compared_with_n_grams() -> None:
    training = train(Examples.of(labelled(), "generate"), steps=100, hidden_size=16, layers=1, lr=0.02)
    list(training)
    found = graded(training.model, training.source)  # type: ignore[arg-type]
    assert found is not None
    # three equally probable letters, once the label is known; the n-grams do not know it
    assert 1.2 < found.figures["bits_per_char"] < found.figures["ngram"] < found.figures["unigram"] < 3.5
    assert found.verdict.startswith("Better than the ")


def test_examples_without_a_validation_split_have_no_verdict() -> None:
    training = train(Examples.of(labelled(), "classify"), steps=2, hidden_size=4, layers=1, val_fraction=0.0)
    list(training)
    assert graded(training.model, training.source) is None  # type: ignore[arg-type]


def test_at_most_some_examples_are_graded() -> None:
    rows = [(str(k), "") for k in range(501)]
    assert len(spread(rows, MOST)) == 167
    assert spread(rows[:5], MOST) == rows[:5]


def test_the_end_of_a_training_on_pairs_has_a_verdict(charrnn: Command, tmp_path: object) -> None:
    with open(f"{tmp_path}/pairs.tsv", "w") as file:
        file.writelines(f"{k}\t{k}{k}\n" for k in range(60))
    words = ("train", "--pairs", "pairs.tsv", "--hidden-size", "8", "--steps", "3", "--workers", "1")
    code, out, err = charrnn(*words, "--json", "--force")
    assert code == 0
    last = json.loads(out.splitlines()[-1])
    assert (last["examples"], last["step"], last["exact"]) == (6, 3, 0.0)
    assert last["verdict"] in err
    assert last["verdict"].startswith("Exact on 0 of 6 validation pairs (0.0%, character error rate ")
    assert "Exact on" not in charrnn(*words, "--no-baselines", "--force")[2]
