"""Rare symbols: which they are, that they are never written, and that they are paid for in full."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import charrnn
from charrnn.checkpoint.model import Model, load
from charrnn.errors import ModelFileError, TextError, UsageError
from charrnn.evaluation.baselines import compute_baselines
from charrnn.evaluation.score import evaluate, spelling_nats
from charrnn.nn.params import Config, fresh_params
from charrnn.options import Options
from charrnn.sampling.sample import sample, sample_many
from charrnn.text import vocab as rare
from charrnn.text.corpus import Corpus
from charrnn.text.ids import count
from charrnn.text.units import UNITS
from charrnn.text.vocab import REPLACEMENT, Vocab, vocabulary
from tests.checkpoint.test_model import rewrite
from tests.cli.test_train import Command
from tests.cli.test_train import charrnn as command

__all__ = ["command"]  # the fixture

TEXT = "aaa bbb aab xyz\n"  # x, y and z once, the newline too


def vocab_of(text: str, min_count: int, unit: str = "char", beside: Vocab | None = None) -> Vocab:
    return vocabulary(unit, count(UNITS[unit].codes(text)), min_count, beside)[0]


def model_of(vocab: Vocab) -> Model:
    config = Config("gru", 1, 8, len(vocab))
    return Model(config, vocab, fresh_params(config, 0))


def test_what_is_rare_is_one_symbol() -> None:
    vocab = vocab_of(TEXT, 2)
    assert vocab.symbols == ["\n", " ", "a", "b", "\ufffd"]
    assert [chr(code) for code in vocab.rare] == ["x", "y", "z"]
    assert vocab.replacement == 4
    assert vocab.decode(vocab.encode("a x\nz!")[:-1]) == "a \ufffd\n\ufffd"
    assert vocab.unknown("x!") == ["!"]  # what the text lacks is none of the rare ones
    assert vocab != Vocab("char", vocab.codes)
    assert Vocab("char", vocab.codes).replacement is None


def test_one_keeps_all_and_some_always_stay() -> None:
    assert vocab_of(TEXT, 1) == Vocab("char", map(ord, TEXT))
    assert vocab_of(TEXT, 0) == Vocab("char", map(ord, TEXT))
    letters = vocab_of("각!!나나", 2, "jamo")
    assert chr(letters.codes[0]) == "!"
    assert len(letters.rare) == 0
    assert vocab_of("각!나나", 2, "jamo").rare.tolist() == [ord("!")]
    assert vocab_of("\xffab", 0, "byte").replacement is None
    # a replacement character in the text is one of the rare ones: it could not be told from the symbol
    assert REPLACEMENT in vocab_of(TEXT + "\ufffd" * 9, 2).rare
    assert vocab_of(TEXT + "\ufffd" * 9, 1).replacement is None


def test_nothing_left_is_refused() -> None:
    with pytest.raises(
        TextError, match="`min_count=9` makes every symbol unknown: the most frequent one occurs 5 times"
    ):
        vocab_of(TEXT, 9)
    with pytest.raises(UsageError, match="^min_count is for characters"):
        Options(unit="byte", min_count=2)
    with pytest.raises(UsageError, match="^min_count is a whole number"):
        Options(min_count=-1)
    with pytest.raises(UsageError, match="ids of a corpus are fixed"):
        charrnn.train(Corpus.from_text(TEXT * 9), min_count=3)


def test_the_rule_for_very_many_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rare, "LARGE", 5)
    monkeypatch.setattr(rare, "SHARE", 0.002)
    text = "aaaabbbb" * 500 + "xyyzzz"  # 1, 2 and 3 of 4026: a share of 0.002 has room for 8
    assert len(vocab_of(text, 0).rare) == 0  # five symbols are not many
    corpus = Corpus.from_text(text + "c" * 20)
    assert [chr(code) for code in corpus.vocab.rare] == ["x", "y", "z"]
    assert corpus.notes == [
        "3 of 6 distinct symbols occur fewer than 10 times (0.15% of the text) and are mapped to an unknown symbol, "
        "which is never generated (`min_count=1` keeps them)."
    ]
    monkeypatch.setattr(rare, "SHARE", 0.001)
    assert [chr(code) for code in vocab_of(text + "c" * 20, 0).rare] == ["x", "y"]


@pytest.mark.parametrize("temp", [0.0, 0.8, 100.0])
def test_the_replacement_is_never_written(temp: float) -> None:
    model = model_of(vocab_of(TEXT, 2))
    model.params["by"][model.vocab.replacement] = 50.0
    text = "".join(sample(model, 300, temp=temp))
    assert len(text) == 300
    assert set(text) <= set("\n ab")
    assert "\ufffd" not in "".join(text.text for text in sample_many(model, 3, 50, temp=temp))
    assert "".join(sample(model, 5, prompt="x", temp=temp))  # but a rare character can be gone on from


def test_the_score_pays_for_what_is_replaced() -> None:
    """A model that knows nothing gives each of V symbols 1/V, and each of R rare ones 1/R of the replacement's."""
    vocab = vocab_of(TEXT, 2)
    model = model_of(vocab)
    model.params.flat[:] = 0.0
    corpus = Corpus.from_text("a x y", vocab=vocab)
    score = evaluate(model, corpus)
    assert score.total == pytest.approx(5 * math.log(5) + 2 * math.log(3))
    assert score.symbols == score.chars == score.bytes == 5
    assert spelling_nats(corpus.ids, corpus.segments, vocab) == pytest.approx(2 * math.log(3))
    model.params["by"][vocab.replacement] = 50.0  # what it says all the time is never right
    assert evaluate(model, corpus).correct == 0
    assert evaluate(model, Corpus.from_text("x", vocab=vocab)).nats == pytest.approx(math.log(3), abs=1e-6)


def test_probabilities_of_all_characters_sum_to_one() -> None:
    vocab = vocab_of(TEXT, 2)
    model = model_of(vocab)
    total = 0.0
    for character in "\n abxyz":
        corpus = Corpus.from_text("ab" + character, vocab=vocab)
        head = evaluate(model, corpus, [type(corpus.segments[0])(0, 0, 2)]).total
        total += math.exp(head - evaluate(model, corpus).total)
    assert total == pytest.approx(1.0, rel=1e-5)


def test_the_baselines_pay_too() -> None:
    text = "abab xabaab zabyab " * 30
    corpus = Corpus.from_text(text, min_count=70)
    train, held_out = corpus.split(0.5)
    found = compute_baselines(train, corpus, held_out)
    replaced = sum(text[len(train) :].count(c) for c in "xyz")
    assert found.uniform.nats == pytest.approx(math.log(6))
    bare = Corpus.from_text(corpus.vocab.decode(corpus.ids[:]))
    plain = compute_baselines(bare.split(0.5)[0], bare, bare.split(0.5)[1])
    assert found.best.total == pytest.approx(plain.best.total + replaced * math.log(3))
    assert found.xz.total == pytest.approx(plain.xz.total + replaced * math.log(3))


def test_sizes_of_what_is_replaced() -> None:
    corpus = Corpus.from_text("가나다 가가가 aé é", min_count=2)
    assert corpus.measure(corpus.segments) == (
        12,
        len("가나다 가가가 aé é".encode()),
    )


def test_in_the_model_file(tmp_path: Path) -> None:
    model = model_of(vocab_of(TEXT, 2))
    model.save(tmp_path / "m.npz")
    assert load(tmp_path / "m.npz").vocab == model.vocab
    plain = model_of(vocab_of(TEXT, 1))
    plain.save(tmp_path / "plain.npz")
    with np.load(tmp_path / "m.npz") as file, np.load(tmp_path / "plain.npz") as other:
        assert file["rare"].tolist() == [ord(c) for c in "xyz"]
        assert "rare" not in other


@pytest.mark.parametrize("codes", [[0x110000], [0xD800], [ord("a")], [121, 120], [120, 120]])
def test_rare_codes_that_cannot_be_are_refused(codes: list[int], tmp_path: Path) -> None:
    model_of(vocab_of(TEXT, 2)).save(tmp_path / "m.npz")
    rewrite(tmp_path / "m.npz", lambda arrays: arrays.update(rare=np.array(codes, dtype="<u4")))
    with pytest.raises(ModelFileError):
        load(tmp_path / "m.npz")


def test_train_resume_eval_and_info(command: Command, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("the cat sat on the mat.\n" * 20 + "z y x" + "the dog sat on the cat.\n" * 10)
    tiny = ("--hidden-size", "8", "--layers", "1", "--batch-size", "4", "--seq-length", "8")
    code, _, err = command("train", "t.txt", *tiny, "--steps", "6", "--min-count", "3")
    assert code == 0
    assert "note: 3 of 17 distinct symbols occur fewer than 3 times" in err
    assert command("train", "--resume", "--steps", "9")[0] == 0
    code, _, err = command("train", "--resume", "--steps", "12", "--min-count", "2")
    assert (code, "--min-count 2 contradicts the model file" in err) == (2, True)
    assert json.loads(command("info", "--json")[1])["rare"] == ["x", "y", "z"]
    assert "stands for 3 rare symbols; never sampled" in command("info")[1]
    (tmp_path / "u.txt").write_text("the cat x z Q")
    _, out, err = command("eval", "u.txt", "--json")
    assert json.loads(out)["chars"] == 12
    assert "'Q' (1 distinct, 1 in total)" in err
    assert command("train", "t.txt", *tiny, "-m", "b.npz", "--min-count", "2000")[0] == 1


def test_a_run_in_the_library_is_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("the cat sat on the mat.\n" * 20 + "z y x")
    small: dict[str, Any] = {"hidden_size": 8, "layers": 1, "batch_size": 4, "seq_length": 8}
    training = charrnn.train(tmp_path / "t.txt", steps=3, min_count=3, **small)
    list(training)
    again = charrnn.train(tmp_path / "t.txt", model=training.model, steps=5)
    assert len(list(again)) == 2
    assert again.vocab.rare.tolist() == np.array([120, 121, 122]).tolist()
