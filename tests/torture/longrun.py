"""A long run of a tiny model: its memory use stays constant."""

import os
import subprocess
import sys
from pathlib import Path

from tests.torture.common import Outcome, Tally, folder, tiny

COUNT = 1_000_000
GROWTH = 0.02


def resident() -> int:
    """Resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def life(steps: int) -> tuple[int, int]:
    """Resident memory after a twentieth of the steps and at the end, in bytes; the model is saved regularly."""
    training = tiny(steps=steps, hidden_size=4, batch_size=1, eval_every=1000, dropout=0.0)
    early = 0
    with folder():
        for record in training:
            if record.step % max(500, steps // 100) == 0:
                training.model.save("m.npz")
            if record.step == max(1, steps // 20):
                early = resident()
    return early, resident()


def run(count: int, seed: int) -> Outcome:
    tally = Tally()
    if not os.path.exists("/proc/self/statm"):
        return Outcome(0, "", skipped="/proc is required")
    script = f"from tests.torture.longrun import life; print(*life({count}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    early, late = map(int, done.stdout.split())
    tally.count = count
    # in a short run, the first saves and evaluations weigh more
    allowed = GROWTH if count >= 100_000 else 5 * GROWTH
    tally.check(late <= early * (1 + allowed), f"memory grew from {early:,} to {late:,} bytes")
    return tally.outcome(
        f"steps; {early / 1e6:.1f} MB resident after a twentieth of them, {late / 1e6:.1f} MB at the end"
    )
