"""The layout of the package: which room may import which, and which names a room exposes.

A room is a folder of `charrnn/`. Imports are read from the source with `ast`, at any depth, also those that only type
checkers see: a cycle hidden under TYPE_CHECKING is still a cycle in the design.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import NamedTuple

import pytest

import charrnn

HOME = Path(charrnn.__file__).parent

# The files at the top level: every room may import them, and they import nothing but each other.
TOP = {"__init__", "__main__", "_version", "errors", "checks", "options", "arrays"}
# What is not in its room yet.
PENDING: set[str] = {path.stem for path in HOME.glob("*.py")} - TOP | {"lens", "show", "writing"}

MAY_IMPORT: Mapping[str, set[str]] = {
    "system": set(),
    "text": set(),
    "nn": set(),
    "nn.fast": {"nn"},
    "checkpoint": {"system", "text", "nn"},
    "sampling": {"text", "nn", "nn.fast", "checkpoint"},
    "evaluation": {"text", "nn", "nn.fast", "checkpoint", "sampling"},
    "training": {"system", "text", "nn", "nn.fast", "checkpoint", "sampling", "evaluation"},
    "see": {"text", "nn", "nn.fast", "checkpoint", "evaluation"},
    "display": {"system", "text", "checkpoint", "evaluation", "training", "see"},
    "editor": {"system", "text", "nn.fast", "checkpoint", "sampling", "display"},
}
ROOMS = {*MAY_IMPORT, "cli"}
THIRD_PARTY = {"rich": {"display", "editor"}, "matplotlib": {"display"}, "textual": {"editor"}, "click": {"cli"}}


class Import(NamedTuple):
    """`name` imported from the module `source`, or the module itself ("*")."""

    source: str
    name: str


Sources = Mapping[str, str]  # module below charrnn ("nn.fast.cells", "options") -> its text


def sources() -> dict[str, str]:
    """Every file of the package by its module name; the file of a folder itself is "folder.__init__"."""
    files = {}
    for path in sorted(HOME.rglob("*.py")):
        files[".".join(path.relative_to(HOME).with_suffix("").parts)] = path.read_text("utf-8")
    return files


def room_of(module: str) -> str:
    """The room of a module; "" for a file at the top level."""
    parts = module.split(".")[:-1]
    return "nn.fast" if parts[:2] == ["nn", "fast"] else parts[0] if parts else ""


def imports(text: str, modules: Sources) -> Iterator[Import]:
    """What a file imports of charrnn; `import charrnn` counts as an import of `charrnn/__init__.py`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "charrnn":
                    yield Import(alias.name.partition(".")[2] or "__init__", "*")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if (node.module or "").split(".")[0] != "charrnn":
                continue
            inside = (node.module or "").partition(".")[2]
            for alias in node.names:
                module = f"{inside}.{alias.name}".lstrip(".")
                if module in modules or f"{module}.__init__" in modules:
                    yield Import(module, "*")
                else:
                    yield Import(inside or "__init__", alias.name)


def third_party(text: str) -> set[str]:
    """The packages other than charrnn that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        found |= {name.split(".")[0] for name in names}
    return found - {"charrnn"}


def upward(files: Sources, pending: Set[str] = frozenset()) -> list[str]:
    """Imports that the table does not allow; `pending` are files and folders that are not in their rooms yet."""
    wrong = []
    for module, text in files.items():
        mine = room_of(module)
        if module in ("__init__", "__main__") or mine == "cli" or {mine, module} & pending:
            continue
        for source, _ in imports(text, files):
            theirs = room_of(source if source in files else f"{source}.__init__")
            if {source, theirs} & pending:
                continue
            allowed = source in TOP - {"__init__", "__main__"} if not theirs else theirs in {mine, *MAY_IMPORT[mine]}
            if not allowed:
                wrong.append(f"{module} imports {source}")
    return wrong


def cycle(files: Sources) -> list[str]:
    """Files that import each other in a circle; [] where there is none."""
    graph = {
        module: {source if source in files else f"{source}.__init__" for source, _ in imports(text, files)}
        for module, text in files.items()
    }
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done or module not in graph:
            return []
        done.add(module)
        return next((found for other in sorted(graph[module]) if (found := visit(other, [*path, module]))), [])

    return next((found for module in graph if (found := visit(module, []))), [])


FILES = sources()


def test_every_folder_is_a_room() -> None:
    assert {room_of(module) for module in FILES} - PENDING <= ROOMS | {""}


def test_no_import_leads_upwards() -> None:
    assert upward(FILES, PENDING) == []


@pytest.mark.parametrize("package", THIRD_PARTY)
def test_packages_stay_in_their_rooms(package: str) -> None:
    users = {room_of(module) for module, text in FILES.items() if package in third_party(text)} - PENDING
    assert users <= THIRD_PARTY[package]


PLANTED = {"options": "", "nn.loss": "import charrnn.options", "training.loop": "from charrnn.nn.loss import softmax"}


def test_a_planted_upward_import_is_caught() -> None:
    assert upward(PLANTED) == []
    assert upward(PLANTED | {"nn.loss": "import charrnn.training.loop"}) == ["nn.loss imports training.loop"]
    assert upward(PLANTED | {"nn.loss": "from charrnn.training import loop"}) == ["nn.loss imports training.loop"]
    hidden = "if TYPE_CHECKING:\n    from charrnn.training.loop import Training"
    assert upward(PLANTED | {"nn.loss": hidden}) == ["nn.loss imports training.loop"]
    inside = "def f():\n    from charrnn.training.loop import Training"
    assert upward(PLANTED | {"nn.loss": inside}) == ["nn.loss imports training.loop"]
    everything = PLANTED | {"__init__": "", "nn.loss": "import charrnn"}
    assert upward(everything) == ["nn.loss imports __init__"]


def test_a_planted_cycle_is_caught() -> None:
    assert cycle(PLANTED) == []
    hidden = "if TYPE_CHECKING:\n    from charrnn.training.loop import Training"
    assert cycle(PLANTED | {"nn.loss": hidden}) == ["nn.loss", "training.loop", "nn.loss"]


@pytest.mark.parametrize("module", FILES)
def test_files_stay_short(module: str) -> None:
    assert len(FILES[module].splitlines()) <= 320


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
