"""Compare the throughput of charrnn and PyTorch on this machine: python tests/bench/compare.py PYTHON-WITH-TORCH

For each row, the peer is first tried briefly in four configurations (one-hot or embedded inputs, one or two threads).
The fastest configuration then alternates with charrnn. Prints a Markdown table with the median and the range of the
paired ratios. Run it on a quiet machine: threads stall when another process needs a core.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROWS = [
    ("lstm", 2, 128, 50, 50),
    ("lstm", 1, 256, 32, 64),
    ("lstm", 1, 192, 32, 32),
    ("lstm", 2, 256, 64, 64),
    ("lstm", 1, 512, 32, 64),
    ("lstm", 2, 512, 64, 64),
    ("gru", 2, 128, 50, 50),
    ("gru", 2, 256, 64, 64),
    ("rnn", 2, 128, 50, 50),
]
SAMPLING = [("lstm", 2, 128), ("lstm", 2, 256), ("lstm", 2, 512)]
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name != "OPENBLAS_CORETYPE" and not name.endswith("_NUM_THREADS")
}


def last_line(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def options(names: tuple[str, ...], row: tuple[object, ...]) -> list[str]:
    return [word for name, value in zip(names, row, strict=True) for word in (f"--{name}", str(value))]


def ours(sizes: list[str], seconds: float) -> dict[str, Any]:
    return last_line([sys.executable, "-m", "charrnn", "bench", *sizes, "--json", "--seconds", str(seconds)])


def peer(python: str, what: str, sizes: list[str], seconds: float) -> float:
    command = [python, str(HERE / "peer.py"), what, *sizes, "--seconds", str(seconds)]
    return float(last_line(command)["chars_per_second"])


def best_way(python: str, what: str, sizes: list[str], moment: float) -> list[str]:
    """The options for inputs and threads with which the peer is fastest on this machine."""
    ways = [["--inputs", i, "--threads", t] for i in ("onehot", "embedding") for t in ("1", "2")]
    return max(ways, key=lambda way: peer(python, what, [*sizes, *way], moment))


def paired(
    python: str, what: str, sizes: list[str], a: argparse.Namespace
) -> tuple[list[float], list[float], list[Any]]:
    way = best_way(python, what, sizes, a.seconds / 4)
    mine, theirs, found = [], [], []
    for _ in range(a.pairs):
        # `bench` spends 0.7 of its time on training and 0.2 on sampling
        result = ours(sizes, a.seconds / (0.7 if what == "train" else 0.5))
        mine.append(float(result[f"{what}_chars_per_second"]))
        theirs.append(peer(python, what, [*sizes, *way], a.seconds))
        found.append(result)
    return mine, theirs, found


def show(name: str, mine: list[float], theirs: list[float], share: str) -> None:
    ratios = [a / b for a, b in zip(mine, theirs, strict=True)]
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    rates = f"{statistics.median(mine) / 1e3:,.1f} | {statistics.median(theirs) / 1e3:,.1f}"
    print(f"| {name} | {rates} | {spread} | {share} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("python", help="Python interpreter with PyTorch installed")
    parser.add_argument("--pairs", type=int, default=5, help="paired runs per row")
    parser.add_argument("--seconds", type=float, default=10.0, help="duration of a run")
    parser.add_argument("--rows", default="", help="comma-separated row numbers, such as 0,3; default: all")
    a = parser.parse_args()
    chosen = [int(k) for k in a.rows.split(",")] if a.rows else range(len(ROWS) + len(SAMPLING))
    print(
        "| network, streams x window | charrnn, 10³ chars/s | PyTorch, 10³ chars/s | ratio (range) | share of limit |"
    )
    print("|---|---|---|---|---|", flush=True)
    for k in chosen:
        if k < len(ROWS):
            cell, layers, hidden, batch, steps = ROWS[k]
            sizes = options(("cell", "layers", "hidden-size", "batch-size", "seq-length"), ROWS[k])
            mine, theirs, found = paired(a.python, "train", sizes, a)
            share = f"{statistics.median(r['share_of_limit'] for r in found):.0%}"
            show(f"{cell.upper()} {layers} x {hidden}, {batch} x {steps}", mine, theirs, share)
        else:
            cell, layers, hidden = SAMPLING[k - len(ROWS)]
            sizes = options(("cell", "layers", "hidden-size"), (cell, layers, hidden))
            mine, theirs, _ = paired(a.python, "sample", sizes, a)
            show(f"sampling, {cell.upper()} {layers} x {hidden}", mine, theirs, "")


if __name__ == "__main__":
    main()
