"""The suite from the installed wheel: on several versions of Python, and with the oldest dependencies; and the README.

`python -m tests.versions [VERSION...] [-- PYTEST ARGUMENT...]` (`make test-versions`); a VERSION is 3.11, 3.12, ...,
`lowest`, or `readme`. Versions of Python that are not installed are skipped, and named at the end. Everything happens
in a temporary folder, with the tests of the sdist. The source of the package beside them cannot be imported, so that
the wheel is what is tested. `readme` runs the commands of the README as typed, in an empty folder, where nothing but
the wheel is installed.
"""

import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

from tests.dist import NAME, build
from tests.documents import ROOT, run_commands

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
LOWEST, README = "lowest", "readme"
TOOLS = ("pytest", "hypothesis", "hatchling")  # of the development tools, those that tests import
EXTRAS = ("plot", "safetensors", "write")
NEWER = "write"  # textual needs a newer rich than charrnn: with the lowest versions, the editor is not tested


def interpreter(version: str) -> str | None:
    """A Python of this version that runs."""
    found = [shutil.which(f"python{version}"), sys.executable]
    found += sorted(map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}")))
    for path in found:
        command = [path or "", "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"]
        if path and subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() == version:
            return path
    return None


def requirements(wheel: Path, lowest: bool) -> list[str]:
    """What is installed: the wheel, the tools of the tests, and with `lowest` the oldest dependencies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    tools = [one for one in project["dependency-groups"]["dev"] if one.startswith(TOOLS)]
    chosen = [extra for extra in EXTRAS if not (lowest and extra == NEWER)]
    extras = project["project"]["optional-dependencies"]
    needed = project["project"]["dependencies"] + [one for extra in chosen for one in extras[extra]]
    oldest = [one.replace(">=", "==") for one in needed] if lowest else []
    return [f"{wheel}[{','.join(chosen)}]", *tools, *oldest]


def run(version: str, wheel: Path, folder: Path, arguments: list[str]) -> str:
    """What the suite has: passed, failed, or skipped where there is no such Python."""
    python = interpreter(VERSIONS[0] if version in (LOWEST, README) else version)
    if python is None:
        return "skipped"
    environment = folder / version
    subprocess.run([python, "-m", "venv", environment], check=True)
    programs = environment / ("Scripts" if sys.platform == "win32" else "bin")
    inside = str(programs / "python")
    needed = [str(wheel)] if version == README else requirements(wheel, version == LOWEST)
    subprocess.run([inside, "-m", "pip", "install", "--quiet", *needed], check=True)
    print(f"{version}: {python}", flush=True)
    if version == README:
        empty = folder / "empty"
        empty.mkdir()
        return "failed" if run_commands("README.md", empty, programs) else "passed"
    paths = [f"{NAME}/{one}" for one in arguments if one.startswith("tests")] or [f"{NAME}/tests"]
    others = [one for one in arguments if not one.startswith("tests")]
    command = [inside, "-m", "pytest", "--import-mode=append", f"--rootdir={NAME}", f"-c={NAME}/pyproject.toml"]
    if version == LOWEST:
        command += [f"--ignore={NAME}/tests/editor", "-W", "default::DeprecationWarning"]  # of old packages
    done = subprocess.run([*command, *others, *paths], cwd=folder, check=False)  # not beside the source
    return "failed" if done.returncode else "passed"


def main() -> int:
    given = sys.argv[1:]
    at = given.index("--") if "--" in given else len(given)
    versions, arguments = given[:at], given[at + 1 :] or ["-n", "auto"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel, sdist = build(ROOT, folder)
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        with open(folder / NAME / "charrnn" / "__init__.py", "a", encoding="utf-8") as source:
            source.write('\nraise ImportError("this is the source, not the wheel")\n')
        chosen = versions or [*VERSIONS, LOWEST, README]
        results = {version: run(version, wheel, folder, arguments) for version in chosen}
    for result in sorted(set(results.values())):
        print(f"{result}: {', '.join(version for version in results if results[version] == result)}")
    return "failed" in results.values() or "passed" not in results.values()


if __name__ == "__main__":
    sys.exit(main())
