"""`Dataset`: what a training needs of a `Corpus` or of `Examples`; `read_dataset` reads either."""

from typing import Protocol

from charrnn.errors import UsageError
from charrnn.options import Options
from charrnn.text.batches import Packed, Rows, Streams
from charrnn.text.corpus import Corpus, Segment
from charrnn.text.examples import Examples
from charrnn.text.source import Paths, Progress
from charrnn.text.tasks import Task
from charrnn.text.vocab import Vocab


class Dataset(Protocol):
    """A training and a validation split of symbols that are numbered by `vocab`."""

    vocab: Vocab
    names: tuple[str, ...]
    files: tuple[str, ...]
    sha256: str
    notes: list[str]

    @property
    def task(self) -> Task | None:
        """None for plain text."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def label(self) -> str:
        """Short name of the data, as the user typed it."""

    @property
    def symbols(self) -> int:
        """Number of steps, in both splits."""

    @property
    def alphabet(self) -> int:
        """Size of the network's input and output: symbols and labels."""

    @property
    def share(self) -> float:
        """The share of the symbols that are targets."""

    @property
    def example(self) -> float:
        """Mean number of steps per example; 0 for plain text."""

    @property
    def occurring(self) -> list[str]:
        """The symbols of the vocabulary that occur in the data."""

    def divide(self, options: Options) -> tuple[Streams | Packed, list[Segment] | Rows]:
        """The training streams, and the validation split."""


def read_dataset(
    paths: Paths,
    options: Options,
    vocab: Vocab | None = None,
    include: Vocab | None = None,
    progress: Progress | None = None,
) -> Corpus | Examples:
    """Reads the data of a training, numbered by `vocab`, or by its own symbols and those of `include`."""
    if options.task == "text":
        return Corpus.read(paths, options.unit, options.encoding, vocab, progress, options.min_count, include)
    if options.min_count:
        raise UsageError("--min-count applies to plain text only, not to examples.")
    return Examples.read(paths, options.task, options.unit, options.encoding, vocab, include)
