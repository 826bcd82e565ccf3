"""Classification: the probabilities of labels, accuracy, confusion matrix, macro-F1, and the most confident errors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Array
from charrnn.checkpoint.model import Model
from charrnn.errors import UsageError
from charrnn.evaluation.score import Scorer
from charrnn.nn.loss import log_softmax
from charrnn.text.batches import Rows
from charrnn.text.examples import encoded
from charrnn.text.tasks import Example

WORST = 10  # errors that are kept


@dataclass(frozen=True)
class Grade:
    """How many of the `examples` are predicted exactly."""

    examples: int
    exact: int

    @property
    def accuracy(self) -> float:
        return self.exact / self.examples

    @property
    def error(self) -> float:
        """The standard error of the accuracy."""
        return float(np.sqrt(self.accuracy * (1.0 - self.accuracy) / self.examples))


@dataclass(frozen=True)
class Labelled(Grade):
    """Graded labels. `confusion` (L, L): rows are the true labels, columns the predicted ones. `mistakes` are the most
    confident errors, as (text, label, predicted, p(predicted)).
    """

    labels: tuple[str, ...]
    confusion: NDArray[np.int64]
    mistakes: list[tuple[str, str, str, float]]

    @property
    def f1(self) -> float:
        """Macro-F1: the mean of F1 over the labels that have examples."""
        right, rows, columns = np.diag(self.confusion), self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        present = rows > 0
        return float((2.0 * right[present] / (rows + columns)[present]).mean())


def grade_labels(model: Model, rows: Sequence[Example]) -> Labelled:
    """Classifies the texts of examples (label, text). Raises UsageError if there are none, or for other labels."""
    labels = labels_of(model)
    if not rows or (other := {label for label, _ in rows} - set(labels)):
        raise UsageError(f"the model has no label {min(other)!r}." if rows else "there are no examples to grade.")
    true = np.array([labels.index(label) for label, _ in rows])
    logs = classify(model, [text for _, text in rows])
    predicted, confusion = logs.argmax(axis=1), np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (true, predicted), 1)
    wrong = [k for k in np.argsort(-logs.max(axis=1), kind="stable").tolist() if true[k] != predicted[k]]
    mistakes = [(rows[k][1], rows[k][0], labels[predicted[k]], float(np.exp(logs[k].max()))) for k in wrong[:WORST]]
    return Labelled(len(rows), int(np.trace(confusion)), labels, confusion, mistakes)


def labels_of(model: Model) -> tuple[str, ...]:
    """The labels of a model; raises UsageError if it has none."""
    if model.task is None or not model.task.labels:
        text = "the model was trained on a text, which has no labels."
        raise UsageError(model.task.instead(model.path) if model.task else text)
    return model.task.labels


def classify(model: Model, texts: Sequence[str]) -> Array:
    """ln p(label | text), (K, L), the labels in the order of the task; unknown symbols of the texts are skipped.

    A text without known symbols has the prior of the labels.
    A model that generates by label classifies by Bayes' rule: p(label | text) ∝ p(text | label) p(label), where
    p(label) is the share of the label among the examples. Raises UsageError if the model has no labels.
    """
    labels, task = labels_of(model), model.task
    assert task is not None
    if isinstance(texts, str):
        raise UsageError("texts is a list of texts, not a string.")
    if not texts:
        return np.zeros((0, len(labels)))
    if task.kind == "generate":  # a newline would end the text
        texts = [text.replace("\n", " ") for text in texts]
    scorer, ids = Scorer(model), [encoded(model.vocab, text) for text in texts]
    if task.kind == "classify":
        rows = Rows.of([task.steps(model.vocab, one, 0) for one in ids])
        logs: Array = np.zeros((len(texts), len(labels)))
        for logits, _, examples in scorer.windows(rows):
            logs[examples] = logits[:, len(model.vocab) :]
    else:
        rows_of = [Rows.of([task.steps(model.vocab, one, k) for one in ids]) for k in range(len(labels))]
        logs = np.log(np.array(task.counts, float)) - np.stack([scorer.nats(rows) for rows in rows_of], axis=1)
    return log_softmax(logs)
