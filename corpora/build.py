"""Makes the larger corpora: from the installed Python or by rule, without a network, or fetched and checked.

python corpora/build.py corpora/python-library.txt corpora/additions.tsv corpora/tinyshakespeare.txt ...
"""

import hashlib
import sys
import sysconfig
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from pairs import additions, dates
from words import romanisations

LEFT_OUT = {"test", "tests", "idlelib", "site-packages", "dist-packages", "lib2to3", "turtledemo", "__pycache__"}
SHAKESPEARE = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
SHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"


def python_library() -> bytes:
    """The source of the standard library, file after file."""
    home = Path(sysconfig.get_paths()["stdlib"])
    files = sorted(f for f in home.rglob("*.py") if not LEFT_OUT & set(f.relative_to(home).parts))
    texts = []
    for file in files:
        try:
            texts.append(file.read_text("utf-8"))
        except UnicodeDecodeError:
            continue  # a few modules declare another encoding
    return "\n\n".join(texts).encode()


def python_manual() -> bytes:
    """The topics of the reference manual that `help()` shows."""
    from pydoc_data.topics import topics

    return "\n\n\n".join(text.strip() for _, text in sorted(topics.items())).encode() + b"\n"


def tinyshakespeare() -> bytes:
    """Fetched from the char-rnn project."""
    with urllib.request.urlopen(SHAKESPEARE, timeout=60) as response:
        data: bytes = response.read()
    if hashlib.sha256(data).hexdigest() != SHAKESPEARE_SHA256:
        raise ValueError(f"what came from {SHAKESPEARE} is not the text that was expected (its SHA-256 differs)")
    return data


def rows(pairs: list[tuple[str, str]]) -> bytes:
    """One pair a line, a tab between."""
    return "".join(f"{source}\t{target}\n" for source, target in pairs).encode()


MAKERS: dict[str, Callable[[], bytes]] = {
    "python-library.txt": python_library,
    "python-manual.txt": python_manual,
    "additions.tsv": lambda: rows(additions()),
    "dates.tsv": lambda: rows(dates()),
    "romanised.tsv": lambda: rows(romanisations()),
    "tinyshakespeare.txt": tinyshakespeare,
}


def main(paths: list[str]) -> int:
    for path in map(Path, paths):
        if path.name not in MAKERS:
            print(f"error: {path.name} is none of {', '.join(MAKERS)}.", file=sys.stderr)
            return 2
        try:
            data = MAKERS[path.name]()
        except (urllib.error.URLError, OSError, ValueError, ImportError) as error:
            print(f"error: {path} could not be made: {error}.", file=sys.stderr)
            return 1
        unfinished = path.with_name(path.name + ".part")
        unfinished.write_bytes(data)
        unfinished.replace(path)
        print(f"{path}: {len(data):,} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
