"""Telling labels, writing by label, and writing targets: against the network itself, one example at a time."""

from itertools import product

import numpy as np
import pytest

import charrnn
from charrnn.checkpoint.model import Model
from charrnn.errors import UsageError
from charrnn.evaluation.classification import Labelled, classify, grade_labels
from charrnn.evaluation.pairs import distance, grade_pairs
from charrnn.nn.fast.network import Network
from charrnn.sampling.conditional import answers, beam_search, for_labels, target_logprobs
from charrnn.sampling.sample import sample, sample_many
from charrnn.text.examples import Examples
from tests.training.test_examples import COPIES, WORDS, begin


def trained(kind: str, steps: int = 150) -> Model:
    training = begin(kind, COPIES if kind == "pairs" else WORDS, steps=steps, val_fraction=0.0)
    list(training)
    return training.model


@pytest.fixture(scope="module")
def pairs() -> Model:
    return trained("pairs")


@pytest.fixture(scope="module")
def generate() -> Model:
    return trained("generate")


def read(model: Model, ids: list[int]) -> np.ndarray:
    """The logits (n, V) after each of these ids, from nothing."""
    return Network(model.config, model.params, len(ids), 1).forward(np.array(ids)[:, None])[:, 0]


def test_a_label_is_told_at_the_newline() -> None:
    model = trained("classify")
    texts = ["aei", "bcd", "iauiau", "d"]
    logs = classify(model, texts)
    for text, found in zip(texts, logs, strict=True):
        logits = read(model, model.vocab.encode(text + "\n").tolist())[-1, len(model.vocab) :].astype(float)
        np.testing.assert_allclose(found, logits - np.log(np.exp(logits).sum()), atol=1e-5)
    assert logs.argmax(axis=1).tolist() == [1, 0, 1, 0]
    np.testing.assert_allclose(np.exp(logs).sum(axis=1), 1.0)
    assert classify(model, []).shape == (0, 2)


def test_bayes_tells_labels_by_what_is_written(generate: Model) -> None:
    assert generate.task is not None
    V, wanted = len(generate.vocab), []
    for label, count in enumerate(generate.task.counts):
        ids = generate.vocab.encode("aei\n").tolist()
        logits = read(generate, [V + label, *ids[:-1]]).astype(float)
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        wanted.append(np.log(count) + logs[np.arange(4), ids].sum())
    total = np.logaddexp(*wanted)
    np.testing.assert_allclose(classify(generate, ["aei"])[0], np.array(wanted) - total, atol=1e-4)
    assert classify(generate, ["aei", "bcd"]).argmax(axis=1).tolist() == [1, 0]


def test_a_label_is_a_vector_that_the_text_begins_with(generate: Model) -> None:
    model = for_labels(generate, {"vowel": 1.0})
    assert isinstance(model, Model)
    V, newline = len(generate.vocab), generate.vocab.newline
    assert newline is not None
    ids = generate.vocab.encode("ae").tolist()
    np.testing.assert_allclose(read(model, [newline, *ids]), read(generate, [V + 1, *ids])[:, :V], rtol=1e-5)
    texts = {"".join(charrnn.sample(model, 9, temp=0.3, seed=seed)).split("\n")[0] for seed in range(5)}
    assert all(set(text) <= set("aeiou") for text in texts)


def test_labels_are_mixed_by_their_vectors(generate: Model) -> None:
    V, newline = len(generate.vocab), generate.vocab.newline
    model = for_labels(generate, {"vowel": 3.0, "other": 1.0})
    assert isinstance(model, Model)
    mixed = model.params["l0.Wx"][newline]
    Wx = generate.params["l0.Wx"]
    np.testing.assert_allclose(mixed, 0.75 * Wx[V + 1] + 0.25 * Wx[V], rtol=1e-5)


def test_targets_are_written_the_likeliest_symbol_each_time(pairs: Model) -> None:
    sources = ["ab", "abc", "b", "cab", "ab"]
    for source, found in zip(sources, answers(pairs, sources), strict=True):
        assert pairs.task is not None
        ids = pairs.task.source(pairs.vocab, pairs.vocab.encode(source)).tolist()
        total, written = 0.0, ""
        for _ in range(10):
            logs = target_logprobs(pairs, read(pairs, ids)[-1:])[0]
            best = int(logs.argmax())
            total += logs[best]
            if best == pairs.vocab.newline:
                break
            ids.append(best)
            written += pairs.vocab.symbols[best]
        assert (found.text, found.ended) == (written, True)
        assert found.logprob == pytest.approx(total, rel=1e-4)
    assert answers(pairs, []) == []


def test_a_search_finds_the_likeliest_of_all(pairs: Model) -> None:
    found = beam_search(pairs, "ab", 30)
    logs = {one.text: one.logprob for one in found}
    assert [one.logprob for one in found] == sorted(logs.values(), reverse=True)
    assert len(logs) == 30
    assert pairs.task is not None
    source = pairs.task.source(pairs.vocab, pairs.vocab.encode("ab")).tolist()
    for text in ("".join(letters) for n in range(3) for letters in product("abc", repeat=n)):
        ids = pairs.vocab.encode(text + "\n").tolist()
        every = target_logprobs(pairs, read(pairs, [*source, *ids[:-1]])[len(source) - 1 :])
        log = float(every[np.arange(len(ids)), ids].sum())
        assert text not in logs or logs[text] == pytest.approx(log, rel=1e-3)
        assert text in logs or log <= found[-1].logprob + 1e-3
    assert beam_search(pairs, "ab", 1)[0].text == answers(pairs, ["ab"])[0].text


def test_models_are_used_for_what_they_were_trained_for(pairs: Model, generate: Model) -> None:
    with pytest.raises(UsageError, match="--source"):
        classify(pairs, ["a"])
    with pytest.raises(UsageError, match="--label"):
        answers(generate, ["a"])
    with pytest.raises(UsageError, match="--source"):
        for_labels(pairs, {"a": 1.0})
    with pytest.raises(UsageError, match="no label 'ko'.*other, vowel"):
        for_labels(generate, {"ko": 1.0})
    with pytest.raises(UsageError, match="above 0"):
        for_labels(generate, {"vowel": 0.0})
    with pytest.raises(UsageError, match="charrnn sample --label other"):
        list(charrnn.sample(generate, 5))
    with pytest.raises(UsageError, match="--source"):
        charrnn.evaluate(pairs, charrnn.Corpus.from_text("ab", vocab=pairs.vocab))


def test_labels_are_graded() -> None:
    grade = Labelled(8, 7, ("a", "b", "c"), np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]), [])
    assert (grade.examples, grade.accuracy) == (8, 7 / 8)
    assert grade.f1 == pytest.approx((6 / 7 + 8 / 9) / 2)
    model = trained("classify")
    found = grade_labels(model, [*WORDS, ("other", "aei")])
    assert found.confusion.tolist() == [[4, 1], [0, 5]]
    assert (found.examples, found.exact) == (10, 9)
    assert [mistake[:3] for mistake in found.mistakes] == [("aei", "other", "vowel")]


def test_pairs_are_graded(pairs: Model) -> None:
    found = grade_pairs(pairs, [*COPIES, ("ab", "ba")])
    written = [one.text for one in answers(pairs, [source for source, _ in COPIES])]
    right = sum(text == target for text, (_, target) in zip(written, COPIES, strict=True))
    assert (found.examples, found.exact) == (11, right)
    assert found.symbols == sum(len(target) for _, target in COPIES) + 2
    assert ("ab", "ba", written[0], 2) in found.worst


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2), ("가나", "나", 1)],
)
def test_distance(one: str, other: str, wanted: int) -> None:
    assert distance(one, other) == distance(other, one) == wanted


def test_an_example_of_a_label_is_never_empty(generate: Model) -> None:
    model = for_labels(generate, {"vowel": 1.0})
    assert isinstance(model, Model)
    model.params["by"][model.vocab.newline] += 4.0  # ends come early
    free = [text.text for text in sample_many(model, 20, 50, lines=1, temp=3.0)]
    assert all(text.strip() and text.count("\n") == 1 for text in free)
    assert min(map(len, free)) == 2
    several = "".join(sample(model, 200, temp=3.0, lines=9)).split("\n")
    assert all(several[:9])


def test_labels_in_messages_keep_their_spelling(generate: Model) -> None:
    with pytest.raises(UsageError, match="no label '\u0645\u06cc\u200c\u062e'"):
        for_labels(generate, {"\u0645\u06cc\u200c\u062e": 1.0})
    with pytest.raises(UsageError, match=r"no label '\\n\\x1b'"):
        for_labels(generate, {"\n\x1b": 1.0})
    with pytest.raises(UsageError, match="no label 'VOWEL'. Did you mean 'vowel'[?] It has other, vowel."):
        for_labels(generate, {"VOWEL": 1.0})


def test_unknown_symbols_are_left_out(pairs: Model) -> None:
    assert answers(pairs, ["aZb"])[0] == answers(pairs, ["ab"])[0]
    assert isinstance(Examples.of(COPIES, "pairs").numbered([("Z", "a")]).steps, int)
