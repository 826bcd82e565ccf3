"""Make each system call of loading and saving fail, or kill the process at it: `strace -e inject`."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from charrnn.checkpoint.model import load
from charrnn.errors import ModelFileError
from tests.torture.common import TINY, Outcome, Tally, command, dice, errors, folder

COUNT = 200
NAMES = ("model.npz", ".model.npz.tmp", ".model.npz.lock", ".")
FAULTS = {  # the errors to inject per call; each call may also kill the process
    "openat": ("ENOSPC", "EACCES", "EIO", "EMFILE", "EINTR"),
    "write": ("ENOSPC", "EIO", "EDQUOT", "EFBIG", "EINTR"),
    "read": ("EIO", "EINTR"),
    "lseek": ("EIO",),
    "fsync": ("EIO", "ENOSPC", "EDQUOT", "EINTR"),
    "close": ("EIO",),
    "rename": ("EIO", "ENOSPC", "EACCES", "EXDEV"),
    "unlink": ("EIO", "EACCES"),
    "flock": ("ENOLCK", "EINTR", "EIO"),
    "ftruncate": ("EIO",),
    "chmod": ("EPERM", "EIO"),
    "statfs": ("EIO", "ENOSYS"),
    "newfstatat": ("EIO", "EACCES", "ENOMEM"),
}


def traced(here: Path, more: list[str], log: Path) -> tuple[int, str]:
    """Resume the model in a folder for two steps under strace; return exit code and stderr."""
    paths = [word for name in NAMES for word in ("-P", str(here if name == "." else here / name))]
    tracing = ["strace", "-f", "-qq", "-e", "signal=none", "-o", str(log), *paths, *more]
    model = ["--resume", "-m", str(here / "model.npz"), "--steps", "5", "-q"]
    training = [sys.executable, "-P", "-m", "charrnn", "train", *model, str(here / "corpus.txt")]
    home = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [*tracing, *training], cwd="/", env={**os.environ, "PYTHONPATH": home}, capture_output=True, check=False
    )
    return done.returncode, done.stderr.decode("utf-8", "replace")


def calls(log: Path) -> list[tuple[str, int]]:
    """Every traced call of a kind in `FAULTS`: its name, and its number among the calls with this name."""
    names = re.findall(r"^\d+ +(\w+)\(", log.read_text("utf-8", "replace"), re.MULTILINE)
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append((name, seen[name]))
    return [(name, number) for name, number in found if name in FAULTS]


def plan(possible: list[tuple[str, int]], count: int, seed: int) -> list[tuple[str, int, str]]:
    """`count` faults, alternating between the kinds of calls, in random order within each kind."""
    rng = dice(seed, "faults")
    kinds = {
        name: [(name, n, how) for kind, n in possible if kind == name for how in ("KILL", *FAULTS[name])]
        for name in FAULTS
    }
    for faults in kinds.values():
        rng.shuffle(faults)
    chosen: list[tuple[str, int, str]] = []
    while len(chosen) < count and any(kinds.values()):
        chosen += [faults.pop() for faults in kinds.values() if faults]
    return chosen[:count]


def run(count: int, seed: int) -> Outcome:
    if shutil.which("strace") is None:
        return Outcome(0, "", skipped="strace is required")
    tally, kept = Tally(), [0, 0]
    with folder() as top:
        command(["train", "corpus.txt", *TINY, "--steps", "3", "-q"])
        good, log = (top / "model.npz").read_bytes(), top / "trace"
        here = top / "here"

        def prepare() -> None:
            shutil.rmtree(here, ignore_errors=True)
            here.mkdir()
            shutil.copy(top / "corpus.txt", here)
            (here / "model.npz").write_bytes(good)

        prepare()
        code, err = traced(here, [], log)
        if code or not calls(log):
            return Outcome(0, "", skipped=f"strace does not work on this machine: {err.strip()[-200:]}")
        new = load(here / "model.npz").params.flat.tobytes()
        for name, number, how in plan(calls(log), count, seed):
            prepare()
            fault = f"{'signal' if how == 'KILL' else 'error'}={how}"
            code, err = traced(here, ["-e", f"inject={name}:{fault}:when={number}"], log)
            tally.count += 1
            what = f"{name} {number} {how}: {code} {err[-300:]!r}"
            tally.check("Traceback" not in err, what)
            tally.check(code == -9 if how == "KILL" else code in (0, 1, 2), what)
            tally.check(len(errors(err)) == (code in (1, 2)), what)
            try:
                old = (here / "model.npz").read_bytes() == good
                tally.check(old or load(here / "model.npz").params.flat.tobytes() == new, f"{what}: a different model")
                tally.check(not (code == 0 and old), f"{what}: exit code 0 although nothing was saved")
                kept[old] += 1
            except (OSError, ModelFileError) as error:
                tally.check(False, f"{what}: {error}")
            temporary = (here / ".model.npz.tmp").exists()
            tally.check(how == "KILL" or name == "unlink" or not temporary, f"{what}: leftover temporary file")
    return tally.outcome(
        f"faults in {len(FAULTS)} kinds of system calls; old file intact {kept[1]} times, new file {kept[0]} times"
    )
