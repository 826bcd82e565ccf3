"""An n-gram model as the arrays of a model file: per level the sorted keys and their counts, in the smallest types."""

from typing import Any

import numpy as np

from charrnn.checkpoint.npz import Members, Values
from charrnn.checks import check_float, check_int, require
from charrnn.nn.ngram import Grams
from charrnn.nn.ngram_model import NONE, CompleteLevel, NgramModel
from charrnn.nn.params import Config
from charrnn.options import HIGHEST_ORDER
from charrnn.text.tasks import Task
from charrnn.text.vocab import Vocab

COUNT_TYPES = {size: np.dtype(f"<u{size}") for size in (1, 2, 4)}


def ngram_arrays(ngram: NgramModel) -> dict[str, Values]:
    arrays: dict[str, Values] = {}
    for k, level in enumerate(ngram.levels, 1):
        arrays[f"ngram.{k}.keys"] = level.keys.astype(key_type(level.contexts, ngram.vocab_size))
        arrays[f"ngram.{k}.counts"] = level.counts.astype(smallest(int(level.counts.max())))
    return arrays


def key_type(contexts: int, vocab_size: int) -> np.dtype[Any]:
    """The type of the keys of a level, context * V + symbol."""
    return smallest(contexts * vocab_size - 1)


def smallest(number: int) -> np.dtype[Any]:
    """The smallest unsigned type that holds a number; little-endian on every machine."""
    return np.min_scalar_type(number).newbyteorder("<")


def read_ngram(
    members: Members, values: dict[str, Any], config: Config, vocab: Vocab, task: Task | None
) -> tuple[NgramModel, float]:
    """The n-gram model in a model file, and its weight. Raises CharRNNError, KeyError or ValueError if it cannot be."""
    require(isinstance(values, dict) and set(values) == {"order", "weight"}, "ngram")
    order, weight, symbols = values["order"], values["weight"], len(vocab)
    check_int("order", order, 1, HIGHEST_ORDER)
    check_float("weight", weight, above=0.0, at_most=1.0)
    require((weight == 1.0) == (config.layers == 0), "ngram")
    require(task is None or (task.kind == "generate" and not config.layers), "ngram")
    contexts, levels = len(task.labels) if task else 1, list[CompleteLevel]()
    for k in range(1, order + 1):
        dtype = key_type(contexts, symbols)
        size = members.size(f"ngram.{k}.keys") // dtype.itemsize
        require(size > 0, "ngram")
        keys = members.array(f"ngram.{k}.keys", dtype, (size,)).astype(np.int64)
        counts = members.array(f"ngram.{k}.counts", COUNT_TYPES[members.size(f"ngram.{k}.counts") // size], (size,))
        require(bool((np.diff(keys) > 0).all()) and keys[-1] < contexts * symbols and bool(counts.all()), "ngram")
        levels.append(CompleteLevel(Grams(keys, NONE, contexts), counts, symbols))
        contexts = size
    return NgramModel(symbols, tuple(levels), (task and vocab.newline) or 0), weight
