"""Writes docs/samples.md from real runs: python docs/make/samples.py FOLDER (half an hour; models in FOLDER are used).

Every command is run as it stands there, in a folder that holds the corpora.
"""

import shlex
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[1]
CORPORA = DOCS.parent / "corpora"
HEAD = """# Samples

What small models write, and the commands that made it. With one worker on two busy cores they were trained for 13
minutes (Shakespeare), half a minute (Korean), a second (names) and 11 minutes (Python); their sizes are those that the
program chose. All samples have `--seed 1`, so none was picked. (`make corpora` and `make corpora/tinyshakespeare.txt`
provide the larger texts. `python docs/make/samples.py FOLDER` makes this page again.)
"""
PAGE = [
    (
        "English",
        "Shakespeare: 1.1 MB, 65 characters.",
        "train corpora/tinyshakespeare.txt -m shakespeare.npz --cell lstm --steps 3000 --workers 1",
        [
            ("", "sample -m shakespeare.npz --temp 0.6 --seed 1 -p 'ROMEO:' -n 400"),
            (
                "Of 64 beginnings of Juliet the likeliest, by its log-probability per character:",
                "sample -m shakespeare.npz --seed 1 -p 'JULIET:' --lines 4 --best-of 64",
            ),
            (
                "At temperature 0 it falls into a circle; `--no-repeat` breaks it:",
                "sample -m shakespeare.npz --seed 1 --temp 0 -n 200",
            ),
            ("", "sample -m shakespeare.npz --seed 1 --temp 0 -n 200 --no-repeat 8"),
        ],
    ),
    (
        "Korean",
        "Tales, 66 kB, spelled in the letters of Hangul (jamo); only whole syllables come out.",
        "train corpora/iyagi.txt -m iyagi.npz --unit jamo --steps 1500 --workers 1",
        [
            ("", "sample -m iyagi.npz --temp 0.6 --seed 1 -p 옛날 -n 250"),
            (
                "Five sentences about a tiger, each up to its full stop:",
                "sample -m iyagi.npz --temp 0.6 --seed 1 -p 호랑이 --stop . --count 5",
            ),
        ],
    ),
    (
        "Names",
        "494 Italian family names; a small network is enough.",
        "train corpora/names/italian.txt -m italian.npz --hidden-size 64 --layers 1 --steps 600 --workers 1",
        [
            ("", "sample -m italian.npz --temp 0.7 --seed 1 --lines 10"),
            (
                "Without five characters in a row that stand in the list:",
                "sample -m italian.npz --temp 0.7 --seed 1 --lines 10 --no-copy 5",
            ),
        ],
    ),
    (
        "Python",
        "The standard library, 11 MB, of which it saw a half.",
        "train corpora/python-library.txt -m python.npz --steps 3000 --workers 1",
        [
            ("", "sample -m python.npz --temp 0.6 --seed 1 -p 'def read_' -n 500"),
            (
                "Shakespeare and Python in one voice:",
                "sample -m shakespeare.npz:0.6 -m python.npz:0.4 --temp 0.5 --seed 1 -p 'def ' -n 500",
            ),
        ],
    ),
]
COPIED = """## Is it copied?

A hundred thousand characters of the model of Shakespeare, and what was held out of Shakespeare, which it has not seen:
"""


def run(command: str, folder: Path, stdin: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "charrnn", *shlex.split(command)],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"charrnn {command}: {done.stderr}")
    return done.stdout


def shown(command: str, output: str) -> str:
    text = "\n".join(line.rstrip() for line in output.splitlines()).strip("\n")
    return f"```sh\ncharrnn {command}\n```\n\n```text\n{text}\n```\n"


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    if not (folder / "corpora").exists():
        (folder / "corpora").symlink_to(CORPORA.resolve())
    parts = [HEAD]
    for title, intro, train, samples in PAGE:
        words = shlex.split(train)
        if not (folder / words[words.index("-m") + 1]).exists():
            run(train, folder)
        parts.append(f"## {title}\n\n{intro}\n\n```sh\ncharrnn {train}\n```\n")
        for remark, command in samples:
            parts += [remark + "\n"] if remark else []
            parts.append(shown(command, run(command, folder)))
    writing, judging = "sample -m shakespeare.npz --seed 1 -n 100000", "novelty -m shakespeare.npz -"
    table = run(judging, folder, run(writing, folder)).strip("\n")
    parts += [COPIED, shown(f"{writing} | charrnn {judging}", table)]
    (DOCS / "samples.md").write_text("\n".join(parts), "utf-8")


if __name__ == "__main__":
    main()
