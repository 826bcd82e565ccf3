"""Arrays in one `.npz`: written beside the old file and renamed over it, read only as expected, to the last byte."""

import hashlib
import math
import os
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from charrnn.errors import CharRNNError, ModelFileError
from charrnn.system.atomic import PathLike, replacing

FLOAT, BYTE = np.dtype("<f4"), np.dtype("u1")
Values = np.ndarray[Any, Any]
HEADER = 128  # bytes before the numbers of an array, as NumPy writes them
MAX_LIST = 1 << 20  # bytes of the list of members at the end of an archive
LIST_END, LIST_END_64, LIST_PLACE_64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
DIGEST = "sha256"


def write(path: Path, arrays: Mapping[str, Values]) -> None:
    """An `.npz` of these arrays, by way of a temporary file: written, flushed to the disk, renamed.

    Raises OSError where that fails, and ModelFileError where another process writes there; the old file is as it was.
    """
    with replacing(path) as file:
        pack(file, arrays)


def header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """What an array in C order begins with in an `.npy` of version 1.0, byte for byte as NumPy writes it."""
    text = f"{{'descr': {dtype.str!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", HEADER - 10) + text.ljust(HEADER - 11).encode() + b"\n"


def pack(file: IO[bytes], arrays: Mapping[str, Values]) -> None:
    """Writes the arrays, uncompressed, and as the last one the SHA-256 of all of them with their names."""
    digest = hashlib.sha256()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:

        def add(name: str, values: Values) -> None:
            values = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                for part in (header(values.dtype, values.shape), values.reshape(-1).view(np.uint8).data):
                    member.write(part)
                    digest.update(part)

        for name, values in arrays.items():
            digest.update(name.encode())
            add(name, values)
        add(DIGEST, np.frombuffer(digest.digest(), dtype=BYTE))


@contextmanager
def opened(path: PathLike) -> Iterator[IO[bytes]]:
    """A plain file, open for reading; raises ModelFileError where it is none."""
    try:
        # without waiting for a writer, should it be a FIFO
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise ModelFileError(f"there is no model file {path}: charrnn train TEXT makes one.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ModelFileError(f"{path} cannot be read: {reason}.") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ModelFileError(f"{path} is not a plain file, so it is no model.")
    with open(descriptor, "rb") as file:
        yield file


@contextmanager
def refusing(path: PathLike) -> Iterator[None]:
    """Whatever is wrong inside the file is one kind of error and one sentence."""
    try:
        yield
    except ModelFileError as error:
        raise ModelFileError(f"{path} {error}") from None
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (CharRNNError, Exception) as error:
        raise ModelFileError(f"{path} is not a charrnn model, or it is damaged ({type(error).__name__}).") from None


class Members:
    """The arrays of an `.npz`, each read whole (so that its checksum is checked), once, and only as expected.

    Nothing is allocated that the file does not hold: members are stored as they are, and none overlap.
    """

    def __init__(self, file: IO[bytes]) -> None:
        size = check_list(file)
        self.archive, self.digest = zipfile.ZipFile(file), hashlib.sha256()
        infos = self.archive.infolist()
        self.infos = {info.orig_filename: info for info in infos}
        stored = all(i.compress_type == zipfile.ZIP_STORED and i.file_size == i.compress_size for i in infos)
        if len(self.infos) != len(infos) or not stored or sum(i.file_size for i in infos) > size:
            raise ModelFileError("is not a charrnn model, or it is damaged (its list of arrays).")
        self.left = list(self.infos)

    def __contains__(self, name: str) -> bool:
        return f"{name}.npy" in self.infos

    def size(self, name: str) -> int:
        """Bytes of the array of this name."""
        return self.infos[f"{name}.npy"].file_size - HEADER

    def array(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Values:
        """The array of this name, which has this type and shape."""
        if self.left[:1] != [f"{name}.npy"]:
            raise ModelFileError(f"is damaged: the array {name} is missing, or not in its place.")
        self.left.pop(0)
        if self.size(name) != math.prod(shape) * dtype.itemsize:
            raise ModelFileError(f"is damaged: the array {name} has a size that does not fit.")
        data = self.archive.read(self.infos[f"{name}.npy"])
        if data[:HEADER] != header(dtype, shape):
            raise ModelFileError(f"is damaged: the array {name} is not of the shape or type that fits.")
        values = np.frombuffer(data, dtype=dtype, offset=HEADER)
        if dtype == FLOAT and not np.isfinite(values).all():
            raise ModelFileError(f"is damaged: the array {name} holds numbers that are not finite.")
        if name != DIGEST:
            self.digest.update(name.encode())
            self.digest.update(data)
        return values.reshape(shape)

    def end(self, hashed: bool) -> None:
        """All members have been read, in the order in which they were written, and are what was written."""
        wanted = self.digest.digest()
        if hashed and self.array(DIGEST, BYTE, (len(wanted),)).tobytes() != wanted:
            raise ModelFileError("is damaged: it is not what was written (its SHA-256).")
        if self.left:
            raise ModelFileError("is damaged: it holds arrays that do not belong there.")


def check_list(file: IO[bytes]) -> int:
    """The size of the file, whose last bytes must be a list of members no longer than any model has.

    `zipfile` reads the list as a whole, however long it is, and searches for it.
    """
    size = file.seek(0, os.SEEK_END)
    if size < LIST_END.size:
        raise ModelFileError("is not a charrnn model: it is too short.")
    file.seek(max(0, size - LIST_END.size - LIST_PLACE_64.size - LIST_END_64.size))
    tail = file.read()
    mark, *_, length, begin, comment = LIST_END.unpack(tail[-LIST_END.size :])
    after, rest = LIST_END.size, tail[: -LIST_END.size]
    if rest[-LIST_PLACE_64.size :].startswith(b"PK\x06\x07"):  # of a file of more than 4 GiB
        mark_64, *_, length, begin = LIST_END_64.unpack(rest[: -LIST_PLACE_64.size])
        mark, after = mark if mark_64 == b"PK\x06\x06" else b"", len(tail)
    if mark != b"PK\x05\x06" or comment or length > MAX_LIST or begin + length + after != size:
        raise ModelFileError("is not a charrnn model, or it is damaged (its end).")
    return size
