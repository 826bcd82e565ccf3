"""Draws the pictures of the lesson with the commands of the lesson: python docs/make/inside.py FOLDER

Models that are not in FOLDER are trained first, on corpora/tales.txt (about two minutes on two cores).
"""

import os
import sys
from pathlib import Path

from charrnn.__main__ import pin_threads

pin_threads()

from charrnn.cli.main import run  # noqa: E402

ROOT = Path(__file__).parents[2]
TALES = ROOT / "corpora" / "tales.txt"
SHORT = (
    "--layers 1 --seq-length 100 --batch-size 16 --epochs 20 --lr 0.01 --dropout 0.2 "
    "--recurrent-dropout 0 --weight-decay 0.02 --activation-regularisation 0"
)
LONG = (
    "--layers 1 --seq-length 200 --batch-size 16 --epochs 30 --lr 0.008 --dropout 0.4 "
    "--recurrent-dropout 0.2 --weight-decay 0.02 --activation-regularisation 2"
)
MODELS = {  # about 55,000 parameters each, except the last
    "rnn.npz": f"--cell rnn --hidden-size 180 {SHORT}",
    "gru.npz": f"--cell gru --hidden-size 100 {SHORT}",
    "lstm.npz": f"--cell lstm --hidden-size 85 {SHORT}",
    "tales.npz": f"--cell lstm --hidden-size 256 {LONG}",
}
THREE = "-m rnn.npz -m gru.npz -m lstm.npz"
PICTURES = {
    "gradients.svg": f"gradients {THREE} --plot",
    "untrained.svg": f"gradients {THREE} --untrained --lags 50 --plot",
    "exploding.svg": f"gradients {THREE} --untrained --scale 10 --lags 50 --plot",
    "memory.svg": f"memory {THREE} --plot",
    "neurons.svg": "neurons -m tales.npz --all --layer 0 --of c --unit 91",
    "surprise.svg": f"surprise -m tales.npz {ROOT}/docs/typos.txt",
}


def charrnn(words: str) -> None:
    print("charrnn", words, file=sys.stderr)
    if code := run(words.split()):
        sys.exit(code)


def main(folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    for name, words in MODELS.items():
        if not Path(name).exists():
            charrnn(f"train {TALES} -m {name} {words}")
    for name, words in PICTURES.items():
        charrnn(f"see {words} -o {ROOT}/docs/{name}")
    charrnn("see neurons --find --all -m tales.npz")


if __name__ == "__main__":
    main(sys.argv[1])
