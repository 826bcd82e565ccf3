"""n-gram models as model files: counted, saved, sampled, scored, mixed and classified with like any other model."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import charrnn
from charrnn.checkpoint.model import Model
from charrnn.cli import baselines
from charrnn.errors import ModelFileError, TextError, UsageError
from charrnn.nn import ngram
from charrnn.options import Options
from charrnn.see.curve import training_curves
from charrnn.see.gradients import fresh, gradient_norms
from charrnn.see.memory import memory
from charrnn.see.neurons import Unit, activations, find
from charrnn.see.step import steps
from charrnn.see.surprise import surprise
from charrnn.see.text_window import text_window
from charrnn.text.corpus import Corpus
from charrnn.text.examples import Examples
from charrnn.training import ngram as training_ngram
from charrnn.training import plan
from tests.checkpoint.test_model import rewrite
from tests.cli.test_train import Command
from tests.cli.test_train import charrnn as command

__all__ = ["command"]  # the fixture

TEXT = "the cat sat on the mat and the dog sat on the cat. a cat!\n" * 9
ROWS = [("vowel", text) for text in ("aeiou", "aei", "oua", "iea") * 5] + [("other", "bcd"), ("other", "dcb")] * 9


def counted(text: str = TEXT, **options: Any) -> Model:
    return charrnn.train(Corpus.from_text(text), cell="ngram", **options).model


def test_the_file_holds_the_model(tmp_path: Path) -> None:
    model = counted(order=5)
    model.save(tmp_path / "n.npz")
    again = charrnn.load(tmp_path / "n.npz")
    assert again.description == "5-gram, 15 symbols"
    assert again.ngram is not None
    assert model.ngram is not None
    contexts = [[], [3], model.vocab.encode("the c").tolist(), [1, 1, 1, 1, 1, 1]]
    np.testing.assert_array_equal(again.ngram.log_probs(contexts), model.ngram.log_probs(contexts))
    assert again.run is not None
    assert model.run is not None
    assert again.run.as_dict() == model.run.as_dict()
    assert "step" not in again._repr_html_()
    with np.load(tmp_path / "n.npz") as file:
        assert [file[f"ngram.{k}.keys"].dtype.itemsize for k in (1, 2, 5)] == [1, 1, 2]


def break_keys(arrays: dict[str, Any]) -> None:
    arrays["ngram.2.keys"] = arrays["ngram.2.keys"][::-1]


def break_last_key(arrays: dict[str, Any]) -> None:
    arrays["ngram.3.keys"] = np.append(arrays["ngram.3.keys"][:-1], np.iinfo(arrays["ngram.3.keys"].dtype).max)


def break_count(arrays: dict[str, Any]) -> None:
    arrays["ngram.1.counts"] = np.append(arrays["ngram.1.counts"][:-1], 0).astype(arrays["ngram.1.counts"].dtype)


def drop_level(arrays: dict[str, Any]) -> None:
    arrays["meta"]["ngram"]["order"] -= 1


def change(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def changed(arrays: dict[str, Any]) -> None:
        arrays["meta"]["ngram"][name] = value

    return changed


@pytest.mark.parametrize(
    "damage",
    [
        *(break_keys, break_last_key, break_count, drop_level, change("order", 11), change("order", 0)),
        *(change("weight", 0.5), change("weight", 0.0), change("weight", "1"), change("more", 1)),
        *(lambda arrays: arrays["meta"].pop("ngram"), lambda arrays: arrays["meta"].update(ngram=[])),
    ],
)
def test_a_damaged_model_is_refused(damage: Callable[[dict[str, Any]], None], tmp_path: Path) -> None:
    path = tmp_path / "n.npz"
    counted(order=3).save(path)
    rewrite(path, damage)
    with pytest.raises(ModelFileError):
        charrnn.load(path)


def test_the_score_is_that_of_the_baseline_and_texts_repeat() -> None:
    corpus = Corpus.from_text(TEXT)
    training = charrnn.train(corpus, cell="ngram", order=7)
    assert list(training) == []
    found = charrnn.compare(training.model, corpus)
    assert found.verdict.startswith("On par with the")
    assert training.run.best_loss == pytest.approx(found.baselines.ngrams[6].nats, rel=1e-9)
    texts = ["".join(charrnn.sample(training.model, 60, seed=3)) for _ in range(2)]
    assert texts[0] == texts[1]
    assert texts[0] == next(charrnn.sample_many(training.model, 2, 60, seed=3)).text
    assert "".join(charrnn.sample(training.model, 30, prompt="the cat sat o", temp=0.0)).startswith("n the")


def test_texts_of_a_corpus_are_independent() -> None:
    corpus = Corpus.from_text("abc\nxyz\n" * 9 + "abd\n" * 9, by_line=True)
    model = charrnn.train(corpus, cell="ngram", order=3, by_line=True).model
    lines = "".join(charrnn.sample(model, 400, seed=1, temp=0.4)).split("\n")
    assert sum(line in ("abc", "xyz", "abd") for line in lines) > 0.9 * len(lines)
    assert charrnn.evaluate(model, corpus).nats < 1.0


def test_a_mixture_with_another_model_is_exact() -> None:
    one, other = counted(order=2), counted(TEXT + "zebra", order=3)
    mixture = charrnn.Mixture((one, other), (0.7, 0.3))
    from charrnn.sampling.readers import open_streams

    streams = open_streams(mixture, 1)
    streams.step_all(mixture.vocab.encode("the ").tolist())
    p = np.exp(streams.logits[0])
    assert p.sum() == pytest.approx(1.0, abs=1e-12)
    assert one.ngram is not None
    assert other.ngram is not None
    newline = one.vocab.encode("\nthe "), other.vocab.encode("\nthe ")
    parts = [np.exp(each.log_probs([ids])[0]) for each, ids in zip((one.ngram, other.ngram), newline, strict=True)]
    symbol = [vocab.encode("c")[0] for vocab in (mixture.vocab, one.vocab, other.vocab)]
    assert p[symbol[0]] == pytest.approx(0.7 * parts[0][symbol[1]] + 0.3 * parts[1][symbol[2]], rel=1e-12)


def test_labelled_examples_are_generated_and_classified(tmp_path: Path) -> None:
    model = charrnn.train(Examples.of(ROWS, "generate"), cell="ngram", order=3).model
    model.save(tmp_path / "n.npz")
    model = charrnn.load(tmp_path / "n.npz")
    logs = charrnn.classify(model, ["aeu", "ccb", "ouaei"])
    np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1.0)
    assert logs.argmax(axis=1).tolist() == [1, 0, 1]
    assert charrnn.grade_labels(model, ROWS).accuracy == 1.0
    for label, letters in (("vowel", "aeiou\n"), ("other", "bcd\n")):
        text = "".join(charrnn.sample(charrnn.for_labels(model, {label: 1.0}), 40, seed=2, temp=0.3))
        assert sum(character in letters for character in text) > 30
    mixed = charrnn.for_labels(model, {"vowel": 1.0, "other": 1.0})
    assert isinstance(mixed, charrnn.Mixture)
    assert len({text.text[0] in "aeiou" for text in charrnn.sample_many(mixed, 20, 5)}) == 2


def test_what_needs_a_network_refuses_an_ngram_model() -> None:
    model, corpus = counted(), Corpus.from_text(TEXT)
    window = text_window(corpus, corpus.segments, 100)
    assert surprise(model, window).by_character.sum() > 0
    for use in (
        lambda: gradient_norms(model, window, 3, 3),
        lambda: fresh(model, 1.0),
        lambda: memory(model, window),
        lambda: find(model, window),
        lambda: activations(model, window, Unit(0, "h", 0)),
        lambda: steps(model, "abba"),
        lambda: training_curves("n.npz", model, "steps"),
        lambda: charrnn.train(corpus, init_from=model),
        lambda: charrnn.train(corpus, model=model),
    ):
        with pytest.raises(UsageError, match="is an n-gram model, and this needs a network"):
            use()
    with pytest.raises(UsageError, match="model is for networks"):
        charrnn.train(corpus, cell="ngram", model=model)


def test_texts_that_are_too_large_are_refused_before_anything_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngram, "MOST", 300)
    corpus = Corpus.from_text(TEXT)
    for options in ({"cell": "ngram"}, {"with_ngram": True, "layers": 1, "hidden_size": 4}):
        with pytest.raises(TextError, match="470 symbols to count, and an n-gram model counts at most 300"):
            charrnn.train(corpus, **options)


def test_texts_that_do_not_fit_into_memory_are_refused_before_anything_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(training_ngram, "free_memory", lambda: 470 * 7 * training_ngram.BYTES - 1)
    corpus = Corpus.from_text(TEXT)
    for options in ({"cell": "ngram"}, {"with_ngram": True, "layers": 1, "hidden_size": 4}):
        with pytest.raises(TextError, match=r"470 symbols to count up to order 7, which needs about 0\.0 GB of memory"):
            charrnn.train(corpus, **options)
    assert charrnn.train(corpus, cell="ngram", order=6).model.ngram


def test_a_large_text_is_announced_and_its_time_belongs_to_the_run(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(baselines, "LARGE", 100)
    sizes = ["--layers", "1", "--hidden-size", "8", "--batch-size", "4", "--workers", "1", "--no-baselines"]
    for more, counted in ((["--with-ngram"], 1), ([], 0)):
        err = command("train", "corpus.txt", *sizes, "--steps", "8", "--force", *more)[2]
        assert err.count("Counting n-grams ...") == counted
    assert "Counting n-grams ..." in command("train", "corpus.txt", "--cell", "ngram", "--force")[2]
    assert command("train", "corpus.txt", "--cell", "ngram", "--force", "-q")[2] == ""
    monkeypatch.setattr(plan, "seconds_to_mix", lambda source, options: 1000.0 * options.with_ngram)
    corpus = Corpus.from_text(TEXT)
    for with_ngram, seconds in ((True, 300.0), (False, 600.0)):
        options: dict[str, Any] = {"with_ngram": with_ngram, "workers": 1, "hidden_size": 8, "layers": 1}
        planned, _ = plan.plan_training(corpus, Options(**options), options, 600.0, time.monotonic())
        assert planned.limit is not None
        assert 0.9 * seconds < planned.limit.seconds < seconds


def test_options_in_the_environment_that_do_not_apply_to_a_cell_are_ignored(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"HIDDEN_SIZE": "8", "LAYERS": "1", "ORDER": "3", "MINUTES": "1", "WITH_NGRAM": "1"}.items():
        monkeypatch.setenv(f"CHARRNN_TRAIN_{name}", value)
    assert command("train", "corpus.txt", "--cell", "ngram")[0] == 0
    assert charrnn.load("model.npz").kind == "3-gram"
    code, _, err = command("train", "corpus.txt", "--cell", "ngram", "--force", "--layers", "1")
    assert (code, "--layers is for networks" in err) == (2, True)
    monkeypatch.delenv("CHARRNN_TRAIN_WITH_NGRAM")
    assert command("train", "corpus.txt", "--steps", "3", "--force", "--no-baselines")[0] == 0
    assert charrnn.load("model.npz").config.hidden_size == 8
    assert command("train", "--resume", "--steps", "4", "--no-baselines")[0] == 0


def test_the_commands(command: Command) -> None:
    code, _, err = command("train", "corpus.txt", "--cell", "ngram", "--order", "4")
    assert code == 0
    assert "Counted in 0." in err
    assert "this model " in err
    assert "To repeat this run exactly: charrnn train corpus.txt --cell ngram --order 4 --force" in err
    for line in (["info"], ["eval"], ["see", "surprise"], ["sample", "-n", "9"]):
        code, out, err = command(*line)
        assert (code, bool(out)) == (0, True), err
    assert json.loads(command("info", "--json")[1])["ngram"]["order"] == 4
    code, _, err = command("sample", "--no-ngram")
    assert code == 2
    assert "error: model.npz is an n-gram model" in err


def test_a_network_with_an_ngram_model(command: Command) -> None:
    sizes = ["--layers", "1", "--hidden-size", "8", "--batch-size", "4", "--steps", "8", "--workers", "1"]
    code, out, err = command("train", "corpus.txt", *sizes, "--with-ngram", "--json", "--log-every", "99")
    assert code == 0
    result = json.loads(out.splitlines()[-1])
    assert result["with_ngram"]["bits_per_char"] < result["bits_per_char"]
    assert "With its 7-gram, which has the weight " in err
    assert "(network alone)" in command("info")[1]
    assert repr(charrnn.load("model.npz")).endswith(" (network alone))")
    assert "(network alone)" in charrnn.load("model.npz")._repr_html_()
    assert "network alone" not in repr(charrnn.load("model.npz").of_network())
    both, alone = (json.loads(command("eval", "--json", *more)[1]) for more in ([], ["--no-ngram"]))
    assert both["nats"] < alone["nats"]
    assert alone["nats"] == pytest.approx(result["val_loss"], rel=1e-6)
    notes = [command("eval", "--dynamic", *more)[2] for more in ([], ["--no-ngram"])]
    assert ["is scored without its n-gram model" in note for note in notes] == [True, False]
    texts = [command("sample", "--seed", "1", "-n", "40", *more)[1] for more in ([], ["--no-ngram"], [])]
    assert texts[0] == texts[2] != texts[1]


def test_a_run_that_ended_before_its_ngrams_were_counted_is_resumed(command: Command) -> None:
    sizes = ["--layers", "1", "--hidden-size", "8", "--batch-size", "4", "--steps", "8", "--workers", "1"]
    assert command("train", "corpus.txt", *sizes, "--with-ngram", "--no-baselines")[0] == 0
    whole = charrnn.load("model.npz")
    replace(whole, ngram=None, ngram_weight=0.0).save("model.npz")
    code, _, err = command("train", "--resume", "--no-baselines")
    assert (code, "With its 7-gram" in err) == (0, True)
    assert charrnn.load("model.npz").ngram_weight == whole.ngram_weight
    assert "already finished" in command("train", "--resume")[2]
