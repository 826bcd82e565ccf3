"""The container: arrays in one `.npz`, written with a digest, and read only as expected."""

import hashlib
import math
import os
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import numpy as np

from charrnn.errors import ModelFileError
from charrnn.system.atomic import PathLike

FLOAT, BYTE = np.dtype("<f4"), np.dtype("u1")
Values = np.ndarray[Any, Any]
HEADER = 128  # bytes before the numbers of an array, as NumPy writes them
MAX_LIST = 1 << 20  # bytes of the list of members at the end of an archive
LIST_END, LIST_END_64, LIST_PLACE_64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
DIGEST = "sha256"


def header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """The header of an array in C order in an `.npy` of version 1.0, byte for byte as NumPy writes it."""
    text = f"{{'descr': {dtype.str!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", HEADER - 10) + text.ljust(HEADER - 11).encode() + b"\n"


def pack(file: IO[bytes], arrays: Mapping[str, Values]) -> None:
    """Writes the arrays, uncompressed, followed by the SHA-256 of all of them and their names."""
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
    """Opens a plain file for reading; raises ModelFileError if it is missing or not a plain file."""
    try:
        # without waiting for a writer if it is a FIFO
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise ModelFileError(f"there is no model file {path}: run charrnn train TEXT to create one.") from None
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ModelFileError(f"{path} is not a plain file, so it cannot be a model.")
    with open(descriptor, "rb") as file:
        yield file


@contextmanager
def refusing(path: PathLike) -> Iterator[None]:
    """Turns all errors of reading a file into ModelFileError, with one sentence."""
    try:
        yield
    except ModelFileError as error:
        raise ModelFileError(f"{path} {error}") from None
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}.") from None
    except Exception as error:
        raise ModelFileError(f"{path} is not a charrnn model, or it is damaged ({type(error).__name__}).") from None


class Members:
    """The arrays of an `.npz`, each read completely (so that its checksum is verified), once, and only as expected.

    `infos` are those that have not been read. Nothing larger than the file is allocated: members are uncompressed and
    do not overlap.
    """

    def __init__(self, file: IO[bytes]) -> None:
        size = check_list(file)
        self.archive, self.digest = zipfile.ZipFile(file), hashlib.sha256()
        infos = self.archive.infolist()
        self.infos = {info.orig_filename: info for info in infos}
        stored = all(i.compress_type == zipfile.ZIP_STORED and i.file_size == i.compress_size for i in infos)
        if len(self.infos) != len(infos) or not stored or sum(i.file_size for i in infos) > size:
            raise ModelFileError("is not a charrnn model, or it is damaged (its list of arrays).")

    def __contains__(self, name: str) -> bool:
        return f"{name}.npy" in self.infos

    def size(self, name: str) -> int:
        """The size of an array in bytes."""
        return self.infos[f"{name}.npy"].file_size - HEADER

    def array(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Values:
        """The next array, which must have this name, type and shape."""
        if next(iter(self.infos), "") != f"{name}.npy":
            raise ModelFileError(f"is damaged: the array {name} is missing or in the wrong place.")
        if self.size(name) != math.prod(shape) * dtype.itemsize:
            raise ModelFileError(f"is damaged: the array {name} has the wrong size.")
        data = self.archive.read(self.infos.pop(f"{name}.npy"))
        if data[:HEADER] != header(dtype, shape):
            raise ModelFileError(f"is damaged: the array {name} has the wrong shape or type.")
        values = np.frombuffer(data, dtype=dtype, offset=HEADER)
        if dtype == FLOAT and not np.isfinite(values).all():
            raise ModelFileError(f"is damaged: the array {name} has numbers that are not finite.")
        if name != DIGEST:
            self.digest.update(name.encode())
            self.digest.update(data)
        return values.reshape(shape)

    def end(self) -> None:
        """Raises ModelFileError unless all arrays have been read and are those that were written."""
        wanted = self.digest.digest()
        if self.array(DIGEST, BYTE, (len(wanted),)).tobytes() != wanted:
            raise ModelFileError("is damaged: its SHA-256 does not match.")
        if self.infos:
            raise ModelFileError("is damaged: it has unexpected arrays.")


def check_list(file: IO[bytes]) -> int:
    """The size of the file. Raises ModelFileError unless it ends with a list of members as short as that of any model.

    `zipfile` would search for the list, and read it into memory however long it is.
    """
    size = file.seek(0, os.SEEK_END)
    if size < LIST_END.size:
        raise ModelFileError("is not a charrnn model: it is too short.")
    file.seek(max(0, size - LIST_END.size - LIST_PLACE_64.size - LIST_END_64.size))
    tail = file.read()
    mark, *_, length, begin, comment = LIST_END.unpack(tail[-LIST_END.size :])
    after, rest = LIST_END.size, tail[: -LIST_END.size]
    if rest[-LIST_PLACE_64.size :].startswith(b"PK\x06\x07"):  # in a file larger than 4 GiB
        mark_64, *_, length, begin = LIST_END_64.unpack(rest[: -LIST_PLACE_64.size])
        mark, after = mark if mark_64 == b"PK\x06\x06" else b"", len(tail)
    if mark != b"PK\x05\x06" or comment or length > MAX_LIST or begin + length + after != size:
        raise ModelFileError("is not a charrnn model, or it is damaged (its end).")
    return size
