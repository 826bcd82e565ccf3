"""One training for each model file: a lock that the system takes back when the process ends, however it ends.

The lock is on a file beside the model, because a rename gives the model another one; readers need none.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from charrnn.errors import ModelFileError
from charrnn.system import portability

HELD: dict[str, int] = {}  # the descriptors of the locks that this process has, by the model's path
ONE_AT_A_TIME = threading.RLock()
FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def beside(path: str, ending: str) -> str:
    """The hidden name beside a model: `.tmp` for what is being written, `.lock` for the lock."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.{ending}")


@contextmanager
def locked(path: str | os.PathLike[str]) -> Iterator[None]:
    """Nobody else writes the model at this real path meanwhile; what this process has locked it may lock again.

    Raises ModelFileError where another process has it, OSError where no file can be made there.
    """
    path = os.fspath(path)
    outer = path in HELD
    with ONE_AT_A_TIME:
        if not (outer and still_there(HELD[path], beside(path, "lock"))):
            with portability.signals_held():  # or one that came in between would leave a lock that nobody knows of
                release(path)
                HELD[path] = acquire(path)
    try:
        yield
    finally:
        if not outer:
            release(path)


def acquire(path: str) -> int:
    """The descriptor of a lock that is ours; what a dead process was writing is removed."""
    lock = beside(path, "lock")
    while True:
        descriptor = os.open(lock, FLAGS, 0o666)
        try:
            if portability.can_lock() and not portability.try_lock(descriptor):
                raise ModelFileError(
                    f"{path} is being trained by {holder(descriptor)}: wait for it, or choose another -m."
                )
            if still_there(descriptor, lock):
                sign(descriptor, lock)
                with suppress(FileNotFoundError):
                    os.unlink(beside(path, "tmp"))
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # the one who had it has removed it since


def sign(descriptor: int, lock: str) -> None:
    """Says in the lock whose it is."""
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, b"%d\n" % os.getpid())
    except OSError:
        os.unlink(lock)
        raise


def holder(descriptor: int) -> str:
    """Whose the lock is; one who has just got it may not have signed it yet."""
    for _ in range(50):
        os.lseek(descriptor, 0, os.SEEK_SET)
        if (pid := os.read(descriptor, 20).strip()).isdigit():
            return f"process {int(pid)}"
        time.sleep(0.01)
    return "another process"


def still_there(descriptor: int, lock: str) -> bool:
    """Whether the open lock is the one that has this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(lock, follow_symlinks=False))
    except OSError:
        return False


def release(path: str) -> None:
    """Gives the lock back, and removes its file while it is still ours."""
    descriptor = HELD.pop(path, None)
    if descriptor is None:
        return
    lock = beside(path, "lock")
    if portability.WINDOWS:  # which removes no open file
        os.close(descriptor)
    if portability.WINDOWS or still_there(descriptor, lock):
        with suppress(OSError):
            os.unlink(lock)
    if not portability.WINDOWS:
        os.close(descriptor)


def abandon() -> None:
    """The process ends now: nothing half-written and no lock is left beside a model."""
    for path in list(HELD):
        with suppress(OSError):
            os.unlink(beside(path, "tmp"))
        with suppress(OSError):
            release(path)
