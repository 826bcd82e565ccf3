"""Power cuts: ext4 on a loop device is shut down without a flush while a process saves repeatedly."""

import fcntl
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from charrnn.checkpoint.model import load
from charrnn.errors import ModelFileError
from tests.torture.common import Outcome, Tally, dice, tiny

COUNT = 100
SHUTDOWN, WITHOUT_FLUSH = 0x8004587D, struct.pack("I", 2)  # EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH
OPTIONS = ("loop", "loop,noauto_da_alloc,commit=1")

WRITER = """
import sys
from tests.torture.common import tiny
training = tiny(hidden_size=40, steps=10**6)
for record in training:
    training.model.save(sys.argv[1])
    print(record.step, flush=True)
"""


def call(*words: str) -> bool:
    return subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def run(count: int, seed: int) -> Outcome:
    if not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("mkfs.ext4")):
        return Outcome(0, "", skipped="root and mkfs.ext4 are required")
    rng, tally, saves = dice(seed, "power"), Tally(), 0
    tiny()  # warm up the imports before the timing starts
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        image, place = Path(name, "image"), Path(name, "disk")
        place.mkdir()
        with image.open("wb") as file:
            file.truncate(32 << 20)
        if not (call("mkfs.ext4", "-q", str(image)) and call("mount", "-o", OPTIONS[0], str(image), str(place))):
            return Outcome(0, "", skipped="loop devices cannot be mounted on this machine")
        call("umount", str(place))
        for number in range(count):
            if not call("mount", "-o", OPTIONS[number % 2], str(image), str(place)):
                return Outcome(tally.count, "", skipped="the loop device can no longer be mounted")
            try:
                saves += cut(number, place, image, rng.uniform(0.0, 0.5), OPTIONS[number % 2], tally)
            finally:
                call("umount", str(place))
    return tally.outcome(f"power cuts during {saves:,} saves; no unreadable file, no reported save lost")


def cut(number: int, place: Path, image: Path, seconds: float, options: str, tally: Tally) -> int:
    """Cut the power `seconds` after the first save; return the number of reported saves."""
    model = place / f"{number}.npz"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(model)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert writer.stdout is not None
    first = writer.stdout.readline()
    time.sleep(seconds)
    disk = os.open(place, os.O_RDONLY)
    fcntl.ioctl(disk, SHUTDOWN, WITHOUT_FLUSH)
    os.close(disk)
    # after the cut nothing can be saved, so the process must have ended with an error
    out, err = writer.communicate()
    tally.check(b"could not be written" in err, f"cut {number}: {err[-300:]!r}")
    reported = int((first + out).split()[-1])
    call("umount", str(place))
    tally.count += 1
    if not tally.check(call("mount", "-o", options, str(image), str(place)), f"cut {number}: cannot be remounted"):
        return reported
    try:
        run = load(model).run
        step = run.step if run else 0
        tally.check(step >= reported, f"cut {number}: step {reported} was reported, step {step} is in the file")
    except ModelFileError as error:
        tally.check(False, f"cut {number}: {error}")
    model.unlink(missing_ok=True)
    return reported
