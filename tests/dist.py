"""Builds the wheel and the sdist, builds both again from the sdist, and checks bytes, contents and metadata.

`python -m tests.dist FOLDER` (`make dist`) writes them to FOLDER, in place of older ones.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

from charrnn._version import __version__
from tests.documents import ROOT

NAME = f"charrnn-{__version__}"
LARGEST = 2_500_000  # bytes of a wheel
UNPACKED = (".ci/", ".gitignore")  # of the repository, not of the sdist
FIRST_DAY = "1577836800"  # 1 January 2020: the date of all files where git is missing
Files = dict[str, bytes]


def build(source: Path, folder: Path) -> tuple[Path, Path]:
    """The wheel and the sdist of a folder with the source, in another folder."""
    git = ["git", "-C", os.fspath(ROOT), "log", "-1", "--format=%ct"]
    dated = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or FIRST_DAY
    command = [sys.executable, "-m", "hatchling", "build", "--directory", os.fspath(folder)]
    done = subprocess.run(
        command, cwd=source, env=os.environ | {"SOURCE_DATE_EPOCH": dated}, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return folder / f"{NAME}-py3-none-any.whl", folder / f"{NAME}.tar.gz"


def unpacked(wheel: Path, sdist: Path) -> tuple[Files, Files]:
    """The files in both."""
    with zipfile.ZipFile(wheel) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    source = {}
    with tarfile.open(sdist) as archive_:
        for member in archive_:
            if file := archive_.extractfile(member):
                source[member.name.removeprefix(f"{NAME}/")] = file.read()
    return inside, source


def tracked() -> set[str]:
    """The files of the repository; empty where git is missing, as in an unpacked sdist."""
    done = subprocess.run(["git", "-C", os.fspath(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=False)
    return {name for name in done.stdout.split("\0") if name and (ROOT / name).exists()}


def problems(inside: Files, source: Files, files: set[str]) -> Iterator[str]:
    """What is wrong with the files of a wheel and of an sdist; `files` are those of the project, if they are known."""
    project = tomllib.loads(source["pyproject.toml"].decode())
    included: dict[str, str] = project["tool"]["hatch"]["build"]["targets"]["wheel"].get("force-include", {})
    info = f"{NAME}.dist-info"
    wanted = {name: data for name, data in source.items() if name.startswith("charrnn/")}
    wanted |= {place: source.get(name, b"") for name, place in included.items()}
    wanted |= {f"{info}/licenses/LICENSE": source.get("LICENSE", b"")}
    made = {f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    yield from different("the wheel", set(inside), {*wanted, *made})
    yield from (f"the wheel: {name} differs" for name, data in wanted.items() if inside.get(name, data) != data)
    if files:
        mine = {name for name in files if not name.startswith(UNPACKED)}
        yield from different("the sdist", {name for name in source if name not in ("PKG-INFO", ".gitignore")}, mine)
    if inside.get(f"{info}/entry_points.txt", b"").split() != [
        b"[console_scripts]",
        *b"charrnn = charrnn.__main__:main".split(),
    ]:
        yield "the wheel: its command is not charrnn"
    if b"Tag: py3-none-any" not in inside.get(f"{info}/WHEEL", b""):
        yield "the wheel: it is not for every Python 3 on every system"
    yield from wrong_metadata(inside.get(f"{info}/METADATA", b""), project["project"])


def different(what: str, found: set[str], wanted: set[str]) -> Iterator[str]:
    yield from (f"{what}: {name} is missing" for name in sorted(wanted - found))
    yield from (f"{what}: {name} is not a file of the project" for name in sorted(found - wanted))


def wrong_metadata(data: bytes, project: dict[str, Any]) -> Iterator[str]:
    metadata = message_from_bytes(data)
    extras: dict[str, list[str]] = project["optional-dependencies"]
    needs = {*project["dependencies"]}
    needs |= {f"{one}; extra == '{extra}'" for extra, packages in extras.items() for one in packages}
    for field, wanted in (
        ("Name", {"charrnn"}),
        ("Version", {__version__}),
        ("Summary", {project["description"]}),
        ("License-Expression", {"MIT"}),
        ("License-File", {"LICENSE"}),
        ("Requires-Python", {project["requires-python"]}),
        ("Requires-Dist", needs),
        ("Provides-Extra", set(extras)),
        ("Classifier", set(project["classifiers"])),
        ("Description-Content-Type", {"text/markdown"}),
    ):
        if set(metadata.get_all(field, [])) != wanted:
            yield f"the metadata: {field} is {metadata.get_all(field)}, not {sorted(wanted)}"
    if not data.partition(b"\n\n")[2].startswith(b"# charrnn\n"):
        yield "the metadata: the description is not the README"


def built_twice(folder: Path, files: set[str]) -> tuple[tuple[Path, Path], list[str]]:
    """The wheel and the sdist, below `folder`, and what is wrong with them."""
    first = build(ROOT, folder / "first")
    with tarfile.open(first[1]) as archive:
        archive.extractall(folder, filter="data")
    second = build(folder / NAME, folder / "second")
    wrong = [
        f"{a.name}: built again from the sdist, it differs"
        for a, b in zip(first, second, strict=True)
        if not same(a, b)
    ]
    wrong += problems(*unpacked(*first), files)
    if first[0].stat().st_size > LARGEST:
        wrong.append(f"the wheel: {first[0].stat().st_size:,} bytes, at most {LARGEST:,}")
    return first, wrong


def same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def main() -> int:
    target = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        files, wrong = built_twice(Path(name), tracked())
        for problem in wrong:
            print("FAILED", problem)
        if not wrong:
            target.mkdir(parents=True, exist_ok=True)
            for old in target.glob("charrnn-*"):
                old.unlink()
            for file in files:
                shutil.copy(file, target)
                print(f"{target / file.name}: {file.stat().st_size:,} bytes, built twice, SHA-256", end=" ")
                print(hashlib.sha256(file.read_bytes()).hexdigest())
    return len(wrong) > 0


if __name__ == "__main__":
    sys.exit(main())
