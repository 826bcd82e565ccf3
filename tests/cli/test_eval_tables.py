"""The tables of `eval` and `info` and the options in the environment: what is shown, compared, and warned of."""

import json
import os
import pty
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import click
import pytest
from click.core import ParameterSource

from charrnn.cli.main import cli
from tests.cli.test_train import TEXT, TINY, Command, charrnn, process, train

__all__ = ["charrnn"]  # the fixture


def all_commands() -> dict[str, click.Command]:
    """Every command by its words, those of groups too."""
    found: dict[str, click.Command] = {}
    for name, command in cli.commands.items():
        context = click.Context(command)
        if not isinstance(command, click.Group):
            found[name] = command
            continue
        for more in command.list_commands(context):
            inner = command.get_command(context, more)
            assert inner is not None
            found[f"{name} {more}"] = inner
    return found


COMMANDS = all_commands()
OPTIONS = [(name, option) for name, command in COMMANDS.items() for option in command.params]
CASES = [(name, option) for name, option in OPTIONS if isinstance(option, click.Option)]
LONG = re.compile("--[a-z][a-z0-9-]+")


def value_for(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return str(option.type.choices[-1])
    return "1" if option.is_flag or option.type in (click.INT, click.FLOAT) else "x"


@pytest.mark.parametrize(("name", "option"), CASES, ids=lambda value: getattr(value, "name", value))
def test_every_option_is_set_in_the_environment_by_its_long_name(
    name: str, option: click.Option, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = next(text for text in option.opts if LONG.fullmatch(text))
    words = name.split()
    monkeypatch.setenv(f"CHARRNN_{'_'.join(words).upper()}_{long[2:].replace('-', '_').upper()}", value_for(option))
    parent: click.Context = cli.make_context("charrnn", [])
    for word in words[:-1]:
        parent = cli.commands[word].make_context(word, [words[-1]], parent=parent)
    needed = ["text" for p in COMMANDS[name].params if isinstance(p, click.Argument) and p.required]
    context = COMMANDS[name].make_context(words[-1], needed, parent=parent)
    assert option.name is not None
    assert context.get_parameter_source(option.name) is ParameterSource.ENVIRONMENT
    assert context.params[option.name] not in (None, False, ())


def test_models_and_json_in_the_environment(charrnn: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    train(charrnn, "-m", "a.npz")
    train(charrnn, "-m", "b.npz", "--seed", "1")
    monkeypatch.setenv("CHARRNN_EVAL_MODEL", "a.npz b.npz")
    monkeypatch.setenv("CHARRNN_EVAL_JSON", "1")
    lines = charrnn("eval")[1].splitlines()
    assert {json.loads(line)["model"] for line in lines} == {"a.npz", "b.npz"}


def test_different_parts_are_shown_and_warned_of(charrnn: Command, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text(TEXT[::-1])
    train(charrnn, "-m", "a.npz")
    train(charrnn, "-m", "b.npz", "--val-fraction", "0")
    train(charrnn, "-m", "c.npz", "--val-fraction", "0.3")
    assert charrnn("train", "other.txt", "-m", "d.npz", *TINY, "--steps", "4")[0] == 0
    _, out, err = charrnn("eval", "-m", "a.npz", "-m", "b.npz")
    assert "warning: the models were scored on different parts of the text" in err
    assert re.search(r"a\.npz +validation ", out)
    assert re.search(r"b\.npz +all ", out)
    assert "different characters of the text" in charrnn("eval", "-m", "a.npz", "-m", "c.npz")[2]
    assert "different texts" in charrnn("eval", "-m", "a.npz", "-m", "d.npz")[2]
    for same in (["--all"], ["other.txt", "-m", "c.npz"]):
        _, out, err = charrnn("eval", *same, "-m", "a.npz", "-m", "b.npz")
        assert "warning" not in err
        assert "validation" not in out


def test_characters_left_out_of_one_score_are_warned_of(charrnn: Command, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text(TEXT + "Z" * 20)
    train(charrnn, "-m", "a.npz")
    assert charrnn("train", "more.txt", "-m", "b.npz", *TINY, "--steps", "4")[0] == 0
    (tmp_path / "mixed.txt").write_text("the cat sat on Z")
    _, _, err = charrnn("eval", "mixed.txt", "-m", "a.npz", "-m", "b.npz")
    assert "the models were scored on different characters of the text: their scores cannot be compared." in err


def test_a_pipe_is_read_once_for_all_models(charrnn: Command, tmp_path: Path) -> None:
    train(charrnn, "-m", "a.npz")
    train(charrnn, "-m", "b.npz", "--seed", "1")
    models = ("-m", "a.npz", "-m", "b.npz", "--json")
    code, plain, _ = charrnn("eval", "corpus.txt", *models)
    before = set(os.listdir(tempfile.gettempdir()))
    code, out, err = charrnn("eval", "-", *models, stdin=TEXT.encode())
    assert (code, out) == (0, plain.replace("corpus.txt", "-"))
    assert "trained on standard input: its validation split" in err
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=(TEXT,))
    writer.start()
    code, out, err = charrnn("eval", "pipe", *models)
    writer.join()
    assert (code, out) == (0, plain.replace("corpus.txt", "pipe"))
    assert "trained on pipe: its validation split" in err
    left = {name for name in os.listdir(tempfile.gettempdir()) if name.startswith("charrnn-")}
    assert left <= before
    _, _, err = charrnn("eval", "-", *models, stdin=b"caf\xe9")
    assert err.startswith("error: standard input is not valid UTF-8")


def test_a_text_that_changed_or_went_away(charrnn: Command, tmp_path: Path) -> None:
    train(charrnn)
    (tmp_path / "corpus.txt").write_text(TEXT + "the end.\n".replace(".", "t"))
    code, out, err = charrnn("eval", "--json")
    assert (code, json.loads(out)["part"]) == (0, "all")
    assert "note: corpus.txt has changed since the training: all of it is scored." in err
    assert "has changed" not in charrnn("eval", "corpus.txt")[2]
    (tmp_path / "corpus.txt").rename(tmp_path / "moved.txt")
    code, _, err = charrnn("eval")
    assert code == 1
    assert err.startswith("error: model.npz was trained on corpus.txt, which is not found here: ")
    assert err.endswith("name the text to score: charrnn eval TEXT.\n")
    assert "TEXT" not in charrnn("eval", "corpus.txt")[2]


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_tables_go_to_files_as_utf8(encoding: str, charrnn: Command, tmp_path: Path) -> None:
    (tmp_path / "korean.txt").write_text("나는 강가에 앉아 있었다.\n" * 20, encoding="utf-8")
    assert charrnn("train", "korean.txt", "-m", "한.npz", *TINY, "--steps", "4")[0] == 0
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "FORCE_COLOR": "1"}
    for command in ("info", "eval"):
        running = process([command, "-m", "한.npz"], tmp_path, env=environment)
        out, err = running.communicate()
        assert running.returncode == 0, err
        assert "한.npz" in out.decode("utf-8")
        assert b"\x1b" not in out + err


def test_a_terminal_gets_colours_in_its_own_encoding(charrnn: Command, tmp_path: Path) -> None:
    train(charrnn, "-m", "é.npz")
    for encoding, expected in (("latin-1", b"\xe9.npz"), ("ascii", b"\\xe9.npz"), ("utf-8", b"\xc3\xa9.npz")):
        shown = on_terminal(["info", "-m", "é.npz"], tmp_path, encoding)
        assert expected in shown
        assert b"\x1b[2m" in shown
        assert encoding != "ascii" or shown.isascii()


def on_terminal(arguments: list[str], folder: Path, encoding: str) -> bytes:
    """What a command writes to a terminal of its own."""
    reader, writer = pty.openpty()
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    done = subprocess.run([sys.executable, "-m", "charrnn", *arguments], cwd=folder, env=environment, stdout=writer)
    os.close(writer)
    shown = b""
    try:
        while block := os.read(reader, 65536):
            shown += block
    except OSError:  # Linux says so at the end
        pass
    os.close(reader)
    assert done.returncode == 0
    return shown


@pytest.mark.parametrize("command", ["info", "eval"])
def test_a_reader_who_left_before_the_table(command: str, charrnn: Command, tmp_path: Path) -> None:
    train(charrnn)
    reader, writer = os.pipe()
    os.close(reader)
    arguments = [sys.executable, "-m", "charrnn", command]
    done = subprocess.run(arguments, cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert done.returncode == 141
    assert b"error" not in done.stderr
    assert command == "eval" or done.stderr == b""
