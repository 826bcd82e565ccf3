"""The texts that come with the project are what their README says."""

import hashlib
import random
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

CORPORA = Path(__file__).parent.parent / "corpora"
NAMES = sorted((CORPORA / "names").glob("*.txt"))


def test_tales() -> None:
    text = (CORPORA / "tales.txt").read_bytes()
    assert len(text) >= 60_000
    assert text.isascii()
    assert b"\r" not in text


def test_iyagi() -> None:
    text = (CORPORA / "iyagi.txt").read_text("utf-8")
    assert len(text.encode()) >= 25_000
    assert text == unicodedata.normalize("NFC", text)
    assert sum("가" <= c <= "힣" for c in text) > 0.6 * len(text)


def test_there_are_many_languages() -> None:
    assert [path.stem for path in NAMES] == [
        *("chinese", "czech", "dutch", "english", "finnish", "french", "german", "greek", "irish", "italian"),
        *("japanese", "korean-hangul", "korean", "polish", "portuguese", "russian", "spanish", "swedish", "turkish"),
    ]


@pytest.mark.parametrize("path", NAMES, ids=lambda path: path.stem)
def test_names(path: Path) -> None:
    text = path.read_text("utf-8")
    names = text.splitlines()
    fewer = {"korean", "korean-hangul", "chinese"}  # these languages have fewer family names
    assert len(names) >= (100 if path.stem in fewer else 400)
    assert len(set(names)) == len(names)
    assert text == "\n".join(names) + "\n" == unicodedata.normalize("NFC", text)
    assert all(name == name.strip() and name for name in names)
    shuffled = sorted(names)
    random.Random(0).shuffle(shuffled)
    assert names == shuffled


def test_larger_corpora_are_built_from_the_installed_python(tmp_path: Path) -> None:
    target = tmp_path / "python-manual.txt"
    subprocess.run([sys.executable, str(CORPORA / "build.py"), str(target)], check=True, capture_output=True)
    assert target.stat().st_size > 300_000
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_an_unknown_corpus_is_an_error(tmp_path: Path) -> None:
    command = [sys.executable, str(CORPORA / "build.py"), str(tmp_path / "x.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: unknown corpus x.txt: choose from")


def test_a_fetched_corpus_is_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(CORPORA))
    import build

    text = b"O Romeo"
    (tmp_path / "there").write_bytes(text)
    monkeypatch.setattr(build, "SHAKESPEARE", (tmp_path / "there").as_uri())
    target = tmp_path / "tinyshakespeare.txt"
    assert build.main([str(target)]) == 1
    assert not target.exists()
    monkeypatch.setattr(build, "SHAKESPEARE_SHA256", hashlib.sha256(text).hexdigest())
    assert build.main([str(target)]) == 0
    assert target.read_bytes() == text
