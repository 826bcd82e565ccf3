"""Texts as the code points that a model writes: read chunk by chunk, as often as they are needed."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from charrnn.errors import TextError
from charrnn.text.rolling_hash import Chars
from charrnn.text.source import Progress, Source, characters, find_sources, unreadable
from charrnn.text.units import Codes


@dataclass
class Library:
    """The texts of a corpus; `held_out` counts the last characters of each, which were not trained on."""

    unit: str
    encoding: str
    sources: list[Source]
    sizes: list[int]
    held_out: list[int]
    sha256: str
    notes: list[str]
    see: Callable[[bytes], None]

    def codes(self, source: Source) -> Iterator[Chars]:
        try:
            yield from characters(source, self.unit, self.encoding, self.see)
        except OSError as error:
            raise unreadable(source.name, error) from None

    @property
    def chars(self) -> int:
        return sum(self.sizes)

    def last_parts(self, most: int) -> Iterator[Codes]:
        """What was held out, the first characters of it where it is more than `most` in all."""
        share = min(1.0, most / max(sum(self.held_out), 1))
        for source, size, held in zip(self.sources, self.sizes, self.held_out, strict=True):
            yield self.part(source, size - held, size - held + int(np.ceil(held * share)))

    def part(self, source: Source, begin: int, end: int) -> Codes:
        parts, at = [np.empty(0, dtype=np.uint32)], 0
        for codes in self.codes(source):
            parts.append(codes[max(begin - at, 0) : max(end - at, 0)].astype(np.uint32))
            at += len(codes)
            if at >= end:
                break
        return np.concatenate(parts)


def open_library(
    paths: Sequence[str],
    unit: str = "char",
    encoding: str = "utf-8",
    val_fraction: float = 0.0,
    progress: Progress | None = None,
) -> Library:
    """The texts of these files and folders, read once to learn how long they are.

    Raises TextError where there is nothing to read or it is not text; what a folder holds that is not text is left out
    and noted.
    """
    notes: list[str] = []
    sources = list(find_sources(paths, notes, encoding))
    readings = 3 if val_fraction else 2  # once now, once to see what is held out, once past what is looked for
    done, total = 0, readings * sum(source.size for source, _ in sources)

    def see(block: bytes) -> None:
        nonlocal done
        done += len(block)
        if progress:
            progress(min(done, total) // readings, total // readings)

    library = Library(unit, encoding, [], [], [], "", notes, see)
    digests = []
    for source, found in sources:
        digest = hashlib.sha256()

        def both(block: bytes, digest: "hashlib._Hash" = digest) -> None:
            digest.update(block)
            see(block)

        try:
            size = sum(len(codes) for codes in characters(source, unit, encoding, both))
        except TextError as error:
            if not found:
                raise
            notes.append(f"left out {error}")
            continue
        except OSError as error:
            raise unreadable(source.name, error) from None
        digests.append(digest)
        library.sources.append(source)
        library.sizes.append(size)
        library.held_out.append(int(size * val_fraction))
    if not library.chars:
        raise TextError(f"{', '.join(map(str, paths[:3]))} holds no text.")
    one = len(digests) == 1
    library.sha256 = (digests[0] if one else hashlib.sha256(b"".join(d.digest() for d in digests))).hexdigest()
    return library


def read_samples(paths: Sequence[str], library: Library) -> tuple[list[str], list[Codes]]:
    """The code points of each sample, read as the corpus was, and notes on what was left out."""
    notes: list[str] = []
    parts: list[Codes] = []
    for source, found in list(find_sources(paths, notes, library.encoding)):
        try:
            pieces = [
                codes.astype(np.uint32) for codes in characters(source, library.unit, library.encoding, lambda _: None)
            ]
        except TextError as error:
            if not found:
                raise
            notes.append(f"left out {error}")
            continue
        except OSError as error:
            raise unreadable(source.name, error) from None
        parts.append(np.concatenate([np.empty(0, dtype=np.uint32), *pieces]))
    if not any(len(part) for part in parts):
        raise TextError(f"{', '.join(map(str, paths[:3]))} holds no text.")
    return notes, parts
