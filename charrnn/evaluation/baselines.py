"""What a model's score is to be judged by: uniform, unigram, n-grams and xz, on the same characters."""

import lzma
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from charrnn.evaluation import ngram
from charrnn.evaluation.score import spelling_nats
from charrnn.text.corpus import Corpus, Segment
from charrnn.text.ids import Symbols, pieces
from charrnn.text.vocab import Vocab

MOST_BYTES = 10_000_000  # of the training text, its last ones, are counted and packed
LARGEST_DICTIONARY = 1 << 25  # of xz: more than are packed before the held-out text


@dataclass(frozen=True)
class Baseline:
    """Nats in all for the scored `symbols`, which spell `chars` characters."""

    name: str
    total: float
    symbols: int
    chars: int

    @property
    def nats(self) -> float:
        """Mean nats per symbol, as a model's loss."""
        return self.total / self.symbols

    @property
    def bits_per_char(self) -> float:
        return self.total / math.log(2) / max(self.chars, 1)

    def as_dict(self) -> dict[str, float]:
        return {"nats": self.nats, "bits_per_char": self.bits_per_char}


@dataclass(frozen=True)
class Baselines:
    """All of them; `ngrams` by order, from 1, the unigram, on. `counted` symbols of the training text were used."""

    uniform: Baseline
    ngrams: tuple[Baseline, ...]
    xz: Baseline
    counted: int

    @property
    def unigram(self) -> Baseline:
        return self.ngrams[0]

    @property
    def best(self) -> Baseline:
        """The n-gram that predicts best."""
        return min(self.ngrams, key=lambda ngram: ngram.total)

    @property
    def order(self) -> int:
        """That n-gram's order."""
        return self.ngrams.index(self.best) + 1

    @property
    def rows(self) -> list[Baseline]:
        """Those to show: one n-gram only."""
        return [self.uniform, self.unigram, *([self.best] if self.order > 1 else []), self.xz]

    def as_dict(self) -> dict[str, Any]:
        return {
            "uniform": self.uniform.as_dict(),
            "unigram": self.unigram.as_dict(),
            "ngram": {"order": self.order, **self.best.as_dict()},
            "ngrams": [ngram.as_dict() for ngram in self.ngrams],
            "xz": self.xz.as_dict(),
            "counted": self.counted,
        }


def baselines(train: Symbols, corpus: Corpus, segments: Sequence[Segment]) -> Baselines:
    """What counting the symbols of `train` predicts of these segments of a corpus.

    `train` is numbered by the corpus' vocabulary. Of a long one the last `MOST_BYTES` are counted: about 300 MB of
    memory for prose or code (800 MB for noise, where every n-gram is new), and less for less.
    """
    vocab, symbols = corpus.vocab, sum(map(len, segments))
    chars = corpus.count_chars(segments)
    spelling = spelling_nats(corpus.ids, segments, vocab)
    kinds = len(vocab) + max(len(vocab.rare) - 1, 0)
    size = len(train)
    begin = size - min(last_symbols(train, vocab), ngram.most(len(vocab)))
    counted = train[begin:size]

    def row(name: str, total: float) -> Baseline:
        return Baseline(name, total + spelling, symbols, chars)

    packed = row("xz", math.log(256) * packed_bytes(train, (begin, size), corpus, segments))
    totals = sum(ngram.nats(counted, text, len(vocab)) for text in ngram.texts(corpus.ids, segments, vocab.newline))
    names = ["unigram", *(f"{order}-gram" for order in range(2, ngram.ORDERS + 1))]
    return Baselines(
        uniform=Baseline("uniform", symbols * math.log(kinds), symbols, chars),
        ngrams=tuple(row(name, float(total)) for name, total in zip(names, np.atleast_1d(totals), strict=False)),
        xz=packed,
        counted=len(counted),
    )


def last_symbols(ids: Symbols, vocab: Vocab) -> int:
    """How many of the last symbols make up `MOST_BYTES` of UTF-8, or all."""
    sizes, room = vocab.sizes, float(MOST_BYTES)
    for begin, end in pieces(0, len(ids)):
        taken = np.cumsum(sizes[ids[begin:end][::-1]])
        if taken[-1] > room:
            return len(ids) - end + int(np.searchsorted(taken, room, "right"))
        room -= float(taken[-1])
    return len(ids)


def packed_bytes(train: Symbols, part: tuple[int, int], corpus: Corpus, segments: Sequence[Segment]) -> int:
    """The bytes that the segments add to what `part` of the training text takes in xz: both are packed, in turn."""
    vocab = corpus.vocab

    def known() -> Iterator[bytes]:
        return spelled(train, [part], vocab)

    def more() -> Iterator[bytes]:
        yield from known()
        yield from spelled(corpus.ids, [(segment.begin, segment.end) for segment in segments], vocab)

    size = sum(map(len, more()))
    with ThreadPoolExecutor(2) as threads:
        without, all_ = threads.map(lambda text: packed_size(text, size), (known(), more()))
    return all_ - without


def spelled(ids: Symbols, ranges: Sequence[tuple[int, int]], vocab: Vocab) -> Iterator[bytes]:
    """The text of these ranges in UTF-8, piece by piece."""
    errors = "surrogateescape" if vocab.unit == "byte" else "surrogatepass"
    for first, end in ranges:
        for begin in range(first, end, ngram.SLICE):
            yield vocab.decode(ids[begin : min(begin + ngram.SLICE, end)]).encode("utf-8", errors)


def packed_size(text: Iterator[bytes], size: int) -> int:
    """The bytes that `size` bytes take in xz, at its usual effort but with a dictionary that reaches back over them."""
    reach = min(max(4096, size), LARGEST_DICTIONARY)
    packer = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": reach}])
    return sum(len(packer.compress(piece)) for piece in text) + len(packer.flush())
