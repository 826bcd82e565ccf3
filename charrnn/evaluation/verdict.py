"""How a model compares with the baselines, whether it underfits or overfits, and what to try next, in words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from charrnn.checkpoint.model import Model
from charrnn.errors import TextError
from charrnn.evaluation.baselines import Baselines, compute_baselines
from charrnn.evaluation.score import Score, evaluate, text_scorer
from charrnn.options import Options
from charrnn.text.corpus import Corpus, Segment

SMALL_TEXT = 20_000  # symbols
EQUAL_BITS = 0.005  # per character
RISEN = 1.01  # times the best validation loss: above it, the loss has risen
SMALL_GAP = 0.05  # of the validation loss: at most this gap to the training loss means underfitting
FEW_EPOCHS = 3.0
USUAL_RATES = {"adam": 0.01, "rmsprop": 0.01, "adagrad": 0.1, "sgd": 1.0}
LARGE_RATE, SMALL_RATE = 20.0, 0.02  # times the usual learning rate
LARGE_DROPOUT = 0.75
NOTHING_LEFT = 0.01  # nats
# validation losses in nats of planned runs on two cores by minutes, for a text with this SHA-256: see docs/learning.md
REACHED = {
    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed": {
        1: 1.468,
        3: 1.420,
        10: 1.379,
        60: 1.342,
    },  # tinyshakespeare
    "c83e2ced9e779414bf5c40069ba94c35f971b26fb22e61c96e4be9ef80708185": {1: 1.204},  # tales
    "7a3b6eadbecc5f7f9d34a7ec75a57e91b752d82a563d9217d6d2caadb3f7d1c1": {1: 2.415},  # iyagi
}
FALLEN = 0.01  # of the validation loss, in the last quarter of the run: more means that it is still falling


@dataclass(frozen=True)
class FitSummary:
    """How a network fits its training text, in nats per symbol.

    `train` and `held_out` are the losses of the same weights without dropout: on the validation split, and on an equal
    amount of training text. `curve` holds pairs of step and validation loss of the run, which lasted `epochs` and was
    set back a number of times. `guessing` is the loss of the uniform distribution.
    """

    train: float
    held_out: float
    curve: Sequence[tuple[int, float]]
    symbols: int
    epochs: float | None = None
    options: Options | None = None
    setbacks: int = 0
    guessing: float = math.inf


@dataclass(frozen=True)
class Comparison:
    """A model compared with the baselines, and the verdict in words."""

    baselines: Baselines
    verdict: str

    def as_dict(self) -> dict[str, Any]:
        return {"baselines": self.baselines.as_dict(), "verdict": self.verdict}


def compare(model: Model, corpus: Corpus, score: Score | None = None) -> Comparison:
    """Compares a model's `score` on the validation split of its training corpus with the baselines.

    It is computed unless it is given. Raises TextError if the corpus has no validation split.
    """
    options = model.run.options if model.run else Options(val_fraction=0.0)
    train, held_out = corpus.split(options.val_fraction, options.seed)
    if not held_out:
        raise TextError(f"{corpus.label} has no validation split to compare on.")
    score = score or evaluate(model, corpus, held_out)
    baselines = compute_baselines(train, corpus, held_out)
    fit = summarize_fit(model, corpus, held_out, score.nats) if model.config.layers else None
    return Comparison(baselines, verdict(score.bits_per_char, baselines, fit) + reached(corpus, options))


def reached(corpus: Corpus, options: Options) -> str:
    """What planned runs reached on this text, with the usual validation split; empty if it is not a known one."""
    if (corpus.vocab.unit, corpus.vocab.by_line, options.val_fraction) != ("char", False, Options.val_fraction):
        return ""
    runs = [f"{loss:.3f} nats with --minutes {n}" for n, loss in REACHED.get(corpus.sha256, {}).items()]
    return f" On two cores, planned runs on this text reached {', '.join(runs)}." if runs else ""


def summarize_fit(model: Model, corpus: Corpus, held_out: Sequence[Segment], loss: float) -> FitSummary:
    """How a network fits its training corpus, given its `loss` on the validation split `held_out`.

    With an n-gram model `loss` is that of both, and the network is scored alone.
    """
    if model.ngram:
        model = model.of_network()
        loss = text_scorer(model, corpus, held_out)().nats
    seen = corpus.seen(held_out)
    train = text_scorer(model, corpus, seen)().nats if seen else loss
    return fit_of_run(model, train, loss, len(corpus.ids) - sum(map(len, held_out)), math.log(len(corpus.vocab)))


def fit_of_run(model: Model, train: float, held_out: float, symbols: int, guessing: float = math.inf) -> FitSummary:
    """The fit of a model with these losses, and what its run records."""
    run = model.run
    if run is None:
        return FitSummary(train, held_out, [], symbols, guessing=guessing)
    epochs, setbacks = run.step / run.windows, len(run.health.setbacks)
    return FitSummary(train, held_out, run.history.val, symbols, epochs, run.options, setbacks, guessing)


def verdict(bits_per_char: float, baselines: Baselines, fit: FitSummary | None = None) -> str:
    """One line: how the bits per character compare with the baselines, and the advice that follows from the fit."""
    comparison = compare_to_baselines(bits_per_char, baselines)
    if fit is None:
        return comparison
    nothing_learned = bits_per_char > baselines.unigram.bits_per_char + EQUAL_BITS
    poor = bits_per_char > baselines.best.bits_per_char + EQUAL_BITS
    return f"{comparison} {problem(fit, poor, nothing_learned) or advice(fit)}"


def compare_to_baselines(bits: float, baselines: Baselines) -> str:
    best = f"the {baselines.best.name}, the strongest count-based baseline"
    gain = baselines.best.bits_per_char - bits
    if bits > baselines.unigram.bits_per_char + EQUAL_BITS:
        return "Worse than the unigram, which knows only character frequencies: the model has hardly learned anything."
    if abs(gain) <= EQUAL_BITS:
        return f"On par with {best}."
    return f"{'Better' if gain > 0 else 'Worse'} than {best}, by {abs(gain):.2f} bits per character."


def problem(fit: FitSummary, poor: bool, nothing_learned: bool) -> str:
    """What is wrong with the options or the split, and what to try; empty if nothing is.

    `poor`: the model is worse than a baseline; `nothing_learned`: than one that ignores the context.
    """
    options, losses = fit.options, losses_of(fit)
    rate, usual = (options.lr, USUAL_RATES[options.optimizer]) if options else (1.0, 1.0)
    if poor and (rate > LARGE_RATE * usual or (fit.setbacks and nothing_learned)):
        diverged = ", and the training diverged" if fit.setbacks else ""
        return f"The learning rate {rate:g} is too large ({losses}{diverged}): try --lr {min(usual, rate / 4):g}."
    if fit.held_out > fit.guessing > fit.train:
        return (
            f"The validation split is unlike the training split: its loss is above that of guessing ({losses}, "
            f"guessing {fit.guessing:.2f}). Shuffle the parts of the text, or name texts of one kind."
        )
    if not poor or options is None:
        return ""
    if rate < SMALL_RATE * usual:
        return f"The learning rate {rate:g} is too small ({losses}): try --lr {usual:g}."
    if options.dropout >= LARGE_DROPOUT:
        return f"Dropout {options.dropout:g} is too much ({losses}): try --dropout 0.2."
    return f"Undertrained ({losses}): try more steps." if nothing_learned else ""


def losses_of(fit: FitSummary) -> str:
    return f"training loss {fit.train:.2f}, validation loss {fit.held_out:.2f} nats"


def advice(fit: FitSummary, data: str = "text", small: str = "") -> str:
    """Whether the model underfits or overfits or there is too little `data`, and what to try.

    `small` says that there is too little; by default it depends on the number of symbols.
    """
    losses = losses_of(fit)
    best, since = min(((loss, step) for step, loss in fit.curve), default=(fit.held_out, 0))
    earlier = [loss for step, loss in fit.curve if step <= 0.75 * fit.curve[-1][0]]
    risen = bool(fit.curve) and fit.curve[-1][1] > RISEN * best and fit.train < fit.held_out
    falling = bool(earlier) and fit.curve[-1][1] < (1 - FALLEN) * earlier[-1]
    if max(fit.train, fit.held_out) < NOTHING_LEFT:
        return f"Almost nothing is left to learn ({losses})."
    if fit.epochs is not None and fit.epochs < FEW_EPOCHS and not risen:
        return f"Undertrained ({losses}, {fit.epochs:.1f} epochs): try more steps."
    if not small and data == "text" and fit.symbols < SMALL_TEXT:
        small = f"The training text is very small ({fit.symbols:,} symbols): more text would help most."
    if small:
        return small
    if risen:
        return f"Overfitting since step {since:,} ({losses}): try more {data}, more dropout, or a smaller network."
    if fit.held_out - fit.train <= SMALL_GAP * fit.held_out:
        remedies = "more steps, or a larger network" if falling else "a larger network, or more steps"
        return f"Underfitting ({losses}): try {remedies}."
    if falling:
        return f"The validation loss was still falling ({losses}): try more steps."
    return f"Generalisation gap ({losses}): more {data} or more dropout would help most."
