"""The symbols of a text as ids: those of a small text in memory, those of a large one in a temporary file.

Both are read alike: `len(ids)`, `ids.dtype`, and `ids[begin:end]`, which is an array. The file loses its name
as soon as it is open, and it is read by offset: the pages of a memory map would count as resident.
"""

import os
import shutil
import tempfile
import weakref
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Ids
from charrnn.errors import TextError
from charrnn.text.units import Codes

IN_MEMORY = 1 << 24  # bytes of ids that stay in memory
PIECE = 1 << 20  # symbols looked at together, where a whole text is walked through
WAY_OUT = "Set the environment variable TMPDIR to a folder with more room."


class IdFile:
    """A temporary file of ids, gone with the process or with the last who holds it."""

    def __init__(self, size: int, dtype: np.dtype[Any]) -> None:
        self.dtype, self.bytes = dtype, size * dtype.itemsize
        check_room(self.bytes)
        try:
            self.file: IO[bytes] = tempfile.TemporaryFile(buffering=0, prefix="charrnn-")  # noqa: SIM115
        except OSError as error:
            raise unwritable("a text as numbers", error) from None
        weakref.finalize(self, self.file.close)

    def write(self, part: Ids) -> None:
        rest = memoryview(part.astype(self.dtype, copy=False).tobytes())
        try:
            while rest:
                rest = rest[self.file.write(rest) :]
        except OSError as error:
            raise unwritable(f"a text as numbers ({mega(self.bytes)})", error) from None

    def read(self, begin: int, end: int) -> Ids:
        """Ids begin..end of the file."""
        at, size = begin * self.dtype.itemsize, (end - begin) * self.dtype.itemsize
        if hasattr(os, "pread"):  # leaves the place in the file alone, which forked processes share
            data = os.pread(self.file.fileno(), size, at)
        else:
            self.file.seek(at)
            data = self.file.read(size)
        return np.frombuffer(data, dtype=self.dtype)


class StoredIds:
    """Ids in a file: these ranges of it, one after another, as if they were one array."""

    def __init__(self, file: IdFile, ranges: Sequence[tuple[int, int]]) -> None:
        self.file, self.dtype = file, file.dtype
        self.ends = list(accumulate(end - begin for begin, end in ranges))
        self.shifts = [end - mine for (_, end), mine in zip(ranges, self.ends, strict=True)]

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def __getitem__(self, where: slice) -> Ids:
        begin, end, step = where.indices(len(self))
        if step != 1:
            raise IndexError("ids in a file are read in their order: ids[begin:end].")
        parts, at = [], bisect_right(self.ends, begin)
        while begin < end:
            stop, shift = min(end, self.ends[at]), self.shifts[at]
            parts.append(self.file.read(begin + shift, stop + shift))
            begin, at = stop, at + 1
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, self.dtype), *parts])


Symbols = Ids | StoredIds


class Collector:
    """Takes `size` ids part by part: into memory, or into a file where they are many."""

    def __init__(self, size: int, dtype: np.dtype[Any]) -> None:
        self.size, self.filled = size, 0
        self.file = IdFile(size, dtype) if size * dtype.itemsize > IN_MEMORY else None
        self.array: Ids = np.empty(0 if self.file else size, dtype)

    def add(self, part: Ids) -> bool:
        """Takes these ids; False where that would be more than were announced."""
        end = self.filled + len(part)
        if end > self.size:
            return False
        if self.file:
            self.file.write(part)
        else:
            self.array[self.filled : end] = part
        self.filled = end
        return True

    @property
    def ids(self) -> Symbols:
        return StoredIds(self.file, [(0, self.size)]) if self.file else self.array


def join(ids: Symbols, ranges: Sequence[tuple[int, int]]) -> Symbols:
    """These ranges of the ids of a whole text, one after another."""
    if isinstance(ids, StoredIds):
        return StoredIds(ids.file, ranges)
    parts = [ids[begin:end] for begin, end in ranges]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def gather(ids: Symbols, begins: NDArray[np.intp], count: int) -> Ids:
    """Symbols (count, B): column b holds those from begins[b] on."""
    if isinstance(ids, np.ndarray):
        window: Ids = ids[begins + np.arange(count)[:, None]]
        return window
    window = np.empty((count, len(begins)), ids.dtype)
    for column, begin in enumerate(begins.tolist()):
        window[:, column] = ids[begin : begin + count]
    return window


def pieces(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The range begin..end, cut into pieces from its end backwards."""
    while begin < end:
        yield max(begin, end - PIECE), end
        end -= PIECE


def count(values: Codes | Ids) -> NDArray[np.int64]:
    """How often each value occurs, (largest value + 1,) or longer."""
    if values.dtype != np.uint8 or len(values) < 1 << 16:
        return np.bincount(values)
    # two bytes at a time: half the work
    even = len(values) // 2 * 2
    pairs = np.bincount(values[:even].view(np.uint16), minlength=1 << 16).reshape(256, 256)
    counts: NDArray[np.int64] = pairs.sum(axis=0) + pairs.sum(axis=1)
    counts[values[even:]] += 1
    return counts


def added(total: NDArray[np.int64], more: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sum of two counts of which one may be shorter; it is made in place, in the longer one."""
    if len(more) > len(total):
        total, more = more, total
    total[: len(more)] += more
    return total


def check_room(need: int, least: bool = False) -> None:
    """Raises TextError where the temporary folder has no room for so many bytes, or at least so many."""
    try:
        free = shutil.disk_usage(tempfile.gettempdir()).free
    except OSError as error:
        raise TextError(f"there is no temporary folder: {error.strerror}. {WAY_OUT}") from None
    if free < need:
        raise TextError(
            f"a text of this size is kept as numbers in the temporary folder, {tempfile.gettempdir()}: "
            f"{'at least ' if least else ''}{mega(need)} are needed, and {mega(free)} are free. {WAY_OUT}"
        )


def check_early(least: int) -> None:
    """Raises TextError where there is no room for a text of at least so many symbols, before it is read."""
    if least > IN_MEMORY:
        check_room(least, least=True)


def unwritable(what: str, error: OSError) -> TextError:
    return TextError(
        f"{what} cannot be kept in the temporary folder, {tempfile.gettempdir()}: {error.strerror}. {WAY_OUT}"
    )


def mega(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
