"""One writer per file: a lock that the operating system releases when the process ends, however it ends.

The lock is held on a hidden file next to the file itself, because a rename replaces the latter; readers need no lock.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from charrnn.errors import ModelFileError
from charrnn.system import portability

HELD: dict[str, int] = {}  # descriptors of the locks of this process, by the path of the locked file
MUTEX = threading.RLock()  # between the threads of this process
FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def hidden_path(path: str, suffix: str) -> str:
    """The hidden file next to `path`: "tmp" while it is written, "lock" for its lock."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.{suffix}")


@contextmanager
def locked(path: str | os.PathLike[str]) -> Iterator[None]:
    """Locks the file at this real path until the block ends; a process may lock a file again that it has locked.

    Raises ModelFileError if another process holds the lock, OSError if no lock file can be created.
    """
    path = os.fspath(path)
    outer = path in HELD
    with MUTEX:
        if not (outer and is_current(HELD[path], hidden_path(path, "lock"))):
            with portability.signals_blocked():  # a signal in between would leave a lock that HELD does not list
                release(path)
                HELD[path] = acquire(path)
    try:
        yield
    finally:
        if not outer:
            release(path)


def acquire(path: str) -> int:
    """The descriptor of a new lock; removes the temporary file that a dead process may have left."""
    lock = hidden_path(path, "lock")
    while True:
        descriptor = os.open(lock, FLAGS, 0o666)
        try:
            if not portability.try_lock(descriptor):
                who = holder(descriptor)
                raise ModelFileError(f"{path} is being trained by {who}: wait for it, or choose another -m.")
            if is_current(descriptor, lock):
                write_pid(descriptor, lock)
                with suppress(FileNotFoundError):
                    os.unlink(hidden_path(path, "tmp"))
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its previous holder removed the file after it was opened here


def write_pid(descriptor: int, lock: str) -> None:
    """Writes the number of this process into its lock."""
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, b"%d\n" % os.getpid())
    except OSError:
        os.unlink(lock)
        raise


def holder(descriptor: int) -> str:
    """The process that holds a lock; it may not have written its number yet."""
    for _ in range(50):
        os.lseek(descriptor, 0, os.SEEK_SET)
        if (pid := os.read(descriptor, 20).strip()).isdigit():
            return f"process {int(pid)}"
        time.sleep(0.01)
    return "another process"


def is_current(descriptor: int, lock: str) -> bool:
    """Whether the open lock file is still the one of this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(lock, follow_symlinks=False))
    except OSError:
        return False


def release(path: str) -> None:
    """Releases the lock, and removes its file if it is still this process's own."""
    descriptor = HELD.pop(path, None)
    if descriptor is None:
        return
    lock = hidden_path(path, "lock")
    if portability.WINDOWS:  # where an open file cannot be removed
        os.close(descriptor)
    if portability.WINDOWS or is_current(descriptor, lock):
        with suppress(OSError):
            os.unlink(lock)
    if not portability.WINDOWS:
        os.close(descriptor)


def abandon() -> None:
    """Removes the temporary files and locks of this process, which is about to end."""
    for path in list(HELD):
        with suppress(OSError):
            os.unlink(hidden_path(path, "tmp"))
        with suppress(OSError):
            release(path)
