"""Examples from files: texts with labels, or pairs of a source and a target; numbered, and some held out."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Ids
from charrnn.errors import TextError
from charrnn.options import Options
from charrnn.text.batches import Packed, Rows
from charrnn.text.source import Source, checked, decoded, find_sources
from charrnn.text.tasks import END, REVERSED, TAB, Task
from charrnn.text.units import UNITS
from charrnn.text.vocab import Vocab

PURPOSE = 3  # of the random numbers: which examples are held out
TABLE = ".tsv"
Example = tuple[str, str]  # label and text, or source and target


@dataclass
class Examples:
    """Examples as they were read (`rows`, as text), numbered by a vocabulary for a task.

    `names` are the paths as typed, `files` what was read. With a task that is given, labels are its own.
    """

    rows: list[Example]
    task: Task
    vocab: Vocab
    names: tuple[str, ...]
    sha256: str
    files: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    @classmethod
    def read(
        cls,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        kind: str,
        unit: str = "char",
        encoding: str = "utf-8",
        vocab: Vocab | None = None,
        beside: Vocab | None = None,
        task: Task | None = None,
    ) -> "Examples":
        """Files, folders and `-`. A table (`-`, or a name that ends in .tsv) has rows of two columns with a tab
        between; of any other file each line is an example, and the file's name is its label.

        They are numbered by `vocab`, or by their own symbols and those of `beside`; `task` is that of a model whose
        labels they have. Raises TextError where a row is wrong.
        """
        paths = [paths] if isinstance(paths, str | os.PathLike) else paths
        notes: list[str] = []
        rows: list[Example] = []
        digest, files = hashlib.sha256(), []
        for source, _ in find_sources(paths, notes, encoding):
            found = list(read_rows(source, kind, encoding))
            if not found:
                raise TextError(f"{source.name} holds no example.")
            digest.update(f"{len(found)}:{found}".encode("utf-8", "surrogatepass"))
            rows += found
            files.append(source.name)
        if task is None and kind != "pairs":
            task = labelled(kind, [label for label, _ in rows], str(paths[0]))
        examples = cls.of(rows, kind, unit, vocab, beside, task)
        examples.names, examples.sha256 = tuple(map(str, paths)), digest.hexdigest()
        examples.files, examples.notes = tuple(files), notes
        return examples

    @classmethod
    def of(
        cls,
        rows: list[Example],
        kind: str,
        unit: str = "char",
        vocab: Vocab | None = None,
        beside: Vocab | None = None,
        task: Task | None = None,
    ) -> "Examples":
        """Examples from (label, text), or from (source, target)."""
        if vocab is None:
            texts = "".join(text for row in rows for text in (row if kind == "pairs" else row[1:]))
            codes = np.unique(UNITS[unit].codes(texts))
            more = beside.codes.tolist() if beside else []
            vocab = Vocab(unit, [*codes.tolist(), *more, END, *([TAB] if kind == "pairs" else [])])
        if task is None and kind == "pairs":
            task = Task(kind, reverse=REVERSED)
        elif task is None:
            task = labelled(kind, [label for label, _ in rows])
        return cls(rows, task, vocab, ("a list",), hashlib.sha256(repr(rows).encode()).hexdigest())

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def symbols(self) -> int:
        """The steps of all examples."""
        return self.numbered(self.rows).steps

    @property
    def label(self) -> str:
        """The examples as the user named them, short."""
        return self.names[0] if len(self.names) == 1 else f"{self.names[0]} and {len(self.names) - 1} more"

    @property
    def share(self) -> float:
        """The share of the symbols that are targets: one an example, or all of a text or target and its newline."""
        if self.task.kind == "classify":
            return len(self) / self.symbols
        return 1.0 if self.task.labels else sum(len(target) + 1 for _, target in self.rows) / self.symbols

    @property
    def example(self) -> float:
        """The steps of an example, on average."""
        return self.symbols / len(self)

    @property
    def occurring(self) -> list[str]:
        """The symbols of the vocabulary that the examples hold."""
        ids = [self.vocab.encode(text) for row in self.rows for text in row]
        return [self.vocab.symbol(code) for code in self.vocab.codes[np.unique(np.concatenate(ids))].tolist()]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the task."""
        return self.task.labels

    @property
    def alphabet(self) -> int:
        """How many symbols the network knows: those of the vocabulary, and the labels."""
        return len(self.vocab) + len(self.task.labels)

    def numbered(self, rows: Sequence[Example]) -> Rows:
        """The steps of examples whose symbols the vocabulary has."""
        place = {label: k for k, label in enumerate(self.task.labels)}
        encode = partial(encoded, self.vocab)
        if self.task.kind == "pairs":
            return Rows.of([self.task.steps(self.vocab, encode(a), encode(b)) for a, b in rows])
        return Rows.of([self.task.steps(self.vocab, encode(text), place[label]) for label, text in rows])

    def split(self, val_fraction: float, seed: int) -> tuple[list[Example], list[Example]]:
        """Those to train on and those held out: of every label the same share, chosen by the seed.

        Of every label at least one stays to train on.
        """
        rng = np.random.Generator(np.random.PCG64([seed, PURPOSE]))
        held = np.zeros(len(self.rows), dtype=bool)
        for members in self._strata():
            count = min(round(len(members) * val_fraction), len(members) - 1)
            held[rng.permutation(members)[:count]] = True
        parts: tuple[list[Example], list[Example]] = ([], [])
        for row, mine in zip(self.rows, held.tolist(), strict=True):
            parts[mine].append(row)
        return parts

    def _strata(self) -> list[NDArray[np.intp]]:
        if self.task.kind == "pairs":
            return [np.arange(len(self.rows))]
        labels = np.array([label for label, _ in self.rows])
        return [np.flatnonzero(labels == label) for label in self.task.labels]

    def divide(self, options: Options) -> tuple[Packed, Rows]:
        """The streams to train on, and the steps of what is held out; duplicates between them are noted."""
        train, held = self.split(options.val_fraction, options.seed)
        both = duplicates(train, held)
        if both:
            self.notes.append(f"{both:,} of {len(held):,} held-out examples stand in the training part, too.")
        packed = Packed(self.numbered(train), options.batch_size, options.seq_length, options.seed)
        return packed, self.numbered(held)


def duplicates(train: Sequence[Example], held: Sequence[Example]) -> int:
    """How many of the held-out examples are also trained on."""
    known = set(train)
    return sum(row in known for row in held)


def labelled(kind: str, labels: list[str], name: str = "the list") -> Task:
    """The task for examples with these labels. Raises TextError where there is only one."""
    names = tuple(sorted(set(labels)))
    if len(names) < 2:
        raise TextError(
            f"{name} has only one label, {names[0]!r}, and at least two are needed: name several files, "
            f"or a table of label and text (its name ends in {TABLE})."
        )
    return Task(kind, names, tuple(map(labels.count, names)))


def read_rows(source: Source, kind: str, encoding: str) -> Iterator[Example]:
    """The examples of one file; raises TextError with the line's number where one is wrong. Empty lines are none."""
    table = str(source.path) == "-" or Path(source.name).suffix.lower() == TABLE
    with source.open() as file:
        blocks = checked(iter(lambda: file.read(1 << 20), b""), encoding, source.name)
        text = "".join(decoded(blocks, encoding, source.name))
    first, second = ("source", "target") if kind == "pairs" else ("label", "text")
    for number, line in enumerate(text.split("\n"), 1):
        if not line:
            continue
        if kind != "pairs" and not table:
            yield Path(source.name).stem, line
            continue
        one, tab, other = line.partition("\t")
        where = f"{source.name}, line {number:,}"
        if not tab:
            raise TextError(f"{where}: there is no tab between {first} and {second}.")
        if not one or not other:
            raise TextError(f"{where}: the {second if one else first} is empty.")
        if kind == "pairs" and "\t" in other:
            raise TextError(f"{where}: there is more than one tab, and a row is a source, a tab and a target.")
        yield one, other


def encoded(vocab: Vocab, text: str) -> Ids:
    """The ids of a text, without the symbols that the vocabulary lacks."""
    ids = vocab.encode(text)
    return ids[ids >= 0]
