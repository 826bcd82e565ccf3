"""The weight with which an n-gram model is mixed into a network: the one that fits a validation split best."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.evaluation.scan import STREAMS, WINDOW, cut, scan
from charrnn.evaluation.score import spelling_nats
from charrnn.nn.fast import engine
from charrnn.nn.interface import Predictor
from charrnn.nn.loss import softmax_nats
from charrnn.nn.ngram_model import NgramModel
from charrnn.text.corpus import Corpus, Segment

SMALLEST = 0.001  # weight of a part
BISECTIONS = 30
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mixing:
    """An n-gram model and its `weight`, which fits all of a validation split.

    `loss` is that of the mixture in nats per symbol, where each half of the split is scored with the weight that fits
    the other half.
    """

    ngram: NgramModel
    weight: float
    loss: float

    def as_dict(self) -> dict[str, float]:
        return {"order": self.ngram.order, "weight": self.weight, "nats": self.loss}


def fit_mixing(
    network: Predictor, ngram: Predictor, corpus: Corpus, segments: Sequence[Segment]
) -> tuple[float, float]:
    """The weight of `ngram` in a mixture with `network` that fits these segments, and the loss, as in `Mixing`."""
    p, q = (target_probabilities(model, corpus, segments) for model in (network, ngram))
    middle = len(p) // 2
    halves = slice(0, middle), slice(middle, None)
    losses = [nats(p[own], q[own], fitted(p[other], q[other])) for own, other in (halves, halves[::-1])]
    spelling = spelling_nats(corpus.ids, segments, corpus.vocab)
    return fitted(p, q), (sum(losses) + spelling) / len(p)


def target_probabilities(model: Predictor, corpus: Corpus, segments: Sequence[Segment]) -> Floats:
    """p (n,) of each symbol of the segments, in their order."""
    vocab, found, places = corpus.vocab, [], []
    pieces, reader = cut(segments, vocab.start, boundary=vocab.boundary), engine.reader(model, WINDOW, STREAMS)
    for logits, targets, at in scan(reader, corpus.ids, pieces, vocab.boundary):
        found.append(np.exp(-softmax_nats(logits, targets).astype(np.float64)))
        places.append(at)
    return np.concatenate(found)[np.argsort(np.concatenate(places))]


def fitted(p: Floats, q: Floats) -> float:
    """The weight w for which the mean of ln((1 - w) p + w q), a concave function of w, is largest."""
    low, high = SMALLEST, 1.0 - SMALLEST
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        slope = ((q - p) / (p + middle * (q - p))).sum()
        low, high = (middle, high) if slope > 0 else (low, middle)
    return (low + high) / 2


def nats(p: Floats, q: Floats, weight: float) -> float:
    return -float(np.log(p + weight * (q - p)).sum())
