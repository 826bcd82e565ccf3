"""Atomic replacement of files: write to a temporary file, sync it, rename it; and whether a path is safe to write."""

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from charrnn.errors import ModelFileError, UsageError
from charrnn.options import BUILT_IN
from charrnn.system import portability, resources
from charrnn.system.lock import MUTEX, hidden_path, locked

PathLike = str | os.PathLike[str]


def target(path: PathLike, what: str = "model", option: str = "-m") -> Path:
    """The real path of a file to write: links are followed, and only a plain file is ever replaced.

    `what` and `option` name the file in messages. Raises UsageError or ModelFileError if it cannot be written.
    """
    if not os.path.basename(path):
        raise UsageError(f"{option} is the name of a file, not {str(path)!r}.")
    if isinstance(path, str) and path.startswith(BUILT_IN):
        why = f"{path} cannot be written, because names that start with {BUILT_IN} are built in"
        raise UsageError(f"{why}: choose another {option}, such as ./{path}.")
    try:
        real = Path(os.path.realpath(path))
        mode = real.stat().st_mode
    except FileNotFoundError:
        if not real.parent.is_dir():
            raise ModelFileError(f"there is no folder {real.parent} to write the {what} to.") from None
        return real
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} cannot be a {what} file: {getattr(error, 'strerror', None) or error}.") from None
    if not stat.S_ISREG(mode):
        raise ModelFileError(f"{path} is not a plain file, so no {what} is written to it: choose another {option}.")
    return real


@contextmanager
def claimed(path: PathLike, what: str = "model", option: str = "-m") -> Iterator[None]:
    """Locks the file for this process until the block ends.

    Raises ModelFileError if another process holds it or if it could not be written, before hours of work are spent.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(target(path, what, option)))
        except (OSError, ValueError) as error:
            raise ModelFileError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}.") from None
        yield


def check_room(path: PathLike, need: int) -> None:
    """Raises ModelFileError unless the disk has room for a model of `need` bytes in addition to the one it replaces."""
    real = target(path)
    free, old = resources.free_disk(real.parent), real.stat().st_size if real.exists() else 0
    need = max(need, 2 * need - old)
    if free is not None and free < need:
        raise ModelFileError(
            f"{path} needs {need / 1e6:,.1f} MB of disk space while it is saved, and {real.parent} has "
            f"{free / 1e6:,.1f} MB: free some space, choose another -m, or train a smaller network."
        )


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A temporary file that replaces `path` when the block ends without an exception; else `path` is unchanged.

    Raises OSError if that fails, and ModelFileError if another process holds the lock of the file.
    """
    temporary = hidden_path(os.fspath(path), "tmp")
    with MUTEX, locked(path):
        try:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            with open(temporary, "xb") as file:
                yield file
                file.flush()
                if path.exists():
                    os.chmod(temporary, stat.S_IMODE(path.stat().st_mode))
                os.fsync(file.fileno())
            portability.rename(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        portability.sync_folder(path.parent)
