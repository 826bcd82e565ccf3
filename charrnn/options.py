"""How a training is set up: every option once, with its default, its range, and what a resumed run may change.

The command line and the library both fill in an `Options`; nothing else holds defaults.
"""

import codecs
import re
from dataclasses import asdict, dataclass, fields, replace
from numbers import Number
from typing import Any

from charrnn.checks import MOST_LAYERS, check_float, check_int, flag, from_file, shown
from charrnn.errors import UsageError

CELLS = ("lstm", "gru", "rnn")  # the built-in ones; `nn` checks the name
UNITS = ("char", "byte", "jamo")
OPTIMIZERS = ("adam", "rmsprop", "adagrad", "sgd")
SCHEDULES = ("cosine", "constant")
ENGINES = ("fast", "plain")
TASKS = ("text", "generate", "classify", "pairs")  # one long text, or what is learned from examples
LENGTHS = ("epochs", "steps")
CHANGEABLE = (*LENGTHS, "workers", "engine", "patience")  # other workers or engines change rounding only
DEFAULT_STEPS = 1000
MINUTES = 3.0  # the command line's default length
MOST_TEXTS = 10_000  # written by one command


@dataclass(frozen=True)
class Options:
    """The options of a run, as they are stored in the model file.

    `epochs` and `steps` are totals of the whole run, also when it is resumed; the first reached ends it.
    Where neither is given, `DEFAULT_STEPS` holds. `eval_every` and `workers` 0 mean: chosen from the sizes (and the
    cores). `patience` is the number of evaluations without a better one that end the run, 0 for none. `cut`,
    "STEP:TOTAL", shortens the schedule from a step on, so that it ends at another.
    """

    task: str = "text"
    cell: str = "gru"
    layers: int = 2
    hidden_size: int = 128
    dropout: float = 0.2
    unit: str = "char"
    encoding: str = "utf-8"
    seq_length: int = 64
    batch_size: int = 32
    epochs: int | None = None
    steps: int | None = None
    lr: float = 0.004
    optimizer: str = "adam"
    schedule: str = "cosine"
    clip: float = 1.0
    weight_decay: float = 0.0
    patience: int = 0
    cut: str = ""
    val_fraction: float = 0.1
    eval_every: int = 0
    seed: int = 0
    workers: int = 0
    min_count: int = 0
    engine: str = "fast"

    def __post_init__(self) -> None:
        for field in fields(self):  # numbers of NumPy become Python's, which JSON can hold
            value = getattr(self, field.name)
            if isinstance(value, Number) and hasattr(value, "item"):
                object.__setattr__(self, field.name, value.item())
        for name, words in (
            ("unit", UNITS),
            ("task", TASKS),
            ("optimizer", OPTIMIZERS),
            ("schedule", SCHEDULES),
            ("engine", ENGINES),
        ):
            if getattr(self, name) not in words:
                raise UsageError(f"{flag(name)} is one of {', '.join(words)}, not {getattr(self, name)!r}.")
        check_int("layers", self.layers, 1, MOST_LAYERS)
        for name in ("hidden_size", "seq_length", "batch_size"):
            check_int(name, getattr(self, name), 1)
        for name in LENGTHS:
            if getattr(self, name) is not None:
                check_int(name, getattr(self, name), 1)
        check_int("eval_every", self.eval_every, 0)
        check_int("seed", self.seed, 0)
        check_int("workers", self.workers, 0, 1024)
        check_int("min_count", self.min_count, 0)
        if self.unit == "byte" and self.min_count > 1:
            raise UsageError("--min-count is for characters: of bytes there are 256 at most.")
        check_float("lr", self.lr, above=0.0)
        check_float("dropout", self.dropout, at_least=0.0, below=1.0)
        check_float("val_fraction", self.val_fraction, at_least=0.0, below=1.0)
        check_float("clip", self.clip, at_least=0.0)
        check_float("weight_decay", self.weight_decay, at_least=0.0, below=1.0)
        check_int("patience", self.patience, 0)
        self.cut_at()
        try:
            text_encoding = codecs.lookup(self.encoding)._is_text_encoding
        except (LookupError, ValueError, TypeError):
            text_encoding = False
        if not text_encoding:
            raise UsageError(f"--encoding {self.encoding!r} is not a text encoding that Python knows.")

    def length(self, windows: int) -> tuple[int, int]:
        """The steps that the schedule spans (`epochs` if given, else `steps`), and the step that ends the run.

        `windows` is the number of steps in an epoch.
        """
        by_epochs = None if self.epochs is None else self.epochs * windows
        ends = [end for end in (by_epochs, self.steps) if end is not None] or [DEFAULT_STEPS]
        cut = self.cut_at()
        if cut and cut[1] > ends[0]:
            raise UsageError(f"--cut {self.cut} ends after the {ends[0]:,} steps of the schedule, which it shortens.")
        return ends[0], min(*ends, cut[1]) if cut else min(ends)

    def cut_at(self) -> tuple[int, int] | None:
        """The step at which the schedule is shortened, and the one at which it ends then."""
        if not self.cut:
            return None
        match = re.fullmatch(r"([1-9]\d{0,17}):([1-9]\d{0,17})", self.cut, re.ASCII)
        if match is None or int(match[1]) >= int(match[2]):
            raise UsageError(f"--cut is STEP:TOTAL, the second the larger, not {shown(self.cut)!r}.")
        return int(match[1]), int(match[2])

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Options":
        """The options in a model file; raises CharRNNError or TypeError if they cannot be options."""
        return from_file(cls, values)

    def resumed(self, given: dict[str, Any]) -> "Options":
        """These options, gone on with: `given` may restate any, and may set a new length or number of workers.

        New epochs alone lift a limit by steps; new steps alone leave the epochs, which the schedule spans.
        Raises UsageError where `given` contradicts the file.
        """
        for name, value in given.items():
            mine = getattr(self, name)
            same = value == mine or (name == "encoding" and same_encoding(value, mine))
            if not same and name not in CHANGEABLE and (name, value) != ("eval_every", 0):
                raise UsageError(
                    f"{flag(name)} {value} contradicts the model file, which was trained with "
                    f"{'none' if mine == '' else mine}: leave it out to go on, or use --force to start anew."
                )
        options = replace(self, **{name: given[name] for name in ("workers", "engine", "patience") if name in given})
        if "epochs" in given:
            return replace(options, epochs=given["epochs"], steps=given.get("steps"), cut="")
        return replace(options, steps=given["steps"], cut="") if "steps" in given else options


def same_encoding(one: str, other: str) -> bool:
    try:
        return codecs.lookup(one).name == codecs.lookup(other).name
    except (LookupError, ValueError):
        return False
