"""The floors of the house: who may import whom, and what does not belong where."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import charrnn

HOME = Path(charrnn.__file__).parent
FILES = sorted(HOME.rglob("*.py"))
FLOORS = {
    "errors": 0,
    "options": 0,
    "system": 0,
    "arrays": 0,
    "blas": 0,
    "cells": 1,
    "params": 1,
    "optim": 1,
    "history": 1,
    "text": 1,
    "layer": 2,
    "dropout": 1,
    "shared": 1,
    "lock": 1,
    "npz": 2,
    "memory": 4,
    "machine": 4,
    "plan": 7,
    "bench": 7,
    "model": 3,
    "checkpoint": 4,
    "worker": 4,
    "parallel": 4,
    "reader": 5,
    "choosing": 2,
    "rules": 2,
    "writer": 3,
    "mixture": 5,
    "sampling": 6,
    "novelty": 2,
    "evaluation": 5,
    "learner": 5,
    "ngram": 2,
    "baselines": 3,
    "verdict": 6,
    "shapes": 6,
    "grading": 7,
    "transfer": 5,
    "training": 6,
    "writing": 7,
    "lens": 7,
    "show": 8,
    "cli": 9,
    "__main__": 10,
    "__init__": 10,
}
SIDEWAYS = {
    ("options", "errors"),  # an option outside its range is an error of the user
    ("mixture", "reader"),  # readers of several models
    ("parallel", "worker"),  # two sides of a pipe
}
EXTERNAL = {"rich": {"show"}, "matplotlib": {"show"}, "click": {"cli"}, "textual": {"show"}}


def room(file: Path) -> str:
    """The file's name, or its folder's."""
    return file.relative_to(HOME).parts[0].removesuffix(".py")


def imports(file: Path) -> Iterator[str]:
    """Every module that a file imports, also inside functions, but for what only type checkers read."""
    tree = ast.parse(file.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""


def test_every_file_has_its_floor() -> None:
    assert {room(file) for file in FILES} == FLOORS.keys()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(HOME)))
def test_a_file_imports_only_from_lower_floors(file: Path) -> None:
    mine = room(file)
    for module in imports(file):
        top, _, rest = module.partition(".")
        if top != "charrnn" or not rest:
            assert mine in EXTERNAL.get(top, {mine}), f"{top} is imported in {file}"
            continue
        other = rest.split(".")[0]
        same = other == mine or (mine, other) in SIDEWAYS
        assert same or FLOORS[other] < FLOORS[mine], f"{file} imports {module}"


def test_textual_is_imported_in_one_folder() -> None:
    """It is an extra: all else must do without, so the folder is entered by one import, of `charrnn write` alone."""
    folder = HOME / "show" / "write"
    for file in FILES:
        modules = set(imports(file))
        textual = any(module.split(".")[0] == "textual" for module in modules)
        enters = any(module.startswith("charrnn.show.write") for module in modules)
        assert not textual or file.is_relative_to(folder), file
        assert not enters or file.is_relative_to(folder) or file == HOME / "cli" / "write.py", file


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(HOME)))
def test_files_stay_short(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) <= 320


def test_importing_charrnn_waits_for_nothing() -> None:
    script = (
        "import sys, charrnn; assert not {'numpy', 'rich', 'click'} & set(sys.modules); charrnn.load; charrnn.train"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_command_line_starts_without_what_is_extra_or_slow() -> None:
    script = "import sys, charrnn.cli.main; assert not {'numpy', 'textual'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_public_names() -> None:
    for name in charrnn.__all__:
        assert getattr(charrnn, name) is not None
    assert callable(charrnn.train)
    assert "train" in dir(charrnn)
    with pytest.raises(AttributeError):
        charrnn.nothing  # noqa: B018


def test_what_is_public_is_explained() -> None:
    for name in charrnn.__all__:
        value = getattr(charrnn, name)
        assert name == "__version__" or (value.__doc__ or "").strip(), name
