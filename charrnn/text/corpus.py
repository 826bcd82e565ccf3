"""A text as numbers: counted and numbered by a vocabulary, split, and cut into streams."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import TextError
from charrnn.text.source import find_sources, unreadable
from charrnn.text.vocab import CODE_LIMIT, UNITS, UNKNOWN, Char, Codes, Ids, Vocab


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

    `names` are the paths as typed, `files` what was read; `unknown` counts the symbols that a given
    vocabulary lacks and that were left out.
    """

    vocab: Vocab
    ids: Ids
    ends: list[int]
    names: tuple[str, ...]
    sha256: str
    unknown: dict[str, int] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    @classmethod
    def from_text(cls, text: str, unit: str = "char", vocab: Vocab | None = None) -> "Corpus":
        """A corpus from a string; with a vocabulary, what it lacks is counted in `unknown` and left out."""
        codes = UNITS[unit].codes(text)
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return number([iter([codes])], count(codes), unit, vocab, ("a string",), digest)

    @classmethod
    def read(
        cls,
        paths: Sequence[str | os.PathLike[str]],
        unit: str = "char",
        encoding: str = "utf-8",
        vocab: Vocab | None = None,
    ) -> "Corpus":
        """Files, folders (their text files, recursively, in name order) and `-`, as one corpus.

        Raises TextError where there is nothing to read or it is not text; what a folder holds that is not
        text is left out and noted.
        """
        notes: list[str] = []
        kept, counts, digests = [], np.zeros(CODE_LIMIT, dtype=np.int64), []
        for source, found in find_sources(paths, notes):
            digest = hashlib.sha256()
            try:
                mine = [count(codes) for codes in source.codes(UNITS[unit], encoding, digest)]
            except TextError as error:
                if not found:
                    raise
                notes.append(f"left out {error}")
                continue
            except OSError as error:
                raise unreadable(source.name, error) from None
            for part in mine:
                counts[: len(part)] += part
            kept.append(source)
            digests.append(digest)
        sha256 = digests[0] if len(digests) == 1 else hashlib.sha256(b"".join(d.digest() for d in digests))
        chunks = [source.codes(UNITS[unit], encoding) for source in kept]
        corpus = number(chunks, counts, unit, vocab, tuple(map(str, paths)), sha256.hexdigest())
        corpus.notes, corpus.files = notes, tuple(source.name for source in kept)
        return corpus

    @property
    def chars(self) -> int:
        """How many characters the text has, whatever the unit."""
        return self.count_chars(self.segments)

    def count_chars(self, segments: Sequence[Segment]) -> int:
        """How many characters these symbols spell."""
        return sum(int(self.starts(s.begin, s.end).sum()) for s in segments)

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

    def split(self, val_fraction: float) -> tuple[Ids, list[Segment]]:
        """The training symbols (the first part of every file, joined) and the held-out last parts.

        The cut falls at the same character in every unit.
        """
        cuts = [self._cut(segment, val_fraction) for segment in self.segments]
        held_out = [Segment(s.begin, c, s.end) for s, c in zip(self.segments, cuts, strict=True) if c < s.end]
        parts = [self.ids[s.begin : c] for s, c in zip(self.segments, cuts, strict=True)]
        return (parts[0] if len(parts) == 1 else np.concatenate(parts)), held_out

    def _cut(self, file: Segment, val_fraction: float) -> int:
        if UNITS[self.vocab.unit] is Char:
            return file.end - int(len(file) * val_fraction)
        starts = np.flatnonzero(self.starts(file.begin, file.end))
        held = int(len(starts) * val_fraction)
        return file.begin + int(starts[-held]) if held else file.end


def count(codes: Codes) -> NDArray[np.int64]:
    """How often each code occurs, (largest code + 1,)."""
    return np.bincount(codes)


def number(
    chunks: Sequence[Iterator[Codes]],
    counts: NDArray[np.int64],
    unit: str,
    vocab: Vocab | None,
    names: tuple[str, ...],
    sha256: str,
) -> Corpus:
    """The corpus of these files, whose codes occur `counts` times."""
    present = np.flatnonzero(counts)
    vocab = vocab or Vocab(unit, present)
    known = vocab.ids_of(present.astype(np.uint32)) != UNKNOWN
    ids = np.empty(int(counts[present[known]].sum()), dtype=vocab.dtype)
    ends, end = [], 0
    for file in chunks:
        for codes in file:
            part = vocab.ids_of(codes)
            part = part if known.all() else part[part != UNKNOWN]
            if end + len(part) > len(ids):
                raise TextError(f"{names[0]} changed while it was being read: try again when it is complete.")
            ids[end : end + len(part)] = part
            end += len(part)
        ends.append(end)
    if end != len(ids):
        raise TextError(f"{names[0]} changed while it was being read: try again when it is complete.")
    if not end and not counts.any():
        raise TextError(f"{', '.join(names[:3])} holds no text.")
    unknown = {vocab.symbol(code): int(counts[code]) for code in present[~known].tolist()}
    return Corpus(vocab, ids, ends, names, sha256, unknown)


class Streams:
    """The training text as `batch_size` streams side by side, each read in windows of `seq_length` steps.

    The streams are spread evenly over the text and overlap by a few characters where it does not divide,
    so that windows are always full and every character is read. A short text gets fewer streams, or a
    shorter window; `notes` says so. Raises TextError where there is no character to predict.
    """

    def __init__(self, ids: Ids, batch_size: int, seq_length: int) -> None:
        targets = len(ids) - 1
        if targets < 1:
            raise TextError(
                f"the text leaves {len(ids)} character to train on, and at least 2 are needed: "
                "give more text, or --val-fraction 0."
            )
        self.ids = ids
        self.seq_length = min(seq_length, targets)
        self.batch_size = min(batch_size, targets // self.seq_length)
        self.windows = -(-targets // (self.batch_size * self.seq_length))
        self.windows -= self.windows * self.seq_length > targets
        spare = targets - self.windows * self.seq_length
        self.begins = np.array([b * spare // max(self.batch_size - 1, 1) for b in range(self.batch_size)])
        self._steps = np.arange(self.seq_length + 1)[:, None]
        self.notes = [
            f"the text is short: {what} {now} instead of {wanted}."
            for what, now, wanted in (
                ("windows of", self.seq_length, seq_length),
                ("streams:", self.batch_size, batch_size),
            )
            if now < wanted
        ]

    def window(self, index: int) -> Ids:
        """Symbols (T+1, B) of the window of this index in the epoch: row t is the target of row t-1."""
        window: Ids = self.ids[self.begins + (index * self.seq_length + self._steps)]
        return window
