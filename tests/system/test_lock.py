"""One writer per model file: who holds the lock, the error of others, and its release."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from charrnn.checkpoint.model import load
from charrnn.errors import ModelFileError
from charrnn.system import lock, portability
from charrnn.system.lock import abandon, locked
from tests.sampling.test_sample import model_of

HOLD = """
import sys
from charrnn.system.lock import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def holding(path: Path) -> "subprocess.Popen[bytes]":
    """Another process that has the lock until its standard input ends."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"held\n"
    return other


def end(other: "subprocess.Popen[bytes]") -> None:
    other.communicate()


def test_the_other_is_named_and_readers_are_not_kept_out(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    model_of("ab").save(path)
    before = path.read_bytes()
    other = holding(path)
    try:
        with pytest.raises(ModelFileError, match=f"being trained by process {other.pid}"):
            model_of("cd").save(path)
        assert len(load(path).vocab) == 2
    finally:
        end(other)
    assert path.read_bytes() == before
    model_of("cde").save(path)
    assert os.listdir(tmp_path) == ["m.npz"]


def test_the_system_frees_it_however_the_process_dies(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    other = holding(path)
    (tmp_path / ".m.npz.tmp").write_bytes(b"half-written")
    other.send_signal(signal.SIGKILL)
    end(other)
    assert sorted(os.listdir(tmp_path)) == [".m.npz.lock", ".m.npz.tmp"]
    with locked(path):
        assert os.listdir(tmp_path) == [".m.npz.lock"]
        assert (tmp_path / ".m.npz.lock").read_text() == f"{os.getpid()}\n"
    assert os.listdir(tmp_path) == []


def test_one_process_may_lock_again_and_gives_it_back_once(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    with locked(path):
        model_of("ab").save(path)
        assert (tmp_path / ".m.npz.lock").exists()
    assert os.listdir(tmp_path) == ["m.npz"]


def test_a_lock_whose_folder_was_removed_is_acquired_again(tmp_path: Path) -> None:
    path = tmp_path / "f" / "m.npz"
    path.parent.mkdir()
    with locked(path):
        (path.parent / ".m.npz.lock").unlink()
        path.parent.rmdir()
        with pytest.raises(ModelFileError, match="no folder"):
            model_of("ab").save(path)
        path.parent.mkdir()
        other = holding(path)
        try:
            with pytest.raises(ModelFileError, match="being trained by"):
                model_of("ab").save(path)
        finally:
            end(other)
        model_of("ab").save(path)
    assert os.listdir(path.parent) == ["m.npz"]


@pytest.mark.parametrize("what", ["link", "fifo", "folder"])
def test_a_lock_that_is_not_a_plain_file_is_an_error(what: str, tmp_path: Path) -> None:
    place = tmp_path / ".m.npz.lock"
    if what == "link":
        place.symlink_to("victim")
    elif what == "fifo":
        os.mkfifo(place)
    else:
        place.mkdir()
    with pytest.raises(OSError, match="Errno"), locked(tmp_path / "m.npz"):
        pass
    assert not (tmp_path / "victim").exists()


def test_abandoning_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    with locked(path):
        (tmp_path / ".m.npz.tmp").write_bytes(b"half-written")
        abandon()
        assert os.listdir(tmp_path) == []
    assert lock.HELD == {}


def test_without_locks_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.npz"
    other = holding(path)
    monkeypatch.setattr(portability, "fcntl", None)
    try:
        model_of("ab").save(path)
    finally:
        end(other)
    assert load(path).config.vocab_size == 2
