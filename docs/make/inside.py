"""Draw the pictures of `charrnn see` with its own commands: python docs/make/inside.py FOLDER

Models missing from FOLDER are trained first (about 25 minutes on one core). They need corpora/tinyshakespeare.txt and
corpora/python-library.txt: make corpora corpora/tinyshakespeare.txt
"""

import os
import sys
from pathlib import Path

from charrnn.__main__ import pin_threads

pin_threads()

from charrnn.cli.main import run  # noqa: E402

ROOT = Path(__file__).parents[2]
TALE, CODE = ROOT / "corpora" / "tinyshakespeare.txt", ROOT / "corpora" / "python-library.txt"
SHORT = "--seq-length 100 --epochs 10 --lr 0.002 --workers 1"
LONG = "--seq-length 100 --steps 4000 --lr 0.003 --dropout 0.1 --val-fraction 0.02 --eval-every 1000 --workers 1"
MODELS = {  # about 240,000 parameters each, except the last
    "rnn.npz": f"{TALE} --cell rnn --hidden-size 261 {SHORT}",
    "gru.npz": f"{TALE} --cell gru --hidden-size 149 {SHORT}",
    "lstm.npz": f"{TALE} --cell lstm --hidden-size 128 {SHORT}",
    "python.npz": f"{CODE} --cell lstm --hidden-size 256 {LONG}",
}
THREE = "-m rnn.npz -m gru.npz -m lstm.npz"
PICTURES = {
    "gradients.svg": f"gradients {THREE} {TALE} --chars 100000 --positions 2000 --plot",
    "untrained.svg": f"gradients {THREE} {TALE} --untrained --lags 50 --plot",
    "exploding.svg": f"gradients {THREE} {TALE} --untrained --scale 5 --lags 50 --plot",
    "memory.svg": f"memory {THREE} {TALE} --chars 100000 --plot",
    "neurons.svg": f"neurons -m python.npz {ROOT}/charrnn/errors.py --layer 0 --of c --unit 70",
    "surprise.svg": f"surprise -m python.npz {ROOT}/docs/typos.txt",
}


def charrnn(words: str) -> None:
    print("charrnn", words, file=sys.stderr)
    if code := run(words.split()):
        sys.exit(code)


def main(folder: str) -> None:
    os.chdir(folder)
    for name, words in MODELS.items():
        if not Path(name).exists():
            charrnn(f"train {words} -m {name}")
    for name, words in PICTURES.items():
        charrnn(f"see {words} -o {ROOT}/docs/{name}")
    charrnn(f"see neurons --find -m python.npz {CODE}")


if __name__ == "__main__":
    main(sys.argv[1])
