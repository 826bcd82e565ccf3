"""How a model compares with the baselines, whether it underfits or overfits, and what to try next, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from charrnn.checkpoint.model import Model
from charrnn.errors import TextError
from charrnn.evaluation.baselines import Baselines, compute_baselines
from charrnn.evaluation.score import Score, text_scorer
from charrnn.text.corpus import Corpus, Segment

SMALL_TEXT = 20_000  # symbols
EQUAL_BITS = 0.005  # per character
RISEN = 1.01  # times the best validation loss: above it, the loss has risen
SMALL_GAP = 0.05  # of the validation loss: at most this gap to the training loss means underfitting
FEW_EPOCHS = 3.0
FALLEN = 0.01  # of the validation loss, in the last quarter of the run: more means that it is still falling


@dataclass(frozen=True)
class FitSummary:
    """How a network fits its training text, in nats per symbol.

    `train` and `held_out` are the losses of the same weights without dropout: on the validation split, and on an equal
    amount of training text. `curve` holds pairs of step and validation loss of the run, which lasted `epochs`.
    """

    train: float
    held_out: float
    curve: Sequence[tuple[int, float]]
    symbols: int
    epochs: float | None = None


@dataclass(frozen=True)
class Comparison:
    """A model compared with the baselines, and the verdict in words."""

    baselines: Baselines
    verdict: str

    def as_dict(self) -> dict[str, Any]:
        return {"baselines": self.baselines.as_dict(), "verdict": self.verdict}


def compare(model: Model, corpus: Corpus, score: Score) -> Comparison:
    """Compares a model's `score` on the validation split of its training corpus with the baselines.

    Raises TextError if the corpus has no validation split.
    """
    train, held_out = corpus.split(model.run.options.val_fraction if model.run else 0.0)
    if not held_out:
        raise TextError(f"{corpus.label} has no validation split to compare on.")
    baselines = compute_baselines(train, corpus, held_out)
    fit = summarize_fit(model, corpus, held_out, score.nats)
    return Comparison(baselines, verdict(score.bits_per_char, baselines, fit))


def summarize_fit(model: Model, corpus: Corpus, held_out: Sequence[Segment], loss: float) -> FitSummary:
    """How a model fits its training corpus, given its `loss` on the validation split `held_out`."""
    seen = [Segment(s.file_begin, max(s.file_begin, s.begin - len(s)), s.begin) for s in held_out]
    seen = [segment for segment in seen if len(segment)]
    train = text_scorer(model.config, model.params, corpus, seen)().nats if seen else loss
    curve, epochs = (model.run.history.val, model.run.step / model.run.windows) if model.run else ([], None)
    return FitSummary(train, loss, curve, len(corpus.ids) - sum(map(len, held_out)), epochs)


def verdict(bits_per_char: float, baselines: Baselines, fit: FitSummary | None = None) -> str:
    """One line: how the bits per character compare with the baselines, and the advice that follows from the fit."""
    comparison = compare_to_baselines(bits_per_char, baselines)
    return f"{comparison} {advice(fit)}" if fit else comparison


def compare_to_baselines(bits: float, baselines: Baselines) -> str:
    best = f"the {baselines.best.name}, the strongest count-based baseline"
    gain = baselines.best.bits_per_char - bits
    if bits > baselines.unigram.bits_per_char + EQUAL_BITS:
        return "Worse than the unigram, which knows only character frequencies: the model has hardly learned anything."
    if abs(gain) <= EQUAL_BITS:
        return f"On par with {best}."
    return f"{'Better' if gain > 0 else 'Worse'} than {best}, by {abs(gain):.2f} bits per character."


def advice(fit: FitSummary) -> str:
    """Whether the model underfits or overfits or the text is too small, and what to try."""
    losses = f"training loss {fit.train:.2f}, validation loss {fit.held_out:.2f} nats"
    best, since = min(((loss, step) for step, loss in fit.curve), default=(fit.held_out, 0))
    earlier = [loss for step, loss in fit.curve if step <= 0.75 * fit.curve[-1][0]]
    falling = bool(earlier) and fit.curve[-1][1] < (1 - FALLEN) * earlier[-1]
    if fit.symbols < SMALL_TEXT:
        return f"The training text is very small ({fit.symbols:,} symbols): more text would help most."
    if fit.curve and fit.curve[-1][1] > RISEN * best and fit.train < fit.held_out:
        return f"Overfitting since step {since:,} ({losses}): try more text, more dropout, or a smaller network."
    if fit.held_out - fit.train <= SMALL_GAP * fit.held_out:
        remedies = "more steps, or a larger network" if falling else "a larger network, or more steps"
        return f"Underfitting ({losses}): try {remedies}."
    if falling:
        return f"The validation loss was still falling ({losses}): try more steps."
    if fit.epochs is not None and fit.epochs < FEW_EPOCHS:
        return f"Undertrained ({losses}, {fit.epochs:.1f} epochs): try more steps."
    return f"Generalisation gap ({losses}): more text or more dropout would help most."
