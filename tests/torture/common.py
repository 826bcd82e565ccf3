"""Shared by all parts: results, a small training run, a digest of the complete run state, and command lines."""

import contextlib
import hashlib
import io
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import charrnn
from charrnn.checkpoint.model import Model
from charrnn.cli.main import run as run_command
from charrnn.training.loop import Training
from tests.training.test_loop import timeless_curves

TEXT = "the cat sat on the mat.\nthe dog sat on the cat.\n" * 12
TINY = ["--hidden-size", "8", "--layers", "1", "--batch-size", "4", "--seq-length", "8", "--eval-every", "4"]


@dataclass
class Outcome:
    """The number of cases, a summary, and every failure; `skipped` is the reason why a part could not run."""

    count: int
    says: str
    misses: list[str] = field(default_factory=list)
    skipped: str = ""


class Tally:
    """Counts the cases and collects the failures."""

    def __init__(self) -> None:
        self.count, self.misses = 0, list[str]()

    def check(self, well: bool, what: str) -> bool:
        if not well:
            self.misses.append(what)
        return well

    def outcome(self, says: str) -> Outcome:
        return Outcome(self.count, says, self.misses)


def dice(seed: int, purpose: str) -> random.Random:
    return random.Random(f"{seed} {purpose}")


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder with corpus.txt, used as the working directory."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        os.chdir(name)
        try:
            Path("corpus.txt").write_text(TEXT)
            yield Path(name)
        finally:
            os.chdir(before)


def tiny(text: str = TEXT, **options: Any) -> Training:
    """A training run whose steps take well under a millisecond."""
    sizes = {"hidden_size": 6, "layers": 1, "batch_size": 2, "seq_length": 5, "eval_every": 40, "workers": 1}
    return charrnn.train(charrnn.Corpus.from_text(text), **{**sizes, **options})


def digest(model: Model) -> str:
    """SHA-256 of everything that later steps depend on."""
    assert model.run is not None
    run, found = model.run, hashlib.sha256()
    for values in (run.last.flat, model.params.flat, *run.optimizer.values(), *run.state.values()):
        found.update(values.tobytes())
    found.update(repr((run.step, run.best_step, run.best_loss, timeless_curves(run.history), run.health)).encode())
    return found.hexdigest()


class Stream(io.TextIOWrapper):
    """An in-memory stream that can pretend to be a terminal."""

    def __init__(self, terminal: bool = False, encoding: str = "utf-8") -> None:
        self.data, self.terminal = io.BytesIO(), terminal
        super().__init__(self.data, encoding, errors="surrogateescape", newline="", write_through=True)

    def isatty(self) -> bool:
        return self.terminal

    def taken(self) -> bytes:
        self.flush()
        return self.data.getvalue()


def command(arguments: Sequence[str], stdin: bytes = b"") -> tuple[int, bytes, str]:
    """Run a command line in this process; return exit code, stdout and stderr."""
    kept = sys.stdin, sys.stdout, sys.stderr
    out, err = Stream(), Stream()
    sys.stdin, sys.stdout, sys.stderr = io.TextIOWrapper(io.BytesIO(stdin)), out, err
    try:
        code = run_command(list(arguments))
    finally:
        sys.stdin, sys.stdout, sys.stderr = kept
    return code, out.taken(), err.taken().decode("utf-8", "replace")


def start(arguments: Sequence[str], **more: Any) -> "subprocess.Popen[bytes]":
    """Start a command line as a separate process."""
    return subprocess.Popen([sys.executable, "-m", "charrnn", *arguments], **more)


def errors(stderr: str) -> list[str]:
    """The lines that report an error or belong to a traceback."""
    return [line for line in stderr.splitlines() if line.startswith(("error: ", "Traceback", "  File"))]
