"""A small slice of every part of `make torture`."""

import importlib

import pytest

from tests.torture.__main__ import PARTS
from tests.torture.common import Outcome

SLICES = {
    "longrun": 1500,
    "fuzz": 200,
    "resume": 6,
    "commands": 30,
    "kill": 2,
    "ranks": 1,
    "signals": 3,
    "codepoints": 2000,
    "files": 10,
    "faults": 3,
    "power": 1,
    "races": 1,
    "bits": 200,
    "disk": 8,
    "numbers": 18,
}


def test_every_part_has_a_slice() -> None:
    assert set(SLICES) == set(PARTS)


@pytest.mark.parametrize("name", PARTS)
def test_a_slice(name: str) -> None:
    part = importlib.import_module(f"tests.torture.{name}")
    assert SLICES[name] < part.COUNT
    outcome: Outcome = part.run(SLICES[name], 1)
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    assert outcome.misses == []
    assert outcome.count > 0
