"""Steppers of a model or a mixture that have read the symbol before a text; a prompt as ids."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from charrnn.arrays import Array
from charrnn.checkpoint.model import Model
from charrnn.checks import Setting, check, quoted
from charrnn.errors import UsageError
from charrnn.nn.fast import engine
from charrnn.nn.interface import State, Stepper
from charrnn.nn.loss import log_softmax
from charrnn.sampling.mixture import Mixture, parts
from charrnn.text.forms import known_form
from charrnn.text.vocab import UNKNOWN, Vocab


def open_streams(model: Model | Mixture, count: int, workers: int = 1) -> Stepper:
    """Streams of `count` texts that have read the symbol before a text: a boundary or a newline, if there is one.

    `workers` is the number of processes that compute a network without an n-gram model, for one text.
    """
    if isinstance(model, Mixture):
        return MixedStreams(model, count)
    if model.of_text().ngram and model.config.layers:
        return MixedStreams(parts(model), count)
    streams: Stepper
    if model.ngram:
        from charrnn.nn.ngram_network import NgramStepper

        streams = NgramStepper(model.ngram, count)
    else:
        streams = engine.stepper(model.config, model.params, count, workers=workers)
    if model.vocab.start is not None:
        streams.step_all([model.vocab.start])
    return streams if model.boundary is None else SeparateTexts(streams, model.boundary, count)


class SeparateTexts:
    """Streams that have read a boundary, and whose state is then reset before each boundary that they read."""

    def __init__(self, streams: Stepper, boundary: int, count: int) -> None:
        self.streams, self.boundary, self.count, self.logits = streams, boundary, count, streams.logits
        self.first = streams.state()

    def step(self, ids: list[int]) -> None:
        self.streams.step(ids)
        self.restart(row for row, i in enumerate(ids) if i == self.boundary)

    def step_all(self, ids: list[int]) -> None:
        if self.boundary in ids:
            ids = ids[len(ids) - ids[::-1].index(self.boundary) :]
            self.restart(range(self.count))
        self.streams.step_all(ids)
        self.logits = self.streams.logits

    def restart(self, rows: Iterable[int]) -> None:
        for row in rows:
            self.streams.set_state(self.first, row)
        self.logits = self.streams.logits

    def state(self, stream: int = 0) -> State:
        return self.streams.state(stream)

    def set_state(self, state: State, stream: int = 0) -> None:
        self.streams.set_state(state, stream)
        self.logits = self.streams.logits


class MixedStreams:
    """Streams that every model of a mixture reads; `logits` are the logarithms of the mixed probabilities."""

    def __init__(self, mixture: Mixture, count: int) -> None:
        self.models = [open_streams(model, count) for model in mixture.models]
        log_weights = np.log(np.array(mixture.weights))
        self.log_weights = log_weights - np.logaddexp.reduce(log_weights)  # the sum of the weights may overflow
        codes = mixture.vocab.codes
        # the id of every symbol in each model, -1 if it has none
        self.ids = [model.vocab.ids_of(codes) for model in mixture.models]
        # the symbols of each model that the mixture has: their ids in the mixture, and in the model
        self.shared = [np.intersect1d(codes, model.vocab.codes, return_indices=True)[1:] for model in mixture.models]
        self.shape = count, len(mixture.vocab)
        self.mix()

    def mix(self) -> None:
        """log p = log Σ w p over the models, in float64."""
        mixed = np.full(self.shape, -np.inf)
        for streams, (places, own), log_weight in zip(self.models, self.shared, self.log_weights, strict=True):
            log_p = log_softmax(streams.logits.astype(np.float64)) + log_weight
            mixed[:, places] = np.logaddexp(mixed[:, places], log_p[:, own])
        self.logits: Array = mixed

    def step(self, ids: list[int]) -> None:
        for streams, known in zip(self.models, self.ids, strict=True):
            own: list[int] = known[ids].tolist()
            skipped = [(row, streams.state(row)) for row, i in enumerate(own) if i < 0]
            if len(skipped) < len(own):
                streams.step([max(i, 0) for i in own])
                for row, state in skipped:
                    streams.set_state(state, row)
        self.mix()

    def step_all(self, ids: list[int]) -> None:
        for streams, known in zip(self.models, self.ids, strict=True):
            streams.step_all([i for i in known[ids].tolist() if i >= 0])
        self.mix()

    def state(self, stream: int = 0) -> Any:
        return [streams.state(stream) for streams in self.models], self.logits[stream].copy()

    def set_state(self, state: Any, stream: int = 0) -> None:
        for streams, own in zip(self.models, state[0], strict=True):
            streams.set_state(own, stream)
        self.logits[stream] = state[1]


def encode_prompt(vocab: Vocab, prompt: str, unknown: str = "error") -> list[int]:
    """Ids of the prompt: as it is, or in the composed (NFC) or decomposed (NFD) form if the vocabulary knows it better.

    For symbols that are not in the vocabulary, unknown="error" raises UsageError, and unknown="skip" leaves them out.
    """
    if unknown not in ("error", "skip"):
        raise UsageError(f"unknown is error or skip, not {unknown!r}.", "unknown")
    check("prompt", prompt, str, Setting())
    try:
        prompt.encode("utf-8", "surrogateescape")  # a symbol of characters may be any code point
        form = known_form(vocab, prompt)
        ids: list[int] = vocab.encode(form).tolist()
    except UnicodeEncodeError:
        raise UsageError("the prompt contains a lone surrogate, which is not valid text: remove it.") from None
    if unknown == "error" and UNKNOWN in ids:
        names = ", ".join(map(named, vocab.unknown(form)[:3]))
        raise UsageError(
            f'the model has never seen {names} in the prompt. Remove them, or use unknown="skip". '
            f"It knows {len(vocab)} symbols: see charrnn info.",
            'unknown="skip"',
        )
    return [i for i in ids if i != UNKNOWN]


def named(symbol: str) -> str:
    """The symbol with its code points."""
    return f"{quoted(symbol).partition(' (')[0]} ({' '.join(f'U+{ord(c):04X}' for c in symbol)})"
