"""What the machine has."""

import os
from pathlib import Path

import pytest

from charrnn.system import resources


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system does not tell which processors are usable")
def test_two_threads_of_a_core_count_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "CPUS", str(tmp_path))
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 4, 5})
    assert resources.cores() == 4
    for cpu, siblings in {0: "0,4", 1: "1,5", 4: "0,4", 5: "1,5"}.items():
        (tmp_path / f"cpu{cpu}/topology").mkdir(parents=True)
        (tmp_path / f"cpu{cpu}/topology/thread_siblings_list").write_text(f"{siblings}\n")
    assert resources.cores() == 2
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {1, 4, 5})
    assert resources.cores() == 2
