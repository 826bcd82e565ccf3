"""What a run starts from: where another stopped, or another model's weights.

Those are matched by what the symbols are, not by their places.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from charrnn.checkpoint.model import Model
from charrnn.checks import flag
from charrnn.errors import TextError, UsageError
from charrnn.nn.params import Config, Params, fresh_params
from charrnn.text.dataset import Dataset
from charrnn.text.vocab import UNKNOWN, Vocab

FIXED = ("cell", "layers", "hidden_size", "unit")  # what a model's weights settle


@dataclass(frozen=True)
class Transfer:
    """The first weights of a run, and where they come from.

    `kept` are symbols of the model, `new` those that it did not know; `kept_labels` and `new_labels` count labels,
    `kept_weights` and `new_weights` weights.
    """

    params: Params
    kept: list[str]
    new: list[str]
    kept_labels: int
    new_labels: int
    kept_weights: int
    new_weights: int


def check_start(model: Model | None, init_from: Model | None) -> None:
    """Raises UsageError unless a run can go on with `model` or start from `init_from`, or neither."""
    if model is not None and model.run is None:
        raise UsageError("the model holds no training to go on from.")
    if model is not None and init_from is not None:
        raise UsageError("a run either goes on with model or starts from init_from: give one of them.")


def check_text(resumed: Model, corpus: Dataset) -> None:
    """Raises CharRNNError unless `resumed` is a run on this corpus."""
    if resumed.run is None:
        raise UsageError("the model holds no training to go on from: leave --resume out.")
    same = resumed.vocab == corpus.vocab and resumed.task == corpus.task
    if resumed.run.sha256 != corpus.sha256 or not same:
        raise TextError(
            f"{corpus.label} is not the text that the model was trained on: resume with that one, "
            "or start anew with --force."
        )


def before(source: Model | None) -> tuple[str, ...]:
    """The texts that the weights of a model were trained on."""
    if source is None:
        return ()
    return (*source.run.before, *source.run.texts) if source.run else ("an unknown text",)


def settled(source: Model, given: dict[str, Any]) -> dict[str, Any]:
    """The options that the weights of `source` settle, and those that the user gave.

    Raises UsageError where these contradict each other.
    """
    fixed = {"unit": source.vocab.unit, **{name: getattr(source.config, name) for name in FIXED if name != "unit"}}
    for name, mine in fixed.items():
        if given.get(name, mine) != mine:
            raise UsageError(
                f"{flag(name)} {given[name]} contradicts the model to start from ({mine}): leave one of them out."
            )
    return {**fixed, **given}


def transfer(source: Model, config: Config, vocab: Vocab, seed: int, labels: Sequence[str] = ()) -> Transfer:
    """First weights for `config` and `vocab`: those of `source`, and new random ones for symbols that it did not know.

    `labels` are those of the run, which stand after its symbols; they are matched by their names. The bias of a new
    symbol is the mean of the known ones. Raises UsageError where the networks or units differ.
    """
    old = source.config
    if (config.cell, config.layers, config.hidden_size) != (old.cell, old.layers, old.hidden_size):
        raise UsageError(
            f"the model to start from is {shape(old)}, and the run {shape(config)}: they have to be the same."
        )
    if vocab.unit != source.vocab.unit:
        raise UsageError(f"the model to start from is made of {source.vocab.unit}s, and the text of {vocab.unit}s.")
    params = fresh_params(config, seed)
    places = vocab.ids_of(source.vocab.codes)
    places[vocab.codes[places] != source.vocab.codes] = UNKNOWN  # a rare symbol now, which had one of its own
    known = places != UNKNOWN
    theirs = source.task.labels if source.task else ()
    same = [label for label in labels if label in theirs]
    to = np.append(places[known], [len(vocab) + labels.index(label) for label in same]).astype(np.intp)
    of = np.append(np.flatnonzero(known), [len(source.vocab) + theirs.index(label) for label in same]).astype(np.intp)
    params["by"][:] = source.params["by"].mean()
    for name, values in source.params.items():
        if name == "l0.Wx":
            params[name][to] = values[of]
        elif name in ("Wy", "by"):
            params[name][..., to] = values[..., of]
        else:
            params[name][:] = values
    fresh = np.setdiff1d(np.arange(config.vocab_size), to)
    new_weights = len(fresh) * (params["l0.Wx"].shape[1] + params["Wy"].shape[0] + 1)
    symbols = vocab.symbols
    return Transfer(
        params,
        [symbols[place] for place in sorted(to.tolist()) if place < len(symbols)],
        [symbols[place] for place in fresh.tolist() if place < len(symbols)],
        len(same),
        len(labels) - len(same),
        len(params.flat) - new_weights,
        new_weights,
    )


def shape(config: Config) -> str:
    return f"{config.cell.upper()} {config.layers} x {config.hidden_size}"
