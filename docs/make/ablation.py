"""Reproduce the ablation table of docs/learning.md: python docs/make/ablation.py [ROW...]

Each row changes one option of the base runs on two texts, and prints the validation losses, one per seed. All runs have
a fixed number of steps, so that the figures do not depend on the speed of the machine. Takes about half an hour.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HOME = Path(__file__).parents[2]
SEEDS = (0, 1)
COMMON = "--layers 1 --hidden-size 256 --batch-size 32 --patience 0"
TEXTS = {  # text, and options of the base run
    "tales.txt": f"{COMMON} --seq-length 32 --steps 1750 --eval-every 350",
    "tinyshakespeare.txt": f"{COMMON} --seq-length 64 --steps 1500 --eval-every 300",
}
BASE = {
    "tales.txt": {"cell": "lstm", "lr": 0.016, "dropout": 0.5, "recurrent-dropout": 0.2, "weight-decay": 0.05},
    "tinyshakespeare.txt": {
        "cell": "lstm",
        "lr": 0.016,
        "dropout": 0.1,
        "recurrent-dropout": 0.0,
        "weight-decay": 0.05,
    },
}
ROWS: dict[str, dict[str, object]] = {
    "base": {},
    "learning rate 0.004": {"lr": 0.004},
    "learning rate 0.008": {"lr": 0.008},
    "learning rate 0.03": {"lr": 0.03},
    "clip 1": {"clip": 1.0},
    "cosine schedule": {"schedule": "cosine"},
    "constant learning rate": {"schedule": "constant"},
    "no recurrent dropout": {"recurrent-dropout": 0.0},
    "recurrent dropout 0.1": {"recurrent-dropout": 0.1},
    "recurrent dropout 0.3": {"recurrent-dropout": 0.3},
    "no dropout": {"dropout": 0.0},
    "weight decay 0": {"weight-decay": 0.0},
    "weight decay 0.3": {"weight-decay": 0.3},
    "activation regularisation 1": {"activation-regularisation": 1.0},
    "GRU": {"cell": "gru"},
}


def loss(text: str, change: dict[str, object], seed: int) -> float:
    """The best validation loss of one run."""
    options = [word for name, value in {**BASE[text], **change}.items() for word in (f"--{name}", str(value))]
    with tempfile.TemporaryDirectory() as folder:
        command = ["train", str(HOME / "corpora" / text), *TEXTS[text].split(), *options, "--seed", str(seed)]
        command += ["-m", str(Path(folder) / "model.npz"), "--json", "--log-every", "1000000", "--no-baselines", "-q"]
        run = subprocess.run([sys.executable, "-m", "charrnn", *command], capture_output=True, text=True, check=True)
    losses = [json.loads(line).get("val_loss") for line in run.stdout.splitlines()]
    return min(found for found in losses if found is not None)


def main(names: list[str]) -> None:
    if unknown := [name for name in names if name not in ROWS]:
        sys.exit(f"unknown row {unknown[0]}: choose from {', '.join(ROWS)}.")
    for text in TEXTS:
        if not (HOME / "corpora" / text).exists():
            sys.exit(f"{text} is missing: make corpora/{text}")
    print(f"| change | {' | '.join(TEXTS)} |")
    print("|---|---|---|", flush=True)
    for name in names or ROWS:
        cells = [", ".join(f"{loss(text, ROWS[name], seed):.3f}" for seed in SEEDS) for text in TEXTS]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
