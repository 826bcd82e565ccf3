"""Measure the ablation table of docs/learning.md and insert it there: python docs/make/ablation.py [ROW...]

Each row changes one option (that of the GRU two) of two runs that are otherwise planned, and lists their best
validation losses. The runs have a fixed number of epochs, so that the figures do not depend on the speed of the
machine. Takes 15 to 20 minutes on two cores; with the names of rows, these are printed only.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from charrnn.checks import flag
from charrnn.options import MINUTES, Options
from charrnn.text.corpus import Corpus
from charrnn.training.plan import choose

HOME = Path(__file__).parents[2]
PAGE = HOME / "docs" / "learning.md"
BEGIN, END = "<!-- ablation: written by make results-ablation -->\n", "<!-- end of ablation -->\n"
SIZES = {"layers": 1, "hidden_size": 192}
TEXTS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {  # what is not planned, and the seeds
    "tales": ({"epochs": 24, **SIZES}, (0, 1)),
    "tinyshakespeare": ({"epochs": 2, **SIZES}, (0,)),
}
ROWS: dict[str, Callable[[Options], dict[str, Any]]] = {
    "as planned": lambda plan: {},
    "a quarter of the learning rate": lambda plan: {"lr": plan.lr / 4},
    "half the learning rate": lambda plan: {"lr": plan.lr / 2},
    "twice the learning rate": lambda plan: {"lr": plan.lr * 2},
    "clipping at 1 instead of 0.25": lambda plan: {"clip": 1.0},
    "cosine schedule": lambda plan: {"schedule": "cosine"},
    "constant learning rate": lambda plan: {"schedule": "constant"},
    "no dropout": lambda plan: {"dropout": 0.0},
    "dropout + 0.15": lambda plan: {"dropout": round(plan.dropout + 0.15, 2)},
    "no recurrent dropout": lambda plan: {"recurrent_dropout": 0.0},
    "recurrent dropout + 0.1": lambda plan: {"recurrent_dropout": round(plan.recurrent_dropout + 0.1, 2)},
    "no weight decay": lambda plan: {"weight_decay": 0.0},
    "weight decay 0.05": lambda plan: {"weight_decay": 0.05},
    "weight decay 0.15": lambda plan: {"weight_decay": 0.15},
    "no activation regularisation": lambda plan: {"activation_regularisation": 0.0},
    "windows twice as long": lambda plan: {"seq_length": 2 * plan.seq_length},
    "GRU, no activation regularisation": lambda plan: {"cell": "gru", "activation_regularisation": 0.0},
}


def path(text: str) -> Path:
    return HOME / "corpora" / f"{text}.txt"


def planned(text: str) -> Options:
    """The options of the run that all rows change."""
    corpus = Corpus.read(path(text))
    return choose(TEXTS[text][0], int(0.9 * corpus.symbols), corpus.alphabet, None, 60.0 * MINUTES).options


def loss(text: str, options: Options, seed: int) -> float:
    """The best validation loss of one run."""
    names = ("cell", "layers", "hidden_size", "epochs", "batch_size", "seq_length", "lr", "schedule", "clip")
    more = ("weight_decay", "dropout", "recurrent_dropout", "activation_regularisation")
    words = [word for name in (*names, *more) for word in (flag(name), str(getattr(options, name)))]
    with tempfile.TemporaryDirectory() as folder:
        command = ["train", str(path(text)), *words, "--seed", str(seed), "-m", str(Path(folder) / "model.npz")]
        command += ["--json", "--log-every", "1000000", "--no-baselines", "-q"]
        run = subprocess.run([sys.executable, "-m", "charrnn", *command], capture_output=True, text=True, check=True)
    losses = [json.loads(line).get("val_loss") for line in run.stdout.splitlines()]
    return min(found for found in losses if found is not None)


def described(text: str, plan: Options) -> str:
    return (
        f"{text}, {plan.epochs} epochs: {plan.cell.upper()} {plan.layers} x {plan.hidden_size}, "
        f"{plan.batch_size} x {plan.seq_length}, learning rate {plan.lr:g}, dropout {plan.dropout:g}, "
        f"recurrent dropout {plan.recurrent_dropout:g}, weight decay {plan.weight_decay:g}, "
        f"activation regularisation {plan.activation_regularisation:g}"
    )


def inserted(page: str, table: str) -> str:
    """The page with this table between its markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert end, f"{PAGE.name} has no markers"
    return f"{before}{begin}\n{table}\n{end}{after}"


def main(names: list[str]) -> None:
    if unknown := [name for name in names if name not in ROWS]:
        sys.exit(f"unknown row {unknown[0]}: choose from {', '.join(ROWS)}.")
    for text in TEXTS:
        if not path(text).exists():
            sys.exit(f"{text} is missing: make corpora/{text}.txt")
    plans = {text: planned(text) for text in TEXTS}
    plan_lines = [f"- {described(text, plan)}" for text, plan in plans.items()]
    lines = [*plan_lines, "", f"| change | {' | '.join(TEXTS)} |", "|---|---|---|"]
    print("\n".join(lines), flush=True)
    for name in names or ROWS:
        cells = []
        for text, (_, seeds) in TEXTS.items():
            options = replace(plans[text], **ROWS[name](plans[text]))
            cells.append(", ".join(f"{loss(text, options, seed):.3f}" for seed in seeds))
        lines.append(f"| {name} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    if not names:
        PAGE.write_text(inserted(PAGE.read_text("utf-8"), "\n".join(lines) + "\n"), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
