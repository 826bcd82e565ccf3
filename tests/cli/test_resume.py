"""What `--resume` cannot do is answered with a command that works; a new learning rate holds from the next step on."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from charrnn import Corpus, load
from charrnn import train as train_library
from charrnn.nn.optim import WARM_UP_STEPS
from tests.cli.test_train import TEXT, Command, charrnn
from tests.training.test_loop import begin, digest

__all__ = ["charrnn"]  # the fixture

SIZES = ("--hidden-size", "8", "--batch-size", "4", "--seq-length", "8", "--workers", "1", "--no-baselines", "--steps")
ROWS = "".join(f"{'odd' if n % 2 else 'even'}\t{n}\n" for n in range(100, 160))
GROWN = {
    "text": ([], TEXT, TEXT + "ünseen letters.\n" * 3),
    "cell": (["--cell", "lstm", "--layers", "2"], TEXT, TEXT[9:]),
    "byte": (["--unit", "byte"], TEXT, TEXT[::-1]),
    "latin": (["--encoding", "latin-1"], TEXT + "é", TEXT + "èé"),
    "whole": (["--val-fraction", "0"], TEXT, TEXT[9:]),
    "pairs": (["--pairs"], ROWS, ROWS + "new\tpair\n"),
    "classify": (["--labelled", "--task", "classify"], ROWS, ROWS + "new\tlabel\n" * 9),
}


def suggested(err: str) -> list[str]:
    """The words of the command at the end of an error, without the name of the program."""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    name, *words = shlex.split(err.rpartition(": ")[2])
    assert name == "charrnn"
    return words


@pytest.mark.parametrize("kind", GROWN)
@pytest.mark.parametrize("named", [True, False])
def test_a_text_that_has_grown(charrnn: Command, kind: str, named: bool) -> None:
    more, before, after = GROWN[kind]
    encoding = "latin-1" if kind == "latin" else "utf-8"
    Path("a text.tsv").write_text(before, encoding)
    assert charrnn("train", "a text.tsv", *more, *SIZES, "3", "-m", "my model.npz")[0] == 0
    Path("a text.tsv").write_text(after, encoding)
    line = ["train", "--resume", *(["a text.tsv"] if named else []), "--steps", "5", "-m", "my model.npz"]
    code, out, err = charrnn(*line)
    assert (code, out) == (1, "")
    said = (
        "is not the text that my model.npz was trained on." if named else "has changed since my model.npz was trained"
    )
    assert err.startswith(f"error: a text.tsv {said}")
    words = suggested(err)
    assert words[-4:] == ["--init-from", "my model.npz", "-m", "my model-2.npz"]
    code, _, err = charrnn(*words)
    assert code == 0, err
    old, new = load("my model.npz"), load("my model-2.npz")
    assert new.run is not None
    assert old.run is not None
    assert (new.run.step, new.run.texts, new.run.before) == (5, ("a text.tsv",), ("a text.tsv",))
    for name in ("task", "unit", "cell", "layers", "hidden_size", "encoding", "val_fraction"):
        assert getattr(new.run.options, name) == getattr(old.run.options, name)
    assert suggested(charrnn(*line)[2])[-1] == "my model-3.npz"  # never a file that exists


@pytest.mark.parametrize(
    ("option", "from_weights"),
    [
        ("--batch-size 2", True),
        ("--dropout 0.5", True),
        ("--optimizer sgd --lr 0.1", True),
        ("--val-fraction 0.3", True),
        ("--min-count 2", True),
        ("--seed 5", True),
        ("--hidden-size 6", False),
        ("--cell rnn", False),
        ("--layers 3", False),
        ("--unit jamo", False),
    ],
)
def test_options_that_contradict_the_file(charrnn: Command, option: str, from_weights: bool, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "corpus.txt").write_text(TEXT)
    assert charrnn("train", "texts/corpus.txt", *SIZES, "3", "-m", "texts/model.npz", "--layers", "1")[0] == 0
    (tmp_path / "texts" / "corpus.txt").rename(tmp_path / "texts" / "moved.txt")
    line = ["train", "--resume", "texts/moved.txt", "--steps", "5", *option.split(), "-m", "texts/model.npz"]
    code, out, err = charrnn(*line)
    name, value = option.split()[:2]
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {name} {value} contradicts the model file, which was trained with ")
    assert ": leave it out to resume. To start a new run" in err
    words = suggested(err)
    assert ("--init-from" in words) == from_weights
    code, _, err = charrnn(*words, "--workers", "1")
    assert code == 0, err
    run = load("texts/model-2.npz").run
    assert run is not None
    assert run.step == 5
    assert str(getattr(run.options, name[2:].replace("-", "_"))) == value


def test_the_options_that_only_a_new_run_can_have(charrnn: Command) -> None:
    assert charrnn("train", "corpus.txt", *SIZES, "3")[0] == 0
    for option in (["--pairs"],):
        code, _, err = charrnn("train", "--resume", *option)
        assert (code, err.endswith(": leave it out to resume.\n")) == (2, True)
    code, _, err = charrnn("train", "--resume", "--clip", "2", "-", stdin=TEXT.encode())
    assert err.endswith("charrnn train - --clip 2.0 --init-from model.npz -m model-2.npz < TEXT\n")


def test_a_new_learning_rate(charrnn: Command) -> None:
    assert charrnn("train", "corpus.txt", *SIZES, "6", "--lr", "0.01", "--schedule", "constant")[0] == 0
    code, _, err = charrnn("train", "--resume", "--lr", "0.002")
    assert (code, err.endswith("To continue: charrnn train --resume --steps 12 --lr 0.002\n")) == (0, True)
    code, out, err = charrnn("train", "--resume", "--lr", "0.002", "--steps", "8", "--json", "--no-baselines")
    rates = [json.loads(line)["lr"] for line in out.splitlines()]
    assert code == 0
    assert rates == pytest.approx([0.002 * step / WARM_UP_STEPS for step in (7, 8)])
    assert "note: lr: 0.002 instead of 0.01 from step 7 on." in err
    assert charrnn("train", "--resume", "--steps", "9")[0] == 0  # the new one is kept
    run = load("model.npz").run
    assert run is not None
    assert run.rates == ((1, 0.01), (7, 0.002))
    assert run.history.series("rate") == pytest.approx(
        [rate * step / WARM_UP_STEPS for step, rate in enumerate([0.01] * 6 + [0.002] * 3, 1)]
    )
    assert "0.01 from step 1, 0.002 from step 7" in charrnn("info")[1]
    assert charrnn("train", "--resume", "--lr", "0")[0] == 2


def test_a_run_with_a_new_learning_rate_is_resumed_as_if_never_stopped(tmp_path: Path) -> None:
    def resume(model: Any, **options: Any) -> Any:
        training = train_library(Corpus.from_text(TEXT), model=model, **options)
        list(training)
        training.model.save(tmp_path / "m.npz")
        return training

    first = begin(TEXT, steps=5, epochs=3, dropout=0.3)
    list(first)
    whole = resume(first.model, lr=0.05, steps=14)
    resume(first.model, lr=0.05, steps=8)
    again = resume(load(tmp_path / "m.npz"), steps=14)
    assert digest(again) == digest(whole)
    assert again.run.rates == whole.run.rates == ((1, first.options.lr), (6, 0.05))
    changed = resume(load(tmp_path / "m.npz"), steps=17, lr=0.001)
    assert changed.run.rates[1:] == ((6, 0.05), (15, 0.001))


def test_a_new_learning_rate_is_not_halved_by_earlier_setbacks() -> None:
    training = begin(TEXT, steps=60, schedule="constant", lr=0.01)
    next(training)
    training.params.flat[3] = float("nan")
    for _ in range(3):
        next(training)
    assert training.run.health.setbacks == [2]
    again = train_library(Corpus.from_text(TEXT), model=training.model, lr=0.008)
    assert again.rate(105) == 0.008
    assert again.rate(20) == pytest.approx(0.008 * 19 / WARM_UP_STEPS)  # the optimizer is as young as before
    assert (again.run.health.setbacks, again.run.health.restarted_at) == ([], 1)
    assert training.rate(105) == pytest.approx(0.005)
