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
from charrnn.display.console import local_font, recording_console  # noqa: E402
from charrnn.display.evaluation import scores  # noqa: E402
from charrnn.display.info import information  # noqa: E402
from charrnn.display.training import Screen  # noqa: E402
from charrnn.evaluation.score import evaluate  # noqa: E402
from charrnn.training.loop import Training  # noqa: E402

DOCS = Path(__file__).parents[1]
TALES = "corpora/tales.txt"


def export(console: Console, title: str, name: str) -> None:
    (DOCS / name).write_text(local_font(console.export_svg(title=title)), "utf-8")


def trained(cell: str, snapshot: str | None = None) -> Training:
    training = charrnn.train(TALES, cell=cell)

    def write(step: int) -> str:
        return " ".join("".join(charrnn.sample(training.latest, 70, temp=0.7, seed=step)).split())

    screen = Screen(training, write, Console(file=io.StringIO(), width=92, force_terminal=True, markup=False))
    with screen:
        for record in training:
            screen.show(record)
            if snapshot and record.step == 820:
                out = recording_console(92)
                out.print(screen.picture())
                export(out, f"charrnn train {TALES}", snapshot)
    return training


def main() -> None:
    os.chdir(DOCS.parent)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for cell in ("gru", "lstm", "rnn"):
            training = trained(cell, "train.svg" if cell == "gru" else None)
            path = Path(folder) / f"{cell}.npz"
            training.model.save(path)
            rows.append(
                (f"{cell}.npz", charrnn.load(path), evaluate(training.model, training.corpus, training.held_out))
            )
            if cell == "gru":
                out = recording_console(92)
                information(out, "model.npz", training.model, path.stat().st_size)
                export(out, "charrnn info", "info.svg")
                out = recording_console(72)
                text = "".join(charrnn.sample(training.model, 600, temp=0.6, seed=1))
                out.print(Text(text))
                export(out, "charrnn sample --temp 0.6 -n 600 --seed 1", "sample.svg")
    out = recording_console(96)
    scores(out, sorted(rows, key=lambda row: row[2].bits_per_char))
    export(out, "charrnn eval -m gru.npz -m lstm.npz -m rnn.npz", "eval.svg")


if __name__ == "__main__":
    main()
