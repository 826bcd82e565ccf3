"""What a system may lack, decided here alone: locks, folders that can be synced, signals, and what is free."""

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
STOP_SIGNALS = tuple(int(getattr(signal, name)) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
WINDOWS = os.name == "nt"
RETRIES = 20  # of a rename over a file that a reader holds open, which Windows refuses
NOT_SYNCED = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EROFS, errno.ENOSYS}


@contextmanager
def signals_held() -> Iterator[None]:
    """Signals that ask to stop wait meanwhile, where the system can make them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def can_lock() -> bool:
    return fcntl is not None


def try_lock(descriptor: int) -> bool:
    """Locks an open file for this process; False where another holds it. File systems without locks let all pass."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, *NOT_SYNCED):
            raise
    return True


def rename(old: str | os.PathLike[str], new: str | os.PathLike[str]) -> None:
    """Renames over a file that may be there."""
    for left in range(RETRIES, -1, -1):
        try:
            return os.replace(old, new)
        except PermissionError:
            if not (WINDOWS and left):
                raise
            time.sleep(0.1)


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Makes a rename last through a power cut, where folders can be opened and synced."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows; a folder that may be written but not read
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NOT_SYNCED:
            raise
    finally:
        os.close(descriptor)
