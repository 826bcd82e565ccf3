"""Writing text: streams of characters, one or many side by side.

A symbol is chosen in this order: what the unit, --ban, --no-repeat and --no-copy forbid gets no
probability; then the temperature, top-k, top-p and min-p, each on what the one before left; then one is drawn.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from charrnn.checkpoint.model import Model
from charrnn.checks import check_int
from charrnn.errors import UsageError
from charrnn.options import MOST_TEXTS
from charrnn.sampling.filters import Filter, draw, filters, log_probabilities, possible
from charrnn.sampling.generated_text import Writer
from charrnn.sampling.mixture import Mixture, open_streams
from charrnn.sampling.readers import encode_prime
from charrnn.sampling.rules import Copies
from charrnn.sampling.spelling import Spelling
from charrnn.text.vocab import Vocab

BATCH = 64  # texts that are written side by side


@dataclass(frozen=True)
class Manner:
    """How a text is written, beside its seed: how the next symbol is chosen, what must not come, and where it ends.

    `copies` are runs of characters that must not be written, such as `text.fingerprints.Runs` of a corpus.
    """

    temp: float = 0.8
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    ban: str = ""
    raw: bool = False
    no_repeat: int = 0
    copies: Copies | None = None
    stop: Sequence[str] = ()
    lines: int = 0

    def __post_init__(self) -> None:
        for name in ("no_repeat", "lines"):
            check_int(name, getattr(self, name), 0)
        if isinstance(self.stop, str) or not all(self.stop):
            raise UsageError("--stop is a text of at least one character, and there can be several.")

    @property
    def filters(self) -> list[Filter]:
        return filters(self.temp, self.top_k, self.top_p, self.min_p)

    def spelling(self, vocab: Vocab) -> Spelling:
        """What may be written with a vocabulary; raises UsageError where that is nothing."""
        if self.raw and vocab.unit != "byte":
            raise UsageError(
                f"--raw lets bytes out that are no UTF-8, and this model writes {vocab.unit}s: leave it out."
            )
        spelling = Spelling(vocab, self.ban, self.raw)
        mask = spelling.allowed()
        if mask is not None and not mask.any():
            raise UsageError("--ban leaves nothing to write." if self.ban else "the model knows no whole character.")
        return spelling

    def writer(self, spelling: Spelling, prime: str, seed: int) -> Writer:
        return Writer(
            spelling,
            seed,
            prime=prime,
            no_repeat=self.no_repeat,
            copies=self.copies,
            stop=self.stop,
            lines=self.lines,
        )


@dataclass(frozen=True)
class Written:
    """A text and the seed that drew it. `logprob` is the mean of ln p of its characters, None where it has none.

    p is what the model itself gives to the text after the prime, before any temperature or filter. `end` says why it
    ended, as in `Writer`.
    """

    text: str
    seed: int
    logprob: float | None
    end: str | None


def sample(
    model: Model | Mixture,
    length: int | None = None,
    *,
    prime: str = "",
    temp: float = 0.8,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    ban: str = "",
    raw: bool = False,
    no_repeat: int = 0,
    copies: Copies | None = None,
    stop: Sequence[str] = (),
    lines: int = 0,
    seed: int = 0,
    unknown: str = "error",
) -> Iterator[str]:
    """New text after `prime`, each character as soon as nothing that follows can change it.

    `length` is the most characters that are written (None: without end); it ends sooner before a text of `stop`,
    or with so many `lines`. The same seed gives the same text, and a longer one begins with the shorter.
    Raises UsageError for options outside their ranges and for characters in the prime that the model has never seen.
    """
    manner = Manner(temp, top_k, top_p, min_p, ban, raw, no_repeat, copies, stop, lines)
    if length is not None:
        check_int("length", length, 0)
    writers, steps = begin(model, manner, prime, [seed], unknown)
    return characters(writers[0], steps, length)


def characters(writer: Writer, steps: Iterator[None], length: int | None = None) -> Iterator[str]:
    """What a writer lets out, step by step; at most so many characters."""
    return islice(endless(writer, steps), length)


def endless(writer: Writer, steps: Iterator[None]) -> Iterator[str]:
    for _ in steps:
        if writer.out:
            yield from writer.take()


def sample_many(
    model: Model | Mixture,
    count: int,
    length: int,
    manner: Manner,
    *,
    prime: str = "",
    seed: int = 0,
    unknown: str = "error",
    scored: bool = False,
) -> Iterator[Written]:
    """`count` texts of at most `length` characters, computed side by side, in their order; text i is drawn by seed + i.

    Each is what `sample` gives with that seed, as long as rounding does not tip a draw. Errors as there.
    """
    check_int("count", count, 1, MOST_TEXTS)
    check_int("length", length, 0)
    begin(model, manner, prime, [seed], unknown)  # refuses what is wrong now, not when the first text is asked for
    groups = (range(seed + i, seed + min(i + BATCH, count)) for i in range(0, count, BATCH))
    return (text for seeds in groups for text in group(model, length, manner, prime, seeds, unknown, scored))


def group(
    model: Model | Mixture,
    length: int,
    manner: Manner,
    prime: str,
    seeds: Sequence[int],
    unknown: str,
    scored: bool,
) -> list[Written]:
    """The texts of these seeds."""
    writers, steps = begin(model, manner, prime, seeds, unknown, scored)
    for step, _ in enumerate(steps if length else (), 1):  # a symbol is a character at most
        if step >= length and all(writer.length >= length or writer.done for writer in writers):
            break
    found = []
    for writer in writers:
        whole = writer.take()
        text, end = whole[:length], writer.end if len(whole) <= length else None
        logs = writer.logs[: len(writer.unit.codes(text))]
        mean = sum(logs) / len(text) if scored and text else None
        found.append(Written(text, writer.seed, mean, end))
    return found


def begin(
    model: Model | Mixture, manner: Manner, prime: str, seeds: Sequence[int], unknown: str, scored: bool = False
) -> tuple[list[Writer], Iterator[None]]:
    """Writers of these seeds, and the steps in which they write: a symbol each, until all are done."""
    for seed in seeds:
        check_int("seed", seed, 0)
    chosen, spelling = manner.filters, manner.spelling(model.vocab)
    ids = encode_prime(model.vocab, prime, unknown)
    writers = [manner.writer(spelling, prime, seed) for seed in seeds]
    return writers, write(model, ids, writers, chosen, scored)


def write(
    model: Model | Mixture, prime: list[int], writers: list[Writer], chosen: list[Filter], scored: bool
) -> Iterator[None]:
    """The steps of these writers: what is drawn for each is pushed to it, and read."""
    readers, codes = open_streams(model, len(writers)), model.vocab.codes.tolist()
    readers.step_all(prime)
    free, simple = all(writer.free for writer in writers), all(writer.simple for writer in writers)
    while True:
        masks = [] if free else [writer.allowed() for writer in writers]
        if all(writer.done for writer in writers):
            yield
            return
        wide = possible(readers.logits, masks)
        drawn = draw(wide, chosen, [next(writer.uniforms) for writer in writers])
        if scored:
            for writer, log in zip(writers, log_probabilities(readers.logits, drawn), strict=True):
                writer.logs.append(log)
        for writer, index in zip(writers, drawn, strict=True):
            if simple:
                writer.add(chr(codes[index]))
            else:
                writer.push(codes[index])
        yield
        readers.step(drawn)
