"""`python -m tests.torture [PART...] [--n 0.1] [--seed 0] [--jobs 2]`: one line per part, exit code 1 on failure."""

import argparse
import importlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from charrnn.__main__ import pin_threads

pin_threads()

PARTS = (
    "longrun",
    "fuzz",
    "resume",
    "commands",
    "kill",
    "ranks",
    "signals",
    "codepoints",
    "files",
    "faults",
    "power",
    "races",
    "bits",
    "disk",
    "numbers",
)
SHOWN = 3


def one(name: str, factor: float, seed: int) -> bool:
    """Run a part in this process and print its result; return whether it passed."""
    from tests.torture.common import Outcome

    part = importlib.import_module(f"tests.torture.{name}")
    begin, count = time.monotonic(), max(1, round(part.COUNT * factor))
    outcome: Outcome = part.run(count, seed)
    took = time.monotonic() - begin
    verdict = f"skipped: {outcome.skipped}" if outcome.skipped else "FAILED" if outcome.misses else "ok"
    print(f"{name:<10} {outcome.count:>9,}  {verdict:<6}  {outcome.says} ({took:,.0f} s)")
    for miss in outcome.misses[:SHOWN]:
        print(f"{'':<10} {miss[:1000]}")
    if len(outcome.misses) > SHOWN:
        print(f"{'':<10} and {len(outcome.misses) - SHOWN:,} more")
    return not outcome.misses


def apart(name: str, factor: float, seed: int) -> bool:
    """Run a part in a separate process and print its output; return whether it passed."""
    command = [sys.executable, "-m", "tests.torture", name, "--n", str(factor), "--seed", str(seed), "--here"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout or f"{name}: exited with {done.returncode} and no output\n", end="", flush=True)
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="parts to run; default: all")
    parser.add_argument("--n", type=float, default=1.0, help="factor for the number of cases")
    parser.add_argument("--seed", type=int, default=0, help="random seed")
    parser.add_argument("--jobs", type=int, default=2, help="number of parts to run in parallel")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    parts = given.parts or PARTS
    if given.here:
        return 0 if all(one(name, given.n, given.seed) for name in parts) else 1
    with ThreadPoolExecutor(given.jobs) as pool:
        well = list(pool.map(lambda name: apart(name, given.n, given.seed), parts))
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
