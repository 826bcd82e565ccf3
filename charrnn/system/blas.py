"""OpenBLAS as bundled with NumPy (threads, core type), and the versions that the last bits of a run depend on."""

import ctypes
import platform
from contextlib import suppress
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from charrnn._version import __version__

PREFIXES, SUFFIXES = ("scipy_openblas_", "openblas_"), ("64_", "")


@cache
def function(name: str) -> Any:
    """The OpenBLAS function whose name ends in `name`; None if there is none."""
    for library in Path(np.__file__).parent.parent.glob("numpy.libs/*openblas*"):
        for prefix, suffix in product(PREFIXES, SUFFIXES):
            with suppress(AttributeError, OSError):
                return getattr(ctypes.CDLL(str(library)), f"{prefix}{name}{suffix}")
    return None


def core_type() -> str:
    """The processor type that OpenBLAS has detected and chosen its kernels for."""
    if (get := function("get_corename")) is None:
        return "unknown"
    get.restype = ctypes.c_char_p
    return (get() or b"unknown").decode("ascii", "replace")


def set_threads(count: int) -> int:
    """Sets the number of BLAS threads (0: no change) and returns the previous one (0: unknown)."""
    get, set_to = function("get_num_threads"), function("set_num_threads")
    if get is None or set_to is None:
        return 0
    before = int(get())
    if count:
        set_to(count)
    return before


def versions() -> dict[str, str]:
    """Everything but the number of workers that the last bits of a training depend on; stored in the model file."""
    config: dict[str, Any] = dict(np.show_config(mode="dicts"))
    blas = config.get("Build Dependencies", {}).get("blas", {})
    simd = config.get("SIMD Extensions", {}).get("found", [])
    return {
        "charrnn": __version__,
        "numpy": np.__version__,
        "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
        "blas_threads": str(set_threads(0) or "unknown"),
        "processor": " ".join([platform.machine(), core_type(), *simd[-1:]]),
    }


def differences(before: dict[str, str]) -> list[str]:
    """One sentence per entry of `versions` that has changed; entries that were not recorded are skipped."""
    return [
        f"{name.replace('_', ' ')}: {now} instead of {before[name]}, so the last bits may differ."
        for name, now in versions().items()
        if before.get(name, now) != now
    ]
