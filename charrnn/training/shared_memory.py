"""One block of memory for several processes, without a name wherever the system supports that."""

import math
import mmap
import os
import secrets
import sys
import tempfile
from typing import Any

import numpy as np

from charrnn.arrays import LINE, Array, ceil_div, zeros
from charrnn.errors import CharRNNError

Arrays = dict[str, np.ndarray[Any, Any]]


class Block:
    """`size` bytes of memory; workers attach to it by its `handle` (JSON), unless it is not `shared`."""

    def __init__(self, size: int, shared: bool = True) -> None:
        self.handle: dict[str, Any] = {}
        self.descriptor = -1
        self.memory: mmap.mmap | Array
        if not shared:
            self.memory = zeros((size,), np.uint8)
            return
        try:
            if sys.platform == "win32":
                self.handle = {"tag": f"charrnn-{os.getpid()}-{secrets.token_hex(8)}"}
            else:
                self.descriptor = unnamed(size)
                self.handle = {"descriptor": self.descriptor}
            self.memory = attach(self.handle, size)
        except OSError as error:
            raise CharRNNError(
                f"the workers cannot share {size / 1e6:,.0f} MB of memory ({error.strerror or error}): "
                "use `workers=1`, or a smaller network."
            ) from None


def unnamed(size: int) -> int:
    """The descriptor of memory without a name, allocated at once and freed with its last user."""
    import fcntl  # not available on Windows

    with open(os.memfd_create("charrnn"), "rb") if hasattr(os, "memfd_create") else tempfile.TemporaryFile() as file:
        # not 0, 1 or 2, which become the worker's pipes, even if this process has closed its own
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
    """The memory of a block, in the parent or in a worker."""
    if sys.platform == "win32":
        return mmap.mmap(-1, size, tagname=handle["tag"])
    return mmap.mmap(handle["descriptor"], size)


class Layout:
    """Arrays (shape and dtype by name) one after another in a block of `size` bytes, each aligned to a cache line."""

    def __init__(self, arrays: dict[str, tuple[tuple[int, ...], str]]) -> None:
        self.arrays = arrays
        self.offsets: dict[str, int] = {}
        self.size = 0
        for name, (shape, dtype) in arrays.items():
            self.offsets[name] = self.size
            self.size += ceil_div(math.prod(shape) * np.dtype(dtype).itemsize, LINE) * LINE

    def views(self, memory: mmap.mmap | Array) -> Arrays:
        """The arrays in this memory, by name."""
        return {
            name: np.frombuffer(memory, dtype, math.prod(shape), self.offsets[name]).reshape(shape)
            for name, (shape, dtype) in self.arrays.items()
        }
