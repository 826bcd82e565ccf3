"""Tests that need more than the development tools: skipped with a reason where it is missing.

`CHARRNN_REQUIRE=onnx,torch make test-export` makes such a skip a failure; the names are browser, mpi, node, and those
of packages.
"""

import os
from importlib import import_module
from typing import Any, NoReturn

import pytest


def lacking(name: str, reason: str) -> NoReturn:
    """Skips the test, or fails if `CHARRNN_REQUIRE` names what is missing."""
    if name in os.environ.get("CHARRNN_REQUIRE", "").split(","):
        pytest.fail(f"CHARRNN_REQUIRE names {name}: {reason}")
    pytest.skip(reason)


def package(module: str, name: str = "") -> Any:
    """A module that need not be installed; `name` is what `CHARRNN_REQUIRE` calls it."""
    try:
        return import_module(module)
    except ImportError:
        lacking(name or module, f"{module} is not installed")
