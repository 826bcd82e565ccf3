"""Whether a model's score is good, and what to try next, in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from charrnn.checkpoint.model import Model
from charrnn.errors import TextError
from charrnn.evaluation.baselines import Baselines, baselines
from charrnn.evaluation.score import Evaluator, Score
from charrnn.text.corpus import Corpus, Segment

SMALL_TEXT = 20_000  # symbols
EQUAL_BITS = 0.005  # per character
TURNED = 1.01  # so far above its best a held-out loss has turned
CLOSE = 0.05  # of the held-out loss: what training and held-out loss differ by at most in a network that underfits
FEW_EPOCHS = 3.0
FALLING = 0.01  # of the held-out loss, in the last quarter of the run


@dataclass(frozen=True)
class Fit:
    """How a network fits the text that it was trained on, in nats per symbol.

    `train` and `held_out` are the losses of the same weights, without dropout, on as much of the training text as is
    held out, and on that; `curve` holds pairs of step and held-out loss of the run, which read the text `epochs` times.
    """

    train: float
    held_out: float
    curve: Sequence[tuple[int, float]]
    symbols: int
    epochs: float | None = None


@dataclass(frozen=True)
class Judged:
    """A model's score set beside the baselines, and what that means."""

    baselines: Baselines
    verdict: str

    def as_dict(self) -> dict[str, Any]:
        return {"baselines": self.baselines.as_dict(), "verdict": self.verdict}


def judge(model: Model, corpus: Corpus, score: Score) -> Judged:
    """What a score on the held-out part of the corpus of a model's run is worth.

    Raises TextError where nothing of it was held out.
    """
    train, held_out = corpus.split(model.run.options.val_fraction if model.run else 0.0)
    if not held_out:
        raise TextError(f"nothing of {corpus.label} was held out to compare on.")
    rivals = baselines(train, corpus, held_out)
    return Judged(rivals, verdict(score.bits_per_char, rivals, fit(model, corpus, held_out, score.nats)))


def fit(model: Model, corpus: Corpus, held_out: Sequence[Segment], loss: float) -> Fit:
    """How a model of a run fits its corpus, of which `held_out` is scored with `loss`."""
    known = [Segment(s.file_begin, max(s.file_begin, s.begin - len(s)), s.begin) for s in held_out]
    known = [segment for segment in known if len(segment)]
    curve = model.run.history.val if model.run else []
    train = Evaluator(model.config, model.params, model.vocab).score(corpus.ids, known).nats if known else loss
    epochs = model.run.step / model.run.windows if model.run else None
    return Fit(train, loss, curve, len(corpus.ids) - sum(map(len, held_out)), epochs)


def verdict(bits_per_char: float, rivals: Baselines, fit: Fit | None = None) -> str:
    """One line: how a model's bits per character stand beside the baselines', and what its fit says to try."""
    return " ".join([beside(bits_per_char, rivals), *([advice(fit)] if fit else [])])


def beside(bits: float, rivals: Baselines) -> str:
    ahead = rivals.best.bits_per_char - bits
    name = rivals.best.name
    if bits > rivals.unigram.bits_per_char + EQUAL_BITS:
        return "Worse than the unigram, which knows only how often each character occurs: it has hardly begun to learn."
    if abs(ahead) <= EQUAL_BITS:
        return f"As good as the {name}, the best that counting can do."
    if ahead < 0:
        return f"The {name} is still better, by {-ahead:.2f} bits per character."
    return f"Better than the {name} by {ahead:.2f} bits per character: it has learned more than counting can."


def advice(fit: Fit) -> str:
    """Underfitting, overfitting, too small a text, or none of them."""
    losses = f"training {fit.train:.2f}, held out {fit.held_out:.2f} nats"
    best = min((loss for _, loss in fit.curve), default=fit.held_out)
    falling = is_falling(fit.curve)
    if fit.symbols < SMALL_TEXT:
        return f"With {fit.symbols:,} symbols the text is very small: more text would help most."
    if fit.curve and fit.curve[-1][1] > TURNED * best and fit.train < fit.held_out:
        step = min(step for step, loss in fit.curve if loss == best)
        return f"Overfitting since step {step:,} ({losses}): try more text, more dropout, or a smaller network."
    if fit.held_out - fit.train <= CLOSE * fit.held_out:
        tail = "a longer training, or a larger network" if falling else "a larger network, or a longer training"
        return f"Underfitting ({losses}): try {tail}."
    if falling:
        return f"Still falling when it ended ({losses}): try a longer training."
    if fit.epochs is not None and fit.epochs < FEW_EPOCHS:
        return f"Early days ({losses}, the text was read {fit.epochs:.1f} times): try a longer training."
    return f"It knows the training text better than the rest ({losses}): more text or more dropout would help most."


def is_falling(curve: Sequence[tuple[int, float]]) -> bool:
    """Whether the held-out loss fell clearly in the last quarter of the run."""
    if len(curve) < 2:
        return False
    end, last = curve[-1]
    before = [loss for step, loss in curve if step <= 0.75 * end]
    return bool(before) and last < (1 - FALLING) * before[-1]
