"""The examples in files and folders: tables, a file of lines per label, or a folder of files per label."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from charrnn.errors import TextError
from charrnn.text.source import OnBlock, Paths, Source, find_sources, survey
from charrnn.text.tables import is_table, read_table
from charrnn.text.tasks import Example
from charrnn.text.units import UNITS

ROLES = {"pairs": ("source", "target"), "generate": ("label", "text"), "classify": ("label", "text")}
SPLITS = {"train", "training", "test", "testing", "valid", "validation", "val", "dev"}  # folders that are no labels
NO_EXAMPLES = re.compile(r"(readme|license|licence|copying|changelog)(\.\w+)?", re.IGNORECASE)


@dataclass
class ExampleFiles:
    """The rows of all files, and what they were read from: paths as typed, files, and the SHA-256 of a corpus."""

    rows: list[Example]
    names: tuple[str, ...]
    files: tuple[str, ...]
    sha256: str


def find_example_sources(paths: Paths, notes: list[str], encoding: str) -> tuple[tuple[str, ...], list[Source]]:
    """The paths as typed, and the files with examples: those of a folder without files such as README."""
    names, sources = find_sources(paths, notes, encoding)
    skipped = [s for s in sources if s.root is not None and NO_EXAMPLES.fullmatch(Path(s.name).name)]
    notes += [f"{source.name} was skipped: by its name, it contains no examples." for source in skipped]
    if len(skipped) == len(sources):
        raise TextError(f"{names[0]} contains no examples.")
    return names, [source for source in sources if source not in skipped]


def read_files(
    paths: Paths, kind: str, unit: str, encoding: str, columns: str, header: bool, notes: list[str]
) -> ExampleFiles:
    """Reads all files. Raises TextError if a row is not valid, or a file that was named has no examples."""
    names, sources = find_example_sources(paths, notes, encoding)

    def read(source: Source, on_block: OnBlock) -> str:
        return "".join(source.text(UNITS[unit], encoding, on_block))

    kept, texts, sha256 = survey(sources, read, lambda _: None, notes)
    folders = class_folders(kept) if kind != "pairs" else {}
    rows: list[Example] = []
    origins: dict[str, dict[str, None]] = {}  # label -> the files or folders that are named like it
    for source, text in zip(kept, texts, strict=True):
        table = kind == "pairs" or is_table(str(source.path))
        if table:
            more = list(read_table(text, str(source.path), source.name, ROLES[kind], columns, header, notes))
        else:
            folder = folders.get(source)
            label = normalize("NFC", (folder.resolve().name if folder else Path(source.path).stem).strip())
            more = [(label, part) for part in ([text.strip("\n")] if folder else text.split("\n")) if part]
            origins.setdefault(label, {})[str(folder or source.name)] = None
        if not more and source.root is None:
            raise TextError(f"{source.name} contains no examples.")
        rows += more
    if not rows:
        raise TextError(f"{names[0]} contains no examples.")
    for label, files in origins.items():
        if len(files) > 1:
            notes.append(
                f"{' and '.join(list(files)[:3])} have the same label, {label!r}: their examples are combined."
            )
    return ExampleFiles(rows, names, tuple(source.name for source in kept), sha256)


def class_folders(sources: Sequence[Source]) -> dict[Source, Path]:
    """The folder whose name is the label of a file, for the files that are one example each.

    These are the files in the subfolders of a folder, or in folders of which several were named. Raises TextError if a
    folder contains subfolders and files of examples.
    """
    found: dict[Source, Path] = {}
    files = [source for source in sources if source.root is not None and not is_table(str(source.path))]
    roots = list(dict.fromkeys(source.root for source in files if source.root is not None))
    for root in roots:
        inside = {source: Path(source.name).relative_to(root).parts for source in files if source.root == root}
        deep = {parts[0]: None for parts in inside.values() if len(parts) > 1}
        if len(deep) > 1 and {name.lower() for name in deep} <= SPLITS:
            one = root / min(deep, key=lambda name: "train" not in name.lower())
            raise TextError(f"{root} contains the splits {', '.join(deep)}: name one of them, {one}.")
        shallow = [source.name for source, parts in inside.items() if len(parts) == 1]
        if deep and shallow and len(roots) == 1:
            some = " ".join(str(root / name) for name in list(deep)[:2])
            raise TextError(
                f"{root} contains folders, whose names are labels, and the file {shallow[0]}: "
                f"name what to use instead, such as {some}."
            )
        if deep and not shallow:
            found |= {source: root / parts[0] for source, parts in inside.items()}
        elif len(roots) > 1:
            found |= dict.fromkeys(inside, root)
    return found
