"""Linear recurrences in use: training, resuming, workers, examples, other texts, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import charrnn
from charrnn.checkpoint.model import load
from charrnn.errors import UsageError
from charrnn.evaluation.classification import classify
from charrnn.nn.params import Config, fresh_params
from charrnn.options import LINEAR_CELLS, Options
from charrnn.sampling.conditional import answers
from charrnn.see.gradients import fresh, gradient_norms
from charrnn.see.memory import memory
from charrnn.see.neurons import Unit, activations, limits
from charrnn.see.text_window import text_window
from charrnn.text.corpus import Corpus
from charrnn.text.examples import Examples
from charrnn.training.cost import flops_per_char
from charrnn.training.plan import choose
from charrnn.training.transfer import transfer
from tests.sampling.test_sample import model_of
from tests.training.test_loop import SENTENCE, TEXT, begin, digest, timeless

CELLS = pytest.mark.parametrize("cell", LINEAR_CELLS)


@CELLS
def test_learns_one_sentence_and_writes_it(cell: str) -> None:
    sizes: dict[str, Any] = {"layers": 1, "hidden_size": 48, "batch_size": 4, "seq_length": 30}
    corpus = Corpus.from_text(SENTENCE * 6)
    training = charrnn.train(corpus, cell=cell, **sizes, steps=250, lr=0.01, val_fraction=0.0, dropout=0.0)
    records = list(training)
    assert records[0].loss > 3.0
    assert records[-1].loss < 0.1
    assert "".join(charrnn.sample(training.model, len(SENTENCE), temp=0.0, prompt="\n")) == SENTENCE


@CELLS
def test_resumed_is_as_if_never_stopped(cell: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"cell": cell, "dropout": 0.4, "activation_regularisation": 1.0, "epochs": 2}
    whole, first = begin(**options), begin(**options, steps=7)
    wanted = [(timeless(record), digest(whole)) for record in whole]
    list(first)
    first.model.save(tmp_path / "m.npz")
    again = charrnn.train(Corpus.from_text(TEXT), model=load(tmp_path / "m.npz"), epochs=2)
    assert [(timeless(record), digest(again)) for record in again] == wanted[7:]
    again.model.save(tmp_path / "again.npz")
    assert load(tmp_path / "again.npz").params.flat.tobytes() == again.model.params.flat.tobytes()


@CELLS
def test_engines_and_workers_give_the_same_losses(cell: str) -> None:
    options: dict[str, Any] = {"cell": cell, "steps": 10, "dropout": 0.3}
    one = begin(**options)
    wanted = [record.loss for record in one]
    for change in ({"workers": 2}, {"engine": "plain"}):
        assert [record.loss for record in begin(**options, **change)] == pytest.approx(wanted, rel=1e-4)
    assert not [note for note in one.notes if "engine" in note]


@CELLS
def test_pairs_are_learned(cell: str) -> None:
    rows = [(word, word.upper()) for word in ("ab", "ba", "aab", "bba")]
    sizes: dict[str, Any] = {"layers": 2, "hidden_size": 32, "batch_size": 4, "seq_length": 24}
    examples = Examples.of(rows * 10, "pairs")
    training = charrnn.train(examples, cell=cell, **sizes, steps=150, lr=0.01, val_fraction=0.0, dropout=0.0)
    list(training)
    found = answers(training.model, [source for source, _ in rows])
    assert [answer.text for answer in found] == [target for _, target in rows]


@CELLS
def test_labels_are_learned(cell: str) -> None:
    rows = [(word[0], word) for word in ("ab", "ba", "abb", "baa", "abab", "baba")]  # the first letter is remembered
    sizes: dict[str, Any] = {"layers": 2, "hidden_size": 16, "batch_size": 4, "seq_length": 12}
    examples = Examples.of(rows * 10, "classify")
    training = charrnn.train(examples, cell=cell, **sizes, steps=100, lr=0.01, val_fraction=0.0, dropout=0.0)
    list(training)
    found = classify(training.model, [text for _, text in rows])
    assert [examples.task.labels[best] for best in found.argmax(axis=1)] == [label for label, _ in rows]
    assert np.exp(found.max(axis=1)).min() > 0.9


@CELLS
def test_weights_land_at_the_right_symbols(cell: str) -> None:
    source = model_of("bdf", cell=cell)
    vocab = Corpus.from_text("abcde", include=source.vocab).vocab
    config = Config(cell, source.config.layers, source.config.hidden_size, len(vocab))
    found = transfer(source, config, vocab, 0).params
    for old, new in enumerate(["abcdef".index(symbol) for symbol in "bdf"]):
        np.testing.assert_array_equal(found["E"][new], source.params["E"][old])
        np.testing.assert_array_equal(found["Wy"][:, new], source.params["Wy"][:, old])
    np.testing.assert_array_equal(found["E"][0], fresh_params(config, 0)["E"][0])
    np.testing.assert_array_equal(found["l1.Wo"], source.params["l1.Wo"])


@CELLS
def test_see_reads_them(cell: str) -> None:
    model = model_of(TEXT, cell=cell)
    corpus = Corpus.from_text(TEXT, vocab=model.vocab)
    window = text_window(corpus, corpus.segments, 300)
    found = gradient_norms(model, window, 12, 8)
    assert found.radius == []
    assert found.total.keys() == set(model.config.states)
    assert all((norms > 0).all() for norms in found.total.values())
    with pytest.raises(UsageError, match="has no Wh: leave it out"):
        fresh(model, 2.0)
    cleared = memory(model, window).cleared
    assert len(cleared) > 4
    values = activations(model, window, Unit(0, "h", 1))
    low, high = limits(model, "h", values.tolist())
    assert low <= values.min() <= values.max() <= high * 1.01


@CELLS
def test_without_wh_there_is_no_recurrent_dropout(cell: str) -> None:
    with pytest.raises(UsageError, match=f"`cell={cell}` has no Wh: use `dropout`"):
        Options(cell=cell, recurrent_dropout=0.1)


@CELLS
def test_the_plan_leaves_recurrent_dropout_out(cell: str) -> None:
    plan = choose({"cell": cell}, 100_000, 60, 2e11, 600.0)
    assert plan.options.cell == cell
    assert plan.options.layers == 3
    assert plan.options.recurrent_dropout == 0.0
    assert "recurrent_dropout" not in plan.reasons


def test_the_cost_counts_every_product() -> None:
    # the products of layer 0 with Wx are computed once per symbol of the alphabet
    assert flops_per_char(Config("mingru", 3, 10, 7)) == 6 * (2 * 200 + 3 * 200 + 70)
    assert flops_per_char(Config("lru", 2, 10, 7)) == 6 * (200 + 2 * 400 + 70)
