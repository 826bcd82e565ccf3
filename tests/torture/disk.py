"""Interrupted saves: a full disk, a file-size limit, a quota (in steps of 64 KiB), a removed or read-only folder."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from charrnn.checkpoint import npz
from charrnn.checkpoint.model import Model, load
from charrnn.errors import ModelFileError
from tests.torture.common import TINY, Outcome, Tally, folder, tiny

COUNT = 60
STEP = 64 << 10
DISK = 4 << 20
# without these capabilities, root too is refused by read-only folders
DROPPED = "-dac_override,-dac_read_search"
PLAIN_ROOT: list[str] = []
if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("setpriv"):
    PLAIN_ROOT = ["setpriv", f"--bounding-set={DROPPED}", f"--inh-caps={DROPPED}"]


def root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("mount") is not None


def mount(*words: str) -> bool:
    return subprocess.run(["mount", *words], stderr=subprocess.DEVNULL, check=False).returncode == 0


@contextmanager
def disk() -> Iterator[tuple[Path, bool]]:
    """A temporary folder, on a small file system of its own if one can be mounted; the flag says whether it is."""
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        mounted = root() and mount("-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", name)
        try:
            yield Path(name), mounted
        finally:
            if mounted:
                subprocess.run(["umount", "-l", name], check=False)


@contextmanager
def full_after(here: Path, room: int) -> Iterator[None]:
    """The disk has room for `room` bytes only."""
    free = shutil.disk_usage(here).free
    with open(here / "filler", "wb") as filler:
        filler.write(bytes(max(0, free - room)))
    try:
        yield
    finally:
        (here / "filler").unlink()


@contextmanager
def limited(here: Path, room: int) -> Iterator[None]:
    """The size of every file is limited to `room` bytes."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


class Rationed:
    """A file that accepts only `room` bytes; simulates a quota, which would need a separate file system."""

    def __init__(self, file: object, room: int) -> None:
        self.file, self.room = file, room

    def write(self, data: bytes) -> int:
        self.room -= len(data)
        if self.room < 0:
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
        return self.file.write(data)  # type: ignore[attr-defined, no-any-return]

    def __getattr__(self, name: str) -> object:
        return getattr(self.file, name)


@contextmanager
def rationed(here: Path, room: int) -> Iterator[None]:
    """A quota, simulated by the file object that receives the data."""
    right = npz.pack
    npz.pack = lambda file, arrays: right(Rationed(file, room), arrays)  # type: ignore[arg-type]
    try:
        yield
    finally:
        npz.pack = right


def model_of_size(seed: int) -> Model:
    """A model whose file has about 1.5 MB."""
    training = tiny(hidden_size=190, layers=1, steps=1, seed=seed)
    next(training)
    return training.model


def run(count: int, seed: int) -> Outcome:
    tally = Tally()
    with disk() as (here, mounted):
        path, old, new = here / "m.npz", model_of_size(seed), model_of_size(seed + 1)
        old.save(path)
        before = path.read_bytes()
        ways = [limited, rationed] + ([full_after] if mounted else [])
        places = [(way, room) for room in range(0, len(before), STEP) for way in ways]
        chosen = places[:: max(1, len(places) * 2 // count)] if count < COUNT else places
        for way, room in chosen:
            tally.count += 1
            what = f"{way.__name__} {room:,}"
            with way(here, room):
                try:
                    new.save(path)
                    tally.check(False, f"{what}: saved although there is no room")
                except ModelFileError as error:
                    tally.check("could not be written: " in str(error), f"{what}: {error}")
            tally.check(path.read_bytes() == before, f"{what}: the old file was changed")
            tally.check(os.listdir(here) == ["m.npz"], f"{what}: leftover files {os.listdir(here)}")
        new.save(path)
        tally.check(
            load(path).params.flat.tobytes() == new.params.flat.tobytes(), "the next save stored a different model"
        )
    with folder() as top:
        home, away = top / "home", top / "away"
        if not root() or PLAIN_ROOT:
            goes_on(home, "read-only", lambda: home.chmod(0o555), lambda: home.chmod(0o755), tally)
        goes_on(home, "removed", lambda: home.rename(away), lambda: away.rename(home), tally)
    kinds = "file-size limit, simulated quota" + (", full disk" if mounted else " (full disk skipped: needs root)")
    return tally.outcome(f"interrupted saves: {kinds}; folder removed, read-only: old file kept, training continues")


def goes_on(here: Path, what: str, spoil: Callable[[], object], mend: Callable[[], object], tally: Tally) -> None:
    """Make the folder of a run that saves at every step unusable, then restore it: the run must save again."""
    here.mkdir(exist_ok=True)
    log, model = here.parent / "log", here / "model.npz"
    with open(log, "wb") as out:
        arguments = ["train", str(here.parent / "corpus.txt"), *TINY, "-m", str(model), "--steps", "1000000"]
        arguments = [*PLAIN_ROOT, sys.executable, "-m", "charrnn", *arguments, "--save-every", "1", "--json", "-q"]
        process = subprocess.Popen(arguments, stdout=out, stderr=subprocess.PIPE)
        tally.count += 1
        try:
            wait(log, lambda record: record["saved_step"] is not None)
            spoil()
            spoiled = wait(log, lambda record: record["step"] > record["saved_step"] + 3)
            mend()
            again = wait(log, lambda record: record["saved_step"] > spoiled["step"])
            tally.check(bool(again), f"{what}: not saved again: {again}")
        except TimeoutError:
            tally.check(False, f"{what}: training did not continue")
        finally:
            process.terminate()
            _, err = process.communicate()
    tally.check(process.returncode == 128 + signal.SIGTERM, f"{what}: {process.returncode} {err[-300:]!r}")
    tally.check(b"The training continues." in err and b"Traceback" not in err, f"{what}: {err[-300:]!r}")
    tally.check(load(model).run is not None, f"{what}: the model has no run")
    shutil.rmtree(here)


def wait(log: Path, wanted: Callable[[dict[str, int]], bool]) -> dict[str, int]:
    """The first new record that satisfies `wanted`. Raises TimeoutError after 30 seconds."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        lines = log.read_bytes().split(b"\n")[:-1]
        if lines and wanted(record := json.loads(lines[-1])):
            return dict(record)
        time.sleep(0.01)
    raise TimeoutError
