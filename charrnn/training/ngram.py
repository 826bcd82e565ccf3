"""Counting the n-grams of a training split: for a model of its own, or in addition to a network."""

from itertools import chain

import numpy as np

from charrnn.checkpoint.model import Model
from charrnn.errors import TextError
from charrnn.evaluation.mixing import Mixing, fit_mixing
from charrnn.nn.ngram import most_symbols
from charrnn.nn.ngram_model import NgramModel
from charrnn.nn.params import Config, Params
from charrnn.options import NGRAM, Options
from charrnn.system.resources import free_memory
from charrnn.text.corpus import Corpus
from charrnn.text.dataset import Dataset
from charrnn.text.examples import Examples, encoded

BYTES = 8  # of memory per symbol and order while prose is counted; it took 7 for 1 MB and 11 for 83 kB
SECONDS = 0.2e-6  # per symbol and order, to count prose and to score its validation split; 0.11e-6 to 0.14e-6 measured


def seconds_to_mix(source: Dataset, options: Options) -> float:
    """About how long `mixing` takes, apart from scoring the network; 0 without an n-gram model."""
    return SECONDS * source.symbols * options.order * options.with_ngram


def count(source: Dataset, options: Options) -> Model:
    """The n-gram model of the training split, without a run. Raises TextError if that is empty or too large."""
    if isinstance(source, Examples):
        ngram = count_examples(source, options)
    else:
        train = source.split(options.val_fraction, options.seed)[0]
        check_size(source, len(train), options.order)
        ngram = NgramModel.count([train[0 : len(train)]], len(source.vocab), options.order)
    config = Config(NGRAM, 0, 0, source.alphabet)
    return Model(config, source.vocab, Params(config.shapes), None, source.task, ngram, 1.0)


def check_size(source: Dataset, symbols: int, order: int) -> None:
    """Raises TextError if there are no symbols to count, or more than can be counted, or fit into memory."""
    most = most_symbols(len(source.vocab))
    if not symbols:
        raise TextError(f"{source.label} has no text to count.")
    if symbols > most:
        raise TextError(
            f"{source.label} has {symbols:,} symbols to count, and an n-gram model counts at most {most:,}: use a part "
            "of the text, or a network alone."
        )
    have, need = free_memory(), BYTES * symbols * order
    if have is not None and need > have:
        raise TextError(
            f"{source.label} has {symbols:,} symbols to count up to order {order}, which needs about "
            f"{need / 1e9:,.1f} GB of memory, and {have / 1e9:,.1f} GB is free: use a part of the text, or a smaller "
            "`order`."
        )


def count_examples(examples: Examples, options: Options) -> NgramModel:
    """The n-grams of labelled examples, each label with a root of its own.

    The text of a label is its examples, with a newline before each and after the last.
    """
    train, _ = examples.split(options.val_fraction, options.seed)
    end, texts = np.array([examples.vocab.newline]), []
    for label in examples.labels:
        parts = [(encoded(examples.vocab, text), end) for name, text in train if name == label]
        texts.append(np.concatenate([end, *chain.from_iterable(parts)]).astype(np.uint32))
    check_size(examples, sum(map(len, texts)), options.order)
    return NgramModel.count(texts, len(examples.vocab), options.order, int(end[0]))


def check_mixing(corpus: Dataset, options: Options) -> None:
    """Raises TextError unless an n-gram model can be counted, and mixed with the network of a run."""
    assert isinstance(corpus, Corpus)
    train, held_out = corpus.split(options.val_fraction, options.seed)
    check_size(corpus, len(train), options.order)
    if not held_out:
        raise TextError(f"{corpus.label} is too short for a validation split, to which with_ngram fits its weight.")


def mixing(network: Model, corpus: Dataset, options: Options) -> Mixing:
    """The n-gram model of the training split, with the weight that fits the validation split."""
    assert isinstance(corpus, Corpus)
    model = count(corpus, options)
    held_out = corpus.split(options.val_fraction, options.seed)[1]
    weight, loss = fit_mixing(network, model, corpus, held_out)
    assert model.ngram is not None
    return Mixing(model.ngram, weight, loss)
