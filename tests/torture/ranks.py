"""kill -9 of a rank of MPI, its parent or mpiexec at random moments: all processes end, and the last save is intact."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from charrnn.checkpoint.model import load
from charrnn.errors import ModelFileError
from tests.torture.common import TINY, Outcome, Tally, dice, errors, folder
from tests.torture.kill import STEPS
from tests.training.test_mpi import BOUND, MISSING, MPIEXEC, START, is_running, parent_of, rank_process

RANKS = 3
VICTIMS = (*range(RANKS), "parent", "mpiexec")
COUNT = 20 * len(VICTIMS)
LATEST = 0.5  # seconds, after the start or after the first step


def run(count: int, seed: int) -> Outcome:
    if MISSING:
        return Outcome(0, "", skipped="mpi4py and mpich are not installed")
    rng, tally, slowest, steps = dice(seed, "ranks"), Tally(), 0.0, 0
    with folder() as here:
        log, words = here / "log", here / "errors"
        for number in range(count):
            victim = VICTIMS[number % len(VICTIMS)]
            name = f"kill {number} of {victim}"
            what = ["--resume"] if (here / "model.npz").exists() else ["corpus.txt", *TINY, "--steps", str(STEPS)]
            for path in (*here.glob("rank*"), log):
                path.unlink(missing_ok=True)
            line = [str(MPIEXEC), "-n", str(RANKS), sys.executable, "-c", START % "", "train", *what]
            with open(log, "wb") as out, open(words, "wb") as err:
                mpiexec = subprocess.Popen(
                    [*line, "--save-every", "1", "--json", "-q"], stdin=subprocess.DEVNULL, stdout=out, stderr=err
                )
                while len([path for path in here.glob("rank*") if path.stat().st_size]) < RANKS:
                    time.sleep(0.001)
                ranks = [rank_process(rank) for rank in range(RANKS)]
                targets = [*ranks, parent_of(ranks[0]), mpiexec.pid]
                late = rng.random() < 0.7
                while late and not log.stat().st_size and mpiexec.poll() is None:
                    time.sleep(0.001)
                time.sleep(rng.uniform(0.0, LATEST))
                begin = time.monotonic()
                os.kill(targets[number % len(VICTIMS)], signal.SIGKILL)
                try:
                    code = mpiexec.wait(BOUND)
                except subprocess.TimeoutExpired:
                    code = 0
                    mpiexec.kill()
                while any(map(is_running, targets[:-1])) and time.monotonic() - begin < BOUND:
                    time.sleep(0.01)
            left = [target for target in targets[:-1] if is_running(target)]
            for target in left:
                os.kill(target, signal.SIGKILL)
            slowest, tally.count = max(slowest, time.monotonic() - begin), tally.count + 1
            tally.check(code != 0 and not left, f"{name}: exit code {code}, {len(left)} processes are left")
            found = errors(words.read_text())
            tally.check(len(found) <= 1 and "warning" not in words.read_text(), f"{name}: {words.read_text()}")
            steps = max(steps, check_save(name, reported(log), tally))
    return tally.outcome(f"kills up to step {steps:,}; the last process ended within {slowest:.1f} s")


def reported(log: Path) -> int:
    """The last step that the log, to which mpiexec adds lines of its own, reports as saved."""
    lines = [line for line in log.read_bytes().split(b"\n")[:-1] if line.startswith(b"{") and line.endswith(b"}")]
    return max((json.loads(line)["saved_step"] or 0 for line in lines[-3:]), default=0)


def check_save(name: str, safe: int, tally: Tally) -> int:
    """Checks that the file has the step that was reported as saved, or a later one; returns its step."""
    try:
        run_saved = load("model.npz").run
    except ModelFileError as error:
        tally.check(not Path("model.npz").exists() and not safe, f"{name}: {error}")
        return 0
    assert run_saved is not None
    tally.check(run_saved.step >= safe, f"{name}: step {safe} was reported, step {run_saved.step} is in the file")
    return run_saved.step
