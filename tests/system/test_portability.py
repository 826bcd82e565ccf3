"""What a system may lack, hidden one by one."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from charrnn.checkpoint.model import load
from charrnn.errors import ModelFileError
from charrnn.system import portability, resources
from charrnn.system.atomic import check_room
from tests.sampling.test_sample import model_of

HIDDEN = """
import sys, signal, os
if "flock" in sys.argv:
    sys.modules["fcntl"] = None
if "hangup" in sys.argv:
    del signal.SIGHUP
if "sysconf" in sys.argv:
    del os.sysconf
from charrnn.system import portability
from charrnn.__main__ import end_at_once
end_at_once()
from charrnn.cli.main import run
assert hasattr(portability.fcntl, "flock") == ("flock" not in sys.argv)
assert len(portability.STOP_SIGNALS) == 4 - ("hangup" in sys.argv)
sys.exit(run(["train", "t.txt", "--steps", "2", "--hidden-size", "4", "--workers", "1", "-q"]))
"""


@pytest.mark.parametrize("what", ["flock", "hangup", "sysconf"])
def test_a_training_without(what: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("abc " * 100)
    done = subprocess.run([sys.executable, "-c", HIDDEN, what], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert load(tmp_path / "model.npz").run is not None


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_folder_that_cannot_be_synced(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = os.fsync

    def fsync(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(number, os.strerror(number))
        right(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    saved = model_of("ab")
    saved.save(tmp_path / "m.npz")
    model = load(tmp_path / "m.npz")
    assert model.vocab.symbols == saved.vocab.symbols
    assert model.params.flat.tobytes() == saved.params.flat.tobytes()
    assert os.listdir(tmp_path) == ["m.npz"]


def test_a_failed_sync_of_the_folder_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: str) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(portability, "sync_folder", fail)
    with pytest.raises(ModelFileError, match="Input/output error"):
        model_of("ab").save(tmp_path / "m.npz")
    assert len(load(tmp_path / "m.npz").vocab) == 2


def test_a_reader_on_windows_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right, refused = os.replace, [3]

    def replace(old: str, new: str) -> None:
        if refused[0]:
            refused[0] -= 1
            raise PermissionError(errno.EACCES, "Permission denied")
        right(old, new)

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with pytest.raises(ModelFileError, match="Permission denied"):
        model_of("ab").save(tmp_path / "m.npz")
    refused[0] = 3
    monkeypatch.setattr(portability, "WINDOWS", True)
    model_of("ab").save(tmp_path / "m.npz")
    assert refused == [0]


def test_free_memory_and_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = resources.free_memory()
    assert found is not None
    assert found > 1 << 20
    room = resources.free_disk(tmp_path)
    assert room is not None
    assert room > 1 << 20
    assert resources.free_disk(tmp_path / "missing") is None
    check_room(tmp_path / "m.npz", 1000)
    monkeypatch.setattr(resources, "free_disk", lambda folder: 1500)
    with pytest.raises(ModelFileError, match="free some space"):  # the old one and the new one stand side by side
        check_room(tmp_path / "m.npz", 1000)
    (tmp_path / "m.npz").write_bytes(b"x" * 800)
    check_room(tmp_path / "m.npz", 1000)


def test_a_limit_on_memory_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (12345, 12345))
    assert resources.free_memory() == 12345
