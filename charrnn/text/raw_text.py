"""`RawText`: a corpus as code points, as a model generates them; read again, chunk by chunk, for every pass."""

import codecs
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from charrnn.errors import TextError
from charrnn.text.source import OnBlock, Passes, Progress, Source, find_sources, survey, unreadable
from charrnn.text.texts import held_out
from charrnn.text.units import AnyCodes, Char, Codes, Jamo


@dataclass
class RawText:
    """The files of a corpus with their sizes in characters; `held_out` counts the last ones of each, not trained on."""

    unit: str
    encoding: str
    sources: list[Source]
    sizes: list[int]
    held_out: list[int]
    sha256: str
    notes: list[str]
    on_block: OnBlock

    @classmethod
    def read(
        cls,
        paths: Sequence[str],
        unit: str = "char",
        encoding: str = "utf-8",
        val_fraction: float = 0.0,
        progress: Progress | None = None,
        boundary_code: int | None = None,
        seed: int = 0,
    ) -> "RawText":
        """The texts of files and folders, read once to count their characters.

        With the boundary and the seed of a training on several files, the same parts are held out as in the training.
        Raises TextError if there is no text; files of a folder that are not text are skipped and noted.
        """
        notes: list[str] = []
        names, candidates = find_sources(paths, notes, encoding)
        passes = 3 if val_fraction else 2  # counting, reading the validation split, searching
        counter = Passes(progress, sum(source.size for source in candidates), passes)

        def length(source: Source, on_block: OnBlock) -> int:
            return sum(len(codes) for codes in characters(source, unit, encoding, on_block))

        sources, sizes, sha256 = survey(candidates, length, counter.add, notes)
        if not sum(sizes):
            raise TextError(f"{', '.join(names[:3])} contains no text.")
        held = (np.array(sizes) * val_fraction).astype(np.int64)
        if boundary_code is not None:
            texts = np.flatnonzero(sizes)
            held[texts] = held_out(np.array(sizes)[texts], val_fraction, seed, by_line=False)
        return cls(unit, encoding, sources, sizes, held.tolist(), sha256, notes, counter.add)

    def codes(self, source: Source) -> Iterator[AnyCodes]:
        """The characters of a file. Raises TextError if it cannot be read any more."""
        try:
            yield from characters(source, self.unit, self.encoding, self.on_block)
        except OSError as error:
            raise unreadable(source.name, error) from None

    @property
    def chars(self) -> int:
        return sum(self.sizes)

    def last_parts(self, most: int) -> Iterator[Codes]:
        """The validation split of each file: its first characters, if the splits have more than `most` in all."""
        share = min(1.0, most / max(sum(self.held_out), 1))
        for source, size, held in zip(self.sources, self.sizes, self.held_out, strict=True):
            yield self.part(source, size - held, size - held + int(np.ceil(held * share)))

    def part(self, source: Source, begin: int, end: int) -> Codes:
        parts, offset = [], 0
        for codes in self.codes(source):
            parts.append(codes[max(begin - offset, 0) : max(end - offset, 0)])
            offset += len(codes)
            if offset >= end:
                break
        return joined(parts)


def read_samples(paths: Sequence[str], corpus: RawText) -> tuple[list[str], list[Codes]]:
    """Notes on files that were skipped, and the code points of each sample, read in the same way as the corpus."""
    notes: list[str] = []

    def read(source: Source, on_block: OnBlock) -> Codes:
        return joined(characters(source, corpus.unit, corpus.encoding, on_block))

    names, sources = find_sources(paths, notes, corpus.encoding)
    _, samples, _ = survey(sources, read, lambda _: None, notes)
    if not any(map(len, samples)):
        raise TextError(f"{', '.join(names[:3])} contains no text.")
    return notes, samples


def joined(chunks: Iterable[AnyCodes]) -> Codes:
    return np.concatenate([np.empty(0, np.uint32), *chunks], dtype=np.uint32)


def characters(source: Source, unit: str, encoding: str, on_block: OnBlock) -> Iterator[AnyCodes]:
    """The code points of a file, chunk by chunk, as a model of this unit generates them.

    A byte model keeps line ends and reads invalid UTF-8 as surrogate escapes; a jamo model composes Hangul syllables.
    Raises TextError if the bytes are not valid in this encoding.
    """
    if unit == "byte":
        yield from map(Char.codes, codecs.iterdecode(source.blocks(on_block), "utf-8", "surrogateescape"))
    elif unit == "jamo":
        rest = np.empty(0, dtype=np.uint32)
        for codes in source.codes(Jamo, encoding, on_block):
            letters = np.concatenate([rest, codes])
            cut = int(np.flatnonzero(Jamo.starts(letters))[-1:].sum())  # the next chunk may extend the last syllable
            rest = letters[cut:]
            yield Char.codes(Jamo.text(letters[:cut]))
        yield Char.codes(Jamo.text(rest))
    else:
        yield from source.codes(Char, encoding, on_block)
