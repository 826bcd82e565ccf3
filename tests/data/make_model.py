"""Writes models/versionN-NAME.npz and .json: a tiny model in the middle of its run; its text, output and next loss.

    python tests/data/make_model.py NAME

Run once per change of the file format, with the name of a new field; all files are kept.
"""

import json
import sys
from pathlib import Path

import charrnn
from charrnn.checkpoint.model import VERSION
from charrnn.training.ngram import mixing

TEXT = "the cat sat on the mat; the dog ate the hat?\n" * 12 + "a rat ran at the den!\n" * 12
SIZES = {"cell": "lstm", "layers": 1, "hidden_size": 4, "batch_size": 4, "seq_length": 8}


def main() -> None:
    path = Path(__file__).parent / "models" / f"version{VERSION}-{sys.argv[1]}.npz"
    corpus = charrnn.Corpus.from_text(TEXT, min_count=15, by_line=True)  # so that there is an unknown symbol
    training = charrnn.train(corpus, **SIZES, steps=60, eval_every=3, lr=0.05, workers=1, with_ngram=True, order=3)
    for _ in range(23):  # neither the best step nor the last
        next(training)
    training.mixing = mixing(training.model, corpus, training.options)  # as at the end of a run
    training.run.texts, training.run.folder = ("tales.txt",), "/home/reader/texts"  # as if it had been read from a file
    training.run.extended = 20  # and extended
    training.run.rates = ((1, 0.1), (11, 0.05))  # and resumed with another learning rate
    training.model.save(path)
    output = "".join(charrnn.sample(charrnn.load(path), 40, temp=0.0))
    values = {"text": TEXT, "min_count": 15, "by_line": True, "output": output, "loss": next(training).loss}
    path.with_suffix(".json").write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    main()
