"""How well a network predicts a text: every character scored once, in streams side by side.

The symbols to score are cut into at most `STREAMS` pieces of equal length; each piece is read by a network
of its own that starts from nothing `WARM_UP` symbols before it, so that the answer is the same however it
is computed, and quick.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Array, Ids
from charrnn.checkpoint.model import Model
from charrnn.errors import TextError
from charrnn.evaluation.scan import STREAMS, WINDOW, Line, cut
from charrnn.nn.fast import engine
from charrnn.nn.loss import softmax_nats
from charrnn.nn.params import Config, Params
from charrnn.text.batches import Rows
from charrnn.text.corpus import Corpus, Segment
from charrnn.text.examples import Examples
from charrnn.text.ids import Symbols, pieces
from charrnn.text.vocab import UNKNOWN, Vocab

if TYPE_CHECKING:
    from charrnn.text.corpus import Segment


LARGEST_EXPONENT = 709.0


@dataclass(frozen=True)
class Score:
    """Sums over the scored symbols: `total` nats, `symbols`, how many were guessed right (`correct`).

    `chars` and `bytes` count the same text in characters and in bytes of UTF-8, so that models of different
    units can be compared.
    """

    total: float
    symbols: int
    correct: int
    chars: int = 0
    bytes: int = 0

    @property
    def nats(self) -> float:
        """Mean nats per symbol: the loss."""
        return self.total / self.symbols

    @property
    def perplexity(self) -> float:
        return math.exp(self.nats) if self.nats < LARGEST_EXPONENT else math.inf

    @property
    def accuracy(self) -> float:
        return self.correct / self.symbols

    @property
    def bits_per_char(self) -> float:
        return self.total / math.log(2) / max(self.chars, 1)  # bytes that are no UTF-8 may spell none

    @property
    def bits_per_byte(self) -> float:
        return self.total / math.log(2) / self.bytes


class Evaluator:
    """Scores texts with a network of its own, so that a training's carried state is left alone."""

    def __init__(self, config: Config, params: Params, vocab: Vocab) -> None:
        self.network = engine.network(config, params, WINDOW, STREAMS)
        self.params, self.vocab, self.newline = params, vocab, vocab.newline
        self.replacement = UNKNOWN if vocab.replacement is None else vocab.replacement

    def score(self, ids: Symbols, segments: Sequence[Segment]) -> Score:
        """The sums over every symbol of the segments (the first of a file counts as after a newline).

        A rare symbol is never guessed right, and costs what its replacement does and what it takes to say which it is.
        """
        self.network.pack()
        total, symbols, correct = spelling_nats(ids, segments, self.vocab), 0, 0
        pieces = cut(segments)
        for group in range(0, len(pieces), STREAMS):
            lines = [Line(ids, piece, self.newline) for piece in pieces[group : group + STREAMS]]
            more = self._score_lines([line for line in lines if len(line) > 1])
            total, symbols, correct = total + more[0], symbols + more[1], correct + more[2]
        first = [int(ids[p.begin : p.begin + 1][0]) for p in pieces if p.starts_file and self.newline is None]
        if first:  # nothing stands before these: they are predicted from an empty state
            logits = np.tile(self.params["by"], (len(first), 1, 1))
            right = (logits.argmax(axis=-1)[:, 0] == first) & (np.array(first) != self.replacement)
            correct += int(right.sum())
            total += float(softmax_nats(logits, np.array(first)[:, None]).sum(dtype=np.float64))
        return Score(total, symbols + len(first), correct)

    def _score_lines(self, lines: list[Line]) -> tuple[float, int, int]:
        steps = max((len(line) - 1 for line in lines), default=0)
        self.network.reset()
        total, symbols, correct = 0.0, 0, 0
        for begin in range(0, steps, WINDOW):
            size = min(WINDOW, steps - begin)
            window = np.zeros((size + 1, STREAMS), dtype=np.intp)
            mask = np.zeros((size, STREAMS), dtype=bool)
            for column, line in enumerate(lines):
                line.put(begin, window[:, column], mask[:, column])
            logits = self.network.forward(window[:-1])
            right = (logits.argmax(axis=-1) == window[1:]) & (window[1:] != self.replacement)
            correct += int((right & mask).sum())
            nats: Array = softmax_nats(logits, window[1:])
            total += float(nats[mask].sum(dtype=np.float64))
            symbols += int(mask.sum())
            self.network.carry()
        return total, symbols, correct


class Scorer:
    """Scores examples likewise: every step that carries a target counts once."""

    def __init__(self, config: Config, params: Params) -> None:
        self.network = engine.network(config, params, WINDOW, STREAMS)

    def windows(self, rows: Rows) -> Iterator[tuple[Array, Ids, NDArray[np.intp]]]:
        """Window by window: the logits (n, V) and the targets (n,) of the steps that are scored, and their places."""
        self.network.pack()
        starts = rows.spread(STREAMS)
        ends = np.append(starts[1:], rows.steps)
        for begin in range(0, int((ends - starts).max(initial=0)), WINDOW):
            places = starts + np.arange(begin, begin + WINDOW)[:, None]
            inputs, targets, _, fresh = rows.window(places)
            mask = rows.scored[places % rows.steps] & (places < ends)
            logits = self.network.forward(inputs, None, fresh)
            yield logits[mask], targets[mask], places[mask]
            self.network.carry()

    def score(self, rows: Rows) -> Score:
        """The sums over the targets of the examples."""
        total, correct = 0.0, 0
        for logits, targets, _ in self.windows(rows):
            correct += int((logits.argmax(axis=-1) == targets).sum())
            total += float(softmax_nats(logits, targets).sum(dtype=np.float64))
        return Score(total, int(rows.scored.sum()), correct)

    def nats(self, rows: Rows) -> NDArray[np.float64]:
        """The nats of each example (E,), over all of its targets."""
        found = np.zeros(len(rows))
        for logits, targets, places in self.windows(rows):
            owners = np.searchsorted(rows.begins, places, side="right") - 1
            np.add.at(found, owners, softmax_nats(logits, targets).astype(np.float64))
        return found


Held = Sequence[Segment] | Rows  # what is held out of a text, or of examples


def symbols_of(held_out: Held) -> int:
    """How many symbols are read to score what is held out."""
    return held_out.steps if isinstance(held_out, Rows) else sum(map(len, held_out))


def scorer(config: Config, params: Params, corpus: Corpus | Examples, held_out: Held) -> Callable[[], Score]:
    """Scores what is held out with the weights as they are when it is called."""
    if isinstance(corpus, Examples) or isinstance(held_out, Rows):
        assert isinstance(held_out, Rows)
        return partial(Scorer(config, params).score, held_out)
    return partial(Evaluator(config, params, corpus.vocab).score, corpus.ids, held_out)


def evaluate(model: Model, corpus: Corpus, segments: Sequence[Segment] | None = None) -> Score:
    """The score of `model` on a corpus, or on these segments of it.

    The corpus has to be numbered by the model's vocabulary. Raises TextError where nothing can be scored.
    """
    segments = corpus.segments if segments is None else segments
    if corpus.vocab != model.of_text().vocab:
        raise TextError("the text is numbered by another vocabulary: read it with vocab=model.vocab.")
    score = Evaluator(model.config, model.params, model.vocab).score(corpus.ids, segments)
    if not score.symbols:
        raise TextError(f"{corpus.label} holds no character that the model could be scored on.")
    return Score(score.total, score.symbols, score.correct, *corpus.measure(segments))


def spelling_nats(ids: Symbols, segments: "Sequence[Segment]", vocab: Vocab) -> float:
    """Nats, in all the segments, to say which of R rare symbols each replacement stands for: ln R, each as likely."""
    if vocab.replacement is None:
        return 0.0
    parts = [part for segment in segments for part in pieces(segment.begin, segment.end)]
    number = sum(int(np.count_nonzero(ids[begin:end] == vocab.replacement)) for begin, end in parts)
    return number * math.log(len(vocab.rare))
