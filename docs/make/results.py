"""Reproduce the result tables of docs/learning.md: python docs/make/results.py [ROW...]

Without arguments, every row except the one-hour run is measured, which takes about 45 minutes. Each row runs one
command line in a separate process and prints a Markdown table row. Training the n-gram model is not timed.
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
EQUAL = {"rnn": 452, "gru": 256, "lstm": 219}  # hidden sizes that give 264,000 ± 500 parameters with 65 symbols
FIRST = "--cell gru --layers 2 --hidden-size 128 --dropout 0.2 --recurrent-dropout 0 --seq-length 64 --batch-size 32"
FIRST += " --lr 0.004 --steps 1000 --schedule cosine --clip 1 --weight-decay 0 --patience 0"  # the first version
ROWS: dict[str, tuple[Path, int | None, str]] = {  # text, number of bytes (None: all), options
    "10s": (SHAKESPEARE, None, "--minutes 0.16"),
    "3min": (SHAKESPEARE, None, "--minutes 3"),
    "10min": (SHAKESPEARE, None, "--minutes 10"),
    "lstm": (SHAKESPEARE, None, "--minutes 10 --cell lstm --layers 2 --hidden-size 128"),
    **{
        f"equal-{cell}": (SHAKESPEARE, None, f"--minutes 1 --cell {cell} --layers 1 --hidden-size {size}")
        for cell, size in EQUAL.items()
    },
    "2kB": (CORPORA / "tales.txt", 2_000, "--minutes 1"),
    "20kB": (CORPORA / "iyagi.txt", 20_000, "--minutes 1"),
    "200kB": (CORPORA / "names", None, "--minutes 1"),
    "2MB": (LIBRARY, 2_000_000, "--minutes 1"),
    "12MB": (LIBRARY, None, "--minutes 3"),
    "hour": (SHAKESPEARE, None, "--minutes 60"),
}
ROWS |= {f"{size}-first": (*ROWS[size][:2], FIRST) for size in ("2kB", "20kB", "200kB", "2MB", "12MB")}


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
        steps = re.findall(r"^step (\d+)/", err, re.MULTILINE)
        score = json.loads(charrnn("eval", "-m", model, "--json", "--baselines").stdout)
    best = score["baselines"]["ngram"]
    return (
        f"| {name} | {network[1] if network else ''} | {int(steps[-1]):,} | {took:.0f} s | {score['nats']:.3f} | "
        f"{score['bits_per_char']:.2f} | {best['bits_per_char']:.2f} (order {best['order']}) |"
    )


def main(names: list[str]) -> None:
    chosen = names or [name for name in ROWS if name != "hour"]
    for name in chosen:
        if name not in ROWS:
            sys.exit(f"unknown row {name}: choose from {', '.join(ROWS)}.")
        if not ROWS[name][0].exists():
            sys.exit(f"{ROWS[name][0].name} is missing: make {ROWS[name][0].relative_to(HOME)}")
    print("| row | network | steps | total time | validation loss | bits per character | best n-gram |")
    print("|---|---|---|---|---|---|---|")
    for name in chosen:
        print(row(name), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
