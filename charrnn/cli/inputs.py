"""Models and texts that commands read: models with weights, the text that a model was trained on, prompts."""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from charrnn.checkpoint.builtin import model_file
from charrnn.checks import did_you_mean, quoted
from charrnn.cli.options import notes
from charrnn.display.reading import ReadProgress
from charrnn.display.terminal import remark
from charrnn.errors import ModelFileError, TextError, UsageError
from charrnn.options import STDIN, Options
from charrnn.text.builtin import is_builtin, located

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.checkpoint.run import Run
    from charrnn.sampling.mixture import Mixture
    from charrnn.text.corpus import Corpus, Segment
    from charrnn.text.dataset import Dataset
    from charrnn.text.raw_text import RawText
    from charrnn.text.rolling_hash import NgramFilter
    from charrnn.text.source import Progress, Source
    from charrnn.text.tasks import Example, Task

T = TypeVar("T")
Read = TypeVar("Read", bound="Dataset | RawText")
VAL_FRACTION = 0.1  # of a corpus without a model: its last part serves as new text


def read_text(
    path: str,
    model: "Model",
    texts: tuple[str, ...],
    encoding: str | None,
    advice: str,
    read: Callable[[tuple[str, ...], str], Read],
) -> Read:
    """`read(texts, encoding)` for the texts that the user named, or else for those that the model was trained on.

    The latter are looked for in several places, and verified by their hash; without an equal text, the first one that
    can be read is returned. Raises TextError with `advice` if there is none.
    """
    run = model.run
    encoding = Options(encoding=encoding or (run.options.encoding if run else "utf-8")).encoding
    if texts:
        return read(texts, encoding)
    if run is None:
        raise TextError(f"{path} does not record what it was trained on: {advice}.")
    others, errors = list[Read](), list[TextError]()
    for names in run.places(path):
        try:
            data = read(names, encoding)
        except TextError as error:
            errors.append(error)
            continue
        if data.sha256 == run.sha256:
            return data
        others.append(data)
    if others:
        return others[0]
    if errors:
        raise TextError(f"{errors[0]} {path} was trained on it: {advice}.")
    raise TextError(f"{path} was trained on {missing(run)}: {advice}.")


def missing(run: "Run") -> str:
    """The first text of a run that is not found, and why."""
    from charrnn.checkpoint.run import is_kept

    name = next((text for text in run.texts if not is_kept(text)), run.texts[0])
    if name == STDIN:
        return "standard input, which cannot be read again"
    if os.path.exists(name) or name.startswith(("/dev/", "/proc/")):
        return f"{name}, a pipe, which cannot be read again"
    elsewhere = "" if os.path.isabs(name) or run.folder in ("", os.getcwd()) else f" or in {run.folder}"
    return f"{name}, which is not found here{elsewhere}"


@dataclass(frozen=True)
class TextInput:
    """The texts that a command uses: those that the user named, or else those that each model was trained on.

    `whole` asks for all of a training text instead of its validation split. `used` and `advice` are parts of notes and
    messages: what happens to the text, and how to name one. `opened` keeps the files that were opened, so that several
    models can read standard input or a pipe.
    """

    texts: tuple[str, ...]
    encoding: str | None
    whole: bool
    used: str
    advice: str
    quiet: bool = False
    opened: "dict[str, Source]" = field(default_factory=dict)
    noted: set[str] = field(default_factory=set)

    def corpus(self, path: str, model: "Model") -> "Corpus":
        """The text, numbered by the vocabulary of the model."""
        from charrnn.text.corpus import Corpus
        from charrnn.text.source import open_source

        def read(names: tuple[str, ...], encoding: str) -> Corpus:
            for name in names:
                if name not in self.opened and (name == STDIN or not (is_builtin(name) or os.path.isdir(name))):
                    self.opened[name] = open_source(name)
            return Corpus.read([self.opened.get(name, name) for name in names], encoding=encoding, vocab=model.vocab)

        corpus = read_text(path, model, self.texts, self.encoding, self.advice, read)
        self.note(corpus.notes)
        return corpus

    def note(self, texts: list[str]) -> None:
        """Notes on a text, once if several models read it."""
        notes([text for text in dict.fromkeys(texts) if text not in self.noted])
        self.noted.update(texts)

    def segments(self, path: str, model: "Model", corpus: "Corpus") -> "tuple[list[Segment], str]":
        """The part of a corpus to use, and its name."""
        return self.part(path, model, corpus, corpus.segments, lambda run: corpus.split(run.val_fraction, run.seed)[1])

    def examples(self, path: str, model: "Model", task: "Task") -> "tuple[list[Example], str]":
        """The examples to use, and the name of the part. Raises UsageError for labels that the model does not know."""
        from charrnn.text.examples import Examples

        def read(names: tuple[str, ...], encoding: str) -> Examples:
            run = model.run
            columns, header = (run.options.columns, run.options.header) if run else ("", False)
            return Examples.read(
                names, task.kind, encoding=encoding, vocab=model.vocab, task=task, columns=columns, header=header
            )

        data = read_text(path, model, self.texts, self.encoding, self.advice, read)
        self.note(data.notes)
        if unknown := sorted({label for label, _ in data.rows} - set(task.labels)) if task.labels else []:
            question = did_you_mean(unknown[0], task.labels)
            raise UsageError(f"{data.label} has the label {quoted(unknown[0])}, which {path} does not know.{question}")
        return self.part(path, model, data, data.rows, lambda run: data.split(run.val_fraction, run.seed)[1])

    def part(
        self, path: str, model: "Model", data: "Dataset", everything: list[T], validation: Callable[[Options], list[T]]
    ) -> tuple[list[T], str]:
        """The validation split of the data that the model was trained on, or all of other data; and its name."""
        run, note = model.run, ""
        chosen, part = everything, "all"
        if run and run.sha256 != data.sha256:
            if not self.texts:
                remark(f"note: {data.label} has changed since the training: all of it is {self.used}.")
        elif run and not self.whole:
            if held_out := validation(run.options):
                chosen, part = held_out, "validation"
                note = f"{path} was trained on {data.label}: its validation split is {self.used} (--all for all of it)."
            else:
                note = f"{path} was trained on all of {data.label}: all of it is {self.used}."
        if note and not self.quiet:
            remark(f"note: {note}")
        return chosen, part


def open_named_corpus(
    texts: tuple[str, ...], unit: str, encoding: str, progress: "Progress", held_out: bool = False
) -> "RawText":
    """The corpus in files and folders, as a model of this unit generates text; optionally with a validation split."""
    from charrnn.text.raw_text import RawText

    corpus = RawText.read(texts, unit, Options(encoding=encoding).encoding, VAL_FRACTION if held_out else 0.0, progress)
    notes(corpus.notes)
    return corpus


def open_training_corpus(
    path: str, model: "Model", encoding: str | None, progress: "Progress", held_out: bool = False
) -> "RawText":
    """The corpus that a model was trained on, as it generates text; optionally with its validation split."""
    from charrnn.text.raw_text import RawText

    run, vocab = model.run, model.vocab
    split = run.options if run and held_out and not vocab.by_line else Options(val_fraction=0.0)

    def read(names: tuple[str, ...], encoding: str) -> RawText:
        fraction = split.val_fraction
        return RawText.read(names, vocab.unit, encoding, fraction, progress, vocab.boundary_code, split.seed)

    corpus = read_text(path, model, (), encoding, "name a corpus with --corpus", read)
    notes(corpus.notes)
    if run and corpus.sha256 != run.sha256:
        remark(f"note: {', '.join(run.texts[:3])} has changed since {path} was trained on it.")
    return corpus


def corpus_ngrams(
    n: int, models: "list[tuple[str, Model]]", texts: tuple[str, ...], encoding: str | None
) -> "NgramFilter":
    """The n-grams of the corpus that the user named, or else of those that the models were trained on."""
    from charrnn.text.rolling_hash import NgramFilter

    trained = tuple(text for _, model in models if model.run for text in model.run.texts)
    with ReadProgress(texts or trained or ("the corpus",), quiet=False) as reading:
        if not texts and models[0][1].task:
            return example_ngrams(n, *models[0], encoding)
        if texts:
            corpora = [open_named_corpus(texts, models[0][1].vocab.unit, encoding or "utf-8", reading.progress)]
        else:
            corpora = [open_training_corpus(path, model, encoding, reading.progress) for path, model in models]
        ngrams = NgramFilter(n, sum(corpus.chars for corpus in corpora))
        for corpus in corpora:
            for source in corpus.sources:
                ngrams.add(corpus.codes(source))
    return ngrams


def example_ngrams(n: int, path: str, model: "Model", encoding: str | None) -> "NgramFilter":
    """The n-grams of the texts of the examples, which a file may contain in quotes or with other line ends."""
    from charrnn.text.rolling_hash import NgramFilter
    from charrnn.text.units import UNITS

    assert model.task is not None
    rows, _ = TextInput((), encoding, True, "searched", "name a corpus").examples(path, model, model.task)
    codes = UNITS["char"].codes("\n".join(text for _, text in rows))
    ngrams = NgramFilter(n, len(codes))
    ngrams.add([codes])
    return ngrams


def load_model(path: str, weights: str, no_ngram: bool) -> "Model":
    """The model in a file, or its network alone."""
    from charrnn.checkpoint.model import load

    model = load(path, weights)
    return model.of_network() if no_ngram else model


def load_models(
    names: tuple[str, ...], weights: str, no_ngram: bool = False
) -> "tuple[list[tuple[str, Model]], Model | Mixture]":
    """The models with their paths, and their mixture."""
    from charrnn.sampling.mixture import mix

    weighted = [path_and_weight(name) for name in names]
    loaded = [(path, load_model(path, weights, no_ngram)) for path, _ in weighted]
    return loaded, mix([model for _, model in loaded], [weight for _, weight in weighted])


def path_and_weight(name: str) -> tuple[str, float]:
    """A path and its weight, FILE or FILE:WEIGHT; a file whose name looks like that has the weight 1."""
    path, weight = (name, 1.0) if os.path.exists(name) and not is_builtin(name) else split(name)
    if path != name and not os.path.exists(model_file(path)):
        both = f"no model file {name}, and no {path} with the weight {weight:g}"
        raise ModelFileError(f"there is {both}: run charrnn train TEXT to create one.")
    return path, weight


def split(name: str, known: Collection[str] = ()) -> tuple[str, float]:
    """A name and its weight, NAME:WEIGHT; 1 without a number after the last colon, and for `known` names."""
    start, _, number = name.rpartition(":")
    try:
        return (start, float(number)) if start and name not in known else (name, 1.0)
    except ValueError:
        return name, 1.0


def report_unknown(path: str, symbols: Collection[str]) -> None:
    """Remarks which distinct symbols are skipped, if there are any, and how often they occur if that was counted."""
    if symbols:
        shown = ", ".join(map(quoted, list(symbols)[:5])) + (", ..." if len(symbols) > 5 else "")
        total = f", {sum(symbols.values()):,} in total" if isinstance(symbols, dict) else ""
        remark(
            f"note: symbols that are not in the vocabulary of {path} are skipped: {shown} "
            f"({len(symbols):,} distinct{total})."
        )


def refuse_overwriting(
    output: str, text: str | int, why: str = "the text itself: choose another -m for the model"
) -> None:
    """Raises UsageError if `output` is the same file as the text (a path or a file descriptor)."""
    try:
        same = os.path.samestat(os.stat(output), os.stat(text if isinstance(text, int) else located(text)))
    except (OSError, ValueError, TextError):
        return
    if same:
        raise UsageError(f"{output} is {why}.")
