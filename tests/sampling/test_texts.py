"""Sampling, scoring and looking at models of several texts: each text starts from an empty state at its boundary."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from charrnn.checkpoint.model import Model, load
from charrnn.editor.predictions import Predictor
from charrnn.errors import TextError, UsageError
from charrnn.evaluation import scan
from charrnn.evaluation.ngram import ngram_nats, ngram_texts
from charrnn.evaluation.score import evaluate
from charrnn.nn.network import Network
from charrnn.nn.params import Config, fresh_params
from charrnn.sampling.mixture import Mixture
from charrnn.sampling.readers import open_streams
from charrnn.sampling.sample import sample, sample_many
from charrnn.text.corpus import Corpus, Segment
from charrnn.text.rolling_hash import NgramFilter
from charrnn.text.units import UNITS
from charrnn.text.vocab import NEWLINE, Vocab
from tests.editor.test_predictions import result

TEXT = "가나 한\n글 ab"


def model_of(unit: str, by_line: bool = False, text: str = TEXT, bias: float = 2.0) -> Model:
    """An untrained model of several texts that ends them often."""
    boundary = NEWLINE if by_line else UNITS[unit].end_of_text
    vocab = Vocab(unit, UNITS[unit].codes(text).tolist(), boundary_code=boundary)
    config = Config("gru", 2, 8, len(vocab))
    params = fresh_params(config, 1)
    params.flat *= 3.0
    params["by"][vocab.boundary] += bias
    return Model(config, vocab, params)


@pytest.mark.parametrize("unit", UNITS)
def test_ends_of_texts_are_newlines_between_texts_that_are_not_empty(unit: str) -> None:
    model = model_of(unit)
    text = "".join(sample(model, 400, seed=2))
    assert len(text) == 400
    assert "\n" in text
    assert not text.startswith("\n")
    one_line = model_of(unit, text="가나 한글 ab")
    assert "\n\n" not in "".join(sample(one_line, 400, seed=2))
    assert "\n" not in "".join(sample(one_line, 100, ban="\n", seed=2))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("by_line", [False, True])
def test_each_text_is_generated_from_the_same_state(unit: str, by_line: bool) -> None:
    model = model_of(unit, by_line, text="가나 ab\n" if by_line else "가나 ab")
    whole = list(sample_many(model, 8, 500, texts=1, seed=3))
    assert {text.end for text in whole} == {"stop"}
    assert all(text.text.strip("\n") and text.text.count("\n") == by_line for text in whole)
    assert all(text.logprob is None or text.logprob < 0 for text in whole)
    *first, last = "".join(sample(model, 500, texts=3, temp=0.0, prompt="")).splitlines()
    assert set(first) == {last}
    one, many = ("".join(sample(model, 60, seed=9)), [text.text for text in sample_many(model, 3, 60, seed=8)])
    assert many[1] == one


@pytest.mark.parametrize("prompt", ["", "a", "b\n", "가\nb"])
def test_a_prompt_of_lines_is_read_from_the_last_one(prompt: str) -> None:
    model = model_of("jamo", by_line=True)
    both = [open_streams(model, 2), open_streams(model, 1)]
    both[0].step_all(model.vocab.encode(prompt).tolist())
    both[1].step_all(model.vocab.encode(prompt.rpartition("\n")[2]).tolist())
    np.testing.assert_allclose(both[0].logits[1], both[1].logits[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("unit", UNITS)
def test_constraints_apply_to_the_newline_that_is_written(unit: str) -> None:
    model = model_of(unit, text="가나 ab")
    text = "".join(sample(model, 60, no_repeat=3, seed=1))
    grams = [text[k : k + 3] for k in range(len(text) - 2)]
    assert len(set(grams)) == len(grams)
    copies = NgramFilter(2, 100)
    copies.add([UNITS["char"].codes("a\nb\n")])
    text = "".join(sample(model, 200, copies=copies, seed=1))
    assert "\n" in text
    assert not {"a\n", "b\n"} & {text[k : k + 2] for k in range(len(text))}
    assert "".join(sample(model, 200, stop=["\n"], seed=1)).count("\n") == 0
    assert "".join(sample(model, 400, lines=2, seed=1)).count("\n") == 2


def test_errors() -> None:
    plain, ends, lines = (model_of("char", by_line) for by_line in (False, False, True))
    plain = replace(plain, vocab=Vocab("char", map(ord, TEXT + "~")))
    with pytest.raises(UsageError, match="know where texts end"):
        next(sample(plain, 5, texts=1))
    for other in (plain, lines):
        with pytest.raises(UsageError, match="end texts differently"):
            Mixture((ends, other), (1.0, 1.0))
    mixed = Mixture((ends, model_of("char", text="abc")), (1.0, 2.0))
    assert mixed.vocab.end_of_text == len(mixed.vocab) - 1
    assert len(list(sample_many(mixed, 3, 50, texts=1))) == 3


def losses_by_text(model: Model, texts: list[list[int]]) -> float:
    """The loss in nats of texts that end with a boundary, each read alone by the plain network."""
    total, boundary = 0.0, model.vocab.boundary
    for ids in texts:
        network = Network(model.config, model.params, len(ids), 1)
        logits = network.forward(np.array([boundary, *ids[:-1]])[:, None])[:, 0].astype(np.float64)
        total += float(np.sum(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(ids)), ids]))
    return total


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("by_line", [False, True])
def test_texts_are_scored_each_from_its_boundary(
    unit: str, by_line: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "SHORTEST", 3)
    model = model_of(unit, by_line)
    lines = [("가나 한글 ab"[: 2 + k % 7]) * (1 + k % 3) for k in range(30)]
    for k, line in enumerate(lines):
        (tmp_path / f"{k:02}").write_text(line + "\n" * by_line, "utf-8")
    corpus = Corpus.read(tmp_path, vocab=model.vocab)
    texts = [corpus.ids[a:b].tolist() for a, b in zip([0, *corpus.ends], corpus.ends, strict=False)]
    score = evaluate(model, corpus)
    assert score.symbols == len(corpus.ids)
    assert score.total == pytest.approx(losses_by_text(model, texts), rel=1e-4)
    _, held = corpus.split(0.3, 1)
    chosen = [corpus.ids[s.begin : s.end].tolist() for s in held]
    if all(s.begin == s.file_begin for s in held):
        assert evaluate(model, corpus, held).total == pytest.approx(losses_by_text(model, chosen), rel=1e-4)


def test_nothing_to_score() -> None:
    model = model_of("char")
    with pytest.raises(TextError, match="nothing to score"):
        evaluate(model, Corpus.from_text("xyz", vocab=model.vocab))


def test_ngrams_have_no_context_before_a_boundary() -> None:
    corpus = Corpus.from_text("abc\nab\ncab\nba\n" * 5, by_line=True)
    train, V, boundary = np.asarray(corpus.ids[:40]), len(corpus.vocab), corpus.vocab.boundary
    ends = np.flatnonzero(corpus.ids[:] == boundary) + 1
    lines = [Segment(a, a, b) for a, b in zip([0, *ends.tolist()], ends.tolist(), strict=False)]
    found = [
        sum(ngram_nats(train, text, V) for text in ngram_texts(corpus.ids, segments, boundary, boundary))
        for segments in (corpus.segments, lines)
    ]
    np.testing.assert_allclose(found[0], found[1])


@pytest.mark.parametrize("unit", UNITS)
def test_the_editor_proposes_no_end_of_text(unit: str) -> None:
    for by_line in (False, True):
        predictor = Predictor(model_of(unit, by_line))
        result(predictor.read("가나\nab"))
        assert sum(p for _, p in predictor.outcomes(1.0)) == pytest.approx(1.0, rel=1e-3)
        found = result(predictor.continuations(10, 1.0, 1))
        assert found
        assert by_line or min(len(one.text) for one in found) < 6  # a text ends


@pytest.mark.parametrize("by_line", [False, True])
@pytest.mark.parametrize("unit", UNITS)
def test_the_boundary_is_saved(unit: str, by_line: bool, tmp_path: Path) -> None:
    model = model_of(unit, by_line)
    model.save(tmp_path / "m.npz")
    assert load(tmp_path / "m.npz").vocab == model.vocab
    assert load(tmp_path / "m.npz").boundary == model.boundary is not None
