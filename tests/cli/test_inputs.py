"""A model finds the text that it was trained on: as typed, by the recorded folder, or beside the model; by its hash."""

import json
import os
import shutil
import threading
from pathlib import Path

import pytest

from charrnn import Corpus, load
from charrnn import train as train_library
from tests.cli.test_train import TEXT, TINY, Command, charrnn

__all__ = ["charrnn"]  # the fixture

TEXTS = {
    "one.txt": TEXT,
    "two.txt": TEXT[::-1],
    "folder/a.txt": TEXT,
    "folder/b.txt": TEXT[::-1],
    "pairs.tsv": "".join(f"{n}\t{n}{n}\n" for n in range(100, 160)),
    "labels.tsv": "".join(f"{'odd' if n % 2 else 'even'}\t{n}\n" for n in range(100, 160)),
}
KINDS = {
    "file": ["one.txt"],
    "files": ["one.txt", "two.txt"],
    "folder": ["folder"],
    "bytes": ["one.txt", "--unit", "byte"],
    "pairs": ["pairs.tsv", "--pairs"],
    "labels": ["labels.tsv", "--labelled", "--task", "classify"],
}
OTHERS = ("file", "files", "folder", "bytes")  # what the commands for plain text accept


def furnish(charrnn: Command, kind: str, here: Path) -> None:
    """A trained model and its text in `here`; the working folder is another one, afterwards."""
    for name, text in TEXTS.items():
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    os.chdir(here)
    code, _, err = charrnn("train", *KINDS[kind], *TINY, "--steps", "4", "--workers", "1", "--no-baselines")
    assert code == 0, err
    (here.parent / "elsewhere").mkdir()
    os.chdir(here.parent / "elsewhere")


@pytest.mark.parametrize("kind", KINDS)
def test_every_command_finds_the_text_from_another_folder(charrnn: Command, kind: str, tmp_path: Path) -> None:
    here = tmp_path / "home"
    furnish(charrnn, kind, here)
    for name in ("one.txt", "pairs.tsv", "labels.tsv"):  # the same names, but other texts: the hash tells
        Path(name).write_text("1\t2\n3\t4\n" * 30)
    model = ("-m", str(here / "model.npz"))
    names = [str(here / name) for name in load(model[1]).run.texts]  # type: ignore[union-attr]
    code, out, err = charrnn("eval", *model, "--json")
    assert (code, json.loads(out)["part"]) == (0, "validation"), err
    assert f"trained on {names[0]}" in err
    if kind in OTHERS:
        assert json.loads(out)["text"] == names
        assert json.loads(charrnn("see", "surprise", *model, "--chars", "5", "--json")[1])["text"]
        code, out, err = charrnn("sample", *model, "--no-copy", "9", "-n", "5", "--seed", "1")
        assert (code, len(out), err) == (0, 5, "")
        code, out, _ = charrnn("novelty", "one.txt", *model, "--json")
        assert (code, json.loads(out)["corpus"][0].startswith(names[0])) == (0, True)
    assert json.loads(charrnn("info", *model, "--json")[1])["run"]["folder"] == str(here)
    assert "\nfolder " in charrnn("info", *model)[1]
    code, _, err = charrnn("train", "--resume", *model, "--steps", "6")
    assert code == 0, err
    os.chdir("/")
    assert charrnn("train", "--resume", *model, "--steps", "7")[0] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_that_was_moved_with_its_model(charrnn: Command, kind: str, tmp_path: Path) -> None:
    furnish(charrnn, kind, tmp_path / "home")
    (tmp_path / "home").rename(tmp_path / "moved")
    code, out, err = charrnn("eval", "-m", "../moved/model.npz", "--json")
    assert (code, json.loads(out)["part"]) == (0, "validation"), err
    assert "trained on ../moved/" in err


def test_a_text_that_is_nowhere_or_has_changed(charrnn: Command, tmp_path: Path) -> None:
    here = tmp_path / "home"
    furnish(charrnn, "files", here)
    model = ("-m", str(shutil.copy(here / "model.npz", "m.npz")))
    (here / "two.txt").rename(here / "gone.txt")
    for line, advice in (
        (["eval", *model], "name the text to score: charrnn eval TEXT -m m.npz."),
        (["sample", *model, "--no-copy", "5"], "name a corpus with --corpus."),
        (["novelty", str(here / "one.txt"), *model], "name a corpus with --corpus."),
        (["see", "memory", *model], "name a text."),
        (["train", "--resume", *model, "--steps", "9"], "name the text, charrnn train --resume -m m.npz TEXT."),
    ):
        code, out, err = charrnn(*line)
        said = f"error: m.npz was trained on one.txt, which is not found here or in {here}: {advice}\n"
        assert (code, out, err) == (1, "", said)
    (here / "two.txt").write_text("the cat sat")
    for command in (["eval"], ["see", "surprise", "--chars", "9"]):
        code, _, err = charrnn(*command, *model, "--json")
        note = f"note: {here}/one.txt and 1 more has changed since the training: all of it is"
        assert (code, note in err) == (0, True), err
    assert "has changed since m.npz was trained" in charrnn("sample", *model, "--no-copy", "5", "-n", "9")[2]


def test_a_text_that_cannot_be_read_again(charrnn: Command, tmp_path: Path) -> None:
    options = (*TINY, "--steps", "2", "--workers", "1", "--no-baselines", "-q")
    os.mkfifo("pipe")
    writer = threading.Thread(target=Path("pipe").write_text, args=(TEXT,))
    writer.start()
    assert charrnn("train", "pipe", *options, "-m", "pipe.npz")[0] == 0
    writer.join()
    assert charrnn("train", "-", *options, "-m", "stdin.npz", stdin=TEXT.encode())[0] == 0
    train_library(Corpus.from_text(TEXT), hidden_size=4).model.save("string.npz")
    for name, what in (
        ("pipe", "pipe, a pipe, which cannot be read again"),
        ("stdin", "standard input, which cannot be read again"),
        ("string", "a string, which is not found here"),
    ):
        assert load(f"{name}.npz").run.folder == ""  # type: ignore[union-attr]
        code, _, err = charrnn("eval", "-m", f"{name}.npz")
        assert (code, f"{name}.npz was trained on {what}: name the text to score: " in err) == (1, True), err


def test_a_resumed_run_keeps_its_text_or_records_the_new_one(charrnn: Command, tmp_path: Path) -> None:
    furnish(charrnn, "file", tmp_path / "home")
    model = load("../home/model.npz")
    same = train_library(Corpus.from_text(TEXT), model=model, steps=5)
    assert (same.run.texts, same.run.folder) == (("one.txt",), str(tmp_path / "home"))
    Path("copy.txt").write_text(TEXT)
    moved = train_library("copy.txt", model=model, steps=5)
    assert (moved.run.texts, moved.run.folder) == (("copy.txt",), str(tmp_path / "elsewhere"))
    absolute = train_library(tmp_path / "home" / "one.txt", steps=5, hidden_size=4)
    assert absolute.run.folder == ""  # nothing is recorded that the path does not say
