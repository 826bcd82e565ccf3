"""Tests that need more than the development tools: skipped with a reason where it is missing.

`CHARRNN_REQUIRE=onnx,torch make test-export` makes such a skip a failure.
"""

import os
from importlib import import_module
from typing import Any, NoReturn

import pytest

NAMES = {"browser", "hatchling", "mpi", "node", "onnx", "torch"}  # what `CHARRNN_REQUIRE` may name


def lacking(name: str, reason: str) -> NoReturn:
    """Skips the test, or fails if `CHARRNN_REQUIRE` names what is missing."""
    if name in required():
        pytest.fail(f"CHARRNN_REQUIRE names {name}: {reason}")
    pytest.skip(reason)


def required() -> set[str]:
    """What `CHARRNN_REQUIRE` names. A name that is not known is refused: it would require nothing."""
    given = set(filter(None, os.environ.get("CHARRNN_REQUIRE", "").split(",")))
    if given - NAMES:
        unknown, known = (", ".join(sorted(names)) for names in (given - NAMES, NAMES))
        raise pytest.UsageError(f"CHARRNN_REQUIRE names {unknown}, which is not known: it names some of {known}.")
    return given


def package(module: str, name: str = "") -> Any:
    """A module that need not be installed; `name` is what `CHARRNN_REQUIRE` calls it."""
    try:
        return import_module(module)
    except ImportError:
        lacking(name or module, f"{module} is not installed")
