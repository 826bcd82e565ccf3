"""The sentences that end the figures: what they say about known results."""

import numpy as np
import pytest

from charrnn.see import curve, gradients, memory, neurons, step, surprise
from charrnn.see.gradients import GradientNorms
from charrnn.see.memory import Memory
from charrnn.see.neurons import ProbeFit, Unit
from charrnn.see.probes import PROBES
from charrnn.see.sentence import model_names
from charrnn.see.text_window import text_window
from charrnn.text.corpus import Corpus
from tests.sampling.test_sample import model_of


def norms(*values: float) -> GradientNorms:
    return GradientNorms(9, {}, {"h": np.array(values)}, [])


def test_gradients_vanish_last_or_grow() -> None:
    results = [norms(1.0, 0.01), norms(2.0, 1.0, 0.02), norms(1.0, 0.5, 0.4), norms(1.0, 2.0, 4.0)]
    assert gradients.summary(["the RNN", "the GRU"], results[:2]) == (
        "The RNN's gradient falls to 1 % after 1 character, the GRU's after 2 characters."
    )
    assert gradients.summary(["a.npz", "b.npz"], results[2:]) == (
        "a.npz's gradient is still 40 % after 2 characters, b.npz's grows by a factor of 2.00 per step."
    )
    assert gradients.summary(["the RNN"], [norms(0.0, 0.0)]) == "The RNN's gradient is zero."
    overflowing = norms(1.0, 3.0, 9.0, float("inf"))
    assert overflowing.course == ("grows", "by a factor of 3.00 per step")


def test_context_that_counts() -> None:
    enough = Memory([(1, 3.0), (5, 2.009), (10, 2.005)], 2.0, [])
    more = Memory([(1, 3.0), (10, 2.25)], 2.0, [])
    assert memory.summary(["the GRU"], [enough]) == (
        "Context beyond 5 characters lowers the loss by less than 0.01 nats."
    )
    assert memory.summary(["the GRU", "the RNN"], [enough, more]) == (
        "Context beyond 5 characters lowers the GRU's loss by less than 0.01 nats; "
        "context beyond 10 characters still lowers the RNN's loss by 0.25 nats."
    )
    assert "too short" in memory.summary(["the GRU"], [Memory([(1, 3.0)], float("nan"), [])])


def test_the_best_unit_or_none() -> None:
    quotes, boundary = (
        ProbeFit(probe, Unit(0, "c", 128), fit, 0.5) for probe, fit in ((PROBES[0], 0.16), (PROBES[6], 0.9))
    )
    assert neurons.summary([boundary, quotes]) == "Unit c 128 of layer 0 follows 'inside quotes' best (R² 0.16)."
    weak = ProbeFit(PROBES[0], Unit(0, "c", 1), 0.09, 0.3)
    assert neurons.summary([weak, boundary]) == "Unit c 128 of layer 0 follows 'word boundary' best (R² 0.90)."
    assert neurons.summary([weak]) == neurons.summary([]) == "No unit follows any of the probes."
    assert neurons.unit_summary(Unit(1, "h", 3), "abab" * 5, [0.5, -0.25] * 10) == (
        "Unit h 3 of layer 1 is highest after 'a' (mean 0.50) and lowest after 'b' (-0.25)."
    )


@pytest.mark.parametrize("against", ["steps", "seconds"])
def test_the_lowest_loss(against: str) -> None:
    train = ([1.0, 2.0, 3.0], [3.0, 2.0, 1.5])
    rising = curve.Curves(against, train, ([1.0, 2.0, 3.0], [3.0, 2.0, 2.25]), ([], []), ([], []), 5.0)
    place = "step 2" if against == "steps" else "2 seconds"
    assert curve.summary(["m.npz"], [rising]) == (
        f"m.npz's validation loss is lowest at {place} (2.000 nats), then rises by 0.250."
    )
    falling = curve.Curves(against, train, ([], []), ([], []), ([], []), 5.0)
    assert "training loss is lowest at" in curve.summary(["m.npz"], [falling])
    assert curve.summary(["m.npz"], [falling]).endswith("(1.500 nats), at the end of the run.")


def test_the_most_surprising_character() -> None:
    model = model_of("ab\n")
    for values in model.params.values():
        values[:] = 0.0
    model.params["by"][:] = np.log([0.1, 0.6, 0.3])  # newline, a, b
    corpus = Corpus.from_text("aaab\naab", vocab=model.vocab)
    found = surprise.surprise(model, text_window(corpus, corpus.segments, 99))
    # 5 x 0.74 + 2 x 1.74 + 3.32 = 10.5 bits, of which 3.32 + 1.74 + 1.74 are more than half, and 3.32 + 1.74 are not
    assert surprise.summary(found) == (
        "Half of the surprise is in 38% of the characters; the most surprising one is '\\n' in line 1 "
        "(3.3 bits; expected 'a', 60%)."
    )


def test_one_step() -> None:
    lines = step.steps(step.small("rnn", 1, 2, "abba", 0), "abba")
    found = step.summary(lines)
    assert "where guessing has ln 2 = 0.693; the largest gradient, " in found
    largest = max(lines[-5:], key=lambda line: float(np.abs(line.values).max()))
    assert found.endswith(f"{np.abs(largest.values).max():.3f}, is in {largest.name}.")


def test_models_are_named_by_their_cells_if_these_differ() -> None:
    rnn, lstm = model_of("ab", cell="rnn"), model_of("ab", cell="lstm")
    assert model_names([("a.npz", rnn), ("b.npz", lstm)]) == ["the RNN", "the LSTM"]
    assert model_names([("a.npz", rnn), ("b.npz", rnn)]) == ["a.npz", "b.npz"]
