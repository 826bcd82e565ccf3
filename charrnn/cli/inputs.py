"""Models by name and weight, and the corpus that texts are held against: one that is named, or what they learned."""

import os
import stat
import sys
import tempfile
from contextlib import ExitStack, nullcontext
from typing import IO, TYPE_CHECKING

from charrnn.cli.options import STDIN, notes
from charrnn.display.reading import ReadProgress
from charrnn.display.terminal import remark
from charrnn.errors import TextError, UsageError
from charrnn.options import Options

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.sampling.mixture import Mixture
    from charrnn.text.corpus import Corpus
    from charrnn.text.raw_text import Library
    from charrnn.text.rolling_hash import Runs
    from charrnn.text.source import Progress

OPEN_FILES = "/proc/self/fd"


def read(path: str, model: "Model", spool: "Spool", texts: tuple[str, ...], encoding: str | None) -> "Corpus":
    from charrnn.text.corpus import Corpus

    recorded = model.run.texts if model.run else ()
    if not texts and (not recorded or STDIN in recorded):
        raise TextError(f"{path} does not say which file it was trained on: name the text to score: charrnn eval TEXT.")
    encoding = encoding or (model.run.options.encoding if model.run else "utf-8")
    Options(encoding=encoding)  # refuses an encoding that there is not
    sources = [spool.text(name) for name in texts or recorded]
    try:
        corpus = Corpus.read(sources, model.vocab.unit, encoding, model.vocab)
    except TextError as error:
        if texts:
            raise
        raise TextError(f"{error} {path} was trained on it; name the text to score: charrnn eval TEXT.") from None
    notes(corpus.notes)
    return corpus


class Spool:
    """Texts that every model can read: what can be read only once (standard input, a pipe) is copied once."""

    def __init__(self) -> None:
        self.files = ExitStack()
        self.texts: dict[str, str | Copy] = {}

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *problem: object) -> None:
        self.files.close()

    def text(self, name: str) -> "str | Copy":
        if name not in self.texts:
            self.texts[name] = self.copy(name) if read_once(name) else name
        return self.texts[name]

    def copy(self, name: str) -> "Copy":
        from charrnn.text.ids import unwritable
        from charrnn.text.source import ending, unreadable

        shown = "standard input" if name == STDIN else name
        if name == STDIN and sys.stdin is None:
            raise TextError("standard input is closed: name a text.")
        try:
            # without a name where it can be opened again without one: then nothing is left, however this ends
            make = tempfile.TemporaryFile if os.path.isdir(OPEN_FILES) else tempfile.NamedTemporaryFile
            file = self.files.enter_context(make(prefix="charrnn-", buffering=0))
        except OSError as error:
            raise unwritable(shown, error) from None
        try:
            with nullcontext(sys.stdin.buffer) if name == STDIN else open(name, "rb") as pipe:
                for block in ending(pipe, shown):
                    keep(block, file, shown)
        except OSError as error:
            raise unreadable(shown, error) from None
        return Copy(shown, file.name if isinstance(file.name, str) else f"{OPEN_FILES}/{file.fileno()}")


def keep(block: bytes, file: IO[bytes], shown: str) -> None:
    """Writes all of a block: a file without a buffer may take it in parts, and has nothing left to fail at its end."""
    from charrnn.text.ids import unwritable

    rest = memoryview(block)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise unwritable(shown, error) from None


class Copy:
    """The path of a copy, shown under the name of what was copied."""

    def __init__(self, name: str, path: str) -> None:
        self.name, self.path = name, path

    def __str__(self) -> str:
        return self.name

    def __fspath__(self) -> str:
        return self.path


def read_once(name: str) -> bool:
    if name == STDIN:
        return True
    try:
        mode = os.stat(name).st_mode
    except (OSError, ValueError):
        return False  # reading it says what is wrong
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def report_unknown(path: str, corpus: "Corpus") -> None:
    if corpus.unknown:
        number, kinds = sum(corpus.unknown.values()), len(corpus.unknown)
        first = ", ".join(f"{symbol!r}" for symbol in list(corpus.unknown)[:5])
        remark(
            f"note: {number:,} symbols ({kinds:,} distinct: {first}{', ...' if kinds > 5 else ''}) "
            f"that {path} has never seen are left out."
        )


LONGEST_PRIME = 10_000_000  # bytes
VAL_FRACTION = 0.1  # of a corpus without a model: its last part stands for text that is new


def named(paths: tuple[str, ...], unit: str, encoding: str, progress: "Progress", held_out: bool = False) -> "Library":
    """The corpus in these files and folders, as a model of this unit would write it; with a part held out, or none."""
    from charrnn.text.raw_text import open_library

    Options(encoding=encoding)  # refuses an encoding that there is not
    library = open_library(paths, unit, encoding, VAL_FRACTION if held_out else 0.0, progress)
    notes(library.notes)
    return library


def recorded(
    path: str, model: "Model", encoding: str | None, progress: "Progress", held_out: bool = False
) -> "Library":
    """What the model in `path` was trained on, as far as that is still there."""
    from charrnn.text.raw_text import open_library

    run = model.run
    if run is None or STDIN in run.texts:
        raise TextError(f"{path} does not say which file it was trained on: name it with --corpus.")
    options = Options(encoding=encoding or run.options.encoding)
    fraction = run.options.val_fraction if held_out else 0.0
    try:
        library = open_library(run.texts, model.vocab.unit, options.encoding, fraction, progress)
    except TextError as error:
        raise TextError(f"{error} {path} was trained on it; name a corpus with --corpus.") from None
    notes(library.notes)
    if library.sha256 != run.sha256:
        remark(f"note: {', '.join(run.texts[:3])} has changed since {path} was trained on it.")
    return library


def load_models(names: tuple[str, ...], weights: str) -> "tuple[list[tuple[str, Model]], Model | Mixture]":
    """The models by their paths, and what they are together."""
    from charrnn.checkpoint.model import load
    from charrnn.sampling.mixture import mix

    weighted = [split(name) for name in names]
    loaded = [load(path, weights) for path, _ in weighted]
    paths = list(zip((path for path, _ in weighted), loaded, strict=True))
    return paths, mix(loaded, [weight for _, weight in weighted])


def split(name: str) -> tuple[str, float]:
    """A path and its weight: what stands after the last colon, if that is a number."""
    path, _, number = name.rpartition(":")
    try:
        return (path, float(number)) if path else (name, 1.0)
    except ValueError:
        return name, 1.0


def copies(n: int, models: "list[tuple[str, Model]]", corpus: tuple[str, ...], encoding: str | None) -> "Runs":
    """The runs of n characters that stand in the corpus."""
    from charrnn.text.rolling_hash import Runs

    trained = tuple(text for _, model in models if model.run for text in model.run.texts)
    with ReadProgress(corpus or trained or ("the corpus",), quiet=False) as reading:
        if corpus:
            libraries = [named(corpus, models[0][1].vocab.unit, encoding or "utf-8", reading.progress)]
        else:
            libraries = [recorded(path, model, encoding, reading.progress) for path, model in models]
        runs = Runs(n, sum(library.chars for library in libraries))
        for library in libraries:
            for source in library.sources:
                runs.add(library.codes(source))
    return runs


def read_prime(path: str) -> str:
    """A file's text, without the newline that ends it."""
    try:
        if path == "-":
            if sys.stdin is None:
                raise TextError("standard input is closed, so it cannot prime a model.")
            data = sys.stdin.buffer.read(LONGEST_PRIME + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(LONGEST_PRIME + 1)
        if len(data) > LONGEST_PRIME:
            raise TextError(f"{path} is too long to prime a model: more than {LONGEST_PRIME / 1e6:.0f} MB.")
        text = data.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise TextError(f"{path} is not UTF-8 (at offset {error.start:,}), so it cannot prime a model.") from None
    except (OSError, ValueError) as error:
        raise TextError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    return text.removesuffix("\n")


def lines_of(texts: tuple[str, ...]) -> list[str]:
    """The texts themselves; for - the lines of standard input."""
    found: list[str] = []
    for text in texts:
        if text != STDIN:
            found.append(text)
            continue
        if sys.stdin is None:
            raise TextError("standard input is closed: name a text.")
        try:
            found += sys.stdin.buffer.read().decode("utf-8").removeprefix("\ufeff").splitlines()
        except UnicodeDecodeError as error:
            raise TextError(f"standard input is not UTF-8 (at offset {error.start:,}).") from None
    return found


def report_unknown_characters(model: "Model", texts: list[str]) -> None:
    """Says which characters of the texts the model does not know, and leaves out."""
    missing = list(dict.fromkeys(symbol for text in texts for symbol in model.vocab.unknown(text)))
    if missing:
        shown = ", ".join(map(repr, missing[:5])) + (", ..." if len(missing) > 5 else "")
        remark(f"note: {len(missing):,} distinct symbols ({shown}) that the model has never seen are left out.")


def refuse_overwriting(
    output: str, text: str | int, why: str = "the text itself: choose another -m for the model"
) -> None:
    """Raises UsageError where a file would be written over the text (a path, or an open descriptor)."""
    try:
        same = os.path.samestat(os.stat(output), os.stat(text))
    except (OSError, ValueError):
        return
    if same:
        raise UsageError(f"{output} is {why}.")
