"""The README says what is true: its options exist, all options are in it, and its code runs."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from charrnn.checkpoint.model import load
from charrnn.nn.equations import CELLS
from charrnn.sampling.readers import open_streams
from tests.cli.test_eval_tables import COMMANDS
from tests.training.test_loop import begin

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def options(command: click.Command) -> set[str]:
    return {name for parameter in command.params if isinstance(parameter, click.Option) for name in parameter.opts}


def section(name: str) -> str:
    return re.split(r"^##", README.split(f"### `charrnn {name}", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    explained = set(re.findall(r"`(--?[a-z-]+)`", section(name)))
    assert options(COMMANDS[name]) == explained & options(COMMANDS[name])
    assert explained <= options(COMMANDS[name]) | {"--resume"}


def test_the_commands_shown_have_these_options() -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines() if re.match(r"(\.venv/bin/)?charrnn ", line)]
    assert len(lines) > 10
    for line in lines:
        words = shlex.split(line, comments=True)
        name = " ".join(words[1:3]) if words[1] == "see" else words[1]
        given = {word for word in words[2:] if word.startswith("-")}
        assert given <= options(COMMANDS[name]), line


def test_defaults_are_those_of_the_program() -> None:
    table = section("train")
    for parameter in COMMANDS["train"].params:
        option = f"`--{str(parameter.name).replace('_', '-')}`"
        row = next((row for row in table.splitlines() if option in row), None)
        if parameter.name in ("unit", "optimizer", "encoding", "val_fraction"):
            assert row is not None
            assert f"{parameter.default}" in row.split("|")[3], parameter.name
        if getattr(parameter, "show_default", None) == "chosen":
            assert row is not None
            assert "chosen" in row.split("|")[3], parameter.name


@pytest.mark.parametrize("cell", CELLS)
def test_the_file_is_read_and_sampled_with_plain_numpy(
    cell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    training = begin(cell=cell, steps=30, eval_every=8)
    list(training)
    training.model.save("model.npz")
    code = README.split("<!-- the model file -->")[1].split("```python\n")[1].split("```")[0]
    assert len(code.strip().splitlines()) <= 32
    names: dict[str, Any] = {}
    exec(code, names)
    model = load("model.npz")
    ids = names["ids"]
    assert isinstance(ids, list)
    assert capsys.readouterr().out == model.vocab.decode(ids) + "\n"
    reader = open_streams(model, 1)
    reader.step_all(ids[1:-1])
    np.testing.assert_allclose(reader.logits[0], names["logits"], rtol=1e-3, atol=1e-4)


def test_the_library_example_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = next(block for block in blocks("python") if "charrnn.train(" in block)
    code = code.replace("corpora/", f"{ROOT}/corpora/").replace("steps=500", "steps=3")
    monkeypatch.chdir(tmp_path)
    exec(code, {})


def test_links_and_pictures_are_there() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert link.startswith("http") or (ROOT / link).exists(), link


def test_make_targets_shown_exist() -> None:
    done = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True)
    for target in set(re.findall(r"\bmake ([a-z][a-z/.-]+)", "\n".join(blocks("sh")))):
        assert re.search(rf"make {re.escape(target)}\b", done.stdout), target
