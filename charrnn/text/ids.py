"""Symbol ids of a text: in memory, or in a temporary file if the text is large.

Both are read in the same way: `len(ids)`, `ids.dtype`, and `ids[begin:end]`, which is an array. The file has no name,
so that it never outlives the process, and it is read by offset: the pages of a memory map would count as resident.
"""

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Ids
from charrnn.errors import TextError

IN_MEMORY = 1 << 24  # bytes; more ids are stored in a file
PIECE = 1 << 20  # symbols that are processed together in a pass over a whole text
Ranges = Sequence[tuple[int, int]] | NDArray[np.int64]
HINT = "Set the environment variable TMPDIR to a folder with more room."


class IdFile:
    """A temporary file of ids, deleted with the last object that refers to it."""

    def __init__(self, size: int, dtype: np.dtype[Any]) -> None:
        self.dtype, self.bytes = dtype, size * dtype.itemsize
        check_room(self.bytes)
        try:
            self.file: IO[bytes] = tempfile.TemporaryFile(prefix="charrnn-")  # noqa: SIM115
        except OSError as error:
            raise unwritable("the ids of the text", error) from None
        weakref.finalize(self, self.file.close)

    def write(self, part: Ids) -> None:
        try:
            self.file.write(part.astype(self.dtype, copy=False).tobytes())
            self.file.flush()  # it is read by offset
        except OSError as error:
            raise unwritable(f"the ids of the text ({mega(self.bytes)})", error) from None

    def read(self, begin: int, end: int) -> Ids:
        offset, size = begin * self.dtype.itemsize, (end - begin) * self.dtype.itemsize
        if hasattr(os, "pread"):  # does not move the file position, which forked processes share
            data = os.pread(self.file.fileno(), size, offset)
        else:
            self.file.seek(offset)
            data = self.file.read(size)
        return np.frombuffer(data, dtype=self.dtype)


class StoredIds:
    """Ranges of a file of ids, concatenated, as one array-like sequence."""

    def __init__(self, file: IdFile, ranges: Ranges) -> None:
        self.file, self.dtype = file, file.dtype
        begins, ends = np.asarray(ranges, np.int64).reshape(-1, 2).T
        self.ends = np.cumsum(ends - begins)
        self.shifts = ends - self.ends

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def __getitem__(self, key: slice) -> Ids:
        begin, end, step = key.indices(len(self))
        if step != 1:
            raise IndexError("ids in a file are read as a contiguous range: ids[begin:end].")
        parts, k = [], int(np.searchsorted(self.ends, begin, side="right"))
        while begin < end:
            stop, shift = min(end, int(self.ends[k])), int(self.shifts[k])
            parts.append(self.file.read(begin + shift, stop + shift))
            begin, k = stop, k + 1
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, self.dtype), *parts])


Symbols = Ids | StoredIds


def collect(parts: Iterable[Ids], size: int, dtype: np.dtype[Any]) -> Symbols:
    """`size` ids, which come part by part, in memory or in a file."""
    if size * dtype.itemsize > IN_MEMORY:
        file = IdFile(size, dtype)
        for part in parts:
            file.write(part)
        return StoredIds(file, [(0, size)])
    ids, end = np.empty(size, dtype), 0
    for part in parts:
        ids[end : end + len(part)] = part
        end += len(part)
    return ids


def join(ids: Symbols, ranges: Ranges) -> Symbols:
    """Ranges of the ids of a text, as pairs of begin and end, concatenated."""
    if isinstance(ids, StoredIds):
        return StoredIds(ids.file, ranges)
    parts = [ids[begin:end] for begin, end in np.asarray(ranges, np.int64).reshape(-1, 2).tolist()]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def gather(ids: Symbols, starts: NDArray[np.intp], count: int) -> Ids:
    """Ids (count, B): column b contains those from starts[b] on."""
    if isinstance(ids, np.ndarray):
        return ids.take(starts + np.arange(count)[:, None])
    window = np.empty((count, len(starts)), ids.dtype)
    for column, start in enumerate(starts.tolist()):
        window[:, column] = ids[start : start + count]
    return window


def pieces(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The range begin..end in pieces, from its end backwards."""
    while begin < end:
        yield max(begin, end - PIECE), end
        end -= PIECE


def count(values: Ids) -> NDArray[np.int64]:
    """Number of occurrences of each value, (largest value + 1,) or longer."""
    if values.dtype != np.uint8 or len(values) < 1 << 16:
        return np.bincount(values)
    # two bytes at a time: reading a text of ASCII is 25 % faster
    even = len(values) // 2 * 2
    pairs = np.bincount(values[:even].view(np.uint16), minlength=1 << 16).reshape(256, 256)
    counts: NDArray[np.int64] = pairs.sum(axis=0) + pairs.sum(axis=1)
    return counts + np.bincount(values[even:], minlength=256)


def added(total: NDArray[np.int64], more: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sum of two arrays of counts, computed in place in the longer one."""
    if len(more) > len(total):
        total, more = more, total
    total[: len(more)] += more
    return total


def check_room(need: int, at_least: bool = False) -> None:
    """Raises TextError if fewer than `need` bytes are free in the temporary folder; `at_least`: more may be needed."""
    try:
        free = shutil.disk_usage(tempfile.gettempdir()).free
    except OSError as error:
        raise TextError(f"there is no temporary folder: {error.strerror}. {HINT}") from None
    if free < need:
        raise TextError(
            f"the ids of a text of this size are stored in the temporary folder, {tempfile.gettempdir()}: "
            f"{'at least ' if at_least else ''}{mega(need)} are needed, and {mega(free)} are free. {HINT}"
        )


def unwritable(name: str, error: OSError) -> TextError:
    return TextError(
        f"{name} cannot be stored in the temporary folder, {tempfile.gettempdir()}: {error.strerror}. {HINT}"
    )


def mega(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
