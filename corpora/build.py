"""Build the larger corpora: from the installed Python, by rule, or by a download that is verified.

python corpora/build.py corpora/python-library.txt corpora/additions.tsv corpora/tinyshakespeare.txt ...

Only tinyshakespeare.txt needs a network.
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
    """The concatenated source files of the standard library."""
    home = Path(sysconfig.get_paths()["stdlib"])
    files = sorted(f for f in home.rglob("*.py") if not LEFT_OUT & set(f.relative_to(home).parts))
    texts = []
    for file in files:
        try:
            texts.append(file.read_text("utf-8"))
        except UnicodeDecodeError:
            continue  # a few modules use another encoding
    return "\n\n".join(texts).encode()


def python_manual() -> bytes:
    """The topics of the language reference that `help()` shows."""
    from pydoc_data.topics import topics

    return "\n\n\n".join(text.strip() for _, text in sorted(topics.items())).encode() + b"\n"


def tinyshakespeare() -> bytes:
    """Download the text from the char-rnn project. Raises ValueError if the SHA-256 differs."""
    with urllib.request.urlopen(SHAKESPEARE, timeout=60) as response:
        data: bytes = response.read()
    if hashlib.sha256(data).hexdigest() != SHAKESPEARE_SHA256:
        raise ValueError(f"the download from {SHAKESPEARE} does not match the expected SHA-256")
    return data


def rows(pairs: list[tuple[str, str]]) -> bytes:
    """One tab-separated pair per line."""
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
            print(f"error: unknown corpus {path.name}: choose from {', '.join(MAKERS)}.", file=sys.stderr)
            return 2
        try:
            data = MAKERS[path.name]()
        except (urllib.error.URLError, OSError, ValueError, ImportError) as error:
            print(f"error: {path} could not be built: {error}.", file=sys.stderr)
            return 1
        unfinished = path.with_name(path.name + ".part")
        unfinished.write_bytes(data)
        unfinished.replace(path)
        print(f"{path}: {len(data):,} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
