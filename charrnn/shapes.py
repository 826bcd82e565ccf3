"""What models of examples are used for: telling labels, writing by label, and writing a target for a source."""

from collections.abc import Sequence

import numpy as np

from charrnn.checkpoint.model import Model
from charrnn.errors import UsageError
from charrnn.evaluation import Scorer
from charrnn.sampling.conditional import Logs
from charrnn.text.batches import Rows
from charrnn.text.examples import encoded


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
