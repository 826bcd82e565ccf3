"""The commands that the documents show. `python -m tests.documents` (`make docs-check`) runs them all, shortened.

They run in a temporary folder outside the repository, which has links to `corpora` and `docs`, as processes of an
environment that has charrnn installed. Lengths are replaced by a few steps. `make test-versions` runs those of the
README as typed, from the wheel, in an empty folder.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("README.md", "README.ko.md", "docs/lesson.md", "docs/lesson.ko.md", "docs/tasks.md")
BUILDING = "make corpora && "  # done before `make docs-check`
INSTALLING = ("git ", "make", "python -m pip")  # what runs before: not repeated here
INTERACTIVE = "charrnn write"
FETCHED = "corpora/tinyshakespeare.txt"  # needs a network
STEPS = "--steps 20"


def text_of(document: str) -> str:
    return (ROOT / document).read_text("utf-8")


def blocks(document: str, language: str) -> list[str]:
    """The code blocks of a document in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(document), re.MULTILINE | re.DOTALL)


def code_after(document: str, mark: str) -> str:
    """The Python code after a comment `<!-- mark -->`."""
    return text_of(document).split(f"<!-- {mark} -->")[1].split("```python\n")[1].split("```")[0]


def shell_lines(document: str) -> list[str]:
    """The command lines of a document, in order, without comments, each as one line."""
    lines = [line for block in blocks(document, "sh") for line in block.replace("\\\n", "").splitlines()]
    return [line for line in (re.sub(r"(^|\s+)#.*", "", line).strip() for line in lines) if line]


def shortened(line: str) -> str:
    """The same command for a few steps; a training that shows no length gets one, too."""
    line = re.sub(r"--(minutes|epochs|steps) \S+", STEPS, line)
    parts = [
        f"{part} {STEPS}" if "charrnn train" in part and "--steps" not in part else part for part in line.split(" && ")
    ]
    return " && ".join(part.replace("charrnn train", "charrnn train --force --no-baselines") for part in parts)


def missing(line: str, folder: Path) -> str | None:
    """A corpus that a command needs, itself or for its model, and that the folder does not have."""
    needed = re.findall(r"corpora/[\w./-]+", line) + ([FETCHED] if "shakespeare" in line else [])
    return next((name for name in needed if not (folder / name).exists()), None)


def run_commands(document: str, folder: Path, programs: Path, change: Callable[[str], str] = str) -> int:
    """Runs the commands of a document in a folder, with the programs of an environment. Returns how many failed."""
    failed = 0
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    (folder / "other.txt").write_text("another text\n" * 200, "utf-8")
    for line in shell_lines(document):
        line = line.replace(".venv/bin/", "").removeprefix(BUILDING)
        if line.startswith((*INSTALLING, INTERACTIVE)):
            continue
        if name := missing(line, folder):
            print("skip  ", f"{document}: {line} (without {name})", flush=True)
            continue
        line = change(line)
        done = subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
        print("ok    " if done.returncode == 0 else "FAILED", f"{document}: {line}", flush=True)
        if done.returncode:
            failed += 1
            print(done.stderr)
    return failed


def main() -> int:
    """Runs every command of every document. Returns the number of commands that failed."""
    failed = 0
    for document in DOCUMENTS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for part in ("corpora", "docs"):
                (folder / part).symlink_to(ROOT / part)
            failed += run_commands(document, folder, Path(sys.executable).parent, shortened)
    return failed


if __name__ == "__main__":
    sys.exit(min(main(), 1))
