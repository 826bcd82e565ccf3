"""Predicts how a text continues: the next characters, and whole continuations, with their probabilities.

All probabilities are those of sampling at a temperature: of a symbol, softmax(logits / temp) over the symbols that
the unit allows; of a text, the product over its symbols. If the last character could still grow (하 into 한), the
probability that it does not is another factor: the text is followed by the start of another character.
"""

import asyncio
import re
from collections.abc import Generator, Iterator, Sequence
from heapq import heappop, heappush
from itertools import count, islice
from math import exp, inf, log
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Mask
from charrnn.checkpoint.model import Model
from charrnn.editor.document import common_prefix
from charrnn.errors import UsageError
from charrnn.sampling.filters import mask_logits, probabilities, temperature
from charrnn.sampling.generated_text import uniforms
from charrnn.sampling.readers import encode_prompt, open_streams
from charrnn.sampling.sample import generate
from charrnn.sampling.spelling import Spelling
from charrnn.text.forms import known_form
from charrnn.text.units import UNITS, Decoder

CONTEXT = 2000  # between one and two times this number of characters before the cursor are read
MARK_EVERY = 64  # symbols between two saved states
PAUSE_EVERY = 128  # symbols read before the generator yields
DRAW_EVERY = 8  # symbols drawn before the generator yields
STREAMS = 4  # continuations at a time
CUT = 0.5  # a continuation is cut to whole words if at least this share of it remains
SURROGATE = re.compile("[\ud800-\udfff]")  # what UTF-8 cannot encode
Result = TypeVar("Result")
Probabilities = NDArray[np.float64]


class Continuation(NamedTuple):
    """A possible continuation; `nats` is the negative logarithm of its probability."""

    text: str
    nats: float

    @property
    def probability(self) -> float:
        return exp(-self.nats)

    @property
    def per_character(self) -> float:
        """The geometric mean of the probabilities of its characters."""
        return exp(-self.nats / len(self.text))


class Predictor:
    """Reads the text before the cursor with `model`, and predicts what follows.

    Symbols outside the vocabulary are skipped; `missing` are those of the text read last.
    """

    def __init__(self, model: Model, streams: int = STREAMS) -> None:
        self.streams, self.vocab, self.unit = streams, model.vocab, UNITS[model.vocab.unit]
        self.starts = self.vocab.starts
        self.spelling, self.spelling_of_texts = Spelling(self.vocab, several=False), Spelling(self.vocab)
        self.closes = self.unit.starts(self.vocab.codes)  # an end of text, too
        self.reader = open_streams(model, 1)
        self.batch = open_streams(model, streams)
        self.missing: list[str] = []
        self.start = 0  # of the characters that were read, in the text
        self.ids: list[int] = []  # what the reader has read
        self.marks = [(0, self.reader.state())]  # numbers of symbols, and the states after them

    def read(self, text: str) -> Generator[None, None, None]:
        """Reads the text before the cursor, from the last saved state that still applies; only the end of a long text.

        A generator that yields periodically, so that other tasks can run; it may be abandoned at any time.
        """
        start = max(len(text) // CONTEXT - 1, 0) * CONTEXT
        text = text[start:]
        try:
            ids, self.missing = encode_prompt(self.vocab, text, "error"), []
        except UsageError:
            ids, self.missing = (
                encode_prompt(self.vocab, text, "skip"),
                self.vocab.unknown(known_form(self.vocab, text)),
            )
        same = common_prefix(ids, self.ids) if start == self.start else 0
        if same < len(self.ids):
            while self.marks[-1][0] > same:
                self.marks.pop()
            same, state = self.marks[-1]
            self.reader.set_state(state)
        self.start, self.ids = start, ids[:same]
        while len(self.ids) < len(ids):
            done = len(self.ids)
            end = min((done // MARK_EVERY + 1) * MARK_EVERY, len(ids))
            self.reader.step_all(ids[done:end])
            self.ids = ids[:end]
            if end % MARK_EVERY == 0:
                self.marks.append((end, self.reader.state()))
            if end % PAUSE_EVERY == 0:
                yield

    def characters(self, limit: int, temp: float) -> list[tuple[str, float]]:
        """The `limit` most likely next characters with their probabilities, the most likely first."""
        return list(islice(((text, p) for text, p in self.outcomes(temp) if not SURROGATE.search(text)), limit))

    def outcomes(self, temp: float) -> Iterator[tuple[str, float]]:
        """All possible next characters with their probabilities, the most likely first.

        A best-first search in the tree of symbols, because a character may have several (the letters of a syllable,
        the bytes of UTF-8): a longer spelling is never more likely than its prefix. Bytes that are not valid UTF-8
        are surrogate escapes.
        """
        state, order = self.reader.state(), count()
        queue: list[tuple[float, int, Outcome, Iterator[Outcome]]] = []  # insertion order for ties

        def push(outcomes: Iterator[Outcome]) -> None:
            """Adds the first of the outcomes, which are sorted; the others follow one by one."""
            for outcome in islice(outcomes, 1):
                heappush(queue, (-outcome.probability, next(order), outcome, outcomes))

        push(ranked([], self.likely([], state, temp), state))
        while queue and queue[0][0] < 0.0:
            _, _, (probability, ids, before, ended), others = heappop(queue)
            push(others)
            decoder, text = self.decoded(ids)
            unfinished = decoder.flush()
            if ended or text or not unfinished:
                yield unfinished if ended else text, probability
                continue
            self.reader.set_state(before)
            self.reader.step_all(ids[-1:])
            after = self.reader.state()
            self.reader.set_state(state)
            p = probability * self.likely(ids, after, temp)
            push(iter([Outcome(float(p[self.starts].sum()), ids, after, True)]))  # it ends: another character starts
            push(ranked(ids, np.where(self.starts, 0.0, p), after))

    def likely(self, ids: list[int], state: Any, temp: float) -> Probabilities:
        """Probabilities (V,) of the symbol after `ids`, of which the last has been read."""
        logits = mask_logits(state[1][None], [self.spelling.allowed(self.decoded(ids)[0].held)])
        return cast(Probabilities, probabilities(logits, [temperature(temp)])[0])

    def decoded(self, ids: list[int]) -> tuple[Decoder, str]:
        """A decoder after these symbols, and its output."""
        decoder = self.unit.decoder()
        return decoder, "".join([decoder.push(code) for code in self.vocab.codes[ids].tolist()])

    def continuations(
        self, length: int, temp: float, seed: int, kept: Sequence[str] = ()
    ) -> Generator[None, None, list[Continuation]]:
        """Returns at most `streams` continuations of up to `length` characters, drawn with seed, seed + 1, ...

        The first ones continue those in `kept`, in their order; the others are sorted, the most likely first.
        A generator that yields periodically, so that other tasks can run.
        """
        starts = [*kept, *[""] * self.streams][: self.streams]
        texts = [Stream(self, text, length, seed + i) for i, text in enumerate(starts)]
        scale = [temperature(temp)]
        for k in range(self.streams):
            self.batch.set_state(self.reader.state(), k)
        for ids, _ in generate(self.batch, texts, scale):
            p = probabilities(mask_logits(self.batch.logits, [text.spelled for text in texts]), scale)
            closing = p @ self.closes
            for i, text in enumerate(texts):
                text.nats.append(minus_log(p[i, ids[i]]))
                text.closing.append(minus_log(closing[i]))
            if len(texts[0].nats) % DRAW_EVERY == 0:
                yield
        drawn = [self.scored(text) for text in texts]
        ordered = drawn[: len(kept)] + sorted(drawn[len(kept) :], key=lambda c: c.nats / max(len(c.text), 1))
        return [c for c in {c.text: c for c in reversed(ordered)}.values() if c.text][::-1]

    def scored(self, stream: "Stream") -> Continuation:
        """The text of a stream, cut to whole words, with its probability."""
        text = whole_words("".join(stream.texts), stream.limit, stream.least)
        ids = self.vocab.encode(text).tolist()
        nats = sum(stream.nats[: len(ids)])
        if self.decoded(ids)[0].flush():
            nats += stream.closing[len(ids)]
        return Continuation(text, nats)


class Outcome(NamedTuple):
    """The symbols of a character or the first of them; `before` is the state of the reader before the last one."""

    probability: float
    ids: list[int]
    before: Any
    ended: bool = False  # the character ends here, although it could grow


def ranked(ids: list[int], p: Probabilities, state: Any) -> Iterator[Outcome]:
    """`ids` followed by each symbol, the most likely first; `p` (V,) are the probabilities, `state` is after `ids`."""
    for index in map(int, np.argsort(-p, kind="stable")):
        yield Outcome(float(p[index]), [*ids, index], state)


class Stream:
    """A continuation that starts with `start`, while it is generated, until it has more than `limit` characters or the
    text ends.

    `nats` are those of each symbol; `closing` those of the event that a character starts at this symbol.
    `spelled` are the symbols (V,) that may come next by spelling, None for all.
    """

    def __init__(self, predictor: Predictor, start: str, limit: int, seed: int) -> None:
        self.spelling, self.closes = predictor.spelling_of_texts, predictor.closes
        self.limit, self.least, self.ended = limit, len(start), False
        self.decoder, self.uniform = predictor.unit.decoder(), uniforms(seed).__next__
        self.start: list[int] = predictor.vocab.encode(start).tolist()
        self.spelled: Mask | None = None
        self.texts: list[str] = []
        self.nats, self.closing = list[float](), list[float]()

    @property
    def done(self) -> bool:
        return self.ended or sum(map(len, self.texts)) > self.limit

    def allowed(self) -> Mask | None:
        """Only the next symbol of `start`, until they are used up; the symbol after them starts a character."""
        self.spelled, n = self.spelling.allowed(self.decoder.held), len(self.texts)
        if n < len(self.start):
            return cast(Mask, np.arange(len(self.closes)) == self.start[n])
        if n == len(self.start) > 0:
            return self.closes if self.spelled is None else self.spelled & self.closes
        return self.spelled

    def push(self, symbol: int) -> str:
        if self.ended:
            return ""
        self.ended = symbol == self.spelling.vocab.end_of_text
        self.texts.append(self.decoder.flush() if self.ended else self.decoder.push(self.spelling.codes[symbol]))
        return self.texts[-1]


async def run_in_turns(work: Generator[None, None, Result]) -> Result:
    """The return value of a generator; other tasks run whenever it yields."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return cast(Result, end.value)
        await asyncio.sleep(0)


def minus_log(probability: float) -> float:
    return -log(probability) if probability > 0.0 else inf


def whole_words(text: str, length: int, least: int = 0) -> str:
    """Up to `length` characters, cut to whole words and before the first character that is not valid UTF-8.

    A word is cut if it is long, or if fewer than `least` characters would be left.
    """
    bad = SURROGATE.search(text)
    end = min(length, bad.start() if bad else len(text))
    if end < len(text) and not text[end].isspace():
        word = next((i for i in range(end - 1, 0, -1) if text[i].isspace()), 0)
        end = word if word >= max(CUT * end, least) else end
    cut = text[:end]
    return cut if len(cut.rstrip()) < max(least, 1) else cut.rstrip()
