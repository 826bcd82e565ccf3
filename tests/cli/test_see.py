"""`charrnn see` from the command line: what goes to stdout, into files, and which sentences come instead."""

import json
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from xml.etree import ElementTree

import pytest

from charrnn.cli.see import COMMANDS as SEE
from charrnn.display.terminal import UNSEEN
from tests.cli.test_eval_tables import COMMANDS, on_terminal
from tests.cli.test_train import TEXT, TINY, Command, charrnn, train

__all__ = ["charrnn"]  # the fixture

LOOKING = [["gradients", "--lags", "5"], ["memory"], ["neurons"], ["surprise"]]
ALL = [["curve"], *LOOKING, ["step"]]


@pytest.fixture
def models(charrnn: Command) -> Command:
    """Two trained models, rnn.npz and model.npz (an LSTM)."""
    train(charrnn, "--cell", "lstm", "--dropout", "0")
    train(charrnn, "--cell", "rnn", "-m", "rnn.npz")
    return charrnn


def test_every_command_is_there(charrnn: Command) -> None:
    code, out, _ = charrnn("see")
    assert code == 0
    for name in SEE:
        assert re.search(rf"^  {name} ", out, re.MULTILINE)
        assert f"see {name}" in COMMANDS
        assert charrnn("see", name, "--help")[0] == 0
    code, _, err = charrnn("see", "nothing")
    assert (code, err) == (2, "error: No such command 'nothing'. See charrnn see --help.\n")


@pytest.mark.parametrize("command", ALL, ids=lambda words: words[0])
def test_draws_on_stdout_and_only_there(command: list[str], models: Command, tmp_path: Path) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    code, out, err = models("see", *command)
    assert (code, err) == (0, "")
    assert len(out.splitlines()) >= 3
    assert max(map(len, out.splitlines())) <= 120
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("command", ALL, ids=lambda words: words[0])
def test_json_is_one_object_a_line(command: list[str], models: Command) -> None:
    code, out, err = models("see", *command, "--json")
    assert (code, err) == (0, "")
    found = [json.loads(line, parse_constant=refuse) for line in out.splitlines()]
    assert all(isinstance(line, dict) for line in found)
    assert found
    (summary,) = {line["summary"] for line in found}
    assert re.fullmatch(r".+\.", summary)
    shown = models("see", *command)[1]
    assert " ".join(shown.split()).endswith(" ".join(summary.split()))


def refuse(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


@pytest.mark.parametrize("command", ALL, ids=lambda words: words[0])
@pytest.mark.parametrize("ending", ["html", "SVG"])
def test_pictures_in_files(command: list[str], ending: str, models: Command, tmp_path: Path) -> None:
    code, out, err = models("see", *command, "-o", f"picture.{ending}")
    assert (code, out, err) == (0, "", f"Saved picture.{ending}.\n")
    data = (tmp_path / f"picture.{ending}").read_text("utf-8")
    assert data.startswith("<!DOCTYPE html>" if ending == "html" else "<svg")
    assert "font-face" not in data
    if ending == "html":
        assert ("<figure>" in data) == (command[0] in ("curve", "gradients", "memory"))
        assert not re.search("[\u2800-\u28ff]", data)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == sorted([f".{ending}", ".npz", ".npz", ".txt"])
    code, out, _ = models("see", *command, "-o", f"picture.{ending}", "--json")
    assert code == 0
    assert out.startswith("{")


@pytest.mark.parametrize("command", [["curve"], ["gradients", "--lags", "5"], ["memory"]], ids=lambda words: words[0])
def test_plots_of_several_models(command: list[str], models: Command, tmp_path: Path) -> None:
    both = ("-m", "rnn.npz", "-m", "model.npz")
    code, out, _ = models("see", *command, *both)
    assert code == 0
    assert "rnn.npz" in out
    assert "model.npz" in out
    assert [json.loads(line)["model"] for line in models("see", *command, *both, "--json")[1].splitlines()] == [
        "rnn.npz",
        "model.npz",
    ]
    pytest.importorskip("matplotlib")
    for name, more in (("p.png", ()), ("p.svg", ("--plot",))):
        assert models("see", *command, *both, "-o", name, *more)[0] == 0
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert "matplotlib" in (tmp_path / "p.svg").read_text("utf-8")[:1000]


SENTENCES = [
    (["curve", "--against", "hours"], 2, "'hours' is not one of 'steps', 'seconds'"),
    (["curve", "-m", "gone.npz"], 1, "there is no model file gone.npz"),
    (["curve", "--plot"], 2, "--plot draws to a file: name it with -o"),
    (["curve", "-o", "p.txt"], 2, "-o is a file that ends in .html, .svg, .png or .pdf, not p.txt"),
    (["curve", "-o", "p.html", "--plot"], 2, "--plot draws .png, .pdf, .svg, not p.html"),
    (["curve", "-o", "no/p.html"], 1, "to write the picture to"),
    (["neurons", "-o", "p.png"], 2, "-o is a file that ends in .html or .svg, not p.png"),
    (["gradients", "--scale", "2"], 2, "--scale needs --untrained: use both."),
    (["gradients", "--untrained", "--scale", "nan"], 2, "--scale is a number"),
    (["gradients", "--lags", "0"], 2, "--lags is a whole number"),
    (["gradients", "--lags", "900"], 1, "902 are needed"),
    (["gradients", "gone.txt"], 1, "there is no file gone.txt"),
    (["memory", "--chars", "0"], 2, "--chars is a whole number"),
    (["memory", "--from", "999999"], 1, "has no characters after the first 999,999"),
    (["neurons", "--unit", "99"], 2, "--unit is a whole number from 0 to 7"),
    (["neurons", "--unit", "0", "--of", "z"], 2, "--of is one of h, c, i, f, o, g"),
    (["neurons", "--unit", "0", "--find"], 2, "--find ranks all units, and --unit shows one"),
    (["neurons", "--top", "2"], 2, "--top needs --find: use both."),
    (["neurons", "--layer", "0"], 2, "--layer needs --unit: use both."),
    (["surprise", "--worst", "0"], 2, "--worst is a whole number"),
    (["surprise", "--encoding", "klingon"], 2, "--encoding 'klingon'"),
    (["step", "--text", "a"], 2, "--text has from 2 to 13 symbols"),
    (["step", "--hidden-size", "9"], 2, "--hidden-size is a whole number from 1 to 8"),
    (["step", "-m", "model.npz", "--cell", "gru"], 2, "--cell is that of the model"),
    (["step", "-m", "model.npz", "--text", "Zz"], 2, "never seen 'Z'"),
]


@pytest.mark.parametrize(("command", "code", "sentence"), SENTENCES, ids=lambda value: str(value)[:30])
def test_sentences(command: list[str], code: int, sentence: str, models: Command, tmp_path: Path) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    found, out, err = models("see", *command)
    assert (found, out) == (code, "")
    assert err.splitlines()[-1].startswith("error: ")
    assert sentence in err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_pictures_replace_no_model_and_no_text(models: Command, tmp_path: Path) -> None:
    (tmp_path / "text.html").write_text(TEXT)
    (tmp_path / "link.svg").symlink_to("model.npz")
    for command, target in ((["surprise", "text.html"], "text.html"), (["curve"], "link.svg")):
        before = (tmp_path / target).read_bytes()
        code, _, err = models("see", *command, "-o", target)
        assert code == 2
        assert err == f"error: {target} is an input file: choose another -o for the picture.\n"
        assert (tmp_path / target).read_bytes() == before
    assert models("train", "text.html", "-m", "html.npz", *TINY, "--steps", "4")[0] == 0
    assert "is an input file" in models("see", "surprise", "-m", "html.npz", "-o", "text.html")[2]
    assert (tmp_path / "text.html").read_text() == TEXT
    (tmp_path / "folder.html").mkdir()
    assert "not a plain file, so no picture" in models("see", "curve", "-o", "folder.html")[2]


def test_surprise_of_another_text_and_its_worst_lines(models: Command, tmp_path: Path) -> None:
    (tmp_path / "essay.txt").write_text("the cat sat on the mat.\nthe tac sat Z\n" * 2)
    code, out, err = models("see", "surprise", "essay.txt", "--worst", "1", "--json")
    assert code == 0
    assert "not in the vocabulary of model.npz are skipped: 'Z' (1 distinct, 2 in total)" in err
    (line,) = map(json.loads, out.splitlines())
    assert line["text"] in ("the tac sat \n", "the cat sat on the mat.\n")
    assert len(line["bits"]) == len(line["text"]) == len(line["expected"])
    assert all(len(guesses) == 3 and guesses[0][1] >= guesses[1][1] for guesses in line["expected"])
    every = [json.loads(found) for found in models("see", "surprise", "essay.txt", "--json")[1].splitlines()]
    assert max(max(found["bits"]) for found in every) == max(line["bits"])
    code, out, _ = models("see", "surprise", "-", stdin=b"the cat sat\n")
    assert code == 0
    assert "the cat sat" in out


def test_the_held_out_part_unless_all_is_asked_for(models: Command) -> None:
    held_out = TEXT[-(len(TEXT) // 10) :]
    for more, text in (((), held_out), (("--all",), TEXT), (("corpus.txt",), held_out)):
        _, out, err = models("see", "surprise", "--json", *more)
        assert "".join(json.loads(line)["text"] for line in out.splitlines()) == text
        assert ("its validation split is used" in err) == ("corpus.txt" in more)
    _, out, _ = models("see", "surprise", "--json", "--all", "--from", "4", "--chars", "3")
    assert json.loads(out)["text"] == TEXT[4:7]


def test_neurons_of_one_unit_and_by_default_of_the_best(models: Command) -> None:
    found = json.loads(models("see", "neurons", "--unit", "3", "--of", "f", "--json")[1])
    assert (found["layer"], found["of"], found["unit"], found["follows"]) == (0, "f", 3, None)
    assert all(0.0 < value < 1.0 for value in found["activations"])
    assert len(found["activations"]) == len(found["characters"])
    ranked = json.loads(models("see", "neurons", "--find", "--top", "2", "--json")[1])
    assert {row["gate"] for row in ranked["saturation"]} == set("ifo")
    lasting = [fit for fit in ranked["fits"] if fit["probe"] == "position in the line"]
    assert len(lasting) == 2
    best = json.loads(models("see", "neurons", "--json")[1])
    assert best["follows"]["probe"] == "position in the line"
    assert (best["of"], best["unit"]) == (lasting[0]["of"], lasting[0]["index"])


def test_fresh_networks_with_scaled_weights(models: Command) -> None:
    command = ("see", "gradients", "-m", "rnn.npz", "--untrained", "--lags", "5", "--json")
    one, two = (json.loads(models(*command, "--scale", scale)[1]) for scale in ("1", "2"))
    assert two["spectral_radius"][0]["h"] == pytest.approx(2 * one["spectral_radius"][0]["h"], rel=1e-4)
    assert (one["clipped"], len(one["dh"])) == (None, 6)


def test_nothing_is_obeyed_that_a_text_says(charrnn: Command, tmp_path: Path) -> None:
    text = "[red]a\x1b[31m\x07[/]\u202e한\t👍b\n" * 40
    (tmp_path / "wild[red].txt").write_text(text, encoding="utf-8")
    assert charrnn("train", "wild[red].txt", "-m", "w[red].npz", *TINY, "--steps", "4")[0] == 0
    for command in (["neurons"], ["surprise"], ["surprise", "--worst", "2"]):
        shown = re.sub(rb"\x1b\[[0-9;]*m", b"", on_terminal(["see", *command, "-m", "w[red].npz"], tmp_path, "utf-8"))
        out = shown.decode("utf-8").replace("\r\n", "\n")
        assert "w[red].npz" in out
        assert "[red]a␛[31m␇[/]\\u{202e}한" in out
        assert not any(unicodedata.category(c) in UNSEEN for c in out if c != "\n")
        html = charrnn("see", *command, "-m", "w[red].npz", "-o", "w.html")
        assert html[0] == 0
        assert "\x1b" not in (tmp_path / "w.html").read_text("utf-8")


def test_a_step_over_what_a_terminal_would_obey(charrnn: Command, tmp_path: Path) -> None:
    for name in ("s.svg", "s.html"):
        assert charrnn("see", "step", "--text", "a\x1b<b\x07&", "-o", name)[0] == 0
        data = (tmp_path / name).read_text("utf-8")
        assert not {"\x1b", "\x07"} & set(data)
    ElementTree.fromstring((tmp_path / "s.svg").read_text("utf-8"))
    code, out, _ = charrnn("see", "step", "--text", "가a")
    assert (code, "reads '가'" in out) == (0, True)


def test_a_terminal_gets_colours(models: Command, tmp_path: Path) -> None:
    for command in (["surprise"], ["curve"], ["step"]):
        assert b"\x1b[" in on_terminal(["see", *command], tmp_path, "utf-8")
        assert on_terminal(["see", *command], tmp_path, "ascii").isascii()


def test_see_is_loaded_when_it_is_asked_for() -> None:
    script = (
        "import sys, io, charrnn.cli.main as m; sys.stdout = io.StringIO(); m.run(['--help']); "
        "assert not [n for n in sys.modules if n.startswith(('charrnn.cli.see.', 'charrnn.see', 'matplotlib'))]"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
