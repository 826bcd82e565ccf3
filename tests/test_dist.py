"""The wheel and the sdist are reproducible, and their checks notice what is wrong."""

from pathlib import Path

from tests.dist import NAME, built_twice, problems, unpacked
from tests.optional import package


def test_built_twice_they_are_the_same_and_planted_problems_are_found(tmp_path: Path) -> None:
    package("hatchling")
    files, wrong = built_twice(tmp_path, set())
    assert wrong == []
    inside, source = unpacked(*files)
    assert {name.split("/")[0] for name in inside} == {"charrnn", f"{NAME}.dist-info"}
    metadata = f"{NAME}.dist-info/METADATA"
    for planted, part in (
        ({name: data for name, data in inside.items() if name != "charrnn/py.typed"}, "charrnn/py.typed is missing"),
        (inside | {"charrnn/new.txt": b""}, "charrnn/new.txt is not a file of the project"),
        (inside | {"charrnn/py.typed": b"x"}, "charrnn/py.typed differs"),
        (inside | {metadata: inside[metadata].replace(b"numpy>=", b"numpy>")}, "the metadata: Requires-Dist is"),
        (inside | {metadata: inside[metadata].replace(b"# charrnn", b"")}, "the description is not the README"),
    ):
        assert [problem for problem in problems(planted, source, set()) if part in problem]
    stray = problems(inside, source | {"corpora/stray.txt": b""}, {*source} - {"PKG-INFO", ".gitignore"})
    assert list(stray) == ["the sdist: corpora/stray.txt is not a file of the project"]
