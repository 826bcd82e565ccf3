"""What the model suggests: every probability against its definition, and a state that is always the right one."""

import math
from collections.abc import Generator
from functools import cache
from itertools import islice, pairwise
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import charrnn
from charrnn.checkpoint.model import Model
from charrnn.editor import predictions as module
from charrnn.editor.predictions import Continuation, Predictor, Probabilities, Result, whole_words
from charrnn.sampling.filters import mask_logits, probabilities, temperature
from charrnn.sampling.readers import encode_prompt, open_streams
from charrnn.sampling.spelling import Spelling
from charrnn.text.units import UNITS

TEXT = "옛날 옛날에 하늘이 한 뼘 높았다. 하하 웃는 여우와 까치가 살았다.\nthe fox and the crow.\n" * 6


@cache
def trained(unit: str, cell: str = "gru") -> Model:
    training = charrnn.train(
        charrnn.Corpus.from_text(TEXT, unit),
        unit=unit,
        cell=cell,
        steps=500 if unit == "byte" else 60,
        hidden_size=32,
        batch_size=4,
        seq_length=16,
        lr=0.004,
        clip=1.0,
        schedule="cosine",
    )
    list(training)
    return training.model


UNIT = pytest.mark.parametrize("unit", UNITS)


def result(work: Generator[None, None, Result]) -> Result:
    """The return value of a generator."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return cast(Result, end.value)


def is_text(text: str) -> bool:
    return text.encode(errors="ignore").decode() == text


def reading(model: Model, text: str) -> Predictor:
    predictor = Predictor(model)
    result(predictor.read(text))
    return predictor


def by_definition(model: Model, prime: str, temp: float, least: float) -> dict[str, float]:
    """The probability of each next character: all ways to draw symbols until the decoder gives the first one out.

    Ways less likely than `least` are left out.
    """
    found: dict[str, float] = {}

    def follow(ids: list[int], probability: float) -> None:
        reader, decoder = open_streams(model, 1), UNITS[model.vocab.unit].decoder()
        reader.step_all(encode_prompt(model.vocab, prime, "error") + ids)
        for code in model.vocab.codes[ids].tolist():
            decoder.push(code)
        logits = mask_logits(reader.logits, [Spelling(model.vocab).allowed(decoder.held)])
        p = probabilities(logits, [temperature(temp)])[0]
        for index in np.flatnonzero(probability * p > least).tolist():
            mine = UNITS[model.vocab.unit].decoder()
            text = "".join(mine.push(code) for code in model.vocab.codes[[*ids, index]].tolist())
            if text:
                found[text[0]] = found.get(text[0], 0.0) + probability * float(p[index])
            else:
                follow([*ids, index], probability * float(p[index]))

    follow([], 1.0)
    return found


@UNIT
@pytest.mark.parametrize("temp", [0.6, 1.3])
@pytest.mark.parametrize("prime", ["", "옛날에 하", "the f"])
def test_next_characters_have_the_probabilities_of_the_definition(unit: str, temp: float, prime: str) -> None:
    model = trained(unit)
    wanted = by_definition(model, prime, temp, 1e-9)
    assert sum(wanted.values()) == pytest.approx(1.0, abs=1e-4)
    found = reading(model, prime).characters(12, temp)
    probabilities = [p for _, p in found]
    assert probabilities == sorted(probabilities, reverse=True)
    likeliest = sorted((p for c, p in wanted.items() if is_text(c)), reverse=True)
    np.testing.assert_allclose(probabilities, likeliest[: len(found)], rtol=2e-3)
    for character, p in found:
        assert p == pytest.approx(wanted[character], rel=2e-3), character


@UNIT
def test_all_that_can_come_next_is_certain_and_comes_in_order(unit: str) -> None:
    predictor = reading(trained(unit), "하늘")
    outcomes = list(islice(predictor.outcomes(1.0), 20_000))
    assert len({text for text, _ in outcomes}) == len(outcomes)
    assert all(a[1] >= b[1] for a, b in pairwise(outcomes))
    assert sum(p for _, p in outcomes) == pytest.approx(1.0, abs=1e-3 if unit == "byte" else 1e-5)


@UNIT
def test_at_temperature_zero_one_is_certain(unit: str) -> None:
    predictor = reading(trained(unit), "옛날")
    [(character, probability)] = predictor.characters(5, 0.0)
    assert probability == 1.0
    [continuation] = result(predictor.continuations(20, 0.0, 1))
    assert continuation.text.startswith(character)
    assert continuation.nats == 0.0
    assert continuation.text == "".join(charrnn.sample(trained(unit), len(continuation.text), prompt="옛날", temp=0.0))


@UNIT
def test_continuations_are_what_sample_draws(unit: str) -> None:
    model, prime = trained(unit), "the fox"
    found = {c.text for c in result(reading(model, prime).continuations(24, 0.7, 5))}
    drawn = ["".join(charrnn.sample(model, 60, prompt=prime, temp=0.7, seed=5 + i)) for i in range(module.STREAMS)]
    assert found == {cut for text in drawn if (cut := whole_words(text, 24))}


def nats_of(model: Model, prime: str, text: str, temp: float) -> float:
    """-ln of the probability that `text` comes next, and then the next character begins."""
    reader, decoder = open_streams(model, 1), UNITS[model.vocab.unit].decoder()
    reader.step_all(encode_prompt(model.vocab, prime, "error"))
    total, starts = 0.0, UNITS[model.vocab.unit].starts(model.vocab.codes)

    def p() -> Probabilities:
        logits = mask_logits(reader.logits, [Spelling(model.vocab).allowed(decoder.held)])
        p: Probabilities = probabilities(logits, [temperature(temp)])[0]
        return p

    for index in model.vocab.encode(text).tolist():
        total -= math.log(p()[index])
        decoder.push(int(model.vocab.codes[index]))
        reader.step_all([index])
    if model.vocab.unit == "jamo" and text[-1] >= "가" and (ord(text[-1]) - 0xAC00) % 28 == 0:
        total -= math.log(p()[starts].sum())
    return total


@UNIT
@pytest.mark.parametrize("temp", [0.6, 1.2])
def test_a_continuation_has_the_probability_of_its_text(unit: str, temp: float) -> None:
    model = trained(unit)
    found = result(reading(model, "옛날").continuations(16, temp, 3))
    assert [c.nats / len(c.text) for c in found] == sorted(c.nats / len(c.text) for c in found)
    found += result(reading(model, "옛날").continuations(5, temp, 9))  # cut within words
    for item in found:
        assert item.nats == pytest.approx(nats_of(model, "옛날", item.text, temp), rel=1e-3)
        assert item.per_character == pytest.approx(math.exp(-item.nats / len(item.text)))
        assert item.probability == pytest.approx(math.exp(-item.nats))


@UNIT
def test_what_is_kept_goes_on(unit: str) -> None:
    model = trained(unit)
    predictor = reading(model, "the ")
    first, second, *_ = result(predictor.continuations(20, 0.8, 7, ["fox and", "crow"]))
    assert first.text.startswith("fox and")
    assert len(first.text) > len("fox and")
    assert second.text.startswith("crow")
    assert first.nats == pytest.approx(nats_of(model, "the ", first.text, 0.8), rel=1e-3)


PLACES = st.lists(st.integers(0, len(TEXT)), min_size=1, max_size=6)


@UNIT
@settings(max_examples=15, deadline=None)
@given(places=PLACES, stops=st.integers(0, 3))
def test_the_state_is_that_of_the_text_wherever_the_cursor_went(unit: str, places: list[int], stops: int) -> None:
    model, predictor = trained(unit), Predictor(trained(unit))
    for place in places:
        # left midway, as when a key comes in between
        for _ in islice(predictor.read(TEXT[: len(TEXT) - place]), stops):
            pass
        result(predictor.read(TEXT[:place]))
        predictor.characters(3, 1.0)
        reader = open_streams(model, 1)
        reader.step_all(encode_prompt(model.vocab, TEXT[:place], "error"))
        (states, logits), (wanted, wanted_logits) = predictor.reader.state(), reader.state()
        assert states.keys() == wanted.keys()
        for name in wanted:
            np.testing.assert_array_equal(states[name], wanted[name])
        np.testing.assert_array_equal(logits, wanted_logits)


def test_a_key_costs_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = reading(trained("char"), TEXT[:200])
    read: list[int] = []
    plain = predictor.reader.step_all

    def counted(ids: list[int]) -> None:
        read.append(len(ids))
        plain(ids)

    monkeypatch.setattr(predictor.reader, "step_all", counted)
    result(predictor.read(TEXT[:201]))
    assert read == [1]
    result(predictor.read(TEXT[:200]))
    assert sum(read) <= 1 + module.MARK_EVERY


def test_of_a_long_text_the_end_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONTEXT", 50)
    predictor, model = Predictor(trained("char")), trained("char")
    for place in (49, 99, 100, 149, 150, 151, 120, 30):
        result(predictor.read(TEXT[:place]))
        begin = max(place // 50 - 1, 0) * 50
        reader = open_streams(model, 1)
        reader.step_all(encode_prompt(model.vocab, TEXT[begin:place], "error"))
        np.testing.assert_array_equal(predictor.reader.logits, reader.logits)


def test_characters_never_seen_are_told_and_left_out() -> None:
    predictor = reading(trained("char"), "the ẞfoxé")
    assert predictor.missing == ["ẞ", "é"]
    reader = open_streams(trained("char"), 1)
    reader.step_all(encode_prompt(trained("char").vocab, "the ẞfoxé", "skip"))
    np.testing.assert_array_equal(predictor.reader.logits, reader.logits)
    result(predictor.read("the "))
    assert predictor.missing == []


@given(st.text("ab \n\udc80", max_size=30), st.integers(1, 20))
def test_whole_words(text: str, length: int) -> None:
    cut = whole_words(text, length)
    assert text.startswith(cut)
    assert len(cut) <= length
    assert is_text(cut)
    assert cut or not text or text[0] == "\udc80"


def test_whole_words_by_example() -> None:
    assert whole_words("the old fox", 9) == "the old"
    assert whole_words("the old fox", 8) == "the old"
    assert whole_words("abcdefghij klm", 6) == "abcdef"
    assert Continuation("ab", 2.0).per_character == pytest.approx(math.exp(-1))
