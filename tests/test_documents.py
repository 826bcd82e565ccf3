"""The documents say what is true: links, options, figures in both languages, and code that runs; in plain English."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from charrnn.checkpoint.model import load
from charrnn.nn.equations import CELLS, LINEAR_CELLS
from charrnn.sampling.readers import open_streams
from tests.cli.test_eval_tables import COMMANDS
from tests.documents import DOCUMENTS, FETCHED, ROOT, blocks, code_after, missing, shell_lines, shortened, text_of
from tests.training.test_loop import begin

PAGES = ["README.md", "README.ko.md", "CHANGELOG.md", "corpora/README.md"]
PAGES += [".github/CONTRIBUTING.md", ".github/SECURITY.md"]
PAGES += [f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))]
TRANSLATED = [("README.md", "README.ko.md"), ("docs/lesson.md", "docs/lesson.ko.md")]
LONGEST_README = 199  # lines

# Phrases that sound translated, each with what to write instead.
BANNED = {
    r"\bthe way back\b": "backward pass",
    r"\bso many\b": "N",
    r"\b(learned|learns|learn) by heart\b": "overfitting",
    r"\btold with\b": "classified with",
    r"\bwhat must not\b": "constraints",
    r"\bsurest\b": "most confident",
    r"\bat the begin\b": "at the start",
    r"(?<!there )\b(is|are) no (text|UTF-8|number|model|file)\b": "is not a ...",
    r"\b0 for any\b": "0 disables",
    r"\bgone on with\b": "resumed",
    r"\bgoes on with\b": "resumes",
    r"\btaken up again\b": "resumed",
    r"\bbits a character\b": "bits per character",
    r"\bcharacters a second\b": "characters per second",
    r"\bnats a symbol\b": "nats per symbol",
    r"\bno part held out\b": "no validation split",
    r"\bwritten over\b": "overwritten",
    r"\bjudged by the rest\b": "compared with the rest",
}


def options(command: click.Command) -> set[str]:
    names = {name for parameter in command.params if isinstance(parameter, click.Option) for name in parameter.opts}
    return names | {"--help", "-h"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_commands_shown_have_these_options(document: str) -> None:
    lines = [part for line in shell_lines(document) for part in re.split(r" && | \| ", line) if "charrnn " in part]
    lines = [line.removeprefix(".venv/bin/") for line in lines if re.match(r"(\.venv/bin/)?charrnn ", line)]
    assert len(lines) >= 9
    for line in lines:
        words = shlex.split(line)
        name = " ".join(words[1:3]) if words[1] == "see" else words[1]
        given = {word for word in words[2:] if re.match("--?[a-z]", word)}
        assert given <= options(COMMANDS[name]), line


def test_commands_are_shortened() -> None:
    assert shortened("charrnn train a.txt --minutes 0.5") == "charrnn train --force --no-baselines a.txt --steps 20"
    assert shortened("charrnn train a.txt") == "charrnn train --force --no-baselines a.txt --steps 20"
    assert shortened("charrnn eval && charrnn see curve") == "charrnn eval && charrnn see curve"


def test_commands_that_need_the_repository_are_known(tmp_path: Path) -> None:
    commands = [line for line in shell_lines("README.md") if line.startswith("charrnn ")]
    needed = {line: missing(line, tmp_path) for line in commands}
    assert {name for line, name in needed.items() if "shakespeare" in line} == {FETCHED}
    assert {name for line, name in needed.items() if "shakespeare" not in line} == {None}
    assert missing("charrnn train corpora/names -m a.npz", ROOT) is None
    assert missing("charrnn train --pairs corpora/none.tsv", ROOT) == "corpora/none.tsv"


@pytest.mark.parametrize("page", ["README.md", "README.ko.md"])
def test_the_address_is_in_one_place(page: str) -> None:
    assert len(re.findall(r"git clone \S+", text_of(page))) == 1
    assert text_of(page).count(re.findall(r"git clone (\S+)", text_of(page))[0]) == 1


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_are_there(page: str) -> None:
    text = re.sub(r"^```.*?^```", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        assert link.startswith("http") or ((ROOT / page).parent / link).exists(), link


@pytest.mark.parametrize("page", ["README.md", "README.ko.md"])
def test_the_readme_is_short(page: str) -> None:
    assert len(text_of(page).splitlines()) <= LONGEST_README


@pytest.mark.parametrize(("english", "korean"), TRANSLATED)
def test_both_languages_show_the_same_code(english: str, korean: str) -> None:
    for language in ("sh", "text", "python"):
        assert blocks(english, language) == blocks(korean, language)


@pytest.mark.parametrize(("english", "korean"), TRANSLATED)
def test_both_languages_state_the_same_figures(english: str, korean: str) -> None:
    """Numbers with a decimal point or at least three digits; the others are often words."""

    def figures(page: str) -> set[str]:
        prose = re.sub(r"^```.*?^```", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
        prose = re.sub(r"\]\([^)]*\)", "", prose)
        return {number.rstrip(".,") for number in re.findall(r"\d+\.\d+|\d[\d,]{2,}", prose)}

    assert figures(english) == figures(korean)


@pytest.mark.parametrize(
    "path",
    [*PAGES, *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "charrnn").rglob("*.py")))],
)
def test_no_phrase_sounds_translated(path: str) -> None:
    text = " ".join(text_of(path).split())
    for phrase, better in BANNED.items():
        found = re.search(phrase, text, re.IGNORECASE)
        assert found is None, f"{found.group(0)!r}: write {better!r}"


@pytest.mark.parametrize("name", COMMANDS)
def test_no_help_page_sounds_translated(name: str) -> None:
    command = COMMANDS[name]
    text = " ".join(
        command.get_help(click.Context(command, info_name=name, help_option_names=["-h", "--help"])).split()
    )
    for phrase in BANNED:
        assert re.search(phrase, text, re.IGNORECASE) is None, phrase


@pytest.mark.parametrize("cell", LINEAR_CELLS)
def test_a_linear_recurrence_is_read_with_plain_numpy(
    cell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    training = begin(text="the cat\n" * 60, cell=cell, steps=10)
    list(training)
    training.model.save("model.npz")
    names: dict[str, Any] = {}
    exec(code_after("docs/model-file.md", "a linear recurrence"), names)
    reader = open_streams(load("model.npz"), 1)
    reader.step_all(training.vocab.encode("the ").tolist())
    np.testing.assert_allclose(reader.logits[0], names["logits"], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("cell", CELLS)
def test_the_file_is_read_and_sampled_with_plain_numpy(
    cell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    training = begin(cell=cell, steps=30, eval_every=8)
    list(training)
    training.model.save("model.npz")
    code = code_after("docs/model-file.md", "the model file")
    assert len(code.strip().splitlines()) <= 32
    names: dict[str, Any] = {}
    exec(code, names)
    model = load("model.npz")
    ids = names["ids"]
    assert capsys.readouterr().out == model.vocab.decode(ids) + "\n"
    reader = open_streams(model, 1)
    reader.step_all(ids[1:-1])
    np.testing.assert_allclose(reader.logits[0], names["logits"], rtol=1e-3, atol=1e-4)


def test_the_library_example_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = next(block for block in blocks("README.md", "python") if "charrnn.train(" in block)
    code = code.replace("steps=500", "steps=3")
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    first, *sample, bits = capsys.readouterr().out.splitlines()
    assert first.split()[0] == "3"  # the last step is evaluated
    assert len("\n".join(sample)) <= 200
    assert 0.0 < float(bits) < 10.0


def test_make_targets_shown_exist() -> None:
    done = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True)
    shown = "\n".join("\n".join(shell_lines(document)) for document in DOCUMENTS)
    for target in set(re.findall(r"\bmake ([a-z][a-z/.-]+)", shown)):
        assert re.search(rf"make {re.escape(target)}\b", done.stdout), target
