"""The library behind NumPy's products, where it is the OpenBLAS that comes with it: its core type and its threads.

And what the last bits of a training depend on.
"""

import ctypes
import platform
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from charrnn._version import __version__

PREFIXES, SUFFIXES = ("scipy_openblas_", "openblas_"), ("64_", "")


@cache
def function(name: str) -> Any:
    """A function of OpenBLAS by the end of its name; None where it is not to be found."""
    for library in Path(np.__file__).parent.parent.glob("numpy.libs/*openblas*"):
        for prefix in PREFIXES:
            for suffix in SUFFIXES:
                try:
                    return getattr(ctypes.CDLL(str(library)), f"{prefix}{name}{suffix}")
                except (AttributeError, OSError):
                    continue
    return None


def core_type() -> str:
    """The processor that OpenBLAS believes to run on; it decides the rate of products."""
    ask = function("get_corename")
    if ask is None:
        return "unknown"
    ask.restype = ctypes.c_char_p
    return (ask() or b"unknown").decode("ascii", "replace")


def set_threads(count: int) -> int:
    """Uses so many threads for products from now on; returns how many there were (0: it cannot be told)."""
    ask, tell = function("get_num_threads"), function("set_num_threads")
    if ask is None or tell is None:
        return 0
    before = int(ask())
    if count:
        tell(count)
    return before


def library() -> str:
    """The name and version of what NumPy was built with."""
    try:
        found = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{found['name']} {found['version']}"
    except (KeyError, TypeError):
        return "unknown"


def machine() -> dict[str, str]:
    """What the last bits of a training depend on, beside the number of workers: kept in the model file."""
    try:
        wide = np.show_config(mode="dicts")["SIMD Extensions"]["found"][-1:]
    except (KeyError, TypeError):
        wide = []
    return {
        "charrnn": __version__,
        "NumPy": f"{np.__version__} with {library()}",
        "processor": " ".join([platform.machine(), core_type(), *wide]),
        "threads for products": str(set_threads(0) or "unknown"),
    }


def differences(before: dict[str, str]) -> list[str]:
    """A sentence for each of them that is not what it was; nothing is said of what was not recorded."""
    return [
        f"{name}: {now} instead of {before[name]}, so the last bits may differ."
        for name, now in machine().items()
        if before.get(name, now) != now
    ]
