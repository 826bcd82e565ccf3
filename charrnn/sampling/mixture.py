"""Several models as one: their probabilities, mixed over the union of their vocabularies."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from charrnn.checkpoint.model import Model
from charrnn.errors import UsageError
from charrnn.nn.params import Config, Params
from charrnn.options import NGRAM
from charrnn.text.vocab import REPLACEMENT, Vocab


@dataclass(frozen=True)
class Mixture:
    """p(symbol) = Σ w p(symbol) over the models, with their weights w scaled to sum to 1.

    A model gives probability 0 to a symbol outside its vocabulary, and skips it when it reads it (or reads the unknown
    symbol, if the symbol was rare in its training text). `vocab` is the union of the vocabularies. Raises UsageError if
    the units or the boundaries of texts differ, or a weight is not positive.
    """

    models: tuple[Model, ...]
    weights: tuple[float, ...]
    vocab: Vocab = field(init=False)

    def __post_init__(self) -> None:
        check_weights("model", self.weights)
        units = {model.vocab.unit: None for model in self.models}
        if len(units) > 1:
            kinds = " and ".join(f"{unit}s" for unit in units)
            raise UsageError(f"these models write {kinds}: only models of one unit can be mixed.")
        if len({model.vocab.boundary_code for model in self.models}) > 1:
            raise UsageError(
                "these models end texts differently: mix models that were all trained on one text, on several files, "
                "or with `by_line`."
            )
        object.__setattr__(self, "vocab", union([model.vocab for model in self.models]))

    def of_text(self) -> "Mixture":
        """This mixture. Raises UsageError if one of its models was trained on examples."""
        for model in self.models:
            model.of_text()
        return self


def parts(model: Model) -> Mixture:
    """The network and the n-gram model of a model that has both, as a mixture of two models."""
    config = Config(NGRAM, 0, 0, model.config.vocab_size)
    ngram = replace(model, config=config, params=Params(config.shapes), ngram_weight=1.0)
    return Mixture((model.of_network(), ngram), (1.0 - model.ngram_weight, model.ngram_weight))


def check_weights(name: str, weights: Sequence[float]) -> None:
    """Raises UsageError unless all weights are positive and finite; `name` is what they weight."""
    for weight in weights:
        if not 0.0 < weight < math.inf:
            raise UsageError(f"the weight of a {name} is a number above 0, not {weight:g}.")


def union(vocabs: Sequence[Vocab]) -> Vocab:
    """All symbols of these vocabularies of one unit; a symbol that is rare in one and known to another is known."""
    rare = {code for vocab in vocabs for code in vocab.rare.tolist()}
    # the code of the unknown symbol is not itself a known symbol
    known = {code for vocab in vocabs for code in vocab.codes.tolist() if not (rare and code == REPLACEMENT)}
    return Vocab(vocabs[0].unit, known, rare - known, vocabs[0].boundary_code)


def mix(models: Sequence[Model], weights: Sequence[float]) -> Model | Mixture:
    """The mixture of several models with these weights; a single model as it is."""
    mixture = Mixture(tuple(models), tuple(weights))
    return models[0] if len(models) == 1 else mixture
