"""Help pages, their examples, `charrnn help`, `-V`, and shell completion."""

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from charrnn._version import __version__
from charrnn.checkpoint.safetensors import encode
from charrnn.cli.examples import EXAMPLES, examples_of
from charrnn.cli.main import cli
from tests.cli.test_eval_tables import COMMANDS
from tests.cli.test_train import TEXT, Command, charrnn
from tests.sampling.test_sample import model_of

__all__ = ["charrnn"]  # the fixture

TINY = {"HIDDEN_SIZE": "8", "BATCH_SIZE": "4", "SEQ_LENGTH": "8", "WORKERS": "1", "STEPS": "2"}
SIZES = {
    **{f"CHARRNN_TRAIN_{name}": value for name, value in TINY.items()},
    **{f"CHARRNN_BENCH_{name}": "4" for name in ("HIDDEN_SIZE", "BATCH_SIZE", "SEQ_LENGTH")},
    "CHARRNN_BENCH_SECONDS": "0.1",
    "CHARRNN_SAMPLE_LENGTH": "60",
}


def test_every_example_runs(charrnn: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SIZES.items():
        monkeypatch.setenv(name, value)
    Path("corpus.txt").write_text('"Once upon a time," said the cat, "hello."\n' * 20 + TEXT)
    Path("new.txt").write_text("the cat sat on the dog.\n" * 4)
    Path("sample.txt").write_text("the cat sat on the time.\n" * 4)
    Path("names.tsv").write_text("korean\tKim\nkorean\tLee\nen\tSmith\nen\tMiller\n" * 5)
    Path("list.txt").write_text("Kim\nSmith\n")
    Path("net.safetensors").write_bytes(encode(model_of("the cat\n")))
    Path("chars.json").write_text('["\\n", "a", "c", "e", "h", "t", "x"]')
    for line in EXAMPLES:
        inner = re.fullmatch(r'eval "\$\((.*)\)"', line)
        words = shlex.split(inner[1] if inner else line)
        assert words.pop(0) == "charrnn"
        stdin, stdout = b"", None
        if words[-2:-1] == ["<"]:
            stdin, words = Path(words[-1]).read_bytes(), words[:-2]
        elif words[-2:-1] == [">"]:
            stdout, words = words[-1], words[:-2]
        if "--resume" in words:
            monkeypatch.setenv("CHARRNN_TRAIN_STEPS", "3")
        if "--seconds" in words:
            words[words.index("--seconds") + 1] = "0.1"
        if words[0] == "write" and find_spec("textual") is None:
            continue
        code, out, err = charrnn(*words, stdin=stdin)
        if words[0] == "write":  # the options are valid, and there is no terminal
            assert (code, "needs a terminal" in err) == (2, True), line
        else:
            assert code == 0, (line, err)
            assert words[0] == "train" or out or "Saved " in err, line
        assert stdout is None or {"completion": "complete", "corpora": "VILLAGE"}[words[0]] in out


def test_every_command_has_examples_in_its_help(charrnn: Command) -> None:
    for name in COMMANDS:
        lines = examples_of(f"charrnn {name}")
        assert 2 <= len(lines) <= 4, name
        page = charrnn("help", *name.split())[1]
        assert charrnn(*name.split(), "-h") == (0, page, "")
        for line, comment in lines.items():
            assert f"  # {comment}\n  $ {line}\n" in page
            assert len(line) <= 76
        headings = re.findall(r"^(\S[^:\n]*):", page, re.MULTILINE)
        options = any(isinstance(each, click.Option) for each in COMMANDS[name].params)
        ends = ["Examples", *(["Environment variables"] if options else []), "Exit codes", "Learn more"]
        assert headings[0] == "Usage"
        assert headings[-len(ends) :] == ends
        assert options == (f"CHARRNN_{name.replace(' ', '_').upper()}_<OPTION>" in page)


def test_the_list_of_commands_is_not_truncated(charrnn: Command) -> None:
    page = charrnn("--help")[1]
    assert page == charrnn("help")[1] == charrnn()[1]
    for name, command in cli.commands.items():
        assert re.search(rf"^  {name} +{re.escape(command.get_short_help_str())}$", page, re.MULTILINE)
    assert "..." not in page.split("Commands:")[1]
    assert "$ charrnn train corpus.txt" in page


def test_unknown_commands_and_the_version(charrnn: Command) -> None:
    assert charrnn("help", "dance") == (2, "", "error: No such command 'dance'. See charrnn --help.\n")
    assert charrnn("help", "see", "dance")[2] == "error: No such command 'dance'. See charrnn see --help.\n"
    assert charrnn("help", "train", "x")[2] == "error: charrnn train has no subcommands. See charrnn train --help.\n"
    assert charrnn("-V") == charrnn("--version") == (0, f"charrnn {__version__}\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, charrnn: Command) -> None:
    code, out, _ = charrnn("completion", shell)
    assert (code, f"_CHARRNN_COMPLETE={shell}_complete" in out) == (0, True)


def test_completion(charrnn: Command, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def complete(line: str) -> list[str]:
        """What bash is told to offer for the last word; `value` is a candidate, `type,value` a kind of file."""
        words = line.split(" ")
        monkeypatch.setenv("_CHARRNN_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        with pytest.raises(SystemExit) as ended:
            charrnn()
        assert ended.value.code == 0
        return [item.removeprefix("plain,") for item in capfd.readouterr().out.split()]

    Path("names.tsv").write_text("ko\tKim\nko\tLee\nen\tSmith\nen\tMiller\n" * 5)
    arguments = ("--steps", "1", "--workers", "1", "--hidden-size", "4", "-q")
    assert charrnn("train", "names.tsv", "-m", "names.npz", "--labelled", *arguments)[0] == 0
    assert charrnn("train", "corpus.txt", *arguments)[0] == 0
    assert complete("charrnn tr") == ["train"]
    assert complete("charrnn train --hid") == ["--hidden-size"]
    assert complete("charrnn train --optimizer a") == ["adam", "adagrad"]
    assert complete("charrnn train cor") == complete("charrnn eval cor") == ["file,cor"]
    assert complete("charrnn see memory new") == complete("charrnn sample --prompt-file new") == ["file,new"]
    assert complete("charrnn see memory -o a") == complete("charrnn write a") == ["file,a"]
    assert complete("charrnn train :ta") == complete("charrnn novelty :ta") == [":tales"]
    assert complete("charrnn eval :names/k") == [":names/korean-hangul", ":names/korean"]
    assert complete("charrnn corpora names/ita") == ["names/italian"]
    assert complete("charrnn sample -m :") == [":names"]
    assert complete("charrnn sample -m :names --label it") == ["italian"]
    assert complete("charrnn sample -m n") == complete("charrnn train --init-from n") == ["dir,n", "names.npz"]
    assert complete("charrnn see curve --model ") == ["dir,", "model.npz", "names.npz"]
    assert complete("charrnn sample -m names.npz --label ") == ["en", "ko"]
    assert complete("charrnn sample -m names.npz:2 --label k") == ["ko"]
    assert complete("charrnn sample --label k") == []  # model.npz has no labels
    assert complete("charrnn sample -m missing.npz --label k") == []
    assert complete("charrnn completion ") == ["bash", "zsh", "fish"]
    assert complete("charrnn help se") == ["see"]
    assert complete("charrnn help see st") == ["step"]
