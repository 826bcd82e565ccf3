"""Signals at random moments of a training run on a terminal, after the handlers are installed."""

import contextlib
import json
import os
import pty
import select
import signal
import time
from pathlib import Path

from charrnn.checkpoint.model import load
from charrnn.errors import ModelFileError
from tests.torture.common import TINY, Outcome, Tally, dice, folder, start

COUNT = 200
NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LONGEST = 0.8  # seconds
HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"


def drain(ours: int, shown: bytearray, seconds: float) -> None:
    """Read the output to the terminal for the given time."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([ours], [], [], left)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:
                return


def stands(pid: int) -> bool:
    """Whether the process has a handler for SIGTERM."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True
    caught = next(line for line in text.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def run(count: int, seed: int) -> Outcome:
    if not os.path.exists("/proc/self/status"):
        return Outcome(0, "", skipped="/proc is required")
    rng, tally, saved = dice(seed, "signals"), Tally(), 0
    with folder() as here:
        for number in range(count):
            (here / "model.npz").unlink(missing_ok=True)
            tally.count += 1
            second = rng.uniform(0.0, 0.02) if rng.random() < 0.25 else None
            seconds, training = rng.uniform(0.0, LONGEST), rng.random() < 0.6
            saved += one(here, number, rng.choice(NUMBERS), seconds, training, second, tally)
    return tally.outcome(f"training runs stopped; {saved} had started and were saved, cursor restored, no traceback")


def one(here: Path, number: int, which: int, seconds: float, training: bool, second: float | None, tally: Tally) -> int:
    """Send a signal `seconds` after the handlers are installed or, if `training`, after the first step."""
    ours, theirs = pty.openpty()
    shown, log = bytearray(), here / "log"
    arguments = ["train", "corpus.txt", *TINY, "--steps", "1000000", "--json", "--save-every", "50"]
    with open(log, "wb") as out:
        process = start(arguments, stdin=theirs, stdout=out, stderr=theirs, start_new_session=True)
    os.close(theirs)
    while not stands(process.pid):
        time.sleep(0.001)
    while training and process.poll() is None and not log.read_bytes():
        drain(ours, shown, 0.001)
    drain(ours, shown, seconds)
    process.send_signal(which)
    last = which
    if second is not None:
        drain(ours, shown, second)
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(last := signal.SIGTERM)
    while process.poll() is None:
        drain(ours, shown, 0.01)
    drain(ours, shown, 0.02)
    os.close(ours)
    what = (
        f"{number}: signal {which} after {seconds:.3f} s, second {second}: {process.returncode} {bytes(shown[-300:])!r}"
    )
    codes = {128 + which} | ({128 + last} if second is not None else set())
    tally.check(process.returncode in codes, what)
    tally.check(b"Traceback" not in shown and b"Error" not in shown, what)
    tally.check(shown.rfind(SHOW) >= shown.rfind(HIDE), f"{what}: the cursor stays hidden")
    records = [json.loads(line) for line in log.read_bytes().split(b"\n")[:-1]]
    done = records[-1]["step"] if records else 0
    try:
        run = load("model.npz").run
        step = run.step if run else 0
    except ModelFileError:
        step = 0
        tally.check(not (here / "model.npz").exists(), f"{what}: the model cannot be read")
    if second is None:
        tally.check(step >= done, f"{what}: step {done} was completed, step {step} is saved")
        tally.check(not step or b"To continue: charrnn train --resume" in shown, what)
    else:
        tally.check(step >= max((r["saved_step"] or 0 for r in records), default=0), f"{what}: a reported step is lost")
    left = set(os.listdir(here)) - {"corpus.txt", "log", "model.npz"}
    tally.check(not left, f"{what}: leftover files {left}")
    return int(step > 0)
