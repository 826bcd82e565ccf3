"""The corpora that come with charrnn: `:tales`, `:names`, `:names/italian`, and the files that they stand for.

Only a string can name one: a `Path`, or a string such as "./:tales", is always that of a file.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from charrnn.checks import did_you_mean
from charrnn.errors import CharRNNError, TextError
from charrnn.options import BUILT_IN

LICENCE = "MIT"  # of all of them, which were written or compiled for charrnn
LANGUAGES = (
    *("Chinese", "Czech", "Dutch", "English", "Finnish", "French", "German", "Greek", "Irish", "Italian", "Japanese"),
    *("Korean-Hangul", "Korean", "Polish", "Portuguese", "Russian", "Spanish", "Swedish", "Turkish"),
)


class BuiltIn(NamedTuple):
    """A corpus: its place in the folder of the corpora, its language, and what it contains."""

    place: str
    language: str
    contents: str


CORPORA = {
    "tales": BuiltIn("tales.txt", "English", "tales and verse about a village"),
    "iyagi": BuiltIn("iyagi.txt", "Korean", "tales and verse"),
    "names": BuiltIn("names", "18 languages", "family names by language"),
    **{
        f"names/{language.lower()}": BuiltIn(
            f"names/{language.lower()}.txt", language.replace("-", " in "), "family names"
        )
        for language in LANGUAGES
    },
}
CORPUS = "corpus", "See charrnn corpora"
Entry = TypeVar("Entry")


def home() -> Path:
    """The folder of the corpora: inside an installed package, and beside the package in the repository."""
    package = Path(__file__).parents[1]
    beside = package.parent / "corpora"
    return beside if beside.is_dir() and not (package / "corpora").is_dir() else package / "corpora"


def is_builtin(path: object) -> bool:
    """Whether a path has the form `:NAME`."""
    return isinstance(path, str) and path.startswith(BUILT_IN)


def entry(path: str, entries: Mapping[str, Entry], what: tuple[str, str], error: type[CharRNNError]) -> Entry:
    """The entry of `:NAME`. `what` it is, and where to find others, are parts of the message of `error`."""
    if (name := path.removeprefix(BUILT_IN)) in entries:
        return entries[name]
    question = did_you_mean(path, [BUILT_IN + known for known in entries])
    raise error(f"there is no built-in {what[0]} {path}.{question} {what[1]}; a file of that name is ./{path}.")


def corpus_file(path: str) -> Path:
    """The file or folder of `:NAME`. Raises TextError for an unknown one."""
    return home() / entry(path, CORPORA, CORPUS, TextError).place


def located(path: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """The file or folder that a path stands for. Raises TextError for an unknown `:NAME`."""
    return corpus_file(path) if isinstance(path, str) and is_builtin(path) else path


def members(path: str) -> list[str]:
    """The corpora in `:NAME`, which may be a folder of them. Raises TextError for an unknown one."""
    name = entry(path, CORPORA, CORPUS, TextError).place
    return [BUILT_IN + each for each in CORPORA if each.startswith(f"{name}/")] or [path]
