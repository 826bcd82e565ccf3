"""Features that an operating system may lack: file locks, fsync of folders, signal masks, rename over an open file."""

import errno
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
# schedulers of clusters send SIGUSR1 to all processes some time before the end of a job
NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
STOP_SIGNALS = tuple(int(getattr(signal, name)) for name in NAMES if hasattr(signal, name))
WINDOWS = os.name == "nt"
RETRIES = 20  # of a rename over a file that a reader has open, which Windows refuses
UNSUPPORTED = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EROFS, errno.ENOSYS}


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Delays stop signals until the block ends, where the system supports it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def try_lock(descriptor: int) -> bool:
    """Locks an open file for this process; False if another holds it. True where there are no locks."""
    if not hasattr(fcntl, "flock"):
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, *UNSUPPORTED):
            raise
    return True


def rename(old: str | os.PathLike[str], new: str | os.PathLike[str]) -> None:
    """Renames a file, replacing one of the new name."""
    for left in range(RETRIES, -1, -1):
        try:
            return os.replace(old, new)
        except PermissionError:
            if not (WINDOWS and left):
                raise
            time.sleep(0.1)


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Makes a rename survive a power failure, where folders can be opened and synced."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # on Windows, or a folder that may be written but not read
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
    finally:
        os.close(descriptor)
