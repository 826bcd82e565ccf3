"""`Options`: the hyperparameters of a training run, each declared once, at its field.

The command line, the checks and the reference documentation are generated from the fields; nothing else holds
defaults. This file works without NumPy, so that the command line starts fast.
"""

import codecs
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any

from charrnn.checks import MOST_LAYERS, declared, from_file, setting, shown, validate
from charrnn.errors import UsageError

CELLS = ("lstm", "gru", "rnn")  # the built-in ones, for the help; `nn` checks the name
LINEAR_CELLS = ("mingru", "lru")  # without Wh
UNITS = ("char", "byte", "jamo")
OPTIMIZERS = ("adam", "rmsprop", "adagrad", "sgd")
SCHEDULES = ("wsd", "cosine", "constant")
ENGINES = ("fast", "plain")
TASKS = ("text", "generate", "classify", "pairs")  # one long text, or one of three kinds of examples
LENGTHS = ("epochs", "steps")
DEFAULT_STEPS = 1000
MINUTES = 3.0  # the default time of a run on the command line
NGRAM = "ngram"  # the cell of a model without a network
HIGHEST_ORDER = 10  # of n-grams
MOST_TEXTS = 10_000  # written by one command
STDIN = "-"  # the name of standard input on the command line, and in the record of a run
BUILT_IN = ":"  # the start of the name of a corpus or model that comes with charrnn
MAIN, TEXT, TRAINING = "Main options", "Text", "Training"  # groups in the help


@dataclass(frozen=True)
class Options:
    """The options of a run, as they are stored in the model file.

    `epochs` and `steps` are totals for the whole run, also when it is resumed; the run ends at whichever comes first,
    and after `DEFAULT_STEPS` if neither is given. Raises UsageError for a value out of range.
    """

    task: str = setting("text", choices=TASKS)
    cell: str = setting("gru", f"Recurrent cell: {', '.join(CELLS + LINEAR_CELLS)}.", MAIN, metavar="NAME", chosen=True)
    layers: int = setting(2, "Number of layers.", MAIN, at_least=1, at_most=MOST_LAYERS, chosen=True)
    hidden_size: int = setting(128, "Number of units per layer.", MAIN, at_least=1, chosen=True)
    dropout: float = setting(
        0.2, "Dropout rate between layers and before the output.", TRAINING, at_least=0.0, below=1.0, chosen=True
    )
    recurrent_dropout: float = setting(
        0.0,
        "Dropout rate of the hidden state in the recurrent product, with one mask per window and stream.",
        TRAINING,
        at_least=0.0,
        below=1.0,
        chosen=True,
    )
    activation_regularisation: float = setting(
        0.0,
        "Weight of the mean square of the last layer's outputs (after dropout, over all steps) in the training "
        "objective; the reported loss excludes it.",
        TRAINING,
        at_least=0.0,
        chosen=True,
    )
    unit: str = setting(
        "char",
        "Unit of text: a character (code point), a byte, or a character with Hangul syllables split into letters.",
        MAIN,
        choices=UNITS,
    )
    encoding: str = setting("utf-8", "Encoding of the text files.", TEXT)
    columns: str = setting(
        "",
        "Two columns of a table with more, by number or by name: label and text, or source and target.",
        TEXT,
        metavar="A,B",
        show_default=False,
    )
    header: bool = setting(
        False, "Read the first row of a table as names of columns; it is recognised if they are usual.", TEXT
    )
    seq_length: int = setting(
        64, "Steps per window: how far the gradient is propagated back in time.", TRAINING, at_least=1, chosen=True
    )
    batch_size: int = setting(
        32, "Number of streams of text that are read in parallel.", TRAINING, at_least=1, chosen=True
    )
    epochs: int | None = setting(
        None, "Total number of passes over the text, including resumed parts.", MAIN, at_least=1, changeable=True
    )
    steps: int | None = setting(
        None,
        "Total number of steps, including resumed parts; with --epochs, the run ends at whichever comes first.",
        MAIN,
        at_least=1,
        changeable=True,
    )
    lr: float = setting(
        0.004,
        "Learning rate (peak); with --resume, from the next step on.",
        TRAINING,
        above=0.0,
        chosen=True,
        changeable=True,
    )
    optimizer: str = setting("adam", "Optimizer.", TRAINING, choices=OPTIMIZERS)
    schedule: str = setting(
        "wsd",
        "Learning-rate schedule: warm-up, stable phase and linear decay over the last 30 % of the steps (wsd), cosine, "
        "or constant; its length is --epochs if given, otherwise --steps.",
        TRAINING,
        choices=SCHEDULES,
    )
    clip: float = setting(0.25, "Clip the gradient norm to this value; 0 disables clipping.", TRAINING, at_least=0.0)
    weight_decay: float = setting(
        0.0,
        "Decoupled weight decay (as in AdamW), scaled by the learning rate.",
        TRAINING,
        at_least=0.0,
        below=1.0,
        chosen=True,
    )
    patience: int = setting(
        0,
        "Early stopping: after N evaluations without improvement, begin the decay of wsd, or stop; 0 disables it.",
        TRAINING,
        at_least=0,
        chosen=True,
        changeable=True,
    )
    val_fraction: float = setting(
        0.1,
        "Fraction held out for validation: the end of each long file, whole short files, or random examples; 0 "
        "disables validation.",
        TEXT,
        at_least=0.0,
        below=1.0,
    )
    eval_every: int = setting(
        0, "Compute the validation loss every N steps; 0 chooses N from the size of the split.", TRAINING, at_least=0
    )
    seed: int = setting(0, "Seed of the random numbers; the same seed gives the same run.", TRAINING, at_least=0)
    workers: int = setting(
        0,
        "Number of processes that train in parallel; 0 chooses it from the network and the cores.",
        TRAINING,
        at_least=0,
        at_most=1024,
        changeable=True,
    )
    order: int = setting(
        7,
        f"Order of the n-gram model, with --cell {NGRAM} or --with-ngram.",
        MAIN,
        at_least=2,
        at_most=HIGHEST_ORDER,
    )
    with_ngram: bool = setting(
        False,
        "Add an n-gram model to the network, with the weight that fits the validation split: charrnn sample and eval "
        "then use both.",
        MAIN,
    )
    by_line: bool = setting(
        False,
        "Each line is one example: shuffled in each epoch, read from an empty state, and held out as a whole.",
        TEXT,
    )
    min_count: int = setting(
        0,
        "Replace symbols that occur fewer than N times by one unknown symbol, which is never sampled; 1 replaces none, "
        "0 chooses N for large vocabularies.",
        TEXT,
        at_least=0,
    )
    engine: str = setting(
        "fast",
        "Implementation of the network: fast, or plain (the code in nn/, slow).",
        TRAINING,
        choices=ENGINES,
        changeable=True,
    )

    def __post_init__(self) -> None:
        validate(self)
        if self.by_line and self.task != "text":
            raise UsageError(
                "by_line is for plain text: each line of labelled examples or pairs is one anyway.", "by_line"
            )
        if self.cell in LINEAR_CELLS and self.recurrent_dropout:
            raise UsageError(
                f"recurrent_dropout masks the input of Wh, and `cell={self.cell}` has no Wh: use `dropout`.",
                "recurrent_dropout",
            )
        self._check_ngram()
        if self.unit == "byte" and self.min_count > 1:
            raise UsageError("min_count is for characters: of bytes there are 256 at most.", "min_count")
        if self.columns and not re.fullmatch(r"(?!0*,)([^,]+),(?!0*$|\1$)[^,]+", self.columns):
            raise UsageError(f"columns are two numbers or names, such as 1,2, not {shown(self.columns)!r}.", "columns")
        if self.task == "text" and (self.columns or self.header):
            name = "columns" if self.columns else "header"
            raise UsageError(f"{name} is for tables, which need another task than text: --labelled or --pairs.", name)
        if encoding_name(self.encoding) is None:
            raise UsageError(f"encoding {self.encoding!r} is not a text encoding that Python knows.", "encoding")

    def _check_ngram(self) -> None:
        """Raises UsageError for options of n-gram models that contradict others."""
        if self.cell == NGRAM and self.with_ngram:
            raise UsageError(f"with_ngram is for networks, and `cell={NGRAM}` has none: use one of them.", "with_ngram")
        if self.cell == NGRAM and self.task in ("classify", "pairs"):
            known = "plain text, or labelled examples with `task=generate`, which classifies too"
            raise UsageError(f"an n-gram model learns {known}, not {self.task}.")
        if self.with_ngram and self.task != "text":
            raise UsageError("with_ngram is for plain text, not for examples: leave it out.", "with_ngram")
        if self.with_ngram and not self.val_fraction:
            raise UsageError(
                "with_ngram fits its weight to the validation split: set `val_fraction` above 0.", "with_ngram"
            )
        if self.order != type(self).order:
            self.check_order(("order",))

    @property
    def counts_ngrams(self) -> bool:
        return self.with_ngram or self.cell == NGRAM

    def check_order(self, given: Collection[str]) -> None:
        """Raises UsageError if the options `given` include an order, and there is no n-gram model."""
        if "order" in given and not self.counts_ngrams:
            raise UsageError(f"order is that of an n-gram model: use it with `cell={NGRAM}` or `with_ngram`.", "order")

    def length(self, windows: int) -> tuple[int, int]:
        """The steps that the schedule spans (`epochs` if given, else `steps`), and the step that ends the run.

        `windows` is the number of steps per epoch.
        """
        by_epochs = None if self.epochs is None else self.epochs * windows
        ends = [end for end in (by_epochs, self.steps) if end is not None] or [DEFAULT_STEPS]
        return ends[0], min(ends)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Options":
        """The options in a model file; raises CharRNNError or TypeError if they cannot be options."""
        known = dict(values)
        known.pop("cut", None)  # of earlier versions: a schedule that was compressed
        return from_file(cls, known)

    def contradicted(self, given: dict[str, Any]) -> str | None:
        """The first of the options `given` that a resumed run cannot have."""
        for name, value in given.items():
            stored = getattr(self, name)
            same = value == stored or (name == "encoding" and encoding_name(value) == encoding_name(stored))
            if not same and name not in CHANGEABLE and (name, value) != ("eval_every", 0):
                return name
        return None

    def resumed(self, given: dict[str, Any]) -> "Options":
        """These options for a resumed run: `given` may repeat any of them, and replace those that are changeable.

        Of `epochs` and `steps`, new `epochs` alone remove the limit by `steps`; new `steps` alone keep the `epochs`,
        which the schedule spans. Raises UsageError where `given` contradicts the file.
        """
        if wrong := self.contradicted(given):
            raise UsageError(
                f"{wrong} {given[wrong]} contradicts the model, which was trained with {getattr(self, wrong)!r}: "
                "leave it out to resume, or pass init_from=model instead of model for a new run from its weights.",
                wrong,
            )
        changes = {name: value for name, value in given.items() if name in CHANGEABLE}
        if "epochs" in changes:
            changes.setdefault("steps", None)
        return replace(self, **changes)


CHANGEABLE = tuple(field.name for field in declared(Options) if field.setting.changeable)
CHOSEN = tuple(field.name for field in declared(Options) if field.setting.chosen)


def encoding_name(encoding: str) -> str | None:
    """The name of a text encoding that Python knows, the same for all its aliases."""
    try:
        codec = codecs.lookup(encoding)
    except (LookupError, ValueError):
        return None
    return codec.name if codec._is_text_encoding else None
