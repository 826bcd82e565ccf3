"""Two to five simultaneous training runs on one model file, with concurrent readers."""

import os
import re
import signal
import subprocess
import threading
import time

from charrnn.checkpoint.model import load
from charrnn.errors import ModelFileError
from tests.torture.common import TINY, Outcome, Tally, command, dice, folder, start

COUNT = 50
PATIENCE = 20.0  # seconds for all but one process to be refused


def run(count: int, seed: int) -> Outcome:
    rng, tally, reads = dice(seed, "races"), Tally(), [0]
    with folder():
        command(["train", "corpus.txt", *TINY, "--steps", "3", "-q"])
        over = threading.Event()

        def read() -> None:
            while not over.is_set():
                try:
                    load("model.npz")
                    reads[0] += 1
                except ModelFileError as error:
                    tally.check(False, f"a reader failed: {error}")
                time.sleep(0.001)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            for number in range(count):
                tally.count += 1
                race(number, rng.randint(2, 5), tally)
        finally:
            over.set()
            reader.join()
        tally.check(sorted(os.listdir()) == ["corpus.txt", "model.npz"], f"leftover files: {os.listdir()}")
    return tally.outcome(f"races during {reads[0]:,} reads; one winner each, named in the errors of the others")


def race(number: int, runners: int, tally: Tally) -> None:
    arguments = ["train", "corpus.txt", *TINY, "--force", "--steps", "1000000", "--save-every", "1", "-q"]
    field = [start(arguments, stderr=subprocess.PIPE) for _ in range(runners)]
    deadline = time.monotonic() + PATIENCE
    while sum(process.poll() is None for process in field) > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    running = [process for process in field if process.poll() is None]
    tally.check(len(running) == 1, f"race {number}: {len(running)} of {runners} runs continue")
    for process in running:
        time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
    for process in field:
        _, err = process.communicate(timeout=PATIENCE)
        if process in running:
            tally.check(process.returncode == 128 + signal.SIGTERM, f"race {number}: {process.returncode} {err!r}")
            continue
        named = re.search(rb"is being trained by process (\d+): wait for it", err)
        told = process.returncode == 1 and named is not None and err.count(b"\n") == 1
        by = int(named[1]) if named else 0
        tally.check(told and by in {p.pid for p in running}, f"race {number}: {process.returncode} {err!r}")
