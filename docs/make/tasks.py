"""Reproduce the tables of docs/tasks.md: python docs/make/tasks.py [ROW...]

additions, dates, romanised: exact matches on pairs, by the command line. names: accuracy over ten splits, compared with
character n-grams. judge: accuracy of a classifier on generated names. distance: the cells on sources preceded by
filler.
"""

import json
import math
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from charrnn.checkpoint.model import Model
from charrnn.evaluation.classification import grade_labels
from charrnn.evaluation.pairs import grade_pairs
from charrnn.options import Options
from charrnn.sampling.conditional import for_labels
from charrnn.sampling.sample import sample_many
from charrnn.text.examples import Example, Examples
from charrnn.training.loop import Training

HOME = Path(__file__).parents[2]
CORPORA = HOME / "corpora"
PAIRS = {
    "additions": "--minutes 10 --workers 1",
    "dates": "--minutes 10 --workers 1",
    "romanised": "--minutes 10 --workers 1 --unit jamo",
}
FOLDS = 10
ORDERS = (2, 3, 4, 5)
NAMES = Options(task="classify", cell="gru", layers=1, hidden_size=256, dropout=0.6, seq_length=96, batch_size=16,
                lr=0.001, weight_decay=0.1, steps=1200, workers=1)  # fmt: skip
WRITER = Options(task="generate", cell="gru", layers=1, hidden_size=256, dropout=0.5, seq_length=64, batch_size=32,
                 lr=0.004, weight_decay=0.05, steps=3000, workers=1)  # fmt: skip
CELLS = {"rnn": (1, 200), "gru": (1, 115), "lstm": (1, 100), "mingru": (3, 55), "lru": (2, 56)}  # about equal weights
FILLERS = 0, 10, 30, 100
DISTANCE: dict[str, Any] = {"task": "pairs", "dropout": 0.0, "lr": 0.004, "epochs": 20, "workers": 1}
LONGEST = 60  # characters per generated name
Table = Iterator[str]


def charrnn(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "charrnn", *words], capture_output=True, text=True, check=True)


def pairs(name: str) -> Table:
    """Exact matches on the validation split, measured by `charrnn eval`."""
    yield "| pairs | network | steps | validation pairs | exact | character error rate |"
    with tempfile.TemporaryDirectory() as folder:
        model = str(Path(folder) / "model.npz")
        err = charrnn("train", "--pairs", str(CORPORA / f"{name}.tsv"), *PAIRS[name].split(), "-m", model).stderr
        found = json.loads(charrnn("eval", "-m", model, "--json").stdout)
    network = re.search(r"^([A-Z]+ \d+ x \d+), [\d,]+ parameters$", err, re.MULTILINE)
    steps = re.findall(r"^step (\d+)/", err, re.MULTILINE)
    yield (
        f"| {name}, `{PAIRS[name]}` | {network[1] if network else ''} | {int(steps[-1]):,} | {found['examples']:,} | "
        f"{found['exact']:.2%} | {found['character_error_rate']:.3%} |"
    )


def trained(rows: list[Example], options: Options, examples: Examples) -> Model:
    """A model trained on `rows`, with the labels and the vocabulary of all examples."""
    mine = Examples.of(rows, options.task, vocab=examples.vocab, task=examples.task)
    training = Training.new(mine, options)
    for _ in training:
        pass
    return training.model


def divisions(rows: list[Example], seed: int = 0) -> list[list[Example]]:
    """Ten parts, stratified by label."""
    rng = np.random.Generator(np.random.PCG64(seed))
    parts: list[list[Example]] = [[] for _ in range(FOLDS)]
    by = defaultdict(list)
    for row in rows:
        by[row[0]].append(row)
    k = 0
    for label in sorted(by):
        for place in rng.permutation(len(by[label])):
            parts[k % FOLDS].append(by[label][place])
            k += 1
    return parts


class Grams:
    """Character n-gram models, one per label, with Witten-Bell smoothing (1991); classification by Bayes' rule."""

    def __init__(self, rows: list[Example], order: int, alphabet: int) -> None:
        self.order, self.alphabet, self.prior = order, alphabet, Counter(label for label, _ in rows)
        self.counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for label, text in rows:
            for context, symbol in self.grams(text):
                for begin in range(order):
                    self.counts[label, context[begin:]][symbol] += 1

    def grams(self, text: str) -> list[tuple[str, str]]:
        padded = "\t" * (self.order - 1) + text + "\n"
        return [(padded[k - self.order + 1 : k], padded[k]) for k in range(self.order - 1, len(padded))]

    def log(self, label: str, text: str) -> float:
        total = math.log(self.prior[label])
        for context, symbol in self.grams(text):
            p = 1.0 / self.alphabet
            for begin in range(self.order - 1, -1, -1):
                if counts := self.counts.get((label, context[begin:])):
                    p = (counts[symbol] + len(counts) * p) / (counts.total() + len(counts))
            total += math.log(p)
        return total

    def label(self, text: str) -> str:
        return max(sorted(self.prior), key=lambda label: self.log(label, text))


def names(_: str) -> Table:
    """Accuracy over ten splits, and the paired difference to the n-gram models with its standard error."""
    examples = Examples.read([CORPORA / "names"], "classify")
    parts = divisions(examples.rows)
    found: dict[str, list[float]] = defaultdict(list)
    confusion = np.zeros((len(examples.task.labels),) * 2, np.int64)
    for k, held in enumerate(parts):
        rows = [row for part in parts if part is not held for row in part]
        grade = grade_labels(trained(rows, NAMES, examples), held)
        confusion += grade.confusion
        found["network"].append(grade.accuracy)
        for order in ORDERS:
            grams = Grams(rows, order, len(examples.vocab))
            found[f"{order}-grams"].append(sum(grams.label(text) == label for label, text in held) / len(held))
        print(k + 1, {name: round(values[-1], 4) for name, values in found.items()}, file=sys.stderr)
    yield "| | accuracy, mean of ten splits | difference of the network, with standard error |"
    for name, values in found.items():
        lead = np.array(found["network"]) - values
        error = lead.std(ddof=1) / math.sqrt(FOLDS)
        yield f"| {name} | {np.mean(values):.1%} | {100 * lead.mean():+.1f} ± {100 * error:.1f} |"
    yield ""
    yield "| | " + " | ".join(label[:3] for label in examples.task.labels) + " |"
    for label, row in zip(examples.task.labels, confusion, strict=True):
        yield f"| {label} | " + " | ".join(str(count or "") for count in row) + " |"


def judge(_: str) -> Table:
    """Accuracy of a classifier, trained on other names, on generated names and on real names of the test split."""
    examples = Examples.read([CORPORA / "names"], "classify")
    parts = divisions(examples.rows)
    seen, other, held = ([row for part in some for row in part] for some in (parts[:4], parts[4:8], parts[8:]))
    teller = trained(seen, NAMES, examples)
    writing = Examples.of(examples.rows, "generate", vocab=examples.vocab)
    yield "| | accuracy |"
    yield f"| real names, test split | {grade_labels(teller, held).accuracy:.1%} |"
    writer = trained(other, WRITER, writing)
    for temperature in (1.0, 0.8, 0.6, 0.5, 0.4):
        made = []
        for label, count in Counter(label for label, _ in held).items():
            texts = sample_many(for_labels(writer, {label: 1.0}), count, LONGEST, temp=temperature, lines=1)
            made += [(label, text.text.rstrip("\n")) for text in texts]
        yield f"| generated, temperature {temperature} | {grade_labels(teller, made).accuracy:.1%} |"


def distance(_: str) -> Table:
    """Exact matches of the cells on sums of numbers up to 99, preceded by filler, which is read last."""
    rng = np.random.Generator(np.random.PCG64(0))
    sums = [(f"{a}+{b}", str(a + b)) for a in range(100) for b in range(100)]
    sums = [sums[k] for k in rng.permutation(len(sums))]
    yield "| filler | " + " | ".join(f"{cell.upper()} {k} x {size}" for cell, (k, size) in CELLS.items()) + " |"
    for filler in FILLERS:
        rows = [("." * filler + source, target) for source, target in sums]
        examples = Examples.of(rows, "pairs")
        cells = []
        for cell, (layers, size) in CELLS.items():
            steps = 24 + 2 * filler  # time steps per window: two examples
            options = Options(cell=cell, layers=layers, hidden_size=size, seq_length=steps, **DISTANCE)
            model = trained(rows, options, examples)
            grade = grade_pairs(model, examples.split(options.val_fraction, options.seed)[1])
            cells.append(f"{grade.accuracy:.1%}")
        yield f"| {filler} | " + " | ".join(cells) + " |"


TABLES: dict[str, Callable[[str], Table]] = {**dict.fromkeys(PAIRS, pairs), "names": names, "judge": judge}
TABLES["distance"] = distance


def main(chosen: list[str]) -> None:
    for name in chosen or TABLES:
        if name not in TABLES:
            sys.exit(f"unknown row {name}: choose from {', '.join(TABLES)}.")
        for line in TABLES[name](name):
            print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
