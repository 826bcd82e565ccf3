"""Units: a planted one is found, activations equal those of the network, and fits equal least squares."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.checkpoint.model import Model
from charrnn.errors import TextError, UsageError
from charrnn.nn.equations import CELLS
from charrnn.nn.fast.network import Network
from charrnn.see.neurons import RunningRegression, Unit, activations, by_character, find, kinds, limits, unit_values
from charrnn.see.text_window import TextWindow, text_window
from charrnn.text.corpus import Corpus
from tests.sampling.test_sample import model_of

RNG = np.random.default_rng(0)
WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "saw", '"no"', "(it)", "The", "dog"]
TEXT = "".join(" ".join(RNG.choice(WORDS, RNG.integers(1, 14))) + "\n" for _ in range(400))


def window_of(model: Model, chars: int = 100_000) -> TextWindow:
    corpus = Corpus.from_text(TEXT, model.vocab.unit, model.vocab)
    return text_window(corpus, corpus.segments, chars)


def planted(layer: int, index: int) -> Model:
    """An LSTM with a cell that grows by 0.01 per character and is cleared by a newline."""
    model = model_of(TEXT, cell="lstm", seed=1)
    H, params = model.config.hidden_size, model.params
    i, f, o, g = (gate * H + index for gate in range(4))
    for name in ("Wx", "Wh"):
        params[f"l{layer}.{name}"][:, [i, f, o, g]] = 0.0
    params[f"l{layer}.b"][[i, f, o, g]] = 20.0, 20.0, 20.0, np.arctanh(0.01)
    assert layer == 0, "only the first layer sees the newline itself"
    params["l0.Wx"][model.vocab.newline, [i, f]] = -60.0
    return model


@pytest.mark.parametrize("index", [0, 5])
def test_a_planted_unit_that_counts_the_position_is_found_first(index: int) -> None:
    model = planted(0, index)
    found = find(model, window_of(model), top=3)
    first = next(fit for fit in found.fits if fit.probe.name == "position in the line")
    assert (first.unit, first.probe.name) == (Unit(0, "c", index), "position in the line")
    assert first.fit > 0.999
    assert first == max(found.fits, key=lambda fit: fit.fit)
    open_gates = next(row for row in found.saturation if row.layer == 0 and row.gate == "i")
    assert open_gates.open >= 1 / 8 * 0.9


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("unit", ["char", "jamo", "byte"])
def test_activations_are_those_of_the_network_on_the_same_text(
    cell: str, unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("charrnn.evaluation.scan.SHORTEST", 10_000)  # one stream: no warm-up in between
    text = "한글 the cat\n" * 30
    model = model_of(text, unit, cell)
    corpus = Corpus.from_text(text, unit, model.vocab)
    part = text_window(corpus, corpus.segments, 100, begin=4)
    ids = np.concatenate([part.before, part.ids])
    network = Network(model.config, model.params, 1, 1)
    states = []
    for symbol in ids:
        network.forward(np.array([[symbol]]))
        network.carry()
        states.append(network.state())
    for of in model.config.states:
        wanted = [state[of][1, 0, 3] for state in states[len(part.before) :]]
        found = activations(model, part, Unit(1, of, 3))
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    last = by_character(part, found)
    assert len(last) == len(part.characters) == 100
    assert last[-1] == pytest.approx(float(found[-1]))


def test_streams_of_a_long_window_are_close_to_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(TEXT)
    part = window_of(model, 2000)
    streams = activations(model, part, Unit(1, "h", 0))
    monkeypatch.setattr("charrnn.evaluation.scan.SHORTEST", 10_000)
    np.testing.assert_allclose(streams, activations(model, part, Unit(1, "h", 0)), atol=1e-3)


@pytest.mark.parametrize("begin", [0, 1000])
def test_every_symbol_of_a_window_is_read_once(begin: int) -> None:
    model = model_of(TEXT)
    corpus = Corpus.from_text(TEXT, vocab=model.vocab)
    part = text_window(corpus, corpus.segments, 3000, begin)
    places = [place for some, _ in unit_values(model, part) for place in some.tolist()]
    assert sorted(places) == list(range(3000))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_running_sums_give_the_least_squares_line(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, q = rng.normal(size=(60, 2)), rng.normal(size=(60, 3))
    q[:, 0] += 2 * a[:, 0]
    sums = [RunningRegression(2, 3) for _ in range(2)]
    for half, rows in zip(sums, (slice(0, 30), slice(30, 60)), strict=True):
        for begin in (0, 15):
            half.add(a[rows][begin : begin + 15], q[rows][begin : begin + 15])
    correlation = np.corrcoef(a[:30].T, q[:30].T)[:2, 2:]
    np.testing.assert_allclose(sums[0].correlation(), correlation, atol=1e-9)
    fits = sums[1].r_squared(*sums[0].line())
    for feature in range(2):
        for target in range(3):
            line = np.poly1d(np.polyfit(a[:30, feature], q[:30, target], 1))
            wanted = q[30:, target]
            r2 = 1 - ((wanted - line(a[30:, feature])) ** 2).sum() / ((wanted - wanted.mean()) ** 2).sum()
            assert fits[feature, target] == pytest.approx(r2, abs=1e-9)


def test_a_constant_unit_has_no_correlation() -> None:
    sums = RunningRegression(1, 1)
    sums.add(np.ones((9, 1)), np.arange(9.0)[:, None])
    assert sums.correlation()[0, 0] == 0.0
    assert sums.r_squared(*sums.line())[0, 0] == pytest.approx(0.0)


def test_gates_ranges_and_missing_units() -> None:
    model = model_of(TEXT, cell="lstm")
    part = window_of(model, 50)
    assert kinds(model) == ["h", "c", "i", "f", "o", "g"]
    assert limits(model, "f", [0.5]) == (0.0, 1.0)
    assert limits(model, "h", [0.5]) == (-1.0, 1.0)
    assert limits(model, "c", [0.5, -3.21]) == (-3.2, 3.2)
    assert limits(model, "c", [0.0]) == (-1.0, 1.0)
    for wrong, words in ((Unit(2, "h", 0), "`layer`"), (Unit(0, "h", 8), "`unit`"), (Unit(0, "z", 0), "`of`")):
        with pytest.raises(UsageError, match=words):
            activations(model, part, wrong)
    with pytest.raises(UsageError, match="`of`"):
        find(model, part, ["r"])
    gates = find(model, part, ["i"], top=2)
    assert {fit.unit.of for fit in gates.fits} == {"i"}


def test_a_uniform_text_is_refused() -> None:
    model = model_of("\n")
    corpus = Corpus.from_text("\n\n\n", vocab=model.vocab)
    with pytest.raises(TextError, match="too short or too uniform for any probe"):
        find(model, text_window(corpus, corpus.segments, 9))


def test_gate_saturation() -> None:
    model = model_of(TEXT, cell="gru")
    params, H = model.params, model.config.hidden_size
    for name in ("Wx", "Wh"):
        params[f"l1.{name}"][:] = 0.0
    params["l1.b"][: 2 * H] = [*[-9.0] * 6, *[9.0] * 2, *[0.0] * 8]
    rows = {(row.layer, row.gate): row for row in find(model, window_of(model, 300)).saturation}
    assert (rows[1, "r"].closed, rows[1, "r"].open) == (0.75, 0.25)
    assert (rows[1, "z"].closed, rows[1, "z"].open, rows[1, "z"].mean) == (0.0, 0.0, 0.5)
    rnn = model_of(TEXT, cell="rnn")  # a cell without gates
    assert find(rnn, window_of(rnn, 300)).saturation == []
