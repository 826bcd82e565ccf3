"""A text as numbers: counted and numbered by a vocabulary, split, and cut into streams."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import TextError
from charrnn.options import Options
from charrnn.text.batches import Streams
from charrnn.text.ids import Collector, Symbols, added, check_early, count, join, pieces
from charrnn.text.source import Progress, Reading, Source, changed, find_sources, unreadable
from charrnn.text.units import UNITS, Codes, Unit
from charrnn.text.vocab import UNKNOWN, Vocab, vocabulary


@dataclass(frozen=True)
class Segment:
    """Symbols begin..end of a corpus, in a file that starts at file_begin."""

    file_begin: int
    begin: int
    end: int

    def __len__(self) -> int:
        return self.end - self.begin


@dataclass
class Corpus:
    """A text as numbers. `ids` (n,) holds all files one after another, `ends` where each of them ends.

    The ids of a large text are in a temporary file: `ids[begin:end]` reads some of them. `names` are the
    paths as typed, `files` what was read; `unknown` counts the symbols that a given vocabulary lacks and
    that were left out.
    """

    vocab: Vocab
    ids: Symbols
    ends: list[int]
    names: tuple[str, ...]
    sha256: str
    unknown: dict[str, int] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    task: ClassVar[None] = None  # of examples alone
    labels: ClassVar[tuple[str, ...]] = ()
    share: ClassVar[float] = 1.0  # of the symbols that are targets
    example: ClassVar[float] = 0.0  # a text is not made of examples

    @classmethod
    def from_text(
        cls,
        text: str,
        unit: str = "char",
        vocab: Vocab | None = None,
        min_count: int = 0,
        beside: Vocab | None = None,
    ) -> "Corpus":
        """A corpus from a string; with a vocabulary, in its unit: what it lacks is counted and left out.

        Without one, what occurs fewer than `min_count` times is one symbol (1 keeps all; 0, where there are very many
        symbols, chooses), and the vocabulary has the symbols of the one `beside` it, too.
        """
        unit = vocab.unit if vocab else Options(unit=unit).unit
        try:
            codes = UNITS[unit].codes(text)
        except UnicodeEncodeError:
            raise TextError("the text holds a lone surrogate, which bytes of UTF-8 cannot express.") from None
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        counts = count(codes)
        vocab, notes = (vocab, []) if vocab else vocabulary(unit, counts, min_count, beside)
        corpus = number([iter([codes])], counts, vocab, ("a string",), digest)
        corpus.notes = notes
        return corpus

    @classmethod
    def read(
        cls,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        unit: str = "char",
        encoding: str = "utf-8",
        vocab: Vocab | None = None,
        progress: Progress | None = None,
        min_count: int = 0,
        beside: Vocab | None = None,
    ) -> "Corpus":
        """Files, folders (their text files, recursively, in name order) and `-`, as one corpus.

        They are read twice, to find their symbols and to number them; `progress` is called with the bytes
        done and the bytes in all. The other arguments are as for `from_text`. Raises TextError where there is nothing
        to read or it is not text; what a folder holds that is not text is left out and noted.
        """
        paths = [paths] if isinstance(paths, str | os.PathLike) else paths
        unit = Options(unit=vocab.unit if vocab else unit, encoding=encoding).unit
        notes: list[str] = []
        sources = list(find_sources(paths, notes, encoding))
        size = sum(source.size for source, _ in sources)
        check_early(size if unit == "byte" else size // 4)  # a character has four bytes at most
        reading = Reading(progress, size)
        kept, digests, counts = survey(sources, UNITS[unit], encoding, reading, notes)
        if notes and not kept:
            raise TextError(f"{paths[0]} holds no text: {notes[0]}")
        reading.again(sum(source.size for source in kept))
        sha256 = digests[0] if len(digests) == 1 else hashlib.sha256(b"".join(d.digest() for d in digests))
        chunks = [source.codes(UNITS[unit], encoding, reading.see) for source in kept]
        vocab, more = (vocab, []) if vocab else vocabulary(unit, counts, min_count, beside)
        corpus = number(chunks, counts, vocab, tuple(map(str, paths)), sha256.hexdigest())
        corpus.notes, corpus.files = notes + more, tuple(source.name for source in kept)
        return corpus

    @property
    def symbols(self) -> int:
        return len(self.ids)

    @property
    def alphabet(self) -> int:
        """How many symbols the network knows."""
        return len(self.vocab)

    def divide(self, options: Options) -> tuple["Streams", list[Segment]]:
        """The streams to train on, and what is held out."""
        ids, held_out = self.split(options.val_fraction)
        return Streams(ids, options.batch_size, options.seq_length), held_out

    @property
    def chars(self) -> int:
        """How many characters the text has, whatever the unit."""
        return self.count_chars(self.segments)

    def count_chars(self, segments: Sequence[Segment]) -> int:
        """How many characters these symbols spell."""
        return self.measure(segments)[0]

    def measure(self, segments: Sequence[Segment]) -> tuple[int, int]:
        """How many characters these symbols spell, and how many bytes of UTF-8."""
        unit, codes, counts = UNITS[self.vocab.unit], self.vocab.codes, self._counts(segments)
        return int(counts @ unit.starts(codes)), round(float(counts @ self.vocab.sizes))

    def _counts(self, segments: Sequence[Segment]) -> NDArray[np.int64]:
        """How often each symbol of the vocabulary occurs (V,)."""
        counts = np.zeros(len(self.vocab), dtype=np.int64)
        for segment in segments:
            for begin, end in pieces(segment.begin, segment.end):
                counts = added(counts, count(self.ids[begin:end]))
        return counts[: len(self.vocab)]

    @property
    def occurring(self) -> list[str]:
        """The symbols of the vocabulary that the text holds."""
        return [self.vocab.symbol(code) for code in self.vocab.codes[self._counts(self.segments) > 0].tolist()]

    @property
    def label(self) -> str:
        """The text as the user named it, short."""
        return self.names[0] if len(self.names) == 1 else f"{self.names[0]} and {len(self.names) - 1} more"

    @property
    def segments(self) -> list[Segment]:
        """Every file whole."""
        begins = [0, *self.ends[:-1]]
        return [Segment(begin, begin, end) for begin, end in zip(begins, self.ends, strict=True)]

    def starts(self, begin: int, end: int) -> NDArray[np.bool_]:
        """Where a character of the text begins among the symbols begin..end."""
        return UNITS[self.vocab.unit].starts(self.vocab.codes[self.ids[begin:end]])

    def split(self, val_fraction: float) -> tuple[Symbols, list[Segment]]:
        """The training symbols (the first part of every file, joined) and the held-out last parts.

        The cut falls at the same character in every unit (a byte-order mark and the CR of CRLF are characters
        to bytes alone).
        """
        cuts = [self._cut(segment, val_fraction) for segment in self.segments]
        held_out = [Segment(s.begin, c, s.end) for s, c in zip(self.segments, cuts, strict=True) if c < s.end]
        return join(self.ids, [(s.begin, c) for s, c in zip(self.segments, cuts, strict=True)]), held_out

    def _cut(self, file: Segment, val_fraction: float) -> int:
        if UNITS[self.vocab.unit].starts(self.vocab.codes).all():  # a symbol is a character
            return file.end - int(len(file) * val_fraction)
        held = int(self.count_chars([file]) * val_fraction)
        if not held:
            return file.end
        for begin, end in pieces(file.begin, file.end):
            starts = np.flatnonzero(self.starts(begin, end))
            if len(starts) >= held:
                return begin + int(starts[-held])
            held -= len(starts)
        return file.begin


def survey(
    sources: Sequence[tuple[Source, bool]], unit: Unit, encoding: str, reading: Reading, notes: list[str]
) -> tuple[list[Source], list[Any], NDArray[np.int64]]:
    """What of the sources is text, the digest of each, and how often each code occurs in all of them."""
    kept, digests, counts = [], [], np.zeros(1, dtype=np.int64)
    for source, found in sources:
        digest, mine = hashlib.sha256(), np.zeros(1, dtype=np.int64)

        def see(block: bytes, digest: Any = digest) -> None:
            digest.update(block)
            reading.see(block)

        try:
            for codes in source.codes(unit, encoding, see):
                mine = added(mine, count(codes))
        except TextError as error:
            if not found:
                raise
            notes.append(f"left out {error}")
            continue
        except OSError as error:
            raise unreadable(source.name, error) from None
        counts = added(counts, mine)
        kept.append(source)
        digests.append(digest)
    return kept, digests, counts


def number(
    chunks: Sequence[Iterator[Codes | NDArray[np.uint8]]],
    counts: NDArray[np.int64],
    vocab: Vocab,
    names: tuple[str, ...],
    sha256: str,
) -> Corpus:
    """The corpus of these files, whose codes occur `counts` times."""
    present = np.flatnonzero(counts)
    if vocab.unit != "byte" and counts[0xD800:0xE000].any():
        raise TextError(f"{names[0]} holds a lone surrogate, which is no character: try --unit byte.")
    known = vocab.ids_of(present.astype(np.uint32)) != UNKNOWN
    collector = Collector(int(counts[present[known]].sum()), vocab.dtype)
    ends = []
    for file in chunks:
        for codes in file:
            if not collector.add(vocab.known_ids(codes)):
                raise changed(names[0])
        ends.append(collector.filled)
    if collector.filled != collector.size:
        raise changed(names[0])
    if not collector.size and not counts.any():
        raise TextError(f"{', '.join(names[:3])} holds no text.")
    unknown = {vocab.symbol(code): int(counts[code]) for code in present[~known].tolist()}
    return Corpus(vocab, collector.ids, ends, names, sha256, unknown)
