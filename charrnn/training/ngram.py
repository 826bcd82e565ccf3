"""Counting the n-grams of a training split: for a model of its own, or in addition to a network."""

import numpy as np

from charrnn.checkpoint.model import Model
from charrnn.errors import TextError
from charrnn.evaluation.mixing import Mixing, fit_mixing
from charrnn.nn.ngram import most_symbols
from charrnn.nn.ngram_model import NgramModel
from charrnn.nn.params import Config, Params
from charrnn.options import NGRAM, Options
from charrnn.text.corpus import Corpus
from charrnn.text.dataset import Dataset
from charrnn.text.examples import Examples, encoded


def count(source: Dataset, options: Options) -> Model:
    """The n-gram model of the training split, without a run. Raises TextError if that is empty or too large."""
    if isinstance(source, Examples):
        ngram = count_examples(source, options)
    else:
        train = source.split(options.val_fraction, options.seed)[0]
        check_size(source, len(train))
        ngram = NgramModel.count(train[0 : len(train)], len(source.vocab), options.order)
    config = Config(NGRAM, 0, 0, source.alphabet)
    return Model(config, source.vocab, Params(config.shapes), None, source.task, ngram, 1.0)


def check_size(source: Dataset, symbols: int) -> None:
    """Raises TextError if there are no symbols to count, or more than can be counted."""
    most = most_symbols(len(source.vocab))
    if not symbols:
        raise TextError(f"{source.label} has no text to count.")
    if symbols > most:
        raise TextError(
            f"{source.label} has {symbols:,} symbols to count, and an n-gram model counts at most {most:,}: use a part "
            "of the text, or a network alone."
        )


def count_examples(examples: Examples, options: Options) -> NgramModel:
    """The n-grams of labelled examples, each label with a root of its own.

    The text of a label is its examples, with a newline before each and after the last.
    """
    train, _ = examples.split(options.val_fraction, options.seed)
    end, parts, labels = np.array([examples.vocab.newline]), [], []
    for number, label in enumerate(examples.labels):
        texts = [encoded(examples.vocab, text) for name, text in train if name == label]
        parts += [end, *(part for text in texts for part in (text, end))]
        labels.append(np.full(1 + sum(len(text) + 1 for text in texts), number, np.int32))
    symbols, roots = np.concatenate(parts).astype(np.uint32), np.concatenate(labels)
    check_size(examples, len(symbols))
    return NgramModel.count(symbols, len(examples.vocab), options.order, roots, int(end[0]))


def check_mixing(corpus: Dataset, options: Options) -> None:
    """Raises TextError unless an n-gram model can be counted, and mixed with the network of a run."""
    assert isinstance(corpus, Corpus)
    train, held_out = corpus.split(options.val_fraction, options.seed)
    check_size(corpus, len(train))
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
