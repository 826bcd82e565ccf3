"""Write beside, sync, rename; is this path safe to write."""

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from charrnn.errors import ModelFileError, UsageError
from charrnn.system import portability, resources
from charrnn.system.lock import ONE_AT_A_TIME, beside, locked

PathLike = str | os.PathLike[str]


def target(path: PathLike, what: str = "model", option: str = "-m") -> Path:
    """Where a file of this name is written: links are followed, and only a plain file is ever replaced."""
    if not os.path.basename(path):
        raise UsageError(f"{option} is the name of a file, not {str(path)!r}.")
    try:
        real = Path(os.path.realpath(path))
        mode = real.stat().st_mode
    except FileNotFoundError:
        if not real.parent.is_dir():
            raise ModelFileError(f"there is no folder {real.parent} to write the {what} to.") from None
        return real
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelFileError(f"{path} cannot be a {what} file: {reason}.") from None
    if not stat.S_ISREG(mode):
        raise ModelFileError(f"{path} is not a plain file, so no {what} is written over it: choose another {option}.")
    return real


@contextmanager
def claimed(path: PathLike, what: str = "model", option: str = "-m") -> Iterator[None]:
    """This process alone writes the file meanwhile.

    Raises ModelFileError where another does, or where a file could not be written, before hours have gone into it.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(target(path, what, option)))
        except (OSError, ValueError) as error:
            raise ModelFileError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}.") from None
        yield


def check_room(path: PathLike, need: int) -> None:
    """Raises ModelFileError where the disk has no room for a model of so many bytes beside the one that it replaces."""
    real = target(path)
    free, old = resources.free_room(real.parent), real.stat().st_size if real.exists() else 0
    need = max(need, 2 * need - old)
    if free is not None and free < need:
        raise ModelFileError(
            f"{path} needs {need / 1e6:,.1f} MB of room while it is saved, and {real.parent} has {free / 1e6:,.1f} MB: "
            "make room, choose another -m, or a smaller network."
        )


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file beside `path`, which takes its place when all is written. Errors as in `write`."""
    temporary = beside(os.fspath(path), "tmp")
    with ONE_AT_A_TIME, locked(path):
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
