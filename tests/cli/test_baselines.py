"""`eval --baselines` and the end of a training: what is shown, what is refused."""

import json
import re
from pathlib import Path

import pytest

from charrnn.checkpoint.model import load
from tests.cli.test_train import TEXT, TINY, Command, charrnn, train

__all__ = ["charrnn"]  # the fixture


def test_the_end_of_a_training_says_whether_it_is_good(charrnn: Command) -> None:
    code, out, err = charrnn("train", "corpus.txt", *TINY, "--steps", "12")
    assert (code, out) == (0, "")
    figures = (
        r"Bits per character: uniform 3\.81, unigram 3\.\d\d, 7-gram 0\.\d\d, xz \d\.\d\d, this model \d\.\d\d\.\n"
    )
    assert re.search(
        figures
        + r".*Undertrained \(training loss \d\.\d\d, validation loss \d\.\d\d nats\): try more steps\.\nSamples ",
        err,
    )
    for quiet in ("--no-baselines", "-q"):
        assert "unigram" not in charrnn("train", "corpus.txt", *TINY, "--steps", "12", "--force", quiet)[2]
    options = ("--force", "--json", "-q", "--no-baselines")
    assert "unigram" not in charrnn("train", "corpus.txt", *TINY, "--steps", "12", *options)[1]
    _, _, err = charrnn("train", "corpus.txt", *TINY, "--steps", "12", "--force", "--val-fraction", "0")
    assert "unigram" not in err


def test_eval_with_baselines_is_a_ladder(charrnn: Command) -> None:
    train(charrnn, "-m", "a.npz")
    train(charrnn, "-m", "b.npz", "--lr", "0.05")
    code, out, _ = charrnn("eval", "--baselines", "-m", "a.npz", "-m", "b.npz")
    assert code == 0
    figures = [float(figure) for figure in re.findall(r"\d\.\d{4} +(\d\.\d{4})", out)]
    assert figures == sorted(figures, reverse=True)
    assert "7-gram" in out
    assert "a.npz: Worse than the unigram" in out
    assert " ".join(out.split()).count("try more steps.") == 2
    assert out.index("a.npz  ") < out.index("b.npz  ")


def test_units_have_their_own_n_grams(charrnn: Command) -> None:
    train(charrnn, "-m", "a.npz")
    train(charrnn, "-m", "b.npz", "--unit", "byte")
    _, out, _ = charrnn("eval", "--baselines", "-m", "a.npz", "-m", "b.npz")
    assert "unigram, char" in out
    assert "unigram, byte" in out


def test_eval_with_baselines_as_json(charrnn: Command, tmp_path: Path) -> None:
    train(charrnn)
    answer = json.loads(charrnn("eval", "--baselines", "--json")[1])
    plain = json.loads(charrnn("eval", "--json")[1])
    assert {name: answer[name] for name in plain} == plain
    assert list(answer["baselines"]) == ["uniform", "unigram", "ngram", "ngrams", "xz", "counted"]
    assert answer["baselines"]["counted"] == len(TEXT) - int(len(TEXT) * 0.1)
    assert answer["verdict"].endswith("try more steps.")
    # another text, with the n-grams of the one that the model was trained on, and no word on its training
    (tmp_path / "other.txt").write_text("the mat sat on the dog.\n")
    answer = json.loads(charrnn("eval", "--baselines", "--json", "other.txt")[1])
    assert (answer["chars"], answer["baselines"]["counted"]) == (24, len(TEXT) - int(len(TEXT) * 0.1))
    assert answer["verdict"].endswith("the model has hardly learned anything.")


def test_baselines_that_would_say_nothing_are_refused(charrnn: Command, tmp_path: Path) -> None:
    train(charrnn)
    code, _, err = charrnn("eval", "--baselines", "--all")
    assert (code, "--baselines needs text that a model was not trained on" in err) == (2, True)
    train(charrnn, "-m", "all.npz", "--val-fraction", "0")
    code, _, err = charrnn("eval", "--baselines", "-m", "all.npz")
    assert (code, "all.npz was trained on all of corpus.txt: name a text that it has not seen" in err) == (2, True)
    (tmp_path / "other.txt").write_text("the mat sat on the dog.\n")
    assert charrnn("eval", "--baselines", "-m", "all.npz", "other.txt")[0] == 0
    (tmp_path / "corpus.txt").write_text(TEXT + "more")
    code, _, err = charrnn("eval", "--baselines", "other.txt")
    assert (code, "corpus.txt has changed since model.npz was trained on it" in err) == (1, True)
    model = load(tmp_path / "model.npz")
    model.run = None
    model.save(tmp_path / "bare.npz")
    code, _, err = charrnn("eval", "--baselines", "-m", "bare.npz", "other.txt")
    assert (code, "bare.npz does not record what it was trained on" in err) == (2, True)


def test_too_little_memory_to_compare_is_only_a_note(charrnn: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("charrnn.evaluation.baselines.ngram_nats", refuse)
    code, _, err = charrnn("train", "corpus.txt", *TINY, "--steps", "12")
    assert code == 0
    assert "note: no comparison with n-grams and xz: not enough memory." in err
    assert "Now: charrnn sample" in err
