"""How well a model predicts a text or examples: cross entropy, accuracy, perplexity, bits per character."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Array, Ids, ceil_div
from charrnn.checkpoint.model import Model
from charrnn.errors import TextError, UsageError
from charrnn.evaluation.scan import STREAMS, WINDOW, Places, batches, cut, first_targets, group_count, read
from charrnn.nn.fast import engine
from charrnn.nn.interface import Predictor, Reader
from charrnn.nn.loss import softmax_nats
from charrnn.text.batches import Batch, Rows
from charrnn.text.corpus import Corpus, Segment
from charrnn.text.dataset import Dataset
from charrnn.text.ids import Symbols, pieces
from charrnn.text.vocab import UNKNOWN, Vocab

LARGEST_EXPONENT = 709.0  # of e, in float64


@dataclass(frozen=True)
class Score:
    """Sums over the scored symbols: `total` nats, their number, and the number predicted correctly.

    `chars` and `bytes` are the length of the same text in characters and in bytes of UTF-8, which makes models of
    different units comparable.
    """

    total: float
    symbols: int
    correct: int = 0
    chars: int = 0
    bytes: int = 0

    @property
    def nats(self) -> float:
        """The loss: mean nats per symbol."""
        return self.total / self.symbols

    @property
    def perplexity(self) -> float:
        return math.exp(self.nats) if self.nats < LARGEST_EXPONENT else math.inf

    @property
    def accuracy(self) -> float:
        return self.correct / self.symbols

    @property
    def bits_per_char(self) -> float:
        return self.total / math.log(2) / max(self.chars, 1)  # bytes that are not valid UTF-8 may spell none

    @property
    def bits_per_byte(self) -> float:
        return self.total / math.log(2) / self.bytes


def total_score(windows: Iterable[tuple[Array, Ids, Places]], replacement: int = UNKNOWN) -> Score:
    """The sums over windows of logits (n, V) and targets (n,); `replacement` is never predicted correctly."""
    total, symbols, correct = 0.0, 0, 0
    for logits, targets, _ in windows:
        correct += int(((logits.argmax(axis=-1) == targets) & (targets != replacement)).sum())
        total += float(softmax_nats(logits, targets).sum(dtype=np.float64))
        symbols += len(targets)
    return Score(total, symbols, correct)


def total_scores(network: Reader, batches: Iterable[Batch], replacement: int = UNKNOWN) -> Iterator[Score]:
    """The sums over each batch."""
    return (total_score(read(network, batch), replacement) for batch in batches)


ScoreBatches = Callable[[Reader, Iterable[Batch], int], Iterable[Score]]  # `total_scores`, or that of several ranks


def summed(scores: Iterable[Score]) -> Score:
    rows = [(score.total, score.symbols, score.correct) for score in scores]
    return Score(*map(sum, zip(*rows, strict=True)))


def text_scorer(
    model: Predictor, corpus: Corpus, segments: Sequence[Segment], score_batches: ScoreBatches = total_scores
) -> Callable[[], Score]:
    """A function that scores the segments with the weights as they are when it is called.

    It has its own network, so the carried state of a training run is not touched. A rare symbol costs its replacement
    plus the choice among the rare symbols, and is never predicted correctly.
    """
    network, vocab = engine.reader(model, WINDOW, STREAMS), corpus.vocab
    parts, spelling = cut(segments, vocab.start, boundary=vocab.boundary), spelling_nats(corpus.ids, segments, vocab)

    def score() -> Score:
        network.pack()
        groups = score_batches(network, batches(corpus.ids, parts, vocab.boundary), replacement_of(vocab))
        score = summed([total_score(first_targets(network, corpus.ids, parts), replacement_of(vocab)), *groups])
        return replace(score, total=score.total + spelling)

    return score


def replacement_of(vocab: Vocab) -> int:
    return UNKNOWN if vocab.replacement is None else vocab.replacement


def text_score(windows: Iterable[tuple[Array, Ids, Places]], vocab: Vocab, spelling: float) -> Score:
    """`total_score` of a text, plus the nats of its rare symbols (see `spelling_nats`)."""
    score = total_score(windows, replacement_of(vocab))
    return replace(score, total=score.total + spelling)


class Scorer:
    """Scores the targets of examples."""

    def __init__(self, model: Predictor, score_batches: ScoreBatches = total_scores) -> None:
        self.network, self.score_batches = engine.reader(model, WINDOW, STREAMS), score_batches

    def batches(self, rows: Rows) -> Iterator[tuple[Batch, Places]]:
        """Each group of streams as a whole, in complete windows, and the places (T, B) of its steps."""
        starts = rows.spread(STREAMS * group_count(rows.steps))
        ends = np.append(starts[1:], rows.steps)
        for group in (slice(first, first + STREAMS) for first in range(0, len(starts), STREAMS)):
            steps = WINDOW * ceil_div(int((ends - starts)[group].max()), WINDOW)
            places = starts[group] + np.arange(steps)[:, None]
            batch = rows.window(places)
            yield batch._replace(loss_mask=rows.loss_mask[places % rows.steps] & (places < ends[group])), places

    def windows(self, rows: Rows) -> Iterator[tuple[Array, Ids, Places]]:
        """Window by window: logits (n, V) and targets (n,) of the steps that have one, and their examples (n,)."""
        self.network.pack()
        for batch, places in self.batches(rows):
            for logits, targets, at in read(self.network, batch):
                yield logits, targets, np.searchsorted(rows.starts, places.flat[at], side="right") - 1

    def score(self, rows: Rows) -> Score:
        """The sums over all targets of the examples."""
        self.network.pack()
        return summed(self.score_batches(self.network, (batch for batch, _ in self.batches(rows)), UNKNOWN))

    def nats(self, rows: Rows) -> NDArray[np.float64]:
        """The nats of each example (E,), summed over its targets."""
        nats = np.zeros(len(rows))
        for logits, targets, examples in self.windows(rows):
            np.add.at(nats, examples, softmax_nats(logits, targets).astype(np.float64))
        return nats


Held = Sequence[Segment] | Rows  # the validation split of a text, or of examples


def symbols_of(held_out: Held) -> int:
    """The number of symbols that are read to score a validation split."""
    return held_out.steps if isinstance(held_out, Rows) else sum(map(len, held_out))


def scorer(
    model: Predictor, corpus: Dataset, held_out: Held, score_batches: ScoreBatches = total_scores
) -> Callable[[], Score]:
    """A function that scores the validation split of a text or of examples, like `text_scorer`."""
    if isinstance(held_out, Rows):
        return partial(Scorer(model, score_batches).score, held_out)
    assert isinstance(corpus, Corpus)
    return text_scorer(model, corpus, held_out, score_batches)


def evaluate(model: Model, corpus: Corpus, segments: Sequence[Segment] | None = None) -> Score:
    """The score of `model` on a corpus, or on these segments of it.

    The corpus must have been read with the model's vocabulary. Raises TextError if it was not, or if there is nothing
    to score.
    """
    return evaluate_with(lambda parts: text_scorer(model, corpus, parts)(), model, corpus, segments)


def evaluate_with(
    score_of: Callable[[Sequence[Segment]], Score], model: Model, corpus: Corpus, segments: Sequence[Segment] | None
) -> Score:
    """What `score_of` makes of the segments, with the length of the text, after the checks of `evaluate`."""
    if not isinstance(corpus, Corpus):
        raise UsageError(
            f"a corpus is scored, not a value of type {type(corpus).__name__}: pass "
            "charrnn.Corpus.from_text(text, vocab=model.vocab)."
        )
    segments = corpus.segments if segments is None else segments
    if corpus.vocab != model.of_text().vocab:
        raise TextError("the text was read with a different vocabulary: read it with vocab=model.vocab.")
    score = score_of(segments)
    chars, size = corpus.measure(segments)
    if not score.symbols or (corpus.vocab.end_of_text is not None and not size):
        raise TextError(f"{corpus.label} has no characters that the model knows, so there is nothing to score.")
    return replace(score, chars=chars, bytes=size)


def spelling_nats(ids: Symbols, segments: Sequence[Segment], vocab: Vocab) -> float:
    """Nats that identify the rare symbol, one of R equally likely ones, behind each replacement: ln R each."""
    if vocab.replacement is None:
        return 0.0
    parts = (ids[begin:end] for segment in segments for begin, end in pieces(segment.begin, segment.end))
    return sum(int(np.count_nonzero(part == vocab.replacement)) for part in parts) * math.log(len(vocab.rare))
