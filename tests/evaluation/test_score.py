"""Scores: every character once, independent of the pieces, in comparable units."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.checkpoint.model import Model
from charrnn.errors import TextError
from charrnn.evaluation import scan
from charrnn.evaluation.scan import cut
from charrnn.evaluation.score import evaluate
from charrnn.nn.fast.network import Network
from charrnn.nn.loss import softmax_nats
from charrnn.text.corpus import Corpus, Segment
from tests.sampling.test_sample import model_of

TEXT = "the cat sat on the mat\nand the dog sat on the cat\n" * 20


@given(sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=5), share=st.floats(0.01, 1.0))
def test_every_character_is_scored_once(sizes: list[int], share: float) -> None:
    ends = np.cumsum(sizes).tolist()
    segments = [
        Segment(end - size, end - max(1, int(size * share)), end) for size, end in zip(sizes, ends, strict=True)
    ]
    for newline in (None, 3):
        scored: list[int] = []
        for piece in cut(segments, newline):
            scored += range(piece.begin, piece.end)
            segment = next(s for s in segments if s.begin <= piece.begin < s.end)
            starts_file = piece.begin == segment.file_begin
            assert piece.start == (newline if starts_file else None)
            if piece.start is None:
                assert piece.first == max(segment.file_begin, piece.begin - scan.WARM_UP)
            else:
                assert piece.first == segment.file_begin - 1
        assert sorted(scored) == [i for s in segments for i in range(s.begin, s.end)]


def loss_in_one_pass(model: Model, text: str) -> float:
    """The mean loss of one stream that reads the whole text after a newline."""
    ids = model.vocab.encode("\n" + text)[:, None]
    network = Network(model.config, model.params, len(ids), 1)
    return float(softmax_nats(network.forward(ids[:-1]), ids[1:]).mean(dtype=np.float64))


@pytest.mark.parametrize("unit", ["char", "byte", "jamo"])
def test_a_short_text_is_read_in_one_piece(unit: str) -> None:
    text = "the cat 한글 sat\n"
    model = model_of(text, unit)
    score = evaluate(model, Corpus.from_text(text, unit, model.vocab))
    assert score.nats == pytest.approx(loss_in_one_pass(model, text), rel=1e-6)
    assert score.symbols == len(model.vocab.encode(text))
    assert (score.chars, score.bytes) == (len(text), len(text.encode()))
    assert score.bits_per_char == pytest.approx(score.total / math.log(2) / len(text))
    assert score.perplexity == pytest.approx(math.exp(score.nats))


def test_pieces_of_a_long_text_score_like_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(TEXT)
    corpus = Corpus.from_text(TEXT, vocab=model.vocab)
    assert len(cut(corpus.segments, corpus.vocab.newline)) > 10
    assert evaluate(model, corpus).nats == pytest.approx(loss_in_one_pass(model, TEXT), rel=1e-4)
    monkeypatch.setattr(scan, "SHORTEST", 10_000)
    assert evaluate(model, corpus).nats == pytest.approx(loss_in_one_pass(model, TEXT), rel=1e-6)


def test_groups_of_a_long_text_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(TEXT)
    corpus = Corpus.from_text(TEXT, vocab=model.vocab)
    whole = evaluate(model, corpus)
    monkeypatch.setattr(scan, "SHORTEST", 1)
    monkeypatch.setattr(scan, "LONGEST", 3)
    pieces = cut(corpus.segments, corpus.vocab.newline)
    assert len(pieces) > 3 * scan.STREAMS
    assert len(list(scan.batches(corpus.ids, pieces))) == math.ceil(len(pieces) / scan.STREAMS)
    score = evaluate(model, corpus)
    assert score.symbols == whole.symbols == len(TEXT)
    assert score.total == pytest.approx(whole.total, rel=1e-3)  # more pieces, each warmed up


def test_warm_up_is_read_but_not_counted() -> None:
    model = model_of(TEXT)
    corpus = Corpus.from_text(TEXT, vocab=model.vocab)
    half = len(TEXT) // 2
    parts = [evaluate(model, corpus, [Segment(0, a, b)]) for a, b in ((0, half), (half, len(TEXT)))]
    whole = evaluate(model, corpus)
    assert sum(part.symbols for part in parts) == whole.symbols == len(TEXT)
    assert sum(part.total for part in parts) == pytest.approx(whole.total, rel=1e-4)


def test_accuracy_of_a_model_with_a_constant_prediction() -> None:
    model = model_of("ab\n")
    model.params.flat[:] = 0.0
    model.params["by"][:] = [0.0, 5.0, 0.0]  # newline, a, b
    score = evaluate(model, Corpus.from_text("aabaa", vocab=model.vocab))
    assert score.accuracy == 0.8
    p = math.exp(5) / (math.exp(5) + 2)
    assert score.nats == pytest.approx(-(4 * math.log(p) + math.log((1 - p) / 2)) / 5, rel=1e-5)


def test_without_a_newline_the_first_character_is_predicted_from_an_empty_state() -> None:
    model = model_of("ab")
    model.params["by"][:] = [0.0, 2.0]
    score = evaluate(model, Corpus.from_text("b", vocab=model.vocab))
    assert (score.symbols, score.correct) == (1, 1)
    assert score.nats == pytest.approx(-2.0 + math.log(1.0 + math.exp(2.0)), rel=1e-6)
    assert evaluate(model, Corpus.from_text("abab", vocab=model.vocab)).symbols == 4


def test_a_hopeless_model_has_an_infinite_perplexity() -> None:
    model = model_of("ab\n")
    model.params["by"][:] = [0.0, 0.0, -1e5]
    assert evaluate(model, Corpus.from_text("bbb", vocab=model.vocab)).perplexity == math.inf


def test_another_vocabulary_is_refused() -> None:
    with pytest.raises(TextError, match="read with a different vocabulary: read it with vocab=model.vocab"):
        evaluate(model_of("ab"), Corpus.from_text("abc"))


def test_nothing_known_is_refused() -> None:
    model = model_of("ab\n")
    with pytest.raises(
        TextError, match="a string has no characters that the model knows, so there is nothing to score"
    ):
        evaluate(model, Corpus.from_text("xyz", vocab=model.vocab))
