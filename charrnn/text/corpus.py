"""`Corpus`: one long text as symbol ids, with a validation split."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Ids, ceil_div
from charrnn.errors import TextError
from charrnn.options import Options
from charrnn.text.batches import Streams, TextStreams
from charrnn.text.decode import composed
from charrnn.text.ids import IN_MEMORY, Symbols, added, check_room, collect, count, join, pieces
from charrnn.text.source import OnBlock, Passes, Paths, Progress, Source, changed, find_sources, short_name, survey
from charrnn.text.texts import (
    MOST_SORTED,
    SORTED,
    TAIL,
    Sizes,
    are_sorted,
    boundary_code,
    characters,
    cut_places,
    held_out,
    text_ends,
    whole_lines,
)
from charrnn.text.units import UNITS, AnyCodes
from charrnn.text.vocab import NEWLINE, UNKNOWN, Vocab, vocabulary


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

    If the vocabulary has a boundary, it ends every text: an end of text every file, or a newline every line.
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
        cls,
        text: str,
        unit: str = "char",
        vocab: Vocab | None = None,
        min_count: int = 0,
        include: Vocab | None = None,
        by_line: bool = False,
    ) -> "Corpus":
        """A corpus from a string, in the unit of `vocab` if it is given; symbols outside it are counted and skipped.

        Without `vocab`, symbols that occur fewer than `min_count` times share one unknown symbol (1 keeps all symbols;
        0 decides automatically for large vocabularies), and the symbols of `include` are added. With `by_line` each
        line is a text of its own, and blank lines are left out.
        """
        unit = vocab.unit if vocab else Options(unit=unit).unit
        digest, changes = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), list[str]()
        try:
            codes = UNITS[unit].codes("".join(composed([text], "the text", changes)) if unit == "char" else text)
        except UnicodeEncodeError:
            raise TextError("the text contains a lone surrogate, which UTF-8 cannot encode.") from None
        boundary = vocab.boundary_code if vocab else boundary_code(unit, by_line, 1, include)
        chunks = list(whole_lines([codes])) if boundary == NEWLINE else [codes]
        counts = reduce(added, map(count, chunks), np.zeros(1, np.int64))
        vocab, notes = (vocab, []) if vocab else vocabulary(unit, counts, min_count, include, boundary)
        corpus = number([chunks], counts, vocab, ("a string",), digest, int(len(codes) > 0))
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
        by_line: bool = False,
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
        by_line = vocab.by_line if vocab else by_line

        def codes_of(source: Source, on_block: OnBlock) -> Iterator[AnyCodes]:
            codes = source.codes(UNITS[unit], encoding, on_block)
            return whole_lines(codes) if by_line else codes

        def count_codes(source: Source, on_block: OnBlock) -> int:
            nonlocal counts
            own = np.zeros(1, dtype=np.int64)
            for codes in codes_of(source, on_block):
                own = added(own, count(codes))
            counts = added(counts, own)  # only if the whole file is text
            return int(own.sum())

        kept, sizes, sha256 = survey(sources, count_codes, counter.add, notes)
        if notes and not kept:
            raise TextError(f"{names[0]} contains no text: {notes[0]}")
        counter.total = counter.done + sum(source.size for source in kept)
        files, texts = [codes_of(source, counter.add) for source in kept], int(np.count_nonzero(sizes))
        boundary = boundary_code(unit, by_line, texts, include)
        vocab, more = (vocab, []) if vocab else vocabulary(unit, counts, min_count, include, boundary)
        corpus = number(files, counts, vocab, names, sha256, texts)
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
        """The training streams, and the validation split; a note says if the lines are sorted."""
        if not self.vocab.by_line and SORTED not in self.notes and are_sorted(self._start()):
            self.notes.append(SORTED)
        if self.vocab.boundary is None:
            ids, held_out = self.split(options.val_fraction)
            return Streams(ids, options.batch_size, options.seq_length), held_out
        places = self._cuts(options.val_fraction, options.seed)
        kept = places[np.diff(places)[:, ::2].any(axis=1)]
        last = int(places[-1, -1]) - 1  # a boundary
        streams = TextStreams(self.ids, kept, last, options.batch_size, options.seq_length, options.seed)
        return streams, held_segments(places)

    def count_chars(self, segments: Sequence[Segment]) -> int:
        """Number of characters of these segments, in any unit."""
        return self.measure(segments)[0]

    def measure(self, segments: Sequence[Segment]) -> tuple[int, int]:
        """Number of characters of these segments, and of bytes in UTF-8."""
        counts = self._counts(segments)
        return int(counts @ self.vocab.starts), round(float(counts @ self.vocab.sizes))

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
        """Each file as one segment; texts with boundaries are one."""
        ends = self.ends if self.vocab.boundary is None else self.ends[-1:]
        return [Segment(begin, begin, end) for begin, end in pairwise([0, *ends])]

    def split(self, val_fraction: float, seed: int = 0) -> tuple[Symbols, list[Segment]]:
        """The training split, joined, and the validation split: the last part of the text or, of several texts, what
        `texts.held_out` chooses.

        The text is cut at the same character in every unit, except that byte-order marks and the CR of CRLF are
        symbols of the unit byte only.
        """
        places = self._cuts(val_fraction, seed)
        ranges = places[:, :2] if self.vocab.boundary is None else places.reshape(-1, 2)
        return join(self.ids, ranges), held_segments(places)

    def seen(self, held_out: Sequence[Segment]) -> list[Segment]:
        """Training text to compare with the validation split, as long: what precedes it, or other whole texts."""
        before = [Segment(s.file_begin, max(s.file_begin, s.begin - len(s)), s.begin) for s in held_out]
        before = [segment for segment in before if len(segment)]
        if self.vocab.boundary is None or len(before) == len(held_out):
            return before
        begins, ends = self._texts()
        others = np.flatnonzero(~np.isin(begins, [segment.file_begin for segment in held_out]))
        chosen = others[:: max(1, ceil_div(len(others), len(held_out) - len(before)))].tolist()
        return before + [Segment(begins[k], begins[k], ends[k]) for k in chosen]

    def _start(self) -> str:
        """The first symbols of the text."""
        return self.vocab.decode(self.ids[: min(len(self.ids), MOST_SORTED)])

    def _texts(self) -> tuple[Sizes, Sizes]:
        """Begin and end of each text; without a boundary, of each file."""
        boundary = self.vocab.boundary
        ends = np.array(self.ends, np.int64) if boundary is None else text_ends(self.ids, boundary)
        return np.append(0, ends[:-1]), ends

    def _cuts(self, val_fraction: float, seed: int) -> Sizes:
        """Four places (n, 4) in each text: begin, cut, resumption and end; what is between the middle ones is held out.

        Of several texts, the last characters of a text that is not held out as a whole are learned.
        """
        (begins, ends), starts = self._texts(), self.vocab.starts
        sizes = ends - begins if self.vocab.by_line or starts.all() else characters(self.ids, starts, ends)
        if self.vocab.boundary is None:
            held = (sizes * val_fraction).astype(np.int64)
        else:
            held = held_out(sizes, val_fraction, seed, self.vocab.by_line)
        return cut_places(self.ids, starts, (begins, ends), sizes, held, 0 if self.vocab.boundary is None else TAIL)


def held_segments(places: Sizes) -> list[Segment]:
    return [Segment(*segment) for segment in places[places[:, 1] < places[:, 2], :3].tolist()]


def number(
    files: Sequence[Iterable[AnyCodes]],
    counts: NDArray[np.int64],
    vocab: Vocab,
    names: tuple[str, ...],
    sha256: str,
    texts: int = 1,
) -> Corpus:
    """The corpus of these files, of which `texts` are not empty, and whose codes occur `counts` times.

    Raises TextError if they have changed.
    """
    present = np.flatnonzero(counts)
    if vocab.unit != "byte" and counts[0xD800:0xE000].any():
        raise TextError(f"{names[0]} contains a lone surrogate, which is not a character: try `unit=byte`.")
    known = vocab.ids_of(present.astype(np.uint32)) != UNKNOWN
    boundary = vocab.end_of_text
    size, ends = int(counts[present[known]].sum()) + (0 if boundary is None else texts), list[int]()

    def parts() -> Iterator[Ids]:
        end = 0
        for chunks in files:
            empty = True
            for codes in chunks:
                ids, empty = vocab.known_ids(codes), empty and not len(codes)
                end += len(ids)
                if end > size:  # before more is stored than there is room for
                    raise changed(names[0])
                yield ids
            if boundary is not None and not empty:
                end += 1
                yield np.array([boundary], vocab.dtype)
            ends.append(end)
        if end < size:
            raise changed(names[0])

    ids = collect(parts(), size, vocab.dtype)
    if not len(present):
        raise TextError(f"{', '.join(names[:3])} contains no text.")
    unknown = {vocab.symbol(code): int(counts[code]) for code in present[~known].tolist()}
    return Corpus(vocab, ids, ends, names, sha256, unknown)
