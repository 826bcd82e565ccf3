"""Several models that write with one voice: their probabilities, mixed over the union of their characters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from charrnn.arrays import Array
from charrnn.checkpoint import Model
from charrnn.errors import UsageError
from charrnn.reader import Reader, Readers
from charrnn.text.vocab import Vocab


class Streams(Protocol):
    """What reads a text, or several side by side: `logits` (K, V) are what comes next."""

    logits: Array

    def read(self, ids: list[int]) -> None:
        """Goes on by one id a stream."""

    def read_alike(self, ids: list[int]) -> None:
        """All streams go on by these ids."""

    def state(self, row: int = 0) -> Any:
        """A copy of the state of one stream."""

    def set_state(self, state: Any, row: int = 0) -> None:
        """One stream goes back to where `state` was taken."""


@dataclass(frozen=True)
class Mixture:
    """p(character) = Σ w p(character) over the models, whose weights w are made to sum to 1.

    To a model that does not know a character, it is impossible; where it was written all the same, that model does
    not read it. `vocab` is the union of the vocabularies. Raises UsageError unless all have one unit.
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
        codes = np.unique(np.concatenate([np.delete(v.codes, own_replacement(v)) for v in self.vocabs]))
        rare = np.setdiff1d(np.concatenate([v.rare for v in self.vocabs]), codes)
        object.__setattr__(self, "vocab", Vocab(self.models[0].vocab.unit, codes.tolist(), rare.tolist()))

    @property
    def vocabs(self) -> list[Vocab]:
        return [model.vocab for model in self.models]


def own_replacement(vocab: Vocab) -> list[int]:
    """The id of the symbol that stands for rare ones, where there is one."""
    return [] if vocab.replacement is None else [vocab.replacement]


class MixedReaders:
    """`count` streams that all models of a mixture read."""

    def __init__(self, mixture: Mixture, count: int) -> None:
        self.readers = [streams(model, count) for model in mixture.models]
        self.logs = np.log(np.array(mixture.weights) / sum(mixture.weights))
        # the id in each model of every symbol, -1 where it has none; the symbols that each may write, and their ids
        self.ids = [vocab.ids_of(mixture.vocab.codes) for vocab in mixture.vocabs]
        written = [
            (ids >= 0) & ~np.isin(ids, own_replacement(v)) for ids, v in zip(self.ids, mixture.vocabs, strict=True)
        ]
        self.places = [np.flatnonzero(mask) for mask in written]
        self.columns = [ids[places] for ids, places in zip(self.ids, self.places, strict=True)]
        self.shape = count, len(mixture.vocab)
        self.mix()

    def mix(self) -> None:
        """Logits are ln p here, in float64."""
        mixed = np.full(self.shape, -np.inf)
        for reader, places, columns, log in zip(self.readers, self.places, self.columns, self.logs, strict=True):
            wide = reader.logits.astype(np.float64)
            wide -= wide.max(axis=-1, keepdims=True)
            wide += log - np.log(np.exp(wide).sum(axis=-1, keepdims=True))
            mixed[:, places] = np.logaddexp(mixed[:, places], wide[:, columns])
        self.logits: Array = mixed

    def read(self, ids: list[int]) -> None:
        for reader, known in zip(self.readers, self.ids, strict=True):
            own: list[int] = known[ids].tolist()
            still = [(row, reader.state(row)) for row, i in enumerate(own) if i < 0]
            if len(still) < len(own):
                reader.read([max(i, 0) for i in own])
                for row, state in still:
                    reader.set_state(state, row)
        self.mix()

    def read_alike(self, ids: list[int]) -> None:
        for reader, known in zip(self.readers, self.ids, strict=True):
            reader.read_alike([i for i in known[ids].tolist() if i >= 0])
        self.mix()

    def state(self, row: int = 0) -> Any:
        return [reader.state(row) for reader in self.readers], self.logits[row].copy()

    def set_state(self, state: Any, row: int = 0) -> None:
        for reader, own in zip(self.readers, state[0], strict=True):
            reader.set_state(own, row)
        self.logits[row] = state[1]


def streams(model: Model | Mixture, count: int) -> Streams:
    """Readers of `count` texts side by side."""
    if isinstance(model, Mixture):
        return MixedReaders(model, count)
    return Reader(model) if count == 1 else Readers(model, count)


def mixed(models: Sequence[Model], weights: Sequence[float]) -> Model | Mixture:
    """One model by itself, or several with these weights."""
    mixture = Mixture(tuple(models), tuple(weights))
    return models[0] if len(models) == 1 else mixture
