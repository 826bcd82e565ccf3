"""How good a model of examples is: labels that are right, targets that are right, and what it gets wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoint.model import Model
from charrnn.errors import UsageError
from charrnn.evaluation.score import Scorer
from charrnn.sampling.conditional import Logs
from charrnn.text.batches import Rows
from charrnn.text.examples import Example, encoded

WORST = 10  # mistakes that are kept


@dataclass(frozen=True)
class Labelled:
    """`confusion` (L, L): examples of a label (row) that were given one (column); `mistakes` the most confident ones,
    as (text, label, given, p(given)). `f1` is the mean over the labels that have examples (macro-F1).
    """

    labels: tuple[str, ...]
    confusion: NDArray[np.int64]
    mistakes: list[tuple[str, str, str, float]]

    @property
    def examples(self) -> int:
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        return int(np.trace(self.confusion)) / self.examples

    @property
    def error(self) -> float:
        """The standard error of the accuracy."""
        return float(np.sqrt(self.accuracy * (1.0 - self.accuracy) / self.examples))

    @property
    def f1(self) -> float:
        right, rows, columns = np.diag(self.confusion), self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        there = rows > 0
        return float((2.0 * right[there] / (rows + columns)[there]).mean())


def grade_labels(model: Model, rows: Sequence[Example]) -> Labelled:
    """How well a model tells the labels of examples (label, text); all labels have to be the model's."""
    labels = tells_labels(model)
    place = {label: k for k, label in enumerate(labels)}
    wanted = np.array([place[label] for label, _ in rows])
    logs = classify(model, [text for _, text in rows])
    given, confusion = logs.argmax(axis=1), np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (wanted, given), 1)
    wrong = [k for k in np.argsort(-logs.max(axis=1), kind="stable").tolist() if wanted[k] != given[k]]
    mistakes = [(rows[k][1], rows[k][0], labels[given[k]], float(np.exp(logs[k].max()))) for k in wrong[:WORST]]
    return Labelled(labels, confusion, mistakes)


def tells_labels(model: Model) -> tuple[str, ...]:
    """The labels of a model; raises UsageError where it has none."""
    if model.task is None or not model.task.labels:
        raise UsageError(model.task.instead if model.task else "the model was trained on a text, which has no labels.")
    return model.task.labels


def classify(model: Model, texts: Sequence[str]) -> Logs:
    """ln p(label | text), (K, L), the labels in the task's order; symbols that the model does not know are left out.

    A model that writes by label tells labels by Bayes' rule: p(label | text) ∝ p(text | label) p(label), where
    p(label) is how often the label occurs among the examples.
    """
    labels, task = tells_labels(model), model.task
    assert task is not None
    if not texts:
        return np.zeros((0, len(labels)))
    scorer, ids = Scorer(model.config, model.params), [encoded(model.vocab, text) for text in texts]
    if task.kind == "classify":
        rows = Rows.of([task.steps(model.vocab, one, 0) for one in ids])
        logs = np.zeros((len(texts), len(labels)))
        for logits, _, places in scorer.windows(rows):
            logs[np.searchsorted(rows.begins, places, side="right") - 1] = logits[:, len(model.vocab) :]
    else:
        rows_of = [Rows.of([task.steps(model.vocab, one, k) for one in ids]) for k in range(len(labels))]
        logs = np.log(np.array(task.counts, float)) - np.stack([scorer.nats(rows) for rows in rows_of], axis=1)
    logs -= logs.max(axis=1, keepdims=True)
    logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
    return logs
