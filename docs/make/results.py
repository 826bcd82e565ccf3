"""Reproduce the result tables of docs/learning.md: python docs/make/results.py [ROW...]

Without arguments, every row except the one-hour run is measured, which takes about 45 minutes. Each row runs one
command line in a separate process and prints a Markdown table row.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOME = Path(__file__).parents[2]
CORPORA = HOME / "corpora"
SHAKESPEARE, LIBRARY = CORPORA / "tinyshakespeare.txt", CORPORA / "python-library.txt"
TALES = CORPORA / "tales.txt"
BOTH = "--with-ngram --minutes"
ROWS: dict[str, tuple[Path, int | None, str]] = {  # text, number of bytes (None: all), options
    "10s": (SHAKESPEARE, None, "--minutes 0.16"),
    "1min": (SHAKESPEARE, None, f"{BOTH} 1"),
    "3min": (SHAKESPEARE, None, f"{BOTH} 3"),
    "10min": (SHAKESPEARE, None, f"{BOTH} 10"),
    "lstm": (SHAKESPEARE, None, f"{BOTH} 10 --cell lstm --layers 2 --hidden-size 128"),
    "demo": (TALES, None, f"{BOTH} 1"),
    "20kB": (TALES, 20_000, f"{BOTH} 1"),
    "2kB": (TALES, 2_000, f"{BOTH} 1"),
    "korean": (CORPORA / "iyagi.txt", None, f"{BOTH} 1"),
    "names": (CORPORA / "names", None, f"{BOTH} 1"),
    "2MB": (LIBRARY, 2_000_000, f"{BOTH} 3"),
    "11MB": (LIBRARY, None, f"{BOTH} 10"),
    "hour": (SHAKESPEARE, None, f"{BOTH} 60"),
}


def charrnn(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "charrnn", *words], capture_output=True, text=True, check=True)


def beginning(text: Path, size: int | None, folder: Path) -> Path:
    """A file with the first `size` bytes of the text, cut at a character boundary."""
    if size is None:
        return text
    part = folder / f"{size}-of-{text.name}"
    part.write_text(text.read_bytes()[:size].decode("utf-8", "ignore"), "utf-8", newline="")
    return part


def row(name: str) -> str:
    text, size, options = ROWS[name]
    with tempfile.TemporaryDirectory() as folder:
        model = str(Path(folder) / "model.npz")
        part = beginning(text, size, Path(folder))
        start = time.monotonic()
        err = charrnn("train", str(part), *options.split(), "-m", model, "--no-baselines").stderr
        took = time.monotonic() - start
        network = re.search(r"^([A-Z]+ \d+ x \d+), [\d,]+ parameters$", err, re.MULTILINE)
        both = re.search(r"^With its [^:]*: validation loss ([\d.]+)", err, re.MULTILINE)
        steps = re.findall(r"^step (\d+)/", err, re.MULTILINE)
        score = json.loads(charrnn("eval", "-m", model, "--no-ngram", "--json", "--baselines").stdout)
    best = score["baselines"]["ngram"]
    return (
        f"| {name} | {network[1] if network else ''} | {int(steps[-1]):,} | {took:.0f} s | {score['nats']:.3f} | "
        f"{both[1] if both else ''} | {best['nats']:.3f} (order {best['order']}) |"
    )


def main(names: list[str]) -> None:
    chosen = names or [name for name in ROWS if name != "hour"]
    for name in chosen:
        if name not in ROWS:
            sys.exit(f"unknown row {name}: choose from {', '.join(ROWS)}.")
        if not ROWS[name][0].exists():
            sys.exit(f"{ROWS[name][0].name} is missing: make {ROWS[name][0].relative_to(HOME)}")
    print("| row | network | steps | total time | validation loss | with its 7-gram | best n-gram |")
    print("|---|---|---|---|---|---|---|")
    for name in chosen:
        print(row(name), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
