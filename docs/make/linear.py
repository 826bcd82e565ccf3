"""Draws docs/linear.svg: what a linear recurrence gains and what it gives up: python docs/make/linear.py (minutes)

Above, the gradient of untrained networks by lag. Below, trained networks: the share of bit strings of each length whose
parity is right; the strings of the training have up to `LONGEST` bits.
"""

from pathlib import Path
from typing import Any

from charrnn.__main__ import pin_threads

pin_threads()

import numpy as np  # noqa: E402

from charrnn.checkpoint.model import Model  # noqa: E402
from charrnn.display.matplotlib_plot import plot  # noqa: E402
from charrnn.display.panels import COLOURS, Curve, Panel, share_tick  # noqa: E402
from charrnn.nn.params import Config, fresh_params  # noqa: E402
from charrnn.options import Options  # noqa: E402
from charrnn.sampling.conditional import answers  # noqa: E402
from charrnn.see.gradients import gradient_norms  # noqa: E402
from charrnn.see.text_window import text_window  # noqa: E402
from charrnn.text.corpus import Corpus  # noqa: E402
from charrnn.text.examples import Example, Examples  # noqa: E402
from charrnn.training.loop import Training  # noqa: E402

DOCS = Path(__file__).parents[1]
CELLS = {"rnn": (1, 112), "gru": (1, 64), "lstm": (1, 55), "mingru": (2, 40), "lru": (2, 32)}  # about equal weights
LONGEST, TESTED, STRINGS = 20, 40, 200
PARITY: dict[str, Any] = {"task": "pairs", "dropout": 0.0, "lr": 0.004, "steps": 3000, "batch_size": 32,
                          "seq_length": 64, "workers": 1, "val_fraction": 0.05}  # fmt: skip


def untrained(cell: str, corpus: Corpus) -> Curve:
    """The share of the gradient for h that reaches back k characters."""
    config = Config(cell, *CELLS[cell], len(corpus.vocab))
    model = Model(config, corpus.vocab, fresh_params(config, 0))
    share = gradient_norms(model, text_window(corpus, corpus.segments, 20_000), 100, 256).share
    return Curve(config.name, range(len(share)), share.tolist(), "")


def strings(length: int, rng: np.random.Generator) -> list[str]:
    return ["".join(map(str, row)) for row in rng.integers(0, 2, (STRINGS, length)).tolist()]


def parity(bits: str) -> str:
    return "odd" if bits.count("1") % 2 else "even"


def tracked(cell: str, rows: list[Example]) -> Curve:
    """The share of right parities by length, of a network that learns them from `rows`."""
    layers, hidden_size = CELLS[cell]
    options = Options(cell=cell, layers=layers, hidden_size=hidden_size, **PARITY)
    training = Training.new(Examples.of(rows, "pairs"), options)
    for _ in training:
        pass
    rng, lengths, shares = np.random.default_rng(1), range(1, TESTED + 1), []
    for length in lengths:
        tests = strings(length, rng)
        found = answers(training.model, tests)
        shares.append(sum(answer.text == parity(bits) for answer, bits in zip(found, tests, strict=True)) / STRINGS)
    some = [f"{n} {shares[n - 1]:.3f}" for n in (5, 10, 20, 30, 40)]
    print(training.config.name, len(training.params.flat), "weights:", *some, flush=True)
    return Curve(training.config.name, lengths, shares, "")


def main() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, LONGEST + 1, 20_000).tolist()
    sources = ["".join(map(str, rng.integers(0, 2, length).tolist())) for length in lengths]
    rows = [(bits, parity(bits)) for bits in sources]
    corpus = Corpus.read([DOCS.parent / "corpora" / "tales.txt"])
    gradients = painted([untrained(cell, corpus) for cell in CELLS])
    shares = painted([tracked(cell, rows) for cell in CELLS])
    reach = "untrained: share of the loss gradient that reaches k characters back"
    right = f"trained on up to {LONGEST} bits: share of right parities"
    panels = [
        Panel(reach, "k", gradients, log_y=True, tick=share_tick, floor=1e-6),
        Panel(right, "bits", shares, tick=share_tick),
    ]
    (DOCS / "linear.svg").write_bytes(plot(panels, "svg"))


def painted(curves: list[Curve]) -> list[Curve]:
    return [Curve(curve.name, curve.xs, curve.ys, colour) for curve, colour in zip(curves, COLOURS, strict=False)]


if __name__ == "__main__":
    main()
