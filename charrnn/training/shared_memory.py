"""One block of memory for several processes, without a name wherever the system can do without one."""

import mmap
import os
import secrets
import sys
import tempfile
from typing import Any

import numpy as np

from charrnn.arrays import LINE
from charrnn.errors import CharRNNError


class Block:
    """`size` bytes that the parent makes and workers attach to by what `handle` says (JSON)."""

    def __init__(self, size: int) -> None:
        self.size = size
        try:
            if sys.platform == "win32":
                self.handle: dict[str, Any] = {"tag": f"charrnn-{os.getpid()}-{secrets.token_hex(8)}"}
                self.memory = mmap.mmap(-1, size, tagname=self.handle["tag"])
                self.descriptor = -1
            else:
                self.descriptor = unnamed(size)
                self.handle = {"descriptor": self.descriptor}
                self.memory = mmap.mmap(self.descriptor, size)
        except OSError as error:
            raise CharRNNError(
                f"there is no room for the {size / 1e6:,.0f} MB that the workers share ({error.strerror or error}): "
                "use --workers 1, or a smaller network."
            ) from None


def unnamed(size: int) -> int:
    """A file descriptor for memory that has no name and ends with its last user; its room is taken at once."""
    import fcntl  # which Windows lacks

    with open(os.memfd_create("charrnn"), "rb") if hasattr(os, "memfd_create") else tempfile.TemporaryFile() as file:
        # not 0, 1 or 2, which are a worker's pipes, even where this process has closed them
        descriptor = fcntl.fcntl(file.fileno(), fcntl.F_DUPFD_CLOEXEC, 3)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:
            os.ftruncate(descriptor, size)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def attach(handle: dict[str, Any], size: int) -> mmap.mmap:
    """The parent's block, in a worker."""
    if sys.platform == "win32":
        return mmap.mmap(-1, size, tagname=handle["tag"])
    return mmap.mmap(handle["descriptor"], size)


class Layout:
    """Arrays one after another in a block, each on a cache line of its own."""

    def __init__(self, arrays: dict[str, tuple[tuple[int, ...], str]]) -> None:
        self.places: dict[str, tuple[int, tuple[int, ...], str]] = {}
        end = 0
        for name, (shape, dtype) in arrays.items():
            self.places[name] = (end, shape, dtype)
            end += -(-int(np.prod(shape)) * np.dtype(dtype).itemsize // LINE) * LINE
        self.size = max(end, LINE)

    def view(self, memory: mmap.mmap, name: str) -> np.ndarray[Any, Any]:
        begin, shape, dtype = self.places[name]
        return np.frombuffer(memory, dtype=dtype, count=int(np.prod(shape)), offset=begin).reshape(shape)
