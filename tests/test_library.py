"""The library: its page shows all public names, its examples run, and what is not a path is explained."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import charrnn
from charrnn.cli.options import with_options
from tests.documents import ROOT, blocks, text_of
from tests.training.test_loop import SMALL, TEXT

PAGE = "docs/library.md"
NAMES = [name for name in charrnn.__all__ if name != "__version__"]


def test_the_examples_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("short.txt").write_text((ROOT / "corpora" / "tales.txt").read_text("utf-8")[:20_000], "utf-8")
    Path("names").mkdir()
    for label in ("finnish", "korean"):
        some = (ROOT / "corpora" / "names" / f"{label}.txt").read_text("utf-8").splitlines(keepends=True)[::8]
        Path("names", f"{label}.txt").write_text("".join(some), "utf-8")
    names: dict[str, Any] = {}
    for code in blocks(PAGE, "python"):
        code = re.sub(r"steps=2[02]0|steps=\d+", lambda m: "steps=4" if m[0] == "steps=220" else "steps=3", code)
        code = code.replace(":tales", "short.txt").replace(":names", "names")
        code = code.replace("minutes=1", "minutes=0.004, workers=1")
        exec(re.sub(r"hidden_size=\d+", "hidden_size=8, workers=1", code), names)
    out = capsys.readouterr().out
    assert "layers is a whole number from 1 to 1,000, not 0. 2" in out
    assert "unigram" in out


def test_every_public_name_is_documented() -> None:
    table = text_of(PAGE).split("## All names")[1]
    for name in NAMES:
        assert f"`{name}`" in table, name
        thing = getattr(charrnn, name)
        assert inspect.getdoc(thing), name
        if inspect.isfunction(thing):
            assert "Raises" in str(thing.__doc__), name


def test_the_names_are_typed_and_loaded_at_first_use() -> None:
    shown = re.findall(r"^    from charrnn\.(\S+) import (\w+) as \2$", Path(charrnn.__file__).read_text("utf-8"), re.M)
    assert {name: home for home, name in shown} == charrnn._HOME
    code = "import sys, charrnn; dir(charrnn); charrnn.UsageError; print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


TEXTS = "The king slept. The queen read a book.", "one\ntwo", "옛날 옛적 어느 마을에", "x" * 300, "a b\0c d"


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_in_place_of_a_path(text: str) -> None:
    for paths in (text, [text], Path(text)):
        for read in (charrnn.train, charrnn.Corpus.read, lambda paths: charrnn.Examples.read(paths, "pairs")):
            with pytest.raises(charrnn.TextError, match=r"named by their paths.*charrnn\.Corpus\.from_text"):
                read(paths)
    with pytest.raises(charrnn.TextError, match=r"there is no file two words\.$"):
        charrnn.train("two words")


@pytest.mark.parametrize("value", [b"the king", 3, None, [("ko", "kim")], [b"a.txt"], {"text": 1}.values()])
def test_what_is_not_a_path_either(value: Any) -> None:
    with pytest.raises(charrnn.UsageError, match=r"paths, not by a value of type \w+: .*Corpus\.from_text"):
        charrnn.train(value)


def test_a_text_in_place_of_a_corpus_or_a_list(tmp_path: Path) -> None:
    model = charrnn.train(charrnn.Corpus.from_text(TEXT), **SMALL, steps=1).model
    with pytest.raises(charrnn.UsageError, match=r"charrnn\.Corpus\.from_text\(text, vocab=model\.vocab\)"):
        charrnn.evaluate(model, "the king slept")  # type: ignore[arg-type]
    for kind, use in (("classify", charrnn.classify), ("pairs", charrnn.answers)):
        examples = charrnn.Examples.of([("a", "b"), ("c", "d")] * 9, kind)
        small = charrnn.train(examples, **SMALL, steps=1).model
        with pytest.raises(charrnn.UsageError, match="is a list of texts, not a string"):
            use(small, "abc")


def test_without_a_plan_the_learning_rate_suits_the_sizes() -> None:
    corpus = charrnn.Corpus.from_text(TEXT)
    rates = [charrnn.train(corpus, layers=1, hidden_size=size, steps=1).options.lr for size in (64, 256)]
    assert rates == [0.025, 0.016]
    assert charrnn.train(corpus, layers=1, hidden_size=64, steps=1, lr=0.004).options.lr == 0.004
    assert charrnn.train(corpus, layers=1, hidden_size=64, steps=1, optimizer="sgd").options.lr == 1.5
    every = charrnn.Options(steps=1, workers=1).as_dict()  # with an order that nothing uses
    assert charrnn.train(corpus, **every).options.lr == charrnn.Options.lr


def test_a_plan_for_a_time() -> None:
    corpus = charrnn.Corpus.from_text(TEXT * 40)
    training = charrnn.train(corpus, minutes=0.002, hidden_size=8, workers=1)
    assert training.options.hidden_size == 8
    assert "hidden_size" not in training.reasons
    assert {"dropout", "lr"} <= set(training.reasons)
    assert training.options.steps == training.end
    assert training.limit is not None
    assert [step.step for step in training][-1] == training.end == training.options.steps
    for more in ({"steps": 3}, {"epochs": 3}, {"model": training.model}):
        with pytest.raises(charrnn.UsageError, match=r"minutes plans the length of a new run, and \w+ sets it"):
            charrnn.train(corpus, minutes=1, **more)
    with pytest.raises(charrnn.UsageError, match="minutes is a number above 0"):
        charrnn.train(corpus, minutes=0)


def test_errors_and_notes_speak_of_arguments_and_the_command_line_of_options() -> None:
    """Commands, which start with charrnn or pip, may have options; so may advice in reports, which are no errors."""
    for path in sorted((ROOT / "charrnn").rglob("*.py")):
        room = path.relative_to(ROOT / "charrnn").parts[0]
        if room in ("cli", "display", "editor", "options.py", "__main__.py") or path.name in ("tasks.py", "verdict.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Raise):
                found = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
                texts = [re.sub(r"pip install .*", "", str(text)) for text in found]
                assert not any(re.search(r"--([a-z]|$)", text) for text in texts), (path, found)
    with pytest.raises(charrnn.TextError, match="or `val_fraction=0`"):
        charrnn.train(charrnn.Corpus.from_text("abc"), val_fraction=0.9)
    message = "`unit=byte` or `val_fraction=0.5`, more `workers`, not `a name` or `other=3`"
    assert with_options(message) == "--unit byte or --val-fraction 0.5, more --workers, not `a name` or `other=3`"
