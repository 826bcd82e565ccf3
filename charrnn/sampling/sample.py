"""Generating text, one or many texts in parallel: `generate` is the loop.

First, forbidden symbols are masked: those that cannot continue a valid syllable (jamo) or UTF-8 sequence (byte), and
those excluded by ban, no_repeat or copies. Then the filters apply: temperature, top-k, top-p and min-p, in this order.
Then one symbol is drawn.
"""

import sys
import unicodedata
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import filterfalse
from typing import Any, Protocol

import numpy as np

from charrnn.arrays import Mask, ceil_div
from charrnn.checkpoint.model import Model
from charrnn.checks import check_int, quoted
from charrnn.errors import UsageError
from charrnn.nn.interface import Stepper
from charrnn.nn.loss import log_softmax
from charrnn.options import MOST_TEXTS
from charrnn.sampling.filters import Filter, filters, mask_logits, sample_ids
from charrnn.sampling.generated_text import GeneratedText
from charrnn.sampling.mixture import Mixture
from charrnn.sampling.options import SamplingOptions
from charrnn.sampling.readers import encode_prompt, named, open_streams
from charrnn.sampling.spelling import Spelling
from charrnn.text.forms import composed, forms, known_form, unknown_count
from charrnn.text.units import UNITS
from charrnn.text.vocab import Vocab

BATCH = 64  # texts generated in parallel


class Text(Protocol):
    """One text, as `generate` sees it."""

    @property
    def done(self) -> bool: ...

    def allowed(self) -> Mask | None:
        """Which symbols (V,) may come next; None allows all of them."""

    def uniform(self) -> float:
        """The next random number in [0, 1)."""

    def push(self, symbol: int) -> str:
        """Appends the symbol with this id, and returns the characters that it makes certain."""


def generate(
    streams: Stepper, texts: Sequence[Text], filters: Sequence[Filter]
) -> Iterator[tuple[list[int], list[str]]]:
    """Draws one symbol per text and step until all texts are done; yields the ids and the characters now certain.

    When it yields, `streams.logits` are still those that the ids were drawn from.
    """
    while not all(text.done for text in texts):
        logits = mask_logits(streams.logits, [text.allowed() for text in texts])
        ids = sample_ids(logits, filters, [text.uniform() for text in texts])
        yield ids, [text.push(i) for text, i in zip(texts, ids, strict=True)]
        streams.step(ids)


@dataclass(frozen=True)
class Sample:
    """A generated text and its seed.

    `end` says why it ended: "length", "stop" (at a stop string or after the last line) or "stuck" (the constraints
    allowed no symbol). `logprob` is the mean of ln p per character, None for an empty text or if it was not computed;
    p is the model's own probability, before temperature and filters.
    """

    text: str
    seed: int
    logprob: float | None
    end: str | None


def sample(
    model: Model | Mixture,
    length: int | None = None,
    options: SamplingOptions | None = None,
    *,
    prompt: str = "",
    seed: int = 0,
    unknown: str = "error",
    workers: int = 1,
    **keywords: Any,
) -> Generator[str, None, str | None]:
    """Generates a text that continues `prompt`, character by character, each as soon as it is certain.

    At most `length` characters (None: no limit). `keywords` are fields of `SamplingOptions`, such as temp=0.5 or
    stop=["\\n"]; they replace those of `options`. Symbols of the prompt that the model does not know raise UsageError,
    unless unknown="skip". The same seed gives the same text, and a longer text starts with the shorter one.
    `workers` is the number of processes that compute the network, on Linux with x86-64; large networks gain from two.
    The generator returns why the text ended, as in `Sample`.
    Raises UsageError for options outside their ranges.
    """
    options = replace(options or SamplingOptions(), **keywords)
    check_workers(model, workers)
    return characters(Sampler(model, length, options, prompt, seed, unknown), seed, workers)


def characters(sampler: "Sampler", seed: int, workers: int) -> Generator[str, None, str | None]:
    streams, (text,) = sampler.start([seed], workers)
    for _, pieces in generate(streams, [text], sampler.filters):
        yield from pieces[0]
    return text.end


def sample_many(
    model: Model | Mixture,
    count: int,
    length: int,
    options: SamplingOptions | None = None,
    *,
    prompt: str = "",
    seed: int = 0,
    unknown: str = "error",
    scored: bool = False,
    workers: int = 1,
    **keywords: Any,
) -> Iterator[Sample]:
    """Generates `count` texts of at most `length` characters in parallel; text i has the seed `seed` + i.

    Each equals the text that `sample` generates with its seed, unless rounding changes a draw. With `scored`, the texts
    have a `logprob`. `workers` processes divide the texts among them, on Linux. The options are those of `sample`.
    Raises UsageError as `sample` does.
    """
    check_int("count", count, 1, MOST_TEXTS)
    check_workers(model, workers, count)
    sampler = Sampler(model, length, replace(options or SamplingOptions(), **keywords), prompt, seed, unknown)
    size = min(BATCH, ceil_div(count, workers))
    batches = [range(seed + i, seed + min(i + size, count)) for i in range(0, count, size)]
    if workers == 1 or len(batches) == 1:
        return (text for seeds in batches for text in sample_batch(seeds, sampler, scored, workers))
    from charrnn.sampling import parallel

    return parallel.in_turn(batches, partial(sample_batch, sampler=sampler, scored=scored), min(workers, len(batches)))


def sample_batch(seeds: Sequence[int], sampler: "Sampler", scored: bool, workers: int = 1) -> Iterator[Sample]:
    """The texts with these seeds, generated in parallel."""
    streams, texts = sampler.start(seeds, workers)
    steps, logprobs = list[list[str]](), list[list[float]]()
    for ids, pieces in generate(streams, texts, sampler.filters):
        steps.append(pieces)
        if scored:
            logprobs.append(log_softmax(streams.logits.astype(np.float64))[range(len(ids)), ids].tolist())
    for k, text in enumerate(texts):
        written, mean = "".join([pieces[k] for pieces in steps]), None
        if scored and written:  # symbols after the last released character do not count
            symbols = len(UNITS[sampler.model.vocab.unit].codes(written)) + text.silent
            mean = sum(row[k] for row in logprobs[:symbols]) / len(written)
        yield Sample(written, text.seed, mean, text.end)


class Sampler:
    """A model with checked options and an encoded prompt, from which texts are generated."""

    def __init__(
        self, model: Model | Mixture, length: int | None, options: SamplingOptions, prompt: str, seed: int, unknown: str
    ) -> None:
        if length is not None:
            check_int("length", length, 0)
        check_int("seed", seed, 0)
        unit = model.vocab.unit
        if options.raw and unit != "byte":
            raise UsageError(f"raw is for models of bytes, and this model writes {unit}s: remove it.", "raw")
        if options.texts and model.vocab.boundary is None:
            raise UsageError(
                "texts is for models that know where texts end: train on several files or `by_line`.", "texts"
            )
        self.model, self.length = model, length
        self.filters = filters(options.temp, options.top_k, options.top_p, options.min_p)
        self.ids = encode_prompt(model.vocab, prompt, unknown)
        self.prompt = known_form(model.vocab, prompt)
        self.spelling = Spelling(model.vocab, ban_of(model.vocab, options.ban), options.raw)
        self.options = replace(options, stop=stops_of(self.spelling, options.stop))
        mask = self.spelling.allowed()
        if mask is not None and not mask[: self.spelling.characters].any():
            if options.ban:
                raise UsageError("ban leaves no character to generate.", "ban")
            raise UsageError("the model knows no whole character.")
        if options.lines and not self.spelling.can_write("\n"):
            cr = "" if model.vocab.unknown("\r") else ", whose text ends its lines with CR"
            why = "banned" if "\n" in options.ban else f"unknown to the model{cr}"
            raise UsageError(f"lines never end, because the newline is {why}: limit the characters instead.", "lines")

    def start(self, seeds: Sequence[int], workers: int = 1) -> tuple[Stepper, list[GeneratedText]]:
        """Streams that have read the prompt, and an empty text per seed."""
        streams = open_streams(self.model, len(seeds), workers)
        streams.step_all(self.ids)
        return streams, [GeneratedText(self.spelling, self.options, self.length, self.prompt, seed) for seed in seeds]


def check_workers(model: Model | Mixture, workers: int, count: int = 1) -> None:
    """Raises UsageError unless this number of processes can compute one text, or divide several."""
    check_int("workers", workers, 1)
    if workers == 1:
        return
    if count > 1:
        if sys.platform != "linux":  # elsewhere, libraries of the system do not survive a fork
            raise UsageError("several workers need Linux: use `workers=1`.")
        return
    if isinstance(model, Mixture) or model.ngram:
        raise UsageError("several workers compute a single network, without an n-gram model: use `workers=1`.")
    from charrnn.nn.fast import parallel_stepper

    parallel_stepper.check_workers(model.config, workers)


def ban_of(vocab: Vocab, ban: str) -> str:
    """Banned characters, composed. Raises UsageError for one that the model writes as several characters."""
    ban = composed(ban)
    for character in ban:
        parts = unicodedata.normalize("NFD", character)
        if unknown_count(vocab, character) and len(parts) > 1 and not unknown_count(vocab, parts):
            names = " and ".join(map(named, parts))
            raise UsageError(
                f"ban cannot exclude {quoted(character)}, which this model writes as {names}: ban one of them.", "ban"
            )
    return ban


def stops_of(spelling: Spelling, stop: Sequence[str]) -> tuple[str, ...]:
    """The stop strings in all forms that can be generated. Raises UsageError if there are some, but none can."""
    found = [form for text in stop for form in forms(text, spelling.vocab.unit) if spelling.can_write(form)]
    if found or not stop:
        return tuple(dict.fromkeys(found))
    why = ""
    for character in filterfalse(spelling.can_write, stop[0]):
        state = "banned" if character in spelling.ban else "unknown to the model"
        why = why or f", because {named(character)} is {state}"
    raise UsageError(f"stop {quoted(stop[0])} can never be generated{why}: choose another string.", "stop")
