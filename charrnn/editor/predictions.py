"""A model that reads along with a text, and says how it might go on: next characters, and whole continuations.

All probabilities are those of `charrnn.sampling` at a temperature: of a symbol, softmax(logits / temp) among what the
unit allows; of a text, the product over its symbols. Where the last character could still grow (하 into 한), the
probability that it does not is a factor, too: it is that of *this text and then something else*.
"""

import asyncio
from collections.abc import Generator, Iterator, Sequence
from heapq import heappop, heappush
from itertools import count as numbers
from math import exp, inf, log
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Mask
from charrnn.checkpoint.model import Model
from charrnn.editor.document import shared
from charrnn.errors import UsageError
from charrnn.sampling.filters import mask_logits, probabilities, temperature
from charrnn.sampling.generated_text import uniforms
from charrnn.sampling.readers import encode_prompt, open_streams
from charrnn.sampling.sample import generate
from charrnn.sampling.spelling import Spelling
from charrnn.text.units import UNITS, Decoder

CONTEXT = 2000  # characters that are read at least, where the text has as many; at most twice as many
MARK_EVERY = 64  # symbols between states that are kept, to go back to
PAUSE_EVERY = 128  # symbols read before others get a turn
DRAW_EVERY = 8  # symbols drawn before others get a turn
STREAMS = 4  # continuations at a time
CUT = 0.5  # a continuation ends with a whole word, where that costs no more than this share of it
Result = TypeVar("Result")
Probabilities = NDArray[np.float64]


class Continuation(NamedTuple):
    """A text that might come next; `nats` is minus the logarithm of its probability."""

    text: str
    nats: float

    @property
    def probability(self) -> float:
        return exp(-self.nats)

    @property
    def per_character(self) -> float:
        """The probability of a character, as the geometric mean over the text."""
        return exp(-self.nats / len(self.text))


class Companion:
    """Reads with `model`; `missing` are the symbols of what was read last that the model has never seen.

    What is not known is left out, as `sample --unknown skip` does.
    """

    def __init__(self, model: Model, streams: int = STREAMS) -> None:
        self.model, self.streams = model, streams
        self.vocab, self.unit = model.vocab, UNITS[model.vocab.unit]
        self.starts = self.unit.starts(self.vocab.codes)
        self.spelling = Spelling(self.vocab)
        self.reader = open_streams(model, 1)
        self.batch = open_streams(model, streams)
        self.missing: list[str] = []
        self.begin = 0  # of what was read, in the text
        self.ids: list[int] = []
        self.marks = [(0, self.reader.state())]

    def read(self, text: str) -> Generator[None, None, None]:
        """Reads what stands before the cursor, as far as it is not what was read before.

        A stream of turns for others; the reading is complete when it ends. Of a long text only the end is read:
        the last CONTEXT characters at least.
        """
        begin = max(len(text) // CONTEXT - 1, 0) * CONTEXT
        ids = self.encode(text[begin:])
        same = shared(ids, self.ids) if begin == self.begin else 0
        if same < len(self.ids) or begin != self.begin:
            while self.marks[-1][0] > same:
                self.marks.pop()
            same, state = self.marks[-1]
            self.reader.set_state(state)
        self.begin, self.ids = begin, ids[:same]  # always what the reader has read, also where this is left midway
        while len(self.ids) < len(ids):
            done = len(self.ids)
            end = min((done // MARK_EVERY + 1) * MARK_EVERY, len(ids))
            self.reader.step_all(ids[done:end])
            self.ids = ids[:end]
            if end % MARK_EVERY == 0:
                self.marks.append((end, self.reader.state()))
            if end % PAUSE_EVERY == 0:
                yield

    def encode(self, text: str) -> list[int]:
        try:
            ids, self.missing = encode_prompt(self.vocab, text, "error"), []
        except UsageError:
            ids, self.missing = encode_prompt(self.vocab, text, "skip"), self.vocab.unknown(text)
        return ids

    def characters(self, count: int, temp: float) -> list[tuple[str, float]]:
        """The `count` likeliest next characters and their probabilities, the likeliest first."""
        found: list[tuple[str, float]] = []
        for text, probability in self.outcomes(temp):
            if len(found) == count:
                break
            if is_text(text):
                found.append((text, probability))
        return found

    def outcomes(self, temp: float) -> Iterator[tuple[str, float]]:
        """What the next character can be, the likeliest first, until all probability is used up.

        A character of several symbols (a syllable of letters, bytes of UTF-8) is followed through the tree of symbols,
        always where most probability is left: no character that comes later can be likelier. Bytes that are no
        character come out as surrogate escapes.
        """
        home, order = self.reader.state(), numbers()
        root = Beginning([], self.likely([], home, temp), home)
        # what is next in its order: (minus the probability, tie-breaker, spelling, rank) or a text that is complete
        heap: list[tuple[float, int, Beginning | str, int]] = [(-root.best(0), next(order), root, 0)]
        while heap:
            negative, _, at, rank = heappop(heap)
            probability = -negative
            if probability <= 0.0:
                return
            if isinstance(at, str):
                yield at, probability
                continue
            if rank + 1 < len(at.order):
                heappush(heap, (-at.best(rank + 1), next(order), at, rank + 1))
            index = int(at.order[rank])
            ids = [*at.ids, index]
            decoder, text = self.decoded(ids)
            held = decoder.flush()
            if text or not held:
                yield text, probability
                continue
            self.reader.set_state(at.state)
            self.reader.step_all([index])
            state = self.reader.state()
            self.reader.set_state(home)
            p = probability * self.likely(ids, state, temp)
            heappush(heap, (-float(p[self.starts].sum()), next(order), held, 0))
            deeper = Beginning(ids, np.where(self.starts, 0.0, p), state)
            heappush(heap, (-deeper.best(0), next(order), deeper, 0))

    def likely(self, ids: list[int], state: Any, temp: float) -> Probabilities:
        """Probabilities (V,) of the symbol after `ids`, of which the last has been read."""
        logits = mask_logits(state[1][None], [self.spelling.allowed(self.decoded(ids)[0].held)])
        p: Probabilities = probabilities(logits, [temperature(temp)])[0]
        return p

    def decoded(self, ids: list[int]) -> tuple[Decoder, str]:
        """A decoder after these symbols, and what it gave out."""
        decoder = self.unit.decoder()
        return decoder, "".join([decoder.push(code) for code in self.vocab.codes[ids].tolist()])

    def continuations(
        self, length: int, temp: float, seed: int, kept: Sequence[str] = ()
    ) -> Generator[None, None, list[Continuation]]:
        """Texts of up to `length` characters that may come next, drawn by seed, seed + 1, ...; at most `streams`.

        Those in `kept` are taken up first, and go on; they stay in their order, the others follow, the likeliest first.
        A stream of turns for others; it returns what was found.
        """
        starts = [*kept, *[""] * self.streams][: self.streams]
        texts = [Stream(self.spelling, text, length, seed + i) for i, text in enumerate(starts)]
        scale = [temperature(temp)]
        for k in range(self.streams):
            self.batch.set_state(self.reader.state(), k)
        for ids, _ in generate(self.batch, texts, scale):
            p = probabilities(mask_logits(self.batch.logits, [text.spelled for text in texts]), scale)
            closing = p @ self.starts
            for i, text in enumerate(texts):
                text.score(float(p[i, ids[i]]), float(closing[i]))
            if len(texts[0].nats) % DRAW_EVERY == 0:
                yield
        found = [self.scored(text, length) for text in texts]
        ordered = found[: len(kept)] + sorted(found[len(kept) :], key=lambda c: c.nats / max(len(c.text), 1))
        return [c for c in {c.text: c for c in reversed(ordered)}.values() if c.text][::-1]

    def scored(self, stream: "Stream", length: int) -> Continuation:
        """A stream's text, cut to whole words, and its probability."""
        text = whole_words("".join(stream.texts), length, stream.least)
        ids = self.vocab.encode(text).tolist()
        nats = sum(stream.nats[: len(ids)])
        if self.decoded(ids)[0].flush():
            nats += stream.closing[len(ids)]
        return Continuation(text, nats)


class Beginning:
    """Symbols that begin a character, and how likely each symbol after them is, beginning and all."""

    def __init__(self, ids: list[int], probabilities: Probabilities, state: Any) -> None:
        self.ids, self.probabilities, self.state = ids, probabilities, state
        self.order = np.argsort(-probabilities, kind="stable")

    def best(self, rank: int) -> float:
        return float(self.probabilities[self.order[rank]])


class Stream:
    """A continuation that starts with `start`, while it is generated, until it has more than `limit` characters.

    `nats` are those of each symbol; `closing` those of the event that a new character starts at this symbol.
    `spelled` are the symbols (V,) that may come next by spelling, None for all.
    """

    def __init__(self, spelling: Spelling, start: str, limit: int, seed: int) -> None:
        self.spelling, self.limit, self.least = spelling, limit, len(start)
        self.decoder, self.uniform = UNITS[spelling.vocab.unit].decoder(), uniforms(seed).__next__
        self.start: list[int] = spelling.vocab.encode(start).tolist()
        self.starts = UNITS[spelling.vocab.unit].starts(spelling.vocab.codes)
        self.spelled: Mask | None = None
        self.texts: list[str] = []
        self.length = 0
        self.nats: list[float] = []
        self.closing: list[float] = []

    @property
    def done(self) -> bool:
        return self.length > self.limit

    def allowed(self) -> Mask | None:
        """The given symbol while there are any; the first symbol after them starts a character."""
        self.spelled, n = self.spelling.allowed(self.decoder.held), len(self.texts)
        if n < len(self.start):
            return cast(Mask, np.arange(len(self.starts)) == self.start[n])
        if n == len(self.start) > 0:
            return self.starts if self.spelled is None else self.spelled & self.starts
        return self.spelled

    def push(self, symbol: int) -> str:
        self.texts.append(self.decoder.push(self.spelling.codes[symbol]))
        self.length += len(self.texts[-1])
        return self.texts[-1]

    def score(self, probability: float, closing: float) -> None:
        """The probabilities of the symbol that was pushed last, and that a character started there."""
        self.nats.append(minus_log(probability))
        self.closing.append(minus_log(closing))


def finished(work: Generator[None, None, Result]) -> Result:
    """What a stream of turns returns, for who need not share."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return cast(Result, end.value)


async def turns(work: Generator[None, None, Result]) -> Result:
    """The same, for who shares: between the turns, others have theirs."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return cast(Result, end.value)
        await asyncio.sleep(0)


def minus_log(probability: float) -> float:
    return -log(probability) if probability > 0.0 else inf


def is_text(text: str) -> bool:
    """Whether it can be written in UTF-8."""
    return not any("\ud800" <= c <= "\udfff" for c in text)


def whole_words(text: str, length: int, least: int = 0) -> str:
    """Up to `length` characters, without half a word at the end, and without what is no text.

    A word is halved where it is long, or where fewer than `least` characters would be left.
    """
    bad = next((i for i, c in enumerate(text) if not is_text(c)), len(text))
    end = min(length, bad)
    if end < len(text) and not text[end].isspace():
        word = next((i for i in range(end - 1, 0, -1) if text[i].isspace()), 0)
        end = word if word >= max(CUT * end, least) else end
    cut = text[:end]
    return cut if len(cut.rstrip()) < max(least, 1) else cut.rstrip()
