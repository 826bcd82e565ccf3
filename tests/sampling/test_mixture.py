"""Several models as one: the mean of their probabilities over the union of their characters."""

import numpy as np
import pytest

from charrnn.checkpoint.model import Model
from charrnn.errors import UsageError
from charrnn.nn.loss import softmax
from charrnn.nn.params import Config, fresh_params
from charrnn.sampling.mixture import Mixture, mix, union
from charrnn.sampling.readers import MixedStreams, open_streams
from charrnn.sampling.sample import sample, sample_many
from charrnn.text.vocab import Vocab
from tests.sampling.test_sample import model_of


def test_probabilities_are_mixed_over_the_union() -> None:
    one, two = model_of("abc\n"), model_of("bcd", seed=1)
    both = Mixture((one, two), (3.0, 1.0))
    assert both.vocab.symbols == ["\n", "a", "b", "c", "d"]
    readers = [open_streams(one, 1), open_streams(two, 1)]
    mixture = MixedStreams(both, 1)
    for character in "bcbbc":
        wanted = np.zeros(5)
        wanted[:4] += 0.75 * softmax(readers[0].logits.astype(np.float64))[0]
        wanted[2:] += 0.25 * softmax(readers[1].logits.astype(np.float64))[0]
        np.testing.assert_allclose(np.exp(mixture.logits[0]), wanted, rtol=1e-6)
        for model, reader in zip((one, two), readers, strict=True):
            reader.step(model.vocab.encode(character).tolist())
        mixture.step(both.vocab.encode(character).tolist())


@pytest.mark.parametrize("count", [1, 3])
def test_a_model_does_not_read_what_it_does_not_know(count: int) -> None:
    both = Mixture((model_of("ab"), model_of("bc", seed=1)), (0.5, 0.5))
    mixture, alone = open_streams(both, count), open_streams(both.models[0], 1)
    mixture.step_all(both.vocab.encode("bc").tolist())
    rows = {"a": "bab", "b": "bbb", "c": "bb"}  # what the first model has read in the end
    for row, (character, read) in enumerate(list(rows.items())[:count]):
        ids = both.vocab.encode(character if count == 1 else "abc").tolist()
        if row == 0:
            mixture.step(ids)
            mixture.step(both.vocab.encode("b" * count).tolist())
        alone = open_streams(both.models[0], 1)
        alone.step_all(both.models[0].vocab.encode(read).tolist())
        np.testing.assert_allclose(mixture.models[0].logits[row], alone.logits[0], rtol=1e-3, atol=1e-5)  # type: ignore[attr-defined]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_state_can_be_taken_up_again(cell: str) -> None:
    model = model_of("abc\n", cell=cell)
    for readers in (open_streams(model, 1), open_streams(model, 2), MixedStreams(Mixture((model, model), (1, 1)), 2)):
        readers.step_all([1, 2])
        state, wanted = readers.state(0), readers.logits.copy()
        readers.step_all([0, 0])
        readers.set_state(state, 0)
        np.testing.assert_array_equal(readers.logits[0], wanted[0])
        again = open_streams(model, 1)
        again.step_all([1, 2, 1])
        readers.step_all([1])
        np.testing.assert_allclose(softmax(readers.logits[0]), softmax(again.logits[0]), rtol=1e-3, atol=1e-5)


def test_a_model_mixed_with_itself_is_itself() -> None:
    model = model_of("한글은 소리다", "jamo")
    alone = "".join(sample(model, 50, seed=1))
    assert "".join(sample(Mixture((model, model), (0.2, 0.8)), 50, seed=1)) == alone
    assert mix([model], [0.3]) is model


def test_many_texts_of_a_mixture_are_those_of_the_seeds() -> None:
    both = Mixture((model_of("abc\n"), model_of("bcd", seed=1)), (0.5, 0.5))
    texts = [text.text for text in sample_many(both, 4, 30, prompt="ad", seed=3)]
    assert texts == ["".join(sample(both, 30, prompt="ad", seed=3 + i)) for i in range(4)]
    assert {"a", "d"} <= set("".join(texts))
    with pytest.raises(UsageError, match="never seen 'z'"):
        sample(both, 5, prompt="z")


def test_what_cannot_be_mixed() -> None:
    with pytest.raises(UsageError, match="these models write chars and bytes"):
        Mixture((model_of("ab"), model_of("ab", "byte")), (0.5, 0.5))
    for weight in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="weight"):
            Mixture((model_of("ab"), model_of("ab")), (1.0, weight))


def test_rare_characters_of_one_are_those_of_another() -> None:
    knows, rare, both = Vocab("char", map(ord, "abx")), Vocab("char", map(ord, "ab"), map(ord, "xy")), "abx"
    assert (union([knows, rare]).symbols, union([knows, rare]).rare.tolist()) == ([*both, "\ufffd"], [ord("y")])
    assert union([Vocab("char", map(ord, "abxy")), rare]).symbols == [*both, "y"]
    config = Config("gru", 1, 8, len(rare))
    seldom = Model(config, rare, fresh_params(config, 0))
    mixture = Mixture((model_of("abx"), seldom), (0.5, 0.5))
    reader, alone = MixedStreams(mixture, 1), open_streams(seldom, 1)
    p, own = np.exp(reader.logits[0]), softmax(alone.logits[0].astype(np.float64))
    known = softmax(open_streams(mixture.models[0], 1).logits[0].astype(np.float64))
    np.testing.assert_allclose(p, [*(known[:2] + own[:2]) / 2, known[2] / 2, own[2] / 2], rtol=1e-6)
    reader.step(mixture.vocab.encode("x").tolist())
    alone.step_all([2])  # the replacement
    np.testing.assert_allclose(reader.models[1].logits, alone.logits)
    assert "\ufffd" not in "".join(sample(mixture, 300, temp=3.0))
