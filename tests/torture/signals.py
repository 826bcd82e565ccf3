"""Signals at random moments of a training run on a terminal, after the handlers are installed: one, or two of them."""

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import termios
import time
from functools import partial
from pathlib import Path

from charrnn.checkpoint.model import load
from charrnn.errors import ModelFileError
from tests.torture.common import TINY, Outcome, Tally, dice, folder, start

COUNT = 200
HUP, INT, TERM = signal.SIGHUP, signal.SIGINT, signal.SIGTERM
NUMBERS = (INT, TERM, HUP)
DOUBLES = ((HUP, HUP), (TERM, TERM), (HUP, TERM), (INT, HUP), (INT, INT))  # every other case
LONGEST, GAP = 0.8, 0.3  # seconds
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


def own_terminal() -> None:
    """Makes stdin the controlling terminal of a process, which gets SIGHUP when the terminal is closed; no signal is
    ignored, as SIGINT is in the background of a script.
    """
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in NUMBERS:
        signal.signal(number, signal.SIG_DFL)


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
            first, second = rng.choice(DOUBLES) if number % 2 else (rng.choice(NUMBERS), None)
            seconds, gap, training = rng.uniform(0.0, LONGEST), rng.uniform(0.0, GAP), rng.random() < 0.6
            closed = first == HUP and rng.random() < 0.5
            saved += one(here, f"case {number}", first, seconds, training, second, gap, closed, tally)
    return tally.outcome(f"training runs stopped; {saved} had started and were saved, cursor restored, no traceback")


def one(
    here: Path,
    what: str,
    first: int,
    seconds: float,
    training: bool,
    second: int | None,
    gap: float,
    closed: bool,
    tally: Tally,
) -> int:
    """Sends a signal `seconds` after the handlers are installed or, if `training`, after the first step; if `closed`,
    by closing the terminal. Sends the second one after the `gap`.
    """
    ours, theirs = pty.openpty()
    shown, log = bytearray(), here / "log"
    arguments = ["train", "corpus.txt", *TINY, "--steps", "1000000", "--json", "--save-every", "50"]
    with open(log, "wb") as out:
        process = start(
            arguments, stdin=theirs, stdout=out, stderr=theirs, start_new_session=True, preexec_fn=own_terminal
        )
    os.close(theirs)
    while not stands(process.pid):
        time.sleep(0.001)
    while training and process.poll() is None and not log.read_bytes():
        drain(ours, shown, 0.001)
    drain(ours, shown, seconds)
    if closed:
        os.close(ours)
    else:
        process.send_signal(first)
    wait = time.sleep if closed else partial(drain, ours, shown)
    if second is not None:
        wait(gap)
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(second)
    while process.poll() is None:
        wait(0.01)
    if not closed:
        drain(ours, shown, 0.02)
        os.close(ours)
    what += f": {'closed' if closed else first} after {seconds:.3f} s, {second} after {gap:.3f} s"
    what += f": {process.returncode} {bytes(shown[-300:])!r}"
    tally.check(process.returncode in {128 + first, 128 + (second or first)}, what)
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
    tally.check(step >= done, f"{what}: step {done} was completed, step {step} is saved")
    tally.check(closed or not step or b"To continue:" in shown, what)
    left = set(os.listdir(here)) - {"corpus.txt", "log", "model.npz"}
    tally.check(not left, f"{what}: leftover files {left}")
    return int(step > 0)
