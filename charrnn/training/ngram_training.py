"""`NgramTraining`: an n-gram model in place of a network, as a training without steps."""

import time
from dataclasses import replace
from typing import Any

from charrnn.checkpoint.history import Step
from charrnn.checkpoint.model import Model
from charrnn.checkpoint.run import Run
from charrnn.errors import UsageError
from charrnn.evaluation.score import scorer
from charrnn.options import NGRAM, Options
from charrnn.text.dataset import Dataset
from charrnn.text.examples import Examples
from charrnn.training.group import Group
from charrnn.training.loop import Training
from charrnn.training.ngram import count
from charrnn.training.schedule import Schedule

TEXT_OPTIONS = ("unit", "encoding", "columns", "header", "val_fraction", "by_line", "min_count")
NGRAM_OPTIONS = ("task", "cell", "order", "with_ngram", "seed", *TEXT_OPTIONS)


def refuse_training(given: dict[str, Any]) -> None:
    """Raises UsageError for an argument of a training, other than None or False, that n-gram models do not have."""
    for name, value in given.items():
        if name not in NGRAM_OPTIONS and value is not None and value is not False:
            raise UsageError(f"{name} is for networks, and `cell={NGRAM}` counts n-grams: leave it out.", name)


class NgramTraining(Training):
    """A training that is complete from the start: its `model` has been counted and scored."""

    def __init__(self, source: Dataset, options: Options) -> None:
        start = time.perf_counter()
        self.source, self.vocab, counted = source, source.vocab, count(source, options)
        self.config, self.params, self.best, self.mixing = counted.config, counted.params, counted.params, None
        self.ngram, self.schedule, self.end = counted.ngram, Schedule(replace(options, steps=1), 1), 1
        held_out = source.split(options.val_fraction, options.seed)[1]
        self.held_out = source.numbered(held_out) if isinstance(source, Examples) else held_out  # type: ignore[assignment,arg-type]
        loss = scorer(counted, source, self.held_out)().nats if held_out else None
        self.run = Run.new(source, options, self.params, {}, {}, 1, 1, 1)
        self.run.step, self.run.seconds = 1, time.perf_counter() - start
        if loss is not None:
            self.run.best_step, self.run.best_loss = 1, loss
        self.group, self.transfer, self.reasons, self.notes = Group(), None, {}, list(source.notes)

    def __next__(self) -> Step:
        raise StopIteration

    @property
    def model(self) -> Model:
        """The n-gram model, and the run to repeat."""
        return Model(self.config, self.vocab, self.params, self.run, self.source.task, self.ngram, 1.0)

    @property
    def latest(self) -> Model:
        """The same, without the run."""
        return replace(self.model, run=None)

    def close(self) -> None:
        """Nothing to do: there are no processes."""
