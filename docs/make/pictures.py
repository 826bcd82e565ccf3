"""Makes the pictures of the README from real runs: python docs/make/pictures.py (about four minutes).

Each is the terminal's picture of a command, drawn by the code that draws the terminal, exported as SVG.
"""

import io
import os
import tempfile
from pathlib import Path

from charrnn.__main__ import pin_threads

pin_threads()

from rich.console import Console  # noqa: E402
from rich.text import Text  # noqa: E402

import charrnn  # noqa: E402
from charrnn.display.console import Draw, render  # noqa: E402
from charrnn.display.evaluation import scores  # noqa: E402
from charrnn.display.info import information  # noqa: E402
from charrnn.display.training import Screen  # noqa: E402
from charrnn.evaluation.score import evaluate  # noqa: E402
from charrnn.training.loop import Training  # noqa: E402

DOCS = Path(__file__).parents[1]
TALES = "corpora/tales.txt"


def export(name: str, title: str, width: int, draw: Draw) -> None:
    (DOCS / name).write_bytes(render(name, title, draw, width))


def trained(cell: str, snapshot: str | None = None) -> Training:
    training = charrnn.train(TALES, cell=cell)

    def write(step: int) -> str:
        return " ".join("".join(charrnn.sample(training.latest, 70, temp=0.7, seed=step)).split())

    screen = Screen(training, write, Console(file=io.StringIO(), width=92, force_terminal=True, markup=False))
    with screen:
        for record in training:
            screen.show(record)
            if snapshot and record.step == 820:
                export(snapshot, f"charrnn train {TALES}", 92, lambda out: out.print(screen.picture()))
    return training


def model_pictures(model: charrnn.Model, size: int) -> None:
    export("info.svg", "charrnn info", 92, lambda out: information(out, "model.npz", model, size))
    text = Text("".join(charrnn.sample(model, 600, temp=0.6, seed=1)))
    export("sample.svg", "charrnn sample --temp 0.6 -n 600 --seed 1", 72, lambda out: out.print(text))


def main() -> None:
    os.chdir(DOCS.parent)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for cell in ("gru", "lstm", "rnn"):
            training = trained(cell, "train.svg" if cell == "gru" else None)
            path = Path(folder) / f"{cell}.npz"
            training.model.save(path)
            score = evaluate(training.model, training.corpus, training.held_out)
            rows.append((path.name, charrnn.load(path), score))
            if cell == "gru":
                model_pictures(training.model, path.stat().st_size)
    rows.sort(key=lambda row: row[2].bits_per_char)
    export("eval.svg", "charrnn eval -m gru.npz -m lstm.npz -m rnn.npz", 96, lambda out: scores(out, rows))


if __name__ == "__main__":
    main()
