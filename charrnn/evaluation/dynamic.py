"""Dynamic evaluation: the weights adapt to a text while it is scored (Krause et al. 2018).

One stream reads the text in windows of `STEPS` steps. Each window is scored first; then one step of gradient descent on
its loss changes the weights. So no symbol is known before it is predicted.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from charrnn.arrays import Array, Ids
from charrnn.checkpoint.model import Model
from charrnn.checks import check_float
from charrnn.errors import DivergedError, UsageError
from charrnn.evaluation.scan import Places, cut, resets, windows
from charrnn.evaluation.score import Score, evaluate_with, spelling_nats, text_score
from charrnn.nn.fast import engine
from charrnn.nn.loss import cross_entropy
from charrnn.nn.optim import CHUNK, Optimizer, Status
from charrnn.nn.params import Params
from charrnn.text.corpus import Corpus, Segment

STEPS = 20  # per window
LR = 3e-4
DECAY = 1e-3  # the share of its distance from the trained weight that a weight loses per window
HORIZON = 1000  # windows in the mean of the squares


class Adaptation(Optimizer):
    """s = the mean of g² over all windows so far, later over about HORIZON, and w -= lr g / (sqrt(s) + eps).

    Krause et al. take the mean over the training text, which a model file does not contain.
    """

    vectors = ("s",)
    eps = 1e-8

    def rule(self, params: Array, grads: Array, *state: Array, lr: float, step: int) -> None:
        (s,) = state
        self.blend_square(s, grads, 1.0 - 1.0 / min(step, HORIZON))
        self.descend(params, grads, s, lr, self.eps)


def evaluate_dynamic(
    model: Model, corpus: Corpus, segments: Sequence[Segment] | None = None, lr: float = LR, decay: float = DECAY
) -> Score:
    """The score of `model` on a corpus, or on these segments of it, with weights that adapt to what has been scored.

    The adapted weights are a copy, from which the model does not change. `lr` is the learning rate; after each window,
    every weight also returns by the fraction `decay` of its distance to its trained value. Raises UsageError for a
    model that is not one of plain text, DivergedError if `lr` is too large, and TextError as `evaluate` does.
    """
    if not isinstance(model, Model):
        raise UsageError(f"the weights of one Model can adapt to a text, not a {type(model).__name__}: pass a Model.")
    model = model.of_network()
    check_float("lr", lr, at_least=0.0)
    check_float("decay", decay, at_least=0.0, at_most=1.0)

    def score(segments: Sequence[Segment]) -> Score:
        spelling = spelling_nats(corpus.ids, segments, corpus.vocab)
        return text_score(adapting_scan(model, corpus, segments, lr, decay), corpus.vocab, spelling)

    with np.errstate(all="ignore"):  # numbers that are not finite are noticed after each update
        return evaluate_with(score, model, corpus, segments)


def adapting_scan(
    model: Model, corpus: Corpus, segments: Sequence[Segment], lr: float, decay: float
) -> Iterator[tuple[Array, Ids, Places]]:
    """Logits (n, V), targets (n,) and their places (n,), window by window, like `scan`.

    A window changes the weights when the next one is asked for, with the gradient of the targets that were yielded.
    """
    params, boundary = model.params.copy(), corpus.vocab.boundary
    grads, optimizer = Params(params.shapes, params.flat.dtype), Adaptation(params.flat)
    network = engine.network(model.config, params, STEPS, 1, training=True)
    updates = 0
    for piece in cut(segments, corpus.vocab.start, sum(map(len, segments)), boundary=boundary):
        if piece.first == piece.begin:  # with no symbol before it, it is predicted from an empty state
            yield params["by"][None].copy(), corpus.ids[piece.begin : piece.begin + 1], np.array([piece.begin])
        network.reset()
        for symbols, places, scored in windows(corpus.ids, [piece], STEPS):
            inputs, targets = symbols[:-1], symbols[1:]
            logits = network.forward(inputs, None, resets(inputs, boundary))
            if scored.any():
                yield logits[scored], targets[scored], places[scored]
                updates += 1
                cross_entropy(logits, targets, STEPS, scored)  # turns the logits into their gradient
                network.backward(inputs, logits, grads)
                if decay:
                    approach(params.flat, model.params.flat, decay)
                if optimizer.update(params.flat, grads.flat, lr, updates) != Status.FINITE:
                    raise DivergedError(f"the adapted weights are not finite: choose an lr below {lr:g}.")
                network.pack()
            network.carry()


def approach(params: Array, origin: Array, decay: float) -> None:
    """params += decay (origin - params), in parts that stay in the cache."""
    for begin in range(0, len(params), CHUNK):
        part = params[begin : begin + CHUNK]
        part += decay * (origin[begin : begin + CHUNK] - part)
