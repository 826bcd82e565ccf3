"""Models by name and weight, and the corpus that texts are held against: one that is named, or what they learned."""

import sys
from typing import TYPE_CHECKING

from charrnn.cli.common import STDIN, notes
from charrnn.display.reading import Reading
from charrnn.display.terminal import remark
from charrnn.errors import TextError

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.sampling.mixture import Mixture
    from charrnn.text.raw_text import Library
    from charrnn.text.rolling_hash import Runs
    from charrnn.text.source import Progress

LONGEST_PRIME = 10_000_000  # bytes
VAL_FRACTION = 0.1  # of a corpus without a model: its last part stands for text that is new


def named(paths: tuple[str, ...], unit: str, encoding: str, progress: "Progress", held_out: bool = False) -> "Library":
    """The corpus in these files and folders, as a model of this unit would write it; with a part held out, or none."""
    from charrnn.options import Options
    from charrnn.text.raw_text import open_library

    Options(encoding=encoding)  # refuses an encoding that there is not
    library = open_library(paths, unit, encoding, VAL_FRACTION if held_out else 0.0, progress)
    notes(library.notes)
    return library


def recorded(
    path: str, model: "Model", encoding: str | None, progress: "Progress", held_out: bool = False
) -> "Library":
    """What the model in `path` was trained on, as far as that is still there."""
    from charrnn.options import Options
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
    from charrnn.sampling.mixture import mixed

    weighted = [split(name) for name in names]
    loaded = [load(path, weights) for path, _ in weighted]
    paths = list(zip((path for path, _ in weighted), loaded, strict=True))
    return paths, mixed(loaded, [weight for _, weight in weighted])


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
    with Reading(corpus or trained or ("the corpus",), quiet=False) as reading:
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
