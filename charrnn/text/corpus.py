"""`Corpus`: one long text as symbol ids, with a validation split."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Ids
from charrnn.errors import TextError
from charrnn.options import Options
from charrnn.text.batches import Streams
from charrnn.text.decode import composed
from charrnn.text.ids import IN_MEMORY, Symbols, added, check_room, collect, count, join, pieces
from charrnn.text.source import OnBlock, Passes, Paths, Progress, Source, changed, find_sources, short_name, survey
from charrnn.text.units import UNITS, AnyCodes
from charrnn.text.vocab import UNKNOWN, Vocab, vocabulary


@dataclass(frozen=True)
class Segment:
    """Symbols begin..end of a corpus, from a file whose first symbol is file_begin."""

    file_begin: int
    begin: int
    end: int

    def __len__(self) -> int:
        return self.end - self.begin


@dataclass
class Corpus:
    """A text as symbol ids. `ids` (n,) holds all files one after another, `ends` the end of each.

    The ids of a large text are in a temporary file: `ids[begin:end]` reads a range. `names` are the paths as typed,
    `files` the files that were read; `unknown` counts the symbols outside a given vocabulary, which are skipped.
    """

    vocab: Vocab
    ids: Symbols
    ends: list[int]
    names: tuple[str, ...]
    sha256: str
    unknown: dict[str, int] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    # what a text has in place of the properties of examples
    task: ClassVar[None] = None
    labels: ClassVar[tuple[str, ...]] = ()
    summary: ClassVar[str] = ""
    share: ClassVar[float] = 1.0
    example: ClassVar[float] = 0.0

    @classmethod
    def from_text(
        cls, text: str, unit: str = "char", vocab: Vocab | None = None, min_count: int = 0, include: Vocab | None = None
    ) -> "Corpus":
        """A corpus from a string, in the unit of `vocab` if it is given; symbols outside it are counted and skipped.

        Without `vocab`, symbols that occur fewer than `min_count` times share one unknown symbol (1 keeps all symbols;
        0 decides automatically for large vocabularies), and the symbols of `include` are added.
        """
        unit = vocab.unit if vocab else Options(unit=unit).unit
        digest, changes = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), list[str]()
        try:
            codes = UNITS[unit].codes("".join(composed([text], "the text", changes)) if unit == "char" else text)
        except UnicodeEncodeError:
            raise TextError("the text contains a lone surrogate, which UTF-8 cannot encode.") from None
        counts = count(codes)
        vocab, notes = (vocab, []) if vocab else vocabulary(unit, counts, min_count, include)
        corpus = number([[codes]], counts, vocab, ("a string",), digest)
        corpus.notes = changes + notes
        return corpus

    @classmethod
    def read(
        cls,
        paths: Paths,
        unit: str = "char",
        encoding: str = "utf-8",
        vocab: Vocab | None = None,
        progress: Progress | None = None,
        min_count: int = 0,
        include: Vocab | None = None,
    ) -> "Corpus":
        """Files, folders (their text files, recursively, in name order), `-` and opened sources, as one corpus.

        They are read twice: to count their symbols, and to number them. `progress` is called with the bytes done and
        the bytes in all. The other arguments are those of `from_text`. Raises TextError if there is no text; files of
        a folder that are not text are skipped and noted.
        """
        unit = Options(unit=vocab.unit if vocab else unit, encoding=encoding).unit
        notes: list[str] = []
        names, sources = find_sources(paths, notes, encoding)
        size = sum(source.size for source in sources)
        least = size if unit == "byte" else size // 4  # a character has at most four bytes
        if least > IN_MEMORY:  # before the text is read
            check_room(least, at_least=True)
        counter = Passes(progress, size, passes=2)
        counts = np.zeros(1, dtype=np.int64)

        def count_codes(source: Source, on_block: OnBlock) -> None:
            nonlocal counts
            own = np.zeros(1, dtype=np.int64)
            for codes in source.codes(UNITS[unit], encoding, on_block):
                own = added(own, count(codes))
            counts = added(counts, own)  # only if the whole file is text

        kept, _, sha256 = survey(sources, count_codes, counter.add, notes)
        if notes and not kept:
            raise TextError(f"{names[0]} contains no text: {notes[0]}")
        counter.total = counter.done + sum(source.size for source in kept)
        files = [source.codes(UNITS[unit], encoding, counter.add) for source in kept]
        vocab, more = (vocab, []) if vocab else vocabulary(unit, counts, min_count, include)
        corpus = number(files, counts, vocab, names, sha256)
        corpus.notes, corpus.files = notes + more, tuple(source.name for source in kept)
        return corpus

    @property
    def symbols(self) -> int:
        return len(self.ids)

    @property
    def alphabet(self) -> int:
        """Size of the network's input and output."""
        return len(self.vocab)

    def divide(self, options: Options) -> tuple["Streams", list[Segment]]:
        """The training streams, and the validation split."""
        ids, held_out = self.split(options.val_fraction)
        return Streams(ids, options.batch_size, options.seq_length), held_out

    def count_chars(self, segments: Sequence[Segment]) -> int:
        """Number of characters of these segments, in any unit."""
        return self.measure(segments)[0]

    def measure(self, segments: Sequence[Segment]) -> tuple[int, int]:
        """Number of characters of these segments, and of bytes in UTF-8."""
        unit, codes, counts = UNITS[self.vocab.unit], self.vocab.codes, self._counts(segments)
        return int(counts @ unit.starts(codes)), round(float(counts @ self.vocab.sizes))

    def _counts(self, segments: Sequence[Segment]) -> NDArray[np.int64]:
        """Number of occurrences of each symbol of the vocabulary, (V,)."""
        ranges = (piece for segment in segments for piece in pieces(segment.begin, segment.end))
        counts = (count(self.ids[begin:end]) for begin, end in ranges)
        return reduce(added, counts, np.zeros(len(self.vocab), np.int64))[: len(self.vocab)]

    @property
    def occurring(self) -> list[str]:
        """The symbols of the vocabulary that occur in the text."""
        return list(map(self.vocab.symbol, self.vocab.codes[self._counts(self.segments) > 0].tolist()))

    @property
    def label(self) -> str:
        """Short name of the text, as the user typed it."""
        return short_name(self.names)

    @property
    def segments(self) -> list[Segment]:
        """Each file as one segment."""
        return [Segment(begin, begin, end) for begin, end in pairwise([0, *self.ends])]

    def split(self, val_fraction: float) -> tuple[Symbols, list[Segment]]:
        """The training split (the first part of every file, joined) and the validation split (the last parts).

        The text is cut at the same character in every unit, except that byte-order marks and the CR of CRLF are
        symbols of the unit byte only.
        """
        cuts = [(file, self._cut(file, val_fraction)) for file in self.segments]
        held_out = [Segment(file.begin, cut, file.end) for file, cut in cuts if cut < file.end]
        return join(self.ids, [(file.begin, cut) for file, cut in cuts]), held_out

    def _cut(self, file: Segment, val_fraction: float) -> int:
        starts_character = UNITS[self.vocab.unit].starts(self.vocab.codes)
        if starts_character.all():  # every symbol is a character
            return file.end - int(len(file) * val_fraction)
        held = int(self.count_chars([file]) * val_fraction)
        if not held:
            return file.end
        for begin, end in pieces(file.begin, file.end):
            starts = np.flatnonzero(starts_character[self.ids[begin:end]])
            if len(starts) >= held:
                return begin + int(starts[-held])
            held -= len(starts)
        return file.begin


def number(
    files: Sequence[Iterable[AnyCodes]], counts: NDArray[np.int64], vocab: Vocab, names: tuple[str, ...], sha256: str
) -> Corpus:
    """The corpus of these files, whose codes occur `counts` times. Raises TextError if they have changed."""
    present = np.flatnonzero(counts)
    if vocab.unit != "byte" and counts[0xD800:0xE000].any():
        raise TextError(f"{names[0]} contains a lone surrogate, which is not a character: try --unit byte.")
    known = vocab.ids_of(present.astype(np.uint32)) != UNKNOWN
    size, ends = int(counts[present[known]].sum()), []

    def parts() -> Iterator[Ids]:
        end = 0
        for chunks in files:
            for codes in chunks:
                ids = vocab.known_ids(codes)
                end += len(ids)
                if end > size:  # before more is stored than there is room for
                    raise changed(names[0])
                yield ids
            ends.append(end)
        if end < size:
            raise changed(names[0])

    ids = collect(parts(), size, vocab.dtype)
    if not len(present):
        raise TextError(f"{', '.join(names[:3])} contains no text.")
    unknown = {vocab.symbol(code): int(counts[code]) for code in present[~known].tolist()}
    return Corpus(vocab, ids, ends, names, sha256, unknown)
