"""The streams of characters: length, seed, prompt, rules, and many texts at once."""

import unicodedata
from itertools import islice
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoint.model import Model
from charrnn.errors import UsageError
from charrnn.nn.fast.network import Network
from charrnn.nn.params import Config, fresh_params
from charrnn.options import CELLS
from charrnn.sampling.options import SamplingOptions
from charrnn.sampling.readers import open_streams
from charrnn.sampling.sample import BATCH, sample, sample_many
from charrnn.text.rolling_hash import NgramFilter
from charrnn.text.units import UNITS
from charrnn.text.vocab import Vocab

KOREAN = "한글은 소리다.\nABC é"


def model_of(text: str, unit: str = "char", cell: str = "gru", seed: int = 0) -> Model:
    """An untrained model that knows the characters of a text."""
    vocab = Vocab(unit, UNITS[unit].codes(text).tolist())
    config = Config(cell, 2, 8, len(vocab))
    params = fresh_params(config, seed)
    params.flat *= 3.0  # so that it has preferences
    return Model(config, vocab, params)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("length", [0, 1, 57])
def test_length_counts_written_characters(unit: str, length: int) -> None:
    model = model_of("한글은 소리다.\nABC é", unit)
    text = "".join(sample(model, length, seed=5))
    assert len(text) == length


@pytest.mark.parametrize("unit", UNITS)
def test_the_same_seed_and_the_prefix(unit: str) -> None:
    model = model_of("한글은 소리다.\nABC é", unit)
    longer = "".join(sample(model, 80, seed=1))
    assert "".join(sample(model, 80, seed=1)) == longer
    assert "".join(sample(model, 33, seed=1)) == longer[:33]
    assert "".join(sample(model, 80, seed=2)) != longer
    assert "".join(islice(sample(model, None, seed=1), 80)) == longer


def test_jamo_writes_whole_syllables() -> None:
    text = "".join(sample(model_of("한글은 소리다", "jamo"), 300, temp=2.0))
    assert text == unicodedata.normalize("NFC", text)
    assert not any("\u1100" <= c <= "\u11ff" for c in text)
    assert any("가" <= c <= "힣" for c in text)


def test_the_prompt_changes_what_follows_and_an_empty_one_is_a_newline() -> None:
    model = model_of("abc\n")
    texts = {prompt: "".join(sample(model, 40, prompt=prompt)) for prompt in ("a", "b", "abcabc")}
    assert len(set(texts.values())) == 3
    assert "".join(sample(model_of("abc"), 40, prompt="")) != ""


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("text", ["abc\n", "abc"])
def test_readers_agree_with_the_network(cell: str, text: str) -> None:
    model = model_of(text, cell=cell)
    reader, readers = open_streams(model, 1), open_streams(model, 3)
    ids = [1, 2, 0] * 20
    before = [] if model.vocab.newline is None else [model.vocab.newline]
    network = Network(model.config, model.params, len(before + ids), 1)
    wanted = network.forward(np.array(before + ids)[:, None])[-1]
    reader.step_all(ids)
    readers.step_all(ids)
    np.testing.assert_allclose(reader.logits, wanted, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(readers.logits, np.tile(wanted, (3, 1)), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("unit", UNITS)
def test_many_texts_are_those_of_the_seeds(unit: str) -> None:
    model = model_of("한글은 소리다.\nABC é", unit)
    texts = [(text.text, text.seed) for text in sample_many(model, 4, 40, prompt="A", seed=7)]
    assert texts == [("".join(sample(model, 40, prompt="A", seed=7 + i)), 7 + i) for i in range(4)]
    assert [text.text for text in sample_many(model, 2, 0)] == ["", ""]
    with pytest.raises(UsageError, match="^count is a whole number"):
        sample_many(model, 0, 5)


def test_more_texts_than_fit_side_by_side() -> None:
    model = model_of(KOREAN)
    texts = list(sample_many(model, BATCH + 2, 5))
    assert [text.seed for text in texts] == list(range(BATCH + 2))
    assert texts[-1].text == "".join(sample(model, 5, seed=BATCH + 1))


def test_argmax_ignores_the_seed() -> None:
    model = model_of("abcdef\n")
    assert "".join(sample(model, 50, temp=0.0, seed=1)) == "".join(sample(model, 50, temp=0.0, seed=2))


def test_prompts_in_another_normal_form() -> None:
    composed = model_of("é\n")
    assert "".join(sample(composed, 5, prompt="e\u0301")) == "".join(sample(composed, 5, prompt="é"))
    decomposed = model_of("e\u0301\n")
    assert "".join(sample(decomposed, 5, prompt="é")) == "".join(sample(decomposed, 5, prompt="e\u0301"))


@pytest.mark.parametrize("unit", UNITS)
def test_unknown_characters_of_the_prompt(unit: str) -> None:
    model = model_of("ab\n", unit)
    with pytest.raises(UsageError, match="never seen 'z'.*use unknown=\"skip\""):
        sample(model, 5, prompt="azb")
    skipped = "".join(sample(model, 5, prompt="azb", unknown="skip"))
    assert skipped == "".join(sample(model, 5, prompt="ab"))
    for unknown in ("error", "skip"):
        with pytest.raises(UsageError, match="lone surrogate"):
            sample(model, 5, prompt="a\ud800", unknown=unknown)


@pytest.mark.parametrize(
    "wrong",
    [
        {"temp": -1.0},
        {"temp": float("nan")},
        {"temp": float("inf")},
        {"top_k": -1},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"seed": -1},
        {"length": -1},
        {"unknown": "ask"},
        {"min_p": -0.1},
        {"min_p": 1.1},
        {"no_repeat": -1},
        {"lines": -1},
        {"stop": [""]},
        {"stop": "ab"},
        {"ban": "ab"},
        {"ban": b"a"},
        {"ban": None},
        {"ban": 5},
        {"ban": ["a"]},
        {"ban": "\ud800"},
        {"ban": "a\udce9"},
        {"stop": b"a"},
        {"stop": None},
        {"stop": 5},
        {"stop": [5]},
        {"stop": [b"a"]},
        {"stop": ["a", None]},
        {"stop": ["a\udfff"]},
        {"prompt": None},
        {"prompt": b"a"},
        {"lines": 1},
        {"stop": ["c"]},
        {"stop": ["ab"], "ban": "a"},
        {"raw": True},
    ],
)
def test_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        sample(model_of("ab"), **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("count", [1, 3])
def test_the_logprob_is_what_the_network_gives(unit: str, count: int) -> None:
    """The mean of ln p a character, however it was chosen, of exactly the text that came out."""
    model = model_of(KOREAN, unit)
    options = SamplingOptions(temp=1.5, top_k=9, no_repeat=3)
    for text in sample_many(model, count, 30, options, prompt="소", seed=2, scored=True):
        begun = [model.vocab.newline or 0, *model.vocab.encode("소").tolist()]
        ids = begun + model.vocab.encode(text.text).tolist()
        network = Network(model.config, model.params, len(ids), 1)
        logits = network.forward(np.array(ids)[:, None])[:, 0].astype(np.float64)
        logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        total = sum(logs[i - 1, ids[i]] for i in range(len(begun), len(ids)))
        assert text.logprob == pytest.approx(total / len(text.text), abs=1e-5)
    (unscored,) = sample_many(model, 1, 3, options)
    assert unscored.logprob is None
    (empty,) = sample_many(model, 1, 0, options, scored=True)
    assert empty.logprob is None


@pytest.mark.parametrize("unit", UNITS)
def test_no_sequence_comes_twice_and_nothing_banned(unit: str) -> None:
    model = model_of(KOREAN, unit)
    for seed in range(5):
        text = "".join(sample(model, 60, prompt="한글", temp=0.5, seed=seed, no_repeat=2, ban="소A"))
        whole = "한글" + text
        pairs = [whole[i : i + 2] for i in range(len(whole) - 1)]
        assert len(set(pairs)) == len(pairs)
        assert not {"소", "A"} & set(text)


def test_where_nothing_is_left_the_text_ends() -> None:
    model = model_of("abc")
    for text in sample_many(model, 3, 50, SamplingOptions(no_repeat=1)):
        assert sorted(text.text) == ["a", "b", "c"]
        assert text.end == "stuck"
    assert sorted(sample(model, 50, no_repeat=1)) == ["a", "b", "c"]
    jamo = model_of("가", "jamo")
    assert "".join(sample(jamo, 50, no_repeat=1)) == "가"


@pytest.mark.parametrize("unit", UNITS)
def test_no_run_of_the_corpus_is_written(unit: str) -> None:
    corpus = "한글은 소리다.\nABC é 은글 다소리한 é.CBA" * 3
    runs = NgramFilter(3, len(corpus))
    runs.add([UNITS["char"].codes(corpus)])
    model = model_of(corpus, unit)
    known = {corpus[i : i + 3] for i in range(len(corpus) - 2)}
    free = "".join(sample(model, 400, temp=0.7, seed=1))
    assert any(free[i : i + 3] in known for i in range(398))
    for text in sample_many(model, 2, 400, SamplingOptions(temp=0.7, copies=runs), seed=1):
        assert len(text.text) == 400
        assert not any(text.text[i : i + 3] in known for i in range(398))


def test_a_stop_ends_the_text_at_the_same_place_whatever_the_length() -> None:
    model = model_of("ab.\n")
    free = "".join(sample(model, 300, seed=4, temp=1.5))
    for stop in ("a.", "\nb", free[40:43]):
        wanted = free[: free.index(stop)]
        assert "".join(sample(model, None, seed=4, temp=1.5, stop=[stop])) == wanted
        for length in (len(wanted) - 1, len(wanted), len(wanted) + 1):
            assert "".join(sample(model, length, seed=4, temp=1.5, stop=[stop])) == wanted[:length]
        (many,) = sample_many(model, 1, 300, SamplingOptions(temp=1.5, stop=(stop,)), seed=4, scored=True)
        assert (many.text, many.end) == (wanted, "stop")


def test_lines_are_counted_and_whole() -> None:
    model = model_of("ab\n")
    text = "".join(sample(model, None, seed=1, temp=1.5, lines=3, blank_lines=True))
    assert text.count("\n") == 3
    assert text.endswith("\n")
    text = "".join(sample(model, None, seed=1, temp=1.5, lines=3))
    assert len(text.split()) == 3
    assert text.count("\n") > 3  # of which some are blank
    assert text.endswith("\n")
    options = SamplingOptions(temp=1.5, lines=2, blank_lines=True)
    texts = list(sample_many(model, 5, 1000, options, seed=1))
    assert all((t.text.count("\n"), t.end) == (2, "stop") for t in texts)
    (short,) = sample_many(model, 1, 3, SamplingOptions(temp=1.5, lines=50), seed=1)
    assert (len(short.text), short.end) == (3, "length")


DECOMPOSED = unicodedata.normalize("NFD", "한글é")


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("typed", ["한글é", DECOMPOSED])
def test_bans_and_stops_in_another_normal_form(unit: str, typed: str) -> None:
    model = model_of("한글é은ab\n", unit)
    assert set("".join(sample(model, 300, temp=3.0, ban=typed))).isdisjoint("한글é")
    free = "".join(sample(model, 400, temp=3.0, seed=1, prompt=typed))
    for k, letter in enumerate("한글é"):
        stop = typed[k] if len(typed) == 3 else unicodedata.normalize("NFD", letter)
        assert "".join(sample(model, 400, temp=3.0, seed=1, prompt="한글é", stop=[stop])) == free.partition(letter)[0]
    decomposed = model_of("e\u0301a\n", unit)
    free = "".join(sample(decomposed, 200, temp=3.0))
    stopped = "".join(sample(decomposed, 200, temp=3.0, stop=["é"]))
    assert stopped == free[: free.index("e\u0301")]
    with pytest.raises(UsageError, match="which this model writes as 'e' .U.0065. and"):
        sample(decomposed, 5, ban="é")
    assert "e" not in "".join(sample(decomposed, 200, temp=3.0, ban="\u0301e"))


def test_one_stop_of_several_is_enough() -> None:
    model = model_of("ab\n")
    assert "".join(sample(model, 50, temp=0.0, stop=["b", "###"])) == "".join(sample(model, 50, temp=0.0, stop=["b"]))
    with pytest.raises(UsageError, match="^stop '#a' can never be generated, because '#' .U.0023. is unknown"):
        sample(model, 50, stop=["#a", "a\t"])
    # a stop string does not count as part of the text, and may be longer
    assert "".join(sample(model, 1, temp=3.0, seed=3, stop=["aaaa", "bbb"])) in ("a", "b", "\n", "")


@pytest.mark.parametrize("rule", [{"ban": "\udce9c"}, {"no_repeat": 2}])
def test_raw_rules_apply_to_bytes(rule: dict[str, Any]) -> None:
    vocab = Vocab("byte", [*b"abc\n\xe9\xc3\xa9\xff"])
    config = Config("gru", 1, 4, len(vocab))
    model = Model(config, vocab, fresh_params(config, 0))
    free = "".join(sample(model, 200, temp=5.0, raw=True))
    assert "c" in free
    assert any(c >= "\udc80" for c in free)
    found = "".join(sample(model, 200, temp=5.0, raw=True, **rule)).encode("utf-8", "surrogateescape")
    assert len(found) > 20
    if "ban" in rule:
        assert set(found).isdisjoint(b"\xe9c")
    else:
        pairs = [found[i : i + 2] for i in range(len(found) - 1)]
        assert len(set(pairs)) == len(pairs)


def test_the_end_of_a_text_has_a_reason() -> None:
    model = model_of("ab\n")
    line = "".join(sample(model, None, seed=1, temp=1.5, lines=1))
    for length, end in ((len(line) - 1, "length"), (len(line), "stop"), (len(line) + 1, "stop")):
        characters = sample(model, length, seed=1, temp=1.5, lines=1)
        assert "".join(islice(characters, min(length, len(line)))) == line[:length]
        with pytest.raises(StopIteration) as stop:
            next(characters)
        assert stop.value.value == end
        (many,) = sample_many(model, 1, length, seed=1, temp=1.5, lines=1)
        assert (many.text, many.end) == (line[:length], end)


def test_options_and_keywords_can_be_combined() -> None:
    model, options = model_of("abcdef\n"), SamplingOptions(temp=0.3, ban="a")
    wanted = "".join(sample(model, 50, temp=1.5, ban="a"))
    assert "".join(sample(model, 50, options, temp=1.5)) == wanted
    assert next(sample_many(model, 1, 50, options, temp=1.5)).text == wanted
    with pytest.raises(TypeError, match="tempp"):
        sample(model, 50, tempp=1.0)


def test_bytes_are_valid_utf8_unless_raw() -> None:
    model = model_of("é€ 한\n", "byte")
    text = "".join(sample(model, 200, temp=3.0))
    assert text.encode().decode() == text
    assert set(text) <= {chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF}
    raw = "".join(sample(model, 200, temp=3.0, raw=True))
    assert any("\udc80" <= c <= "\udcff" for c in raw)


def test_draws_without_rules_are_those_of_one_generator() -> None:
    """The stream of a seed: one number a symbol, from PCG64 seeded with (seed, 2)."""
    model = model_of("abcd")
    rng, reader, ids = np.random.Generator(np.random.PCG64([5, 2])), open_streams(model, 1), []
    for _ in range(300):
        p = np.exp(reader.logits[0].astype(np.float64))
        ids.append(int(np.searchsorted(np.cumsum(p), rng.random() * p.sum(), side="right")))
        reader.step(ids[-1:])
    assert "".join(sample(model, 300, temp=1.0, seed=5)) == model.vocab.decode(ids)
