"""The start of a run: the run of a model, or the weights of another model, whose symbols are matched by code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from charrnn.checkpoint.model import Model
from charrnn.checkpoint.run import Run
from charrnn.errors import TextError, UsageError
from charrnn.nn.params import Config, Params, fresh_params
from charrnn.text.dataset import Dataset
from charrnn.text.vocab import UNKNOWN, Vocab

FIXED = ("cell", "layers", "hidden_size")  # options that follow from the weights, besides the unit


@dataclass(frozen=True)
class Transfer:
    """The first weights of a run that starts from another model.

    `kept` are the symbols whose weights come from the model, `new` the others; `kept_labels` and `new_labels` are
    numbers of labels, `kept_weights` and `new_weights` of weights.
    """

    params: Params
    kept: list[str]
    new: list[str]
    kept_labels: int
    new_labels: int
    kept_weights: int
    new_weights: int


def check_text(model: Model, source: Dataset) -> Run:
    """The run of a network. Raises CharRNNError unless it has one, on this text."""
    run = model.of_network().run
    if run is None:
        raise UsageError("the model has no training to resume.")
    same = model.vocab == source.vocab and model.task == source.task
    if run.sha256 != source.sha256 or not same:
        raise TextError(
            f"{source.label} is not the text that the model was trained on: resume with that text, "
            "or pass init_from=model instead of model for a new run from its weights."
        )
    return run


def texts_before(source: Model) -> tuple[str, ...]:
    """The texts that the weights of a model were trained on."""
    return (*source.run.before, *source.run.texts) if source.run else ("an unknown text",)


def options_from_model(source: Model, given: dict[str, Any]) -> dict[str, Any]:
    """The options that follow from the weights of `source`, and those that the user gave.

    Raises UsageError if they contradict each other.
    """
    fixed = {"unit": source.vocab.unit, **{name: getattr(source.of_network().config, name) for name in FIXED}}
    for name, value in fixed.items():
        if given.get(name, value) != value:
            raise UsageError(
                f"`{name}={given[name]}` contradicts the model to start from ({value}): leave out one of them."
            )
    return {**fixed, **given}


def transfer(source: Model, config: Config, vocab: Vocab, seed: int, labels: Sequence[str] = ()) -> Transfer:
    """First weights for `config` and `vocab`: those of `source`, and random ones for symbols that it does not have.

    `labels` are those of the run, which follow its symbols; they are matched by name. The bias of a new symbol is the
    mean of the known ones. Raises UsageError if the networks or units differ.
    """
    old = source.config
    if (config.cell, config.layers, config.hidden_size) != (old.cell, old.layers, old.hidden_size):
        raise UsageError(f"the model to start from is {old.name}, and the run {config.name}: they must be the same.")
    if vocab.unit != source.vocab.unit:
        raise UsageError(f"the model to start from reads {source.vocab.unit}s, and the text is read as {vocab.unit}s.")
    params = fresh_params(config, seed)
    ids = vocab.ids_of(source.vocab.codes)
    ids[vocab.codes[ids] != source.vocab.codes] = UNKNOWN  # rare in this text, while the model has a symbol for it
    known = ids != UNKNOWN
    old_labels = source.task.labels if source.task else ()
    both = [label for label in labels if label in old_labels]
    to = [*ids[known].tolist(), *(len(vocab) + labels.index(label) for label in both)]
    of = [*np.flatnonzero(known).tolist(), *(len(source.vocab) + old_labels.index(label) for label in both)]
    params["by"][:] = source.params["by"].mean()
    for name, values in source.params.items():
        if name == config.lookup:
            params[name][to] = values[of]
        elif name in ("Wy", "by"):
            params[name][..., to] = values[..., of]
        else:
            params[name][:] = values
    fresh = np.setdiff1d(np.arange(config.vocab_size), to)
    new_weights = len(fresh) * (params[config.lookup].shape[1] + params["Wy"].shape[0] + 1)
    symbols = vocab.symbols
    return Transfer(
        params,
        [symbols[k] for k in sorted(to) if k < len(symbols)],
        [symbols[k] for k in fresh.tolist() if k < len(symbols)],
        len(both),
        len(labels) - len(both),
        len(params.flat) - new_weights,
        new_weights,
    )
