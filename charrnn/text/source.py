"""Texts from files, folders and pipes: found, read and decoded in chunks."""

import codecs
import os
import stat
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import TextError
from charrnn.text.ids import unwritable
from charrnn.text.units import UNITS, Codes, Unit

CHUNK = 1 << 20
LONGEST_PIPE = 1 << 32  # bytes: what has no end is noticed
STDIN = "-"
MODEL_START = b"PK\x03\x04", b"meta.npy"

See = Callable[[bytes], None]
Progress = Callable[[int, int], None]


class Source:
    """One file to read, twice if need be; what cannot be read twice (a pipe) is spooled once."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path, self.name = path, "standard input" if str(path) == STDIN else str(path)
        self.spool: IO[bytes] | None = None
        self.stamp: tuple[int, ...] | None = None
        if str(path) == STDIN:
            if sys.stdin is None:
                raise TextError("standard input is closed: name a text.")
            self._spool(sys.stdin.buffer)
        elif not stat.S_ISREG(os.stat(path).st_mode):
            with open(path, "rb") as pipe:
                self._spool(pipe)

    def _spool(self, pipe: IO[bytes]) -> None:
        self.spool = tempfile.SpooledTemporaryFile(max_size=64 * CHUNK)  # noqa: SIM115
        weakref.finalize(self, self.spool.close)
        for block in ending(pipe, self.name):
            try:
                self.spool.write(block)
            except OSError as error:
                raise unwritable(self.name, error) from None

    @property
    def size(self) -> int:
        """Its bytes, as far as can be told."""
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

    def codes(self, unit: Unit, encoding: str, see: See) -> Iterator[Codes | NDArray[np.uint8]]:
        """The file's codes, chunk by chunk, as bytes where all are below 256; `see` is shown every block.

        Raises TextError where the bytes are not text in this encoding, or change meanwhile.
        """
        with self.open() as file:
            self.check_unchanged(file)
            blocks = seen(iter(lambda: file.read(CHUNK), b""), see)
            if unit is UNITS["byte"]:
                yield from (np.frombuffer(block, dtype=np.uint8) for block in blocks)
            else:
                for text in decoded(checked(blocks, encoding, self.name), encoding, self.name):
                    # the codes of ASCII are its bytes in every unit, and most text is ASCII
                    yield np.frombuffer(text.encode(), dtype=np.uint8) if text.isascii() else unit.codes(text)
            self.check_unchanged(file)

    def check_unchanged(self, file: IO[bytes]) -> None:
        """Raises TextError where a file is not what it was when it was first opened."""
        if self.spool is not None:
            return
        now = os.fstat(file.fileno())
        stamp = (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns)
        if self.stamp not in (None, stamp):
            raise changed(self.name)
        self.stamp = stamp


def characters(source: Source, unit: str, encoding: str, see: See) -> Iterator[Codes | NDArray[np.uint8]]:
    """The code points of a file, chunk by chunk, as a model of this unit writes them.

    One of bytes writes line ends as they stand, and what is no UTF-8 as surrogate escapes; one of jamo composes Hangul.
    Raises TextError where the bytes are not text in this encoding.
    """
    if unit == "byte":
        with source.open() as file:
            utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")
            for block in seen(iter(lambda: file.read(CHUNK), b""), see):
                yield UNITS["char"].codes(utf8.decode(block))
            yield UNITS["char"].codes(utf8.decode(b"", True))
    elif unit == "jamo":
        jamo, rest = UNITS["jamo"], np.empty(0, dtype=np.uint32)
        for codes in source.codes(jamo, encoding, see):
            letters = np.concatenate([rest, codes])
            cut = int(np.flatnonzero(jamo.starts(letters))[-1:].sum())  # what comes may belong to the last syllable
            rest = letters[cut:]
            yield UNITS["char"].codes(jamo.text(letters[:cut]))
        yield UNITS["char"].codes(jamo.text(rest))
    else:
        yield from source.codes(UNITS["char"], encoding, see)


class Reading:
    """How far two readings of some files have got, told to a callback in bytes of their text."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.done, self.total = progress, 0, 2 * total

    def see(self, block: bytes) -> None:
        self.done += len(block)
        if self.progress:
            self.progress(self.done // 2, max(self.done, self.total) // 2)

    def again(self, total: int) -> None:
        """The second reading begins, of so many bytes."""
        self.total = self.done + total


def ending(pipe: IO[bytes], name: str) -> Iterator[bytes]:
    """What a pipe gives, block by block; raises TextError where it does not end."""
    size = 0
    while block := pipe.read(CHUNK):
        size += len(block)
        if size > LONGEST_PIPE:
            raise TextError(
                f"{name} gave more than {LONGEST_PIPE / 1e9:.1f} GB and has no end yet: save it as a file first."
            )
        yield block


def checked(blocks: Iterator[bytes], encoding: str, name: str) -> Iterator[bytes]:
    """The same blocks; raises TextError where the first is plainly no text in this encoding."""
    first = next(blocks, b"")
    if first.startswith(MODEL_START[0]) and MODEL_START[1] in first[:64]:
        raise TextError(f"{name} is a model file, not a text: charrnn sample -m {name} writes text with it.")
    known = first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and first[2:4] != b"\0\0"
    wide = codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))
    if not wide and not known and first.count(0) > len(first) // 10:
        raise TextError(
            f"{name} is no text, or UTF-16: more than a tenth of its bytes are NUL. "
            "Try --encoding utf-16-le, or --unit byte to train on bytes."
        )
    if first:
        yield first
    yield from blocks


def changed(name: str) -> TextError:
    return TextError(f"{name} changed while it was being read: try again when it is complete.")


def seen(blocks: Iterator[bytes], see: See) -> Iterator[bytes]:
    for block in blocks:
        see(block)
        yield block


def decoded(blocks: Iterator[bytes], encoding: str, name: str) -> Iterator[str]:
    """Text without a byte-order mark, CRLF read as LF."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    offset, carry, first = 0, "", True
    while True:
        block = next(blocks, b"")
        pending = len(decoder.getstate()[0])
        try:
            text = carry + decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            raise undecodable(error, offset - pending, encoding, name) from None
        except UnicodeError as error:
            raise TextError(f"{name} is not {encoding.upper()}: {error}.") from None
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        carry = "\r" if block and text.endswith("\r") else ""
        text = text.removesuffix(carry) if carry else text
        if text:
            yield text.replace("\r\n", "\n") if "\r" in text else text  # to look for one is 10 times as fast
        if not block:
            return
        offset += len(block)


def undecodable(error: UnicodeDecodeError, base: int, encoding: str, name: str) -> TextError:
    byte = error.object[error.start]
    if error.object[:2] in (b"\xff\xfe", b"\xfe\xff") and base + error.start < 2:
        return TextError(f"{name} looks like UTF-16: try --encoding utf-16.")
    return TextError(
        f"{name} is not {encoding.upper()} (byte 0x{byte:02X} at offset {base + error.start:,}). "
        "Try --encoding latin-1 or its true encoding, or --unit byte to train on bytes."
    )


def find_sources(
    paths: Sequence[str | os.PathLike[str]], notes: list[str], encoding: str
) -> Iterator[tuple[Source, bool]]:
    """Every file to read, and whether it was found in a folder rather than named."""
    for path in paths:
        if not os.fspath(path):
            raise TextError("the name of a text is empty.")
        try:
            if str(path) != STDIN and os.path.isdir(path):
                found = [file for file in walk(Path(path)) if is_text(file, notes, encoding)]
                if not found:
                    raise TextError(f"{path} is a folder without text files.")
                yield from ((Source(file), True) for file in found)
            else:
                yield Source(path), False
        except FileNotFoundError:
            raise TextError(f"there is no file {path}.") from None
        except (OSError, ValueError) as error:
            raise unreadable(str(path), error) from None


def walk(folder: Path) -> Iterator[Path]:
    """The non-hidden files of a folder and its folders, in name order."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from walk(entry)
        elif entry.is_file():
            yield entry


def is_text(file: Path, notes: list[str], encoding: str) -> bool:
    """Whether a file that was found looks like text: it can be opened, and it holds no NUL that is no part of it."""
    try:
        with open(file, "rb") as opened:
            start = opened.read(8192)
    except OSError as error:
        notes.append(f"left out {file}: {error.strerror}")
        return False
    foreign = b"\0" in start and not codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))
    if foreign:
        notes.append(f"left out {file}: it is not text")
    return bool(start) and not foreign


def unreadable(name: str, error: Exception) -> TextError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return TextError(f"{name} cannot be read: {reason}.")
