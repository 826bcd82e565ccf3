"""Starting from another model's weights: they land at the right symbols, and what cannot be is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import charrnn as library
from charrnn.checkpoint.model import Model, load
from charrnn.errors import DivergedError, UsageError
from charrnn.evaluation.score import evaluate
from charrnn.nn.params import Config, fresh_params
from charrnn.options import CELLS
from charrnn.text.corpus import Corpus
from charrnn.text.examples import Examples
from charrnn.text.units import UNITS
from charrnn.text.vocab import Vocab
from charrnn.training.transfer import options_from_model, transfer
from tests.cli.test_train import TINY, Command, charrnn, train
from tests.sampling.test_sample import model_of

__all__ = ["charrnn"]  # the fixture

SMALL: dict[str, Any] = {"hidden_size": 8, "layers": 1, "batch_size": 4, "seq_length": 8}


def config_for(model: Model, vocab: Vocab) -> Config:
    return Config(model.config.cell, model.config.layers, model.config.hidden_size, len(vocab))


@pytest.mark.parametrize("cell", CELLS)
def test_weights_land_at_the_right_symbols(cell: str) -> None:
    """bdf, merged with abcde, is abcdef: all three get other ids."""
    source = model_of("bdf", cell=cell)
    source.params["by"][:] = [1.0, 2.0, 6.0]
    vocab = Corpus.from_text("abcde", include=source.vocab).vocab
    assert vocab.symbols == list("abcdef")
    found = transfer(source, config_for(source, vocab), vocab, 0)
    fresh = fresh_params(config_for(source, vocab), 0)
    for old, symbol in enumerate("bdf"):
        new = "abcdef".index(symbol)
        np.testing.assert_array_equal(found.params["l0.Wx"][new], source.params["l0.Wx"][old])
        np.testing.assert_array_equal(found.params["Wy"][:, new], source.params["Wy"][:, old])
        assert found.params["by"][new] == source.params["by"][old]
    for symbol in "ace":
        new = "abcdef".index(symbol)
        np.testing.assert_array_equal(found.params["l0.Wx"][new], fresh["l0.Wx"][new])
        np.testing.assert_array_equal(found.params["Wy"][:, new], fresh["Wy"][:, new])
        assert found.params["by"][new] == 3.0
    for name in ("l0.Wh", "l0.b", "l1.Wx", "l1.Wh", "l1.b"):
        np.testing.assert_array_equal(found.params[name], source.params[name])
    assert (found.kept, found.new) == (list("bdf"), list("ace"))
    rows = source.params["l0.Wx"].shape[1] + 8 + 1
    assert (found.new_weights, found.kept_weights) == (3 * rows, len(found.params.flat) - 3 * rows)


def test_predictions_of_common_symbols_are_unchanged() -> None:
    """If new symbols are impossible, the predictions of the others do not change."""
    source = model_of("the cat sat\n")
    vocab = Corpus.from_text("é한!", include=source.vocab).vocab
    found = transfer(source, config_for(source, vocab), vocab, 0)
    found.params["by"][vocab.encode("é한!")] = -1e9
    text = "that cat\n"
    before = evaluate(source, Corpus.from_text(text, vocab=source.vocab))
    after = evaluate(Model(config_for(source, vocab), vocab, found.params), Corpus.from_text(text, vocab=vocab))
    assert after.nats == pytest.approx(before.nats, rel=1e-5)


def test_rare_symbols_of_both_are_united() -> None:
    source = Vocab("char", map(ord, "abx"), map(ord, "pq"))
    corpus = Corpus.from_text("aabbppxyz" + "\n" * 2, min_count=2, include=source)
    assert corpus.vocab.symbols == ["\n", "a", "b", "p", "x", "\ufffd"]
    assert [chr(code) for code in corpus.vocab.rare] == ["q", "y", "z"]
    assert Corpus.from_text("ab", include=source).vocab == source
    # where none is left that is rare, there is no replacement that could be written
    assert Corpus.from_text("appqq", include=source).vocab == Vocab("char", map(ord, "abpqx"))
    with pytest.raises(UsageError, match="a vocabulary of bytes cannot be combined with one of chars"):
        Corpus.from_text("ab", "byte", include=source)


def test_a_symbol_that_lost_its_own_place_is_not_the_replacement() -> None:
    source = model_of("abx")
    vocab = Vocab("char", map(ord, "ab"), map(ord, "xy"))
    found = transfer(source, config_for(source, vocab), vocab, 0)
    assert (found.kept, found.new) == (["a", "b"], ["\ufffd"])


def test_other_sizes_and_units_are_refused() -> None:
    source = model_of("ab")
    for config in (Config("gru", 1, 8, 2), Config("gru", 2, 9, 2), Config("lstm", 2, 8, 2)):
        with pytest.raises(UsageError, match="the model to start from is GRU 2 x 8, and the run"):
            transfer(source, config, source.vocab, 0)
    with pytest.raises(UsageError, match="reads chars, and the text is read as bytes"):
        transfer(source, source.config, Vocab("byte", map(ord, "ab")), 0)
    with pytest.raises(UsageError, match=r"`unit=jamo` contradicts the model to start from \(char\)"):
        options_from_model(source, {"unit": "jamo"})
    assert options_from_model(source, {"lr": 0.1, "cell": "gru"}) == {
        "cell": "gru",
        "layers": 2,
        "hidden_size": 8,
        "unit": "char",
        "lr": 0.1,
    }


@pytest.mark.parametrize("unit", UNITS)
def test_a_run_in_the_library(unit: str, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("the cat sat on the mat.\n" * 9)
    (tmp_path / "two.txt").write_text("고양이가 앉았다.\n" * 20, "utf-8")
    first = library.train(tmp_path / "one.txt", unit=unit, steps=3, **SMALL)
    list(first)
    second = library.train(tmp_path / "two.txt", init_from=first.model, steps=3, batch_size=2, seq_length=8)
    assert (second.options.unit, second.options.hidden_size) == (unit, 8)
    assert set(first.vocab.symbols) < set(second.vocab.symbols)
    list(second)
    second.model.save(tmp_path / "two.npz")
    run = load(tmp_path / "two.npz").run
    assert run is not None
    assert run.before == (str(tmp_path / "one.txt"),)
    again = library.train(tmp_path / "two.txt", model=load(tmp_path / "two.npz"), steps=5)
    assert len(list(again)) == 2
    with pytest.raises(UsageError, match="give one of them"):
        library.train(tmp_path / "two.txt", model=first.model, init_from=first.model)


def test_on_the_command_line(charrnn: Command, tmp_path: Path) -> None:
    train(charrnn, "-m", "old.npz")
    (tmp_path / "new.txt").write_text("the bat ate [red]\x1b[31m!\n" * 30)
    begin = ("train", "new.txt", "--init-from", "old.npz", "--steps", "4", "--batch-size", "4", "--seq-length", "8")
    code, out, err = charrnn(*begin)
    assert (code, out) == (0, "")
    assert "initial weights from old.npz:\n  kept             14 symbols, " in err
    assert "  new              8 symbols, 328 weights: \u241b!13[]br\n" in err
    assert "  not in the text  6 of the kept symbols: .cgnos\n" in err
    assert "LSTM 1 x 8" in err
    assert "with weights trained on corpus.txt" in charrnn("info")[1]
    assert charrnn("train", "--resume", "--steps", "6")[0] == 0
    assert "first weights" not in charrnn(*begin, "-q", "--force")[2]


def test_contradictions_are_sentences(charrnn: Command) -> None:
    train(charrnn, "-m", "old.npz")
    new = ("train", "corpus.txt", "--init-from", "old.npz")
    for options in (("--cell", "gru"), ("--layers", "3"), ("--hidden-size", "9"), ("--unit", "byte")):
        code, _, err = charrnn(*new, *options)
        assert (code, f"error: {' '.join(options)} contradicts the model to start from" in err) == (2, True)
    code, _, err = charrnn("train", "--resume", "--init-from", "old.npz")
    assert (code, "--resume continues a run and --init-from starts a new one" in err) == (2, True)
    code, _, err = charrnn("train", "corpus.txt", "--init-from", "none.npz")
    assert (code, "there is no model file none.npz" in err) == (1, True)
    assert charrnn(*new, *TINY, "--steps", "2")[0] == 0  # restating what the model has contradicts nothing


def test_a_run_that_is_set_back_before_its_first_scoring_ends() -> None:
    """A resumed run would not know the weights that it started from."""
    source = model_of("the cat sat on the mat. " * 40)
    corpus = Corpus.from_text("the dog sat on the log. " * 60)
    training = library.train(corpus, init_from=source, steps=40, batch_size=4, seq_length=8, val_fraction=0.0)
    next(training)
    assert training.run.before == ("an unknown text",)
    training.params.flat[0] = np.nan
    with pytest.raises(
        DivergedError, match=r"diverged at step 2: .*, before its first evaluation\. Try a smaller `lr`"
    ):
        next(training)


def test_labels_are_matched_by_their_names() -> None:
    """Of b, c and d the second run knows d and c again, and a is new to it."""
    rows = [(label, text) for label in "bcd" for text in ("ab", "ba")]
    source = library.train(Examples.of(rows, "generate"), steps=3, workers=1, **SMALL)
    list(source)
    again = Examples.of([(label, text) for label in "dac" for text in ("ab", "bb")], "classify")
    found = transfer(source.model, Config("gru", 1, 8, again.alphabet), again.vocab, 0, again.labels)
    V, old, new = len(again.vocab), source.model.params, found.params
    for label in "cd":
        mine, theirs = V + again.labels.index(label), V + "bcd".index(label)
        np.testing.assert_array_equal(new["l0.Wx"][mine], old["l0.Wx"][theirs])
        np.testing.assert_array_equal(new["Wy"][:, mine], old["Wy"][:, theirs])
        assert new["by"][mine] == old["by"][theirs]
    assert (found.kept_labels, found.new_labels) == (2, 1)
    assert found.new_weights == old["l0.Wx"].shape[1] + 8 + 1
    started = library.train(again, steps=3, workers=1, **SMALL, init_from=source.model)
    np.testing.assert_array_equal(started.params.flat, new.flat)
