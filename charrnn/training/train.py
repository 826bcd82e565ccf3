"""`train(texts, **options)`: the library's entry."""

import os
from collections.abc import Sequence
from typing import Any

from charrnn.checkpoint.model import Model
from charrnn.errors import UsageError
from charrnn.options import Options
from charrnn.text.corpus import Corpus
from charrnn.text.dataset import read_dataset
from charrnn.text.examples import Examples
from charrnn.training.loop import Average, Training
from charrnn.training.transfer import check_start, settled


def train(
    texts: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Corpus | Examples,
    *,
    model: Model | None = None,
    average: Average | None = None,
    init_from: Model | None = None,
    **options: Any,
) -> Training:
    """Trains on files, folders, a `Corpus` or `Examples`, and yields a `Step` for every step; `.model` is the result.

    `options` are the fields of `Options`. With `model` the run that it holds goes on (the options may only
    restate those it was made with, or set new `epochs`, `steps` or `workers`). With `init_from` a new run starts from
    that model's weights, with its cell, sizes and unit. `average` is called once a step with the flat gradient (n,),
    before clipping, to average it in place over workers. Raises CharRNNError for whatever a user can cause.
    """
    if isinstance(texts, Corpus | Examples):
        if options.get("min_count"):
            raise UsageError("a corpus is numbered already: it is Corpus.read that takes min_count.")
        options = {"unit": texts.vocab.unit, "task": texts.task.kind if texts.task else "text", **options}
        if options["unit"] != texts.vocab.unit:
            raise UsageError(f"the corpus is made of {texts.vocab.unit}s, not of {options['unit']}s.")
    known = set(Options.__dataclass_fields__)
    if wrong := sorted(set(options) - known):
        raise UsageError(f"there is no option {wrong[0]!r}: there are {', '.join(sorted(known))}.")
    check_start(model, init_from)
    options = settled(init_from, options) if init_from else options
    chosen = model.run.options.resumed(options) if model and model.run else Options(**options)
    if isinstance(texts, Corpus | Examples):
        return Training(texts, chosen, model, average, init_from)
    vocab, beside = model.vocab if model else None, init_from.vocab if init_from else None
    return Training(read_dataset(texts, chosen, vocab, beside), chosen, model, average, init_from)
