"""Several models that write with one voice: their probabilities, mixed over the union of their characters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from charrnn.arrays import Array
from charrnn.checkpoint.model import Model
from charrnn.errors import UsageError
from charrnn.nn.fast import engine
from charrnn.sampling.readers import Streams
from charrnn.text.vocab import REPLACEMENT, Vocab


@dataclass(frozen=True)
class Mixture:
    """p(character) = Σ w p(character) over the models, whose weights w are made to sum to 1.

    To a model that does not know a character, it is impossible; where it was written all the same, that model does not
    read it (or reads its replacement, where it is a rare one). `vocab` is the union of the vocabularies. Raises
    UsageError unless all have one unit.
    """

    models: tuple[Model, ...]
    weights: tuple[float, ...]
    vocab: Vocab = field(init=False)

    def __post_init__(self) -> None:
        for weight in self.weights:
            if not (weight > 0.0 and math.isfinite(weight)):
                raise UsageError(f"the weight of a model is a number above 0, not {weight:g}.")
        units = {model.vocab.unit: None for model in self.models}
        if len(units) > 1:
            kinds = " and ".join(f"{unit}s" for unit in units)
            raise UsageError(f"these models write {kinds}: only models of one unit can be mixed.")
        object.__setattr__(self, "vocab", union([model.vocab for model in self.models]))


def union(vocabs: Sequence[Vocab]) -> Vocab:
    """All symbols of these vocabularies of one unit; what is rare to one and known to another is known."""
    rare = {code for vocab in vocabs for code in vocab.rare.tolist()}
    # the replacement of rare characters is none itself
    known = {code for vocab in vocabs for code in vocab.codes.tolist() if not (rare and code == REPLACEMENT)}
    return Vocab(vocabs[0].unit, known, rare - known)


class MixedReaders:
    """`count` streams that all models of a mixture read."""

    def __init__(self, mixture: Mixture, count: int) -> None:
        self.readers = [open_streams(model, count) for model in mixture.models]
        logs = np.log(np.array(mixture.weights))
        self.logs = logs - np.logaddexp.reduce(logs)  # their sum may be more than a float holds
        codes = mixture.vocab.codes
        # the id in each model of every symbol, -1 where it has none
        self.ids = [model.vocab.ids_of(codes) for model in mixture.models]
        # where the symbols of each model stand among all, and which of its own they are
        self.places = [np.flatnonzero(np.isin(codes, model.vocab.codes)) for model in mixture.models]
        self.own = [np.flatnonzero(np.isin(model.vocab.codes, codes)) for model in mixture.models]
        self.shape = count, len(mixture.vocab)
        self.mix()

    def mix(self) -> None:
        """Logits are ln p here, in float64."""
        mixed = np.full(self.shape, -np.inf)
        for reader, places, own, log in zip(self.readers, self.places, self.own, self.logs, strict=True):
            wide = reader.logits.astype(np.float64)
            wide -= wide.max(axis=-1, keepdims=True)
            wide += log - np.log(np.exp(wide).sum(axis=-1, keepdims=True))
            mixed[:, places] = np.logaddexp(mixed[:, places], wide[:, own])
        self.logits: Array = mixed

    def step(self, ids: list[int]) -> None:
        for reader, known in zip(self.readers, self.ids, strict=True):
            own: list[int] = known[ids].tolist()
            still = [(row, reader.state(row)) for row, i in enumerate(own) if i < 0]
            if len(still) < len(own):
                reader.step([max(i, 0) for i in own])
                for row, state in still:
                    reader.set_state(state, row)
        self.mix()

    def step_all(self, ids: list[int]) -> None:
        for reader, known in zip(self.readers, self.ids, strict=True):
            reader.step_all([i for i in known[ids].tolist() if i >= 0])
        self.mix()

    def state(self, row: int = 0) -> Any:
        return [reader.state(row) for reader in self.readers], self.logits[row].copy()

    def set_state(self, state: Any, row: int = 0) -> None:
        for reader, own in zip(self.readers, state[0], strict=True):
            reader.set_state(own, row)
        self.logits[row] = state[1]


def open_streams(model: Model | Mixture, count: int) -> Streams:
    """Readers of `count` texts side by side, as after a newline where the vocabulary has one."""
    if isinstance(model, Mixture):
        return MixedReaders(model, count)
    config, params = model.of_text().config, model.params
    opened: Streams = engine.stepper(config, params, count)
    if model.vocab.newline is not None:
        opened.step_all([model.vocab.newline])
    return opened


def mixed(models: Sequence[Model], weights: Sequence[float]) -> Model | Mixture:
    """One model by itself, or several with these weights."""
    mixture = Mixture(tuple(models), tuple(weights))
    return models[0] if len(models) == 1 else mixture
