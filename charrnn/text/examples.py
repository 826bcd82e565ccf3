"""`Examples`: labelled texts, or pairs of a source and a target, with a validation split."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import compress

import numpy as np

from charrnn.arrays import Ids, RandomStream
from charrnn.errors import TextError
from charrnn.options import Options
from charrnn.text.batches import Packed, Rows
from charrnn.text.example_files import read_files
from charrnn.text.forms import known_form
from charrnn.text.source import Paths, short_name
from charrnn.text.tasks import REVERSED, Example, Task
from charrnn.text.units import UNITS
from charrnn.text.vocab import Vocab

MOST_LABELS = 20  # in a summary


@dataclass
class Examples:
    """Examples (`rows`, as text) of a task, numbered by a vocabulary.

    `names` are the paths as typed, `files` the files that were read.
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
        paths: Paths,
        kind: str,
        unit: str = "char",
        encoding: str = "utf-8",
        vocab: Vocab | None = None,
        include: Vocab | None = None,
        task: Task | None = None,
        columns: str = "",
        header: bool = False,
    ) -> "Examples":
        """Reads files, folders and `-`. A table (`-`, .tsv, .csv) has two columns, which `columns` and `header` find.
        In any other file each line is an example, and the name of the file is its label; in a folder of folders, or
        several folders, each file is an example, and the name of the folder is its label.

        The symbols are numbered by `vocab`, or by their own vocabulary with the symbols of `include`; `task` is that of
        a model with the same labels. Raises TextError if a row is not valid.
        """
        notes: list[str] = []
        unit = vocab.unit if vocab else unit
        found = read_files(paths, kind, unit, encoding, columns, header, notes)
        examples = cls.of(found.rows, kind, unit, vocab, include, task, found.names[0])
        examples.names, examples.files, examples.sha256 = found.names, found.files, found.sha256
        if task is None:
            examples.notes = rare_labels(examples.task, len(found.files)) + examples.notes
        examples.notes = notes + examples.notes
        return examples

    @classmethod
    def of(
        cls,
        rows: list[Example],
        kind: str,
        unit: str = "char",
        vocab: Vocab | None = None,
        include: Vocab | None = None,
        task: Task | None = None,
        name: str = "the list",
    ) -> "Examples":
        """Examples from rows of (label, text) or (source, target)."""
        changed = sum("\n" in second for _, second in rows) if kind != "classify" else 0
        if changed:  # a newline ends what a model generates
            rows = [(first, second.replace("\n", " ")) for first, second in rows]
        if task is None:
            pairs = kind == "pairs"
            task = Task(kind, reverse=REVERSED) if pairs else labelled(kind, [label for label, _ in rows], name)
        if vocab is None:
            texts = "".join(text for row in rows for text in (row[1:] if task.labels else row))
            more = include.characters.tolist() if include else []
            vocab = Vocab(unit, [*np.unique(UNITS[unit].codes(texts)).tolist(), *more, *task.needs])
        examples = cls(rows, task, vocab, ("a list",), hashlib.sha256(repr(rows).encode()).hexdigest())
        if changed:
            what = "target" if kind == "pairs" else "text"
            some = f"{changed:,} of {len(rows):,} {what}s contain newlines"
            examples.notes.append(f"{some}, which are read as spaces: a newline ends a {what}.")
        return examples

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def symbols(self) -> int:
        """Number of steps of all examples."""
        return self.numbered(self.rows).steps

    @property
    def label(self) -> str:
        """Short name of the examples, as the user typed it."""
        return short_name(self.names)

    @property
    def share(self) -> float:
        """The share of the steps with a target: one per example (classify), or one per symbol of a text or target."""
        if self.task.kind == "classify":
            return len(self) / self.symbols
        return 1.0 if self.task.labels else sum(len(target) + 1 for _, target in self.rows) / self.symbols

    @property
    def example(self) -> float:
        """Mean number of steps per example."""
        return self.symbols / len(self)

    @property
    def occurring(self) -> list[str]:
        """The symbols of the vocabulary that occur in the examples."""
        ids = np.unique(encoded(self.vocab, "".join(text for row in self.rows for text in row)))
        return list(map(self.vocab.symbol, self.vocab.codes[ids].tolist()))

    @property
    def labels(self) -> tuple[str, ...]:
        return self.task.labels

    @property
    def summary(self) -> str:
        """The labels with their numbers of examples, the most frequent ones if there are many; empty for pairs."""
        labels, counts = self.task.labels, self.task.counts
        most = sorted(sorted(range(len(labels)), key=lambda k: -counts[k])[:MOST_LABELS])
        shown = ", ".join(f"{labels[k]} {counts[k]:,}" for k in most)
        others = f" and {len(labels) - len(most):,} others" if len(most) < len(labels) else ""
        return f"{len(labels):,} labels, with their numbers of examples: {shown}{others}" if labels else ""

    @property
    def alphabet(self) -> int:
        """Size of the network's input and output: the symbols of the vocabulary, and the labels."""
        return len(self.vocab) + len(self.task.labels)

    def numbered(self, rows: Sequence[Example]) -> Rows:
        """The steps of examples; symbols that are not in the vocabulary are skipped."""
        encode, steps = partial(encoded, self.vocab), partial(self.task.steps, self.vocab)
        if self.task.kind == "pairs":
            return Rows.of([steps(encode(source), encode(target)) for source, target in rows])
        number = {label: k for k, label in enumerate(self.task.labels)}
        return Rows.of([steps(encode(text), number[label]) for label, text in rows])

    def split(self, val_fraction: float, seed: int) -> tuple[list[Example], list[Example]]:
        """The training and the validation split, stratified by label and shuffled by the seed.

        At least one example of every label is in the training split.
        """
        rng = np.random.Generator(np.random.PCG64([seed, RandomStream.VALIDATION_SPLIT]))
        held = np.zeros(len(self.rows), dtype=bool)
        labels = np.array([label for label, _ in self.rows])
        strata = [np.flatnonzero(labels == label) for label in self.task.labels] or [np.arange(len(self.rows))]
        for members in strata:
            held[rng.permutation(members)[: min(round(len(members) * val_fraction), len(members) - 1)]] = True
        return list(compress(self.rows, ~held)), list(compress(self.rows, held))

    def divide(self, options: Options) -> tuple[Packed, Rows]:
        """The training streams, and the steps of the validation split; duplicates between them are noted."""
        train, held = self.split(options.val_fraction, options.seed)
        if both := duplicates(train, held):
            self.notes.append(f"{both:,} of {len(held):,} validation examples also occur in the training split.")
        packed = Packed(self.numbered(train), options.batch_size, options.seq_length, options.seed)
        return packed, self.numbered(held)


def duplicates(train: Sequence[Example], held: Sequence[Example]) -> int:
    """Number of held-out examples that also occur in the training split."""
    known = set(train)
    return sum(row in known for row in held)


def labelled(kind: str, labels: list[str], name: str) -> Task:
    """The task of examples with these labels. Raises TextError if there is only one label."""
    names = tuple(sorted(set(labels)))
    if len(names) < 2:
        raise TextError(
            f"{name} has only one label, {names[0]!r}, and at least two are needed: name several files, "
            "or a table (.tsv, .csv) with the columns label and text."
        )
    return Task(kind, names, tuple(map(labels.count, names)))


def rare_labels(task: Task, files: int) -> list[str]:
    """A note if most labels have a single example."""
    single = task.counts.count(1)
    if 2 * single <= len(task.labels) or not single:
        return []
    folders = "if the label of a file is its folder, name the folder above it" if files >= len(task.labels) else ""
    advice = folders or "a network learns from several examples of each"
    return [f"{single:,} of {len(task.labels):,} labels have a single example: {advice}."]


def encoded(vocab: Vocab, text: str) -> Ids:
    """The ids of a text, in the normal form that the vocabulary knows; symbols that are not in it are skipped."""
    ids = vocab.encode(text)
    if (ids >= 0).all():
        return ids
    ids = vocab.encode(known_form(vocab, text))
    return ids[ids >= 0]
