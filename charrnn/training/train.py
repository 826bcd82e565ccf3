"""`train(texts, **options)`: the entry of the library."""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from charrnn.checkpoint.model import Model
from charrnn.checks import check_float
from charrnn.errors import UsageError
from charrnn.nn.params import Config
from charrnn.options import LENGTHS, NGRAM, Options
from charrnn.text.corpus import Corpus
from charrnn.text.dataset import read_dataset
from charrnn.text.examples import Examples
from charrnn.training.group import Group
from charrnn.training.loop import Training
from charrnn.training.ngram_training import NgramTraining, refuse_training
from charrnn.training.plan import plan_training
from charrnn.training.rates import rate_for
from charrnn.training.transfer import options_from_model


def train(
    texts: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Corpus | Examples,
    *,
    model: Model | None = None,
    group: Group | None = None,
    init_from: Model | None = None,
    minutes: float | None = None,
    **options: Any,
) -> Training:
    """Trains on files, folders, a `Corpus` or `Examples`: yields one `Step` per step, and `.model` is the result.

    `options` are the fields of `Options`. With `minutes` the sizes, the other hyperparameters and the number of steps
    are chosen to suit the text and the time, unless they are given (`.reasons` says why); without it, only the learning
    rate is chosen, to suit the sizes and the optimizer, except for pairs. With `model` its run is resumed: the options
    may only restate its own, or set new `epochs`, `steps`, `lr`, `workers`, `engine` or `patience`. With `init_from` a
    new run starts from that model's weights, with its cell, sizes and unit. `group` holds the ranks of MPI that share
    each batch, see docs/scaling-out.md.

    Raises UsageError for options that are not valid or contradict each other, the model or the text; TextError for a
    text that cannot be read or is not that of the model; and, while it trains, DivergedError if the loss is not finite
    in spite of smaller learning rates, and WorkerError if a process fails.
    """
    start = time.monotonic()
    if isinstance(texts, Corpus | Examples):
        if options.get("min_count"):
            raise UsageError("the ids of a corpus are fixed: pass min_count to Corpus.read instead.")
        own = {"unit": texts.vocab.unit, "task": texts.task.kind if texts.task else "text"}
        options = {**own, "by_line": texts.vocab.by_line, **options}
        if options["unit"] != texts.vocab.unit:
            raise UsageError(f"the corpus is made of {texts.vocab.unit}s, not of {options['unit']}s.")
        if options["by_line"] != texts.vocab.by_line:
            raise UsageError("the texts of a corpus are fixed: pass by_line to Corpus.read instead.", "by_line")
    known = set(Options.__dataclass_fields__)
    if wrong := sorted(set(options) - known):
        raise UsageError(f"there is no option {wrong[0]!r}: there are {', '.join(sorted(known))}.")
    if model and not model.run:
        raise UsageError("the model has no training to resume.")
    if model and init_from:
        raise UsageError("model resumes a run and init_from starts a new one: give one of them.")
    if minutes is not None:
        check_float("minutes", minutes, above=0.0, at_most=1e6)
        if length := next((name for name in LENGTHS if name in options), "model" if model else None):
            raise UsageError(f"minutes plans the length of a new run, and {length} sets it: give one of them.")
    if options.get("cell") == NGRAM:
        refuse_training({**options, "minutes": minutes, "model": model, "init_from": init_from, "group": group})
        counted = Options(**options)
        data = texts if isinstance(texts, Corpus | Examples) else read_dataset(texts, counted)
        return NgramTraining(data, counted)
    if init_from:
        options = options_from_model(init_from, options)
    chosen = model.run.options.resumed(options) if model and model.run else Options(**options)
    if not isinstance(texts, Corpus | Examples):
        vocab, other = model.vocab if model else None, init_from.vocab if init_from else None
        texts = read_dataset(texts, chosen, vocab, other)
    if model:
        return Training.resume(texts, chosen, model, group)
    if minutes is None:
        if "lr" not in options and chosen.task != "pairs":
            config = Config(chosen.cell, chosen.layers, chosen.hidden_size, texts.alphabet)
            chosen = replace(chosen, lr=rate_for(config, chosen.optimizer))
        return Training.new(texts, chosen, init_from, group)
    training, plan = plan_training(texts, chosen, options, 60.0 * minutes, start, init_from, group)
    training.reasons = plan.reasons
    return training
