"""Baselines for a model's score on the same characters: uniform, unigram, n-grams and xz."""

import lzma
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from charrnn.errors import TextError
from charrnn.evaluation.ngram import SLICE, ngram_nats, ngram_texts
from charrnn.evaluation.score import Score, spelling_nats
from charrnn.nn.ngram import most_symbols
from charrnn.text.corpus import Corpus, Segment
from charrnn.text.ids import Symbols, pieces
from charrnn.text.vocab import Vocab

MOST_BYTES = 10_000_000  # of the training text, the last ones, are counted and compressed
LARGEST_DICTIONARY = 1 << 25  # of xz: more than MOST_BYTES


@dataclass(frozen=True)
class Baseline(Score):
    """The score of a baseline, without its correct predictions and bytes."""

    name: str = ""

    def as_dict(self) -> dict[str, float]:
        return {"nats": self.nats, "bits_per_char": self.bits_per_char}


@dataclass(frozen=True)
class Baselines:
    """`ngrams` by order, from the unigram on; `counted` symbols of the training text were used."""

    uniform: Baseline
    ngrams: tuple[Baseline, ...]
    xz: Baseline
    counted: int

    @property
    def unigram(self) -> Baseline:
        return self.ngrams[0]

    @property
    def best(self) -> Baseline:
        """The best n-gram."""
        return min(self.ngrams, key=lambda row: row.total)

    @property
    def order(self) -> int:
        """The order of the best n-gram."""
        return self.ngrams.index(self.best) + 1

    @property
    def rows(self) -> list[Baseline]:
        """The baselines to show: of the n-grams the unigram and the best."""
        return [self.uniform, self.unigram, *([self.best] if self.order > 1 else []), self.xz]

    def as_dict(self) -> dict[str, Any]:
        return {
            "uniform": self.uniform.as_dict(),
            "unigram": self.unigram.as_dict(),
            "ngram": {"order": self.order, **self.best.as_dict()},
            "ngrams": [row.as_dict() for row in self.ngrams],
            "xz": self.xz.as_dict(),
            "counted": self.counted,
        }


def compute_baselines(train: Symbols, corpus: Corpus, segments: Sequence[Segment]) -> Baselines:
    """The baselines for these segments of a corpus, with the symbols of `train` as training text.

    `train` has the corpus' vocabulary. At most its last `MOST_BYTES` are counted, in about 300 MB of memory for prose
    or code (800 MB for noise, in which every n-gram is new). Raises TextError if there is nothing to count or to score.
    """
    vocab, symbols = corpus.vocab, sum(map(len, segments))
    if not symbols or not len(train):
        raise TextError(f"{corpus.label} has no text to {'score' if len(train) else 'count'}.")
    chars = corpus.count_chars(segments)
    spelling = spelling_nats(corpus.ids, segments, vocab)
    size = len(train)
    counted = train[size - min(last_symbols(train, vocab), most_symbols(len(vocab))) : size]

    def row(name: str, total: float) -> Baseline:
        return Baseline(total, symbols, chars=chars, name=name)

    added = xz_bytes(counted, corpus, segments)
    texts = ngram_texts(corpus.ids, segments, vocab.start, vocab.boundary)
    totals = sum(ngram_nats(counted, text, len(vocab)) for text in texts)
    return Baselines(
        uniform=row("uniform", symbols * math.log(len(vocab) + max(len(vocab.rare) - 1, 0))),
        ngrams=tuple(
            row(f"{order}-gram" if order > 1 else "unigram", float(total) + spelling)
            for order, total in enumerate(np.atleast_1d(totals), 1)
        ),
        xz=row("xz", math.log(256) * added + spelling),
        counted=len(counted),
    )


def last_symbols(ids: Symbols, vocab: Vocab) -> int:
    """How many of the last symbols fit in `MOST_BYTES` of UTF-8."""
    sizes, room = vocab.sizes, float(MOST_BYTES)
    for begin, end in pieces(0, len(ids)):
        taken = np.cumsum(sizes[ids[begin:end][::-1]])
        if taken[-1] > room:
            return len(ids) - end + int(np.searchsorted(taken, room, "right"))
        room -= float(taken[-1])
    return len(ids)


def xz_bytes(train: Symbols, corpus: Corpus, segments: Sequence[Segment]) -> int:
    """The bytes that the segments add when they are compressed after the training text."""
    whole = [(train, 0, len(train)), *((corpus.ids, segment.begin, segment.end) for segment in segments)]
    size = sum(map(len, utf8(whole, corpus.vocab)))
    with ThreadPoolExecutor(2) as threads:
        before, after = threads.map(lambda ranges: xz_size(utf8(ranges, corpus.vocab), size), (whole[:1], whole))
    return after - before


def utf8(ranges: Sequence[tuple[Symbols, int, int]], vocab: Vocab) -> Iterator[bytes]:
    """The text of these ranges of ids in UTF-8, piece by piece."""
    errors = "surrogateescape" if vocab.unit == "byte" else "surrogatepass"
    for ids, first, end in ranges:
        for begin in range(first, end, SLICE):
            yield vocab.decode(ids[begin : min(begin + SLICE, end)]).encode("utf-8", errors)


def xz_size(text: Iterator[bytes], size: int) -> int:
    """The compressed size of a text of `size` bytes: xz at its default level, with a dictionary as long as the text."""
    dictionary = min(max(4096, size), LARGEST_DICTIONARY)
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": dictionary}]
    compressor = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=filters)
    return sum(len(compressor.compress(piece)) for piece in text) + len(compressor.flush())
