"""Files, folders and pipes: listed, spooled if they can be read only once, and decoded in chunks."""

import hashlib
import os
import re
import stat
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TypeVar

import numpy as np

from charrnn.checks import shown
from charrnn.errors import TextError, UsageError
from charrnn.options import STDIN
from charrnn.text.builtin import is_builtin, located, members
from charrnn.text.decode import checked, composed, decoded, is_wide, problem
from charrnn.text.ids import unwritable
from charrnn.text.units import AnyCodes, Byte, Char, Unit

CHUNK = 1 << 20
LONGEST_PIPE = 1 << 32  # bytes; stops endless input such as /dev/zero

LONGEST_NAME = 255  # of a file

T = TypeVar("T")
PathLike = str | os.PathLike[str]
OnBlock = Callable[[bytes], None]  # called with every block that is read
Progress = Callable[[int, int], None]  # called with the bytes done and the bytes in all


class Source:
    """One file that can be read several times; input that can be read only once (a pipe) is spooled.

    `path` is where it is, `name` how the user named it; `root` the folder that was named, if the file was found in it.
    `notes` say what the last reading has changed.
    """

    def __init__(self, path: PathLike, root: Path | None = None) -> None:
        self.root = root
        self.name = "standard input" if str(path) == STDIN else str(path)
        self.path = path = located(path)
        self.notes: list[str] = []
        self.spool: IO[bytes] | None = None
        self.stamp: tuple[int, ...] | None = None
        if str(path) == STDIN:
            if sys.stdin is None:
                raise TextError("standard input is closed: name a text.")
            self._spool(sys.stdin.buffer)
        elif not stat.S_ISREG(os.stat(path).st_mode):
            with open(path, "rb") as pipe:
                self._spool(pipe)

    def __str__(self) -> str:
        return self.name

    def _spool(self, pipe: IO[bytes]) -> None:
        self.spool = tempfile.SpooledTemporaryFile(max_size=64 * CHUNK)  # noqa: SIM115
        weakref.finalize(self, self.spool.close)
        size = 0
        while block := pipe.read(CHUNK):
            size += len(block)
            if size > LONGEST_PIPE:
                raise TextError(f"{self.name} exceeds {LONGEST_PIPE / 1e9:.1f} GB: save it to a file first.")
            try:
                self.spool.write(block)
            except OSError as error:
                raise unwritable(self.name, error) from None

    @property
    def size(self) -> int:
        """Size in bytes; 0 if it is unknown."""
        if self.spool is not None:
            return self.spool.seek(0, os.SEEK_END)
        try:
            return os.stat(self.path).st_size
        except OSError:
            return 0

    def open(self) -> AbstractContextManager[IO[bytes]]:
        if self.spool is None:
            return open(self.path, "rb")
        self.spool.seek(0)
        return nullcontext(self.spool)

    def blocks(self, on_block: OnBlock) -> Iterator[bytes]:
        """The bytes, block by block. Raises TextError if the file has changed since it was first read."""
        with self.open() as file:
            self.check_unchanged(file)
            while block := file.read(CHUNK):
                on_block(block)
                yield block
            self.check_unchanged(file)

    def text(self, unit: Unit, encoding: str, on_block: OnBlock) -> Iterator[str]:
        """The text, chunk by chunk, for a unit other than byte; Hangul syllables are composed for characters.

        Raises TextError if the bytes are not valid in this encoding.
        """
        self.notes = []
        blocks = checked(self.blocks(on_block), encoding, self.name, self.notes)
        chunks = decoded(blocks, encoding, self.name, self.notes)
        return composed(chunks, self.name, self.notes) if unit is Char else chunks

    def codes(self, unit: Unit, encoding: str, on_block: OnBlock) -> Iterator[AnyCodes]:
        """The codes of the text, chunk by chunk, as uint8 if all are below 256.

        Raises TextError if the bytes are not valid in this encoding, or the file changes meanwhile.
        """
        if unit is Byte:
            yield from (np.frombuffer(block, dtype=np.uint8) for block in self.blocks(on_block))
            return
        for text in self.text(unit, encoding, on_block):
            # the codes of ASCII are its bytes in every unit, and most text is ASCII
            yield np.frombuffer(text.encode(), dtype=np.uint8) if text.isascii() else unit.codes(text)

    def check_unchanged(self, file: IO[bytes]) -> None:
        if self.spool is None:
            now = os.fstat(file.fileno())
            stamp = (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns)
            if self.stamp not in (None, stamp):
                raise changed(self.name)
            self.stamp = stamp


class Passes:
    """Progress of reading the same files several times, reported in bytes of one pass."""

    def __init__(self, progress: Progress | None, size: int, passes: int) -> None:
        self.progress, self.passes, self.done, self.total = progress, passes, 0, passes * size

    def add(self, block: bytes) -> None:
        self.done += len(block)
        if self.progress:
            self.progress(self.done // self.passes, max(self.done, self.total) // self.passes)


def survey(
    sources: Iterable[Source], read: Callable[[Source, OnBlock], T], on_block: OnBlock, notes: list[str]
) -> tuple[list[Source], list[T], str]:
    """Reads every source once with `read`: the sources that are text, the results of `read`, and a SHA-256 of all.

    Files of a folder that are not text are skipped and noted. Raises TextError for other files that are not text.
    """
    kept, results, digests = [], [], []
    found: list[tuple[str, str]] = []  # notes, each with the name of its file
    for source in sources:
        digest = hashlib.sha256()

        def both(block: bytes, digest: "hashlib._Hash" = digest) -> None:
            digest.update(block)
            on_block(block)

        try:
            result = read(source, both)
        except TextError as error:
            if source.root is None:
                raise
            found.append((source.name, f"{source.name} was skipped: it {str(error).removeprefix(f'{source.name} ')}"))
            continue
        except OSError as error:
            raise unreadable(source.name, error) from None
        found += [(source.name, note) for note in source.notes]
        kept.append(source)
        results.append(result)
        digests.append(digest.digest())
    notes += together(found)
    whole = b"".join(digests)
    return kept, results, (whole if len(digests) == 1 else hashlib.sha256(whole).digest()).hex()


Paths = PathLike | Source | Sequence[PathLike | Source]


def find_sources(paths: Paths, notes: list[str], encoding: str) -> tuple[tuple[str, ...], list[Source]]:
    """The paths as typed, and every file to read; those of a folder that are not text are skipped and noted.

    Raises TextError if a path cannot be read or a folder contains no text.
    """
    paths = [paths] if isinstance(paths, str | os.PathLike | Source) or not isinstance(paths, Iterable) else paths
    sources: list[Source] = []
    for path in paths:
        if not isinstance(path, str | os.PathLike | Source):
            raise UsageError(
                f"texts are named by their paths, not by a value of type {type(path).__name__}: pass a text itself to "
                "charrnn.Corpus.from_text, and a list of examples to charrnn.Examples.of."
            )
        if isinstance(path, str) and is_builtin(path):
            sources += [open_source(name, None if name == path else Path(path)) for name in members(path)]
            continue
        if isinstance(path, Source) or str(path) == STDIN or not os.path.isdir(path):
            sources.append(open_source(path))
            continue
        try:
            files = {file: problem_in(file, encoding) for file in walk(Path(path))}
        except OSError as error:
            raise unreadable(str(path), error) from None
        skipped = {file: wrong for file, wrong in files.items() if wrong}
        notes += together((str(file), f"{file} was skipped: it {wrong}") for file, wrong in skipped.items())
        if None not in files.values():
            why = "".join(f": {file} {wrong}" for file, wrong in list(skipped.items())[:1])
            raise TextError(f"{path} is a folder without text files{why or '.'}")
        sources += [open_source(file, Path(path)) for file, wrong in files.items() if wrong is None]
    return tuple(map(str, paths)), sources


def open_source(path: PathLike | Source, root: Path | None = None) -> Source:
    """Opens a file, a pipe or standard input (`-`). Raises TextError if it cannot be read."""
    if isinstance(path, Source):
        return path
    if not os.fspath(path):
        raise TextError("the name of a text is empty.")
    try:
        return Source(path, root)
    except FileNotFoundError:
        name, hint = possible_text(str(path))
        raise TextError(f"there is no file {name}.{hint}") from None
    except (OSError, ValueError) as error:
        name, hint = possible_text(str(path))
        raise TextError(f"{unreadable(name, error)}{hint}") from None


def possible_text(path: str) -> tuple[str, str]:
    """The name of a path that cannot be opened, and a hint if it seems to be a text itself: it has lines or words."""
    if len(path.split()) < 3 and "\n" not in path.strip() and len(path) <= LONGEST_NAME:
        return path, ""
    return repr(shown(path)), (
        " Texts are named by their paths: if it is the text itself, pass it to charrnn.Corpus.from_text "
        "or, on the command line, to standard input (-)."
    )


def walk(folder: Path) -> Iterator[Path]:
    """The files of a folder and its subfolders in name order, without hidden ones."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from walk(entry)
        elif entry.is_file():
            yield entry


def problem_in(file: Path, encoding: str) -> str | None:
    """Why a file in a folder does not look like text, as the end of a sentence; empty for an empty file."""
    try:
        with open(file, "rb") as opened:
            start = opened.read(8192)
    except OSError as error:
        return f"cannot be read: {error.strerror}."
    if not start:
        return ""
    wrong = problem(start, encoding, str(file))
    return wrong or ("is not text." if b"\0" in start and not is_wide(encoding) else None)


def together(notes: Iterable[tuple[str, str]]) -> list[str]:
    """Notes with the names of their files; the first one stands for all that differ in names and numbers only."""
    groups: dict[str, list[str]] = {}
    for name, note in notes:
        key = note.replace(name, "").replace(os.path.splitext(name)[0], "")
        groups.setdefault(re.sub(r"once|[\d,]+ times|0x\w+|[\d,]+", "", key), []).append(note)
    return [
        note if not others else f"{note.removesuffix('.')} (and {len(others):,} other file{'s' * (len(others) > 1)})."
        for note, *others in groups.values()
    ]


def changed(name: str) -> TextError:
    return TextError(f"{name} changed while it was being read: try again when it is complete.")


def short_name(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def unreadable(name: str, error: Exception) -> TextError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return TextError(f"{name} cannot be read: {reason}.")
