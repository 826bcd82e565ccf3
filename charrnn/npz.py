"""Arrays in one `.npz`: written beside the old file and renamed over it, read only as expected."""

import io
import math
import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from charrnn.errors import CharRNNError, ModelFileError, UsageError

FLOAT = np.dtype("<f4")

PathLike = str | os.PathLike[str]


def target(path: PathLike) -> Path:
    """Where a model of this name is written: links are followed, and only a plain file is ever replaced."""
    if not os.path.basename(path):
        raise UsageError(f"-m is the name of a file, not {str(path)!r}.")
    try:
        real = Path(os.path.realpath(path))
        mode = real.stat().st_mode
    except FileNotFoundError:
        if not real.parent.is_dir():
            raise ModelFileError(f"there is no folder {real.parent} to write the model to.") from None
        return real
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} cannot be a model file: {error}.") from None
    if not stat.S_ISREG(mode):
        raise ModelFileError(f"{path} is not a plain file, so no model is written over it: choose another -m.")
    return real


def check_target(path: PathLike) -> None:
    """Raises ModelFileError where a model could not be written, before hours have gone into it."""
    real = target(path)
    try:
        tempfile.TemporaryFile(dir=real.parent).close()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be written: {error.strerror or error}.") from None


def write(path: Path, arrays: dict[str, np.ndarray[Any, Any]]) -> None:
    """An `.npz` of these arrays, by way of a temporary file: written, flushed to the disk, renamed."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with open(temporary, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for name, values in arrays.items():
                    with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                        np.lib.format.write_array(
                            member, np.ascontiguousarray(values), version=(1, 0), allow_pickle=False
                        )
            file.flush()
            os.fsync(file.fileno())
            if path.exists():
                os.chmod(temporary, stat.S_IMODE(path.stat().st_mode))
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes a rename last through a power cut; systems that cannot open a folder do without."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def opened(path: PathLike) -> Iterator[IO[bytes]]:
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
    except (CharRNNError, Exception) as error:
        raise ModelFileError(f"{path} is not a charrnn model, or it is damaged ({type(error).__name__}).") from None


class Members:
    """The arrays of an `.npz`, each read whole (so that its checksum is checked) and only as expected."""

    def __init__(self, file: IO[bytes]) -> None:
        self.archive = zipfile.ZipFile(file)
        size = os.fstat(file.fileno()).st_size
        infos = self.archive.infolist()
        self.infos = {info.filename.removesuffix(".npy"): info for info in infos}
        sound = all(i.compress_type == zipfile.ZIP_STORED and i.file_size <= size for i in infos)
        if len(self.infos) != len(infos) or not sound or sum(i.file_size for i in infos) > size:
            raise ModelFileError("is not a charrnn model, or it is damaged (its list of arrays).")

    def array(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...] | None) -> np.ndarray[Any, Any]:
        """The array of this name; a shape of None takes any vector."""
        info = self.infos[name]
        wanted = None if shape is None else math.prod(shape) * dtype.itemsize
        if wanted is not None and not wanted < info.file_size <= wanted + 1024:
            raise ModelFileError(f"is damaged: the array {name} has a size that does not fit.")
        data = io.BytesIO(self.archive.read(info))
        if np.lib.format.read_magic(data) != (1, 0):
            raise ValueError(name)
        found, fortran, kind = np.lib.format.read_array_header_1_0(data)
        values = np.frombuffer(data.getbuffer(), dtype=dtype, offset=data.tell())
        if fortran or kind != dtype or found != (shape or (len(values),)) or len(values) != math.prod(found):
            raise ModelFileError(f"is damaged: the array {name} is not of the shape or type that fits.")
        if dtype == FLOAT and not np.isfinite(values).all():
            raise ModelFileError(f"is damaged: the array {name} holds numbers that are not finite.")
        return values.reshape(found)
