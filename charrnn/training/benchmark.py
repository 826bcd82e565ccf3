"""How fast this machine trains and samples, and how close that is to the limit set by matrix products."""

import os
import platform
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from charrnn.checkpoint.model import Model
from charrnn.nn.params import Config, fresh_params
from charrnn.options import Options
from charrnn.sampling.sample import sample
from charrnn.system.blas import versions
from charrnn.system.resources import BLAS_THREADS, cores
from charrnn.text.corpus import Corpus
from charrnn.training.cost import flops_per_char, multiply_rate
from charrnn.training.loop import Training

SYMBOLS = 65
SIZE = 1 << 20  # symbols of the random text
SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Case:
    """A network and its training window; with 0 workers their number is chosen as in any training."""

    cell: str
    layers: int
    hidden_size: int
    batch_size: int
    seq_length: int
    workers: int = 0


CASES = (
    Case("lstm", 2, 128, 50, 50),
    Case("lstm", 1, 256, 32, 64),
    Case("lstm", 2, 256, 64, 64),
    Case("gru", 2, 128, 50, 50),
    Case("gru", 2, 256, 64, 64),
    Case("rnn", 2, 128, 50, 50),
)


@dataclass(frozen=True)
class Result:
    """Characters per second: training (median over steps), sampling one stream, and the limit of training."""

    case: Case
    workers: int
    train: float
    sample: float
    limit: float

    @property
    def share(self) -> float:
        """Training speed as a share of the limit."""
        return self.train / self.limit

    def as_dict(self) -> dict[str, Any]:
        return {
            **asdict(self.case),
            "workers": self.workers,
            "train_chars_per_second": round(self.train),
            "sample_chars_per_second": round(self.sample),
            "limit_chars_per_second": round(self.limit),
            "share_of_limit": round(self.share, 3),
        }


def run(cases: tuple[Case, ...], seconds: float) -> Iterator[Result]:
    """Measures the cases one after another, for about `seconds` each."""
    text = Corpus.from_text("".join(map(chr, np.random.default_rng(0).integers(48, 48 + SYMBOLS, SIZE).tolist())))
    for case in cases:
        training = Training.new(text, Options(**asdict(case), steps=10**9, val_fraction=0.0, dropout=0.0))
        try:
            rates, end = [], time.perf_counter() + 0.7 * seconds
            for record in training:
                rates.append(record.chars_per_second)
                if time.perf_counter() > end:
                    break
        finally:
            training.close()
        workers = training.options.workers
        limit = workers * multiply_rate() / flops_per_char(training.config)
        rate = statistics.median(rates[min(5, len(rates) // 4) :])
        case = replace(case, batch_size=training.streams.batch_size, seq_length=training.streams.seq_length)
        yield Result(case, workers, rate, sampling_rate(training.config, 0.2 * seconds), limit)


def sampling_rate(config: Config, seconds: float) -> float:
    """Characters per second of one stream."""
    vocab = Corpus.from_text("".join(map(chr, range(48, 48 + config.vocab_size)))).vocab
    stream = sample(Model(config, vocab, fresh_params(config, 0)), None)
    characters, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        characters += len("".join(islice(stream, 50)))
    return characters / (time.perf_counter() - start)


def environment() -> dict[str, Any]:
    """Versions, cores and settings that the results depend on, with warnings about those that slow down products."""
    return {
        **versions(),
        "python": platform.python_version(),
        "cores": cores(),
        "gflops_per_core": round(multiply_rate() / 1e9, 1),
        "variables": {name: os.environ[name] for name in SLOWING if name in os.environ},
        "warnings": warnings(),
    }


def warnings() -> list[str]:
    messages = []
    if core := os.environ.get("OPENBLAS_CORETYPE"):
        messages.append(f"OPENBLAS_CORETYPE={core} is set, which may halve the speed of matrix products. Unset it.")
    wrong = [name for name in BLAS_THREADS if os.environ.get(name, "1") != "1"]
    if wrong:
        messages.append(f"{wrong[0]}={os.environ[wrong[0]]}: BLAS threads compete with the workers. Unset it.")
    if cores() == 1:
        messages.append("only one CPU core is available, so there is one worker.")
    return messages
