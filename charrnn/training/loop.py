"""`Training`: truncated backpropagation through time over a text, one `Step` at a time.

It computes and yields; it never prints, saves, or installs a signal handler.
"""

import math
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np

from charrnn.checkpoint.history import MOST_SETBACKS, Step
from charrnn.checkpoint.model import Model
from charrnn.checkpoint.run import Run
from charrnn.errors import DivergedError, UsageError, WorkerError
from charrnn.evaluation.mixing import Mixing
from charrnn.evaluation.score import Score, scorer, symbols_of
from charrnn.nn.optim import NOT_FINITE, Status
from charrnn.nn.params import Config, Params, fresh_params
from charrnn.options import Options
from charrnn.system.blas import differences
from charrnn.text.batches import Packed, Rows, Streams
from charrnn.text.corpus import Corpus, Segment
from charrnn.text.dataset import Dataset
from charrnn.training.cost import check_memory
from charrnn.training.group import Group
from charrnn.training.learner import Learner
from charrnn.training.ngram import check_mixing, mixing
from charrnn.training.notebook import ReprMixin
from charrnn.training.notes import changes_of_rounding, notes
from charrnn.training.schedule import Schedule, TimeLimit
from charrnn.training.step import Job
from charrnn.training.transfer import Transfer, check_text, texts_before, transfer
from charrnn.training.workers import default_workers

EVAL_EVERY = 100
EVAL_SHARE = 0.1  # of the time, at most, that evaluation takes by default


class BadStep(Exception):
    """A step that must not change the weights; the message is the reason."""


class Training(ReprMixin, Iterator[Step]):
    """A training that yields one `Step` at a time and can be stopped and resumed after any of them.

    `source` is the text or the examples, `notes` are sentences for the user, `model` is the result so far, `transfer`
    describes the first weights if they come from another model, and `reasons` says why options were chosen as they are.
    `limit` sets the number of steps if the time is limited. Made by `Training.new` or `Training.resume`.
    """

    def __init__(self, source: Dataset, options: Options, group: Group | None) -> None:
        self.source, self.vocab, self.group = source, source.vocab, group or Group()
        self.config = config = Config(options.cell, options.layers, options.hidden_size, source.alphabet)
        if options.with_ngram:
            check_mixing(source, options)
        self.mixing: Mixing | None = None
        self.streams: Streams | Packed
        self.held_out: list[Segment] | Rows
        self.streams, self.held_out = source.divide(options)
        T, B = self.streams.seq_length, self.streams.batch_size
        share = B // self.group.size
        if not share:
            raise UsageError(f"a batch of {B} streams cannot be divided among {self.group.size} ranks: start fewer.")
        workers = min(options.workers or default_workers(config, share, self.group.cores), share)
        check_memory(config, T, B, workers)
        masked = source.task is not None or source.vocab.boundary is not None
        regularisation = options.dropout, options.recurrent_dropout, options.activation_regularisation
        job = Job(config, T, B, workers, *regularisation, options.seed, options.optimizer, masked, options.engine)
        self.learner = Learner(job, self.group)
        self.params = self.learner.params
        self.score = scorer(self.latest, source, self.held_out, self.learner.score_batches) if self.held_out else None
        self.best: Params | None = None
        self.transfer: Transfer | None = None
        self.reasons: dict[str, str] = {}
        self.limit: TimeLimit | None = None
        vectors, carried = self.learner.vectors, self.learner.carried
        self.run = Run.new(source, options, self.params, vectors, carried, B, T, self.streams.windows)
        self.run.versions |= {"ranks": str(self.group.size)} if self.group.size > 1 else {}
        known = dict.fromkeys([*source.notes, *self.streams.notes])  # a plan divides the source, too
        self.notes = [*known, *notes(config, options, workers, bool(self.held_out))]
        self._set_options(workers=workers)

    @classmethod
    def new(
        cls, source: Dataset, options: Options, init_from: Model | None = None, group: Group | None = None
    ) -> "Training":
        """A new run, from random weights or from those of a model. Raises CharRNNError."""
        training = cls(source, options, group)
        if init_from:
            training.transfer = transfer(init_from, training.config, source.vocab, options.seed, source.labels)
            training.run.before = texts_before(init_from)
        training.learner.restart(training._first_weights())
        return training

    @classmethod
    def resume(cls, source: Dataset, options: Options, model: Model, group: Group | None = None) -> "Training":
        """Continues the run of a model, which stays as it is, bit for bit. Raises CharRNNError."""
        run = check_text(model, source)
        training = cls(source, options, group)
        training.notes += [*changes_of_rounding(run, training.run), *differences(run.versions)]
        training.learner.load(run.last, run.optimizer, run.state)
        if run.best_step is not None:
            training.best = model.params.copy()
        current = ("options", "last", "optimizer", "state", "versions", *(("texts", "folder") if source.files else ()))
        changes = {name: getattr(training.run, name) for name in current}
        training.run = replace(run, history=deepcopy(run.history), health=deepcopy(run.health), **changes)
        training.notes += training.schedule.extend(Schedule(run.options, run.windows), training.run)
        if options.lr != run.options.lr:
            training.run.record_rate(run.options.lr)
            training.notes.append(f"lr: {options.lr:g} instead of {run.options.lr:g} from step {run.step + 1:,} on.")
        return training

    @property
    def options(self) -> Options:
        """The options of the run; `workers` and `eval_every` are the numbers in use."""
        return self.run.options

    def _set_options(self, **changes: Any) -> None:
        options = replace(self.options, **changes)
        # rare enough that evaluation (a third of the work per symbol, by one process) takes at most its share
        per_step = self.streams.batch_size * self.streams.seq_length
        often = max(EVAL_EVERY, math.ceil(self.processes * symbols_of(self.held_out) / 3 / EVAL_SHARE / per_step))
        self.run.options = replace(options, eval_every=options.eval_every or often)
        self.schedule = Schedule(self.run.options, self.streams.windows)
        self.end = self.schedule.end

    def set_length(self, steps: int, **changes: Any) -> None:
        """Sets the number of steps of a run whose learning rate has not begun to decay."""
        self._set_options(epochs=None, steps=steps, **changes)

    @property
    def stale(self) -> bool:
        """Whether early stopping ends the run, or begins its decay."""
        return self.schedule.stale(self.run)

    @property
    def complete(self) -> bool:
        """Whether no step is left."""
        return self.run.step >= self.end or (self.stale and not self.schedule.decays_later(self.run.step))

    @property
    def unmixed(self) -> bool:
        """Whether the n-gram model has yet to be counted, at the end of the run."""
        return self.options.with_ngram and self.mixing is None and self.run.best_loss is not None

    def __next__(self) -> Step:
        run = self.run
        if self.complete:
            self.close()
            if self.unmixed:
                self.mixing = mixing(self.model, self.source, self.options)
            raise StopIteration
        start = time.perf_counter()
        step, setback = run.step + 1, None
        while True:
            try:
                loss, grad_norm = self._learn(step, start)
                break
            except BadStep as error:
                setback = self._set_back(step, str(error))
        busy = time.perf_counter() - start
        due = step % self.options.eval_every == 0 or step == self.schedule.span
        val_loss = self._evaluate(self.score) if self.score is not None and due else None
        run.seconds += time.perf_counter() - start
        note = self._adjust_length()
        return Step(
            step=step,
            epoch=step / self.streams.windows,
            loss=loss,
            val_loss=val_loss,
            lr=self.rate(step),
            grad_norm=grad_norm,
            chars_per_second=self.streams.batch_size * self.streams.seq_length / busy,
            seconds=run.seconds,
            setback=setback,
            note=note,
        )

    def _adjust_length(self) -> str | None:
        """Sets the number of steps to what the time allows, or lets the decay begin early; returns a note on that."""
        step, schedule = self.run.step, self.schedule
        if not schedule.adjustable(step):
            return None
        shortest = schedule.shortest(step)
        if self.stale and schedule.decays_later(step) and shortest <= self.end:
            self.set_length(shortest)
            return self.schedule.early_decay
        if self.limit is not None and (steps := self.limit.steps(step, self.end, shortest)) is not None:
            self.set_length(steps)
        return None

    def rate(self, step: int) -> float:
        """The learning rate of a step; every setback halves it and warms it up again."""
        health = self.run.health
        return self.schedule.rate(step, health.restarted_at) * 0.5 ** len(health.setbacks)

    def _learn(self, step: int, start: float) -> tuple[float, float]:
        """One window forward and backward, and one update: returns the loss and the norm of the gradient.

        Raises BadStep, with the step incomplete. `start` is the time when it began, by `perf_counter`.
        """
        options, health, learner = self.options, self.run.health, self.learner
        batch, rate = self.streams.batch(step), self.rate(step)
        with np.errstate(all="ignore"):  # numbers that are not finite are noticed below, before they do harm
            loss = learner.gradient(batch, step, reset=(step - 1) % self.streams.windows == 0)
            if problem := health.problem(loss, learner.norm, options.clip):
                raise BadStep(problem)
            status = learner.update(rate, step - health.restarted_at, options.weight_decay, options.clip)
        if status != Status.FINITE:
            raise BadStep(NOT_FINITE[status])
        self.run.step = step
        learner.commit()
        if batch.has_targets:
            health.add(loss)
        else:  # without a target there is no loss: the last one is repeated
            loss = health.recent or 0.0
        clipped, spent = 0.0 < options.clip < learner.norm, self.run.seconds + time.perf_counter() - start
        self.run.history.add(loss, learner.norm, clipped, rate, spent)
        return loss, learner.norm

    def _first_weights(self) -> Params:
        return self.transfer.params if self.transfer else fresh_params(self.config, self.options.seed)

    def _set_back(self, step: int, problem: str) -> str:
        """Restarts from the best weights with half the learning rate; returns a note that says so.

        Raises DivergedError if that has happened too often; the training then holds its best weights.
        """
        run = self.run
        guessing, setbacks = math.log(max(len(self.vocab), 2)), len(run.health.setbacks)
        best = self.best if run.best_loss is not None and run.best_loss < guessing else None
        self.learner.restart(best or self._first_weights())
        run.health.set_back(step)
        # a resumed run does not know the weights of the model that it started from
        unknown_start = best is None and bool(run.before)
        if unknown_start or setbacks >= MOST_SETBACKS:
            when = "before its first evaluation" if unknown_start else f"for the {MOST_SETBACKS + 1}th time"
            advice = f"Try a smaller `lr` than {self.options.lr:g}, or `clip=1`."
            raise DivergedError(f"the training diverged at step {step}: {problem}, {when}. {advice}") from None
        where = f"the best weights, of step {run.best_step:,}," if best else "the first weights"
        return f"step {step:,}: {problem}; back to {where} with half the learning rate."

    def _evaluate(self, score: Callable[[], Score]) -> float:
        run = self.run
        with np.errstate(all="ignore"):
            loss = score().nats
        if not math.isfinite(loss):
            raise DivergedError(f"the training diverged at step {run.step}: the validation loss is not finite.")
        run.history.add_val(run.step, loss)
        if run.best_loss is None or loss < run.best_loss:
            run.best_step, run.best_loss = run.step, loss
            self.best = self.best or self.params.copy()
            self.best.flat[:] = self.params.flat
        return loss

    def probe(self, seconds: float) -> float:
        """Seconds per step, measured for about `seconds` before the run begins; changes nothing."""
        return self.learner.probe(self.streams.batch(1), self.options.clip, seconds)

    def close(self) -> None:
        """Ends the worker processes; the training cannot continue, but its model remains."""
        self.learner.close()

    @property
    def processes(self) -> int:
        """The processes that train: the workers of all ranks."""
        return self.learner.job.processes

    @property
    def corpus(self) -> Corpus:
        """The text of a training that is not on examples."""
        assert isinstance(self.source, Corpus)
        return self.source

    @property
    def model(self) -> Model:
        """The best weights so far, and the run to resume. It shares the training's arrays: use it before the next step.

        Raises WorkerError if an update failed halfway, which leaves weights that no step of the run has.
        """
        if self.learner.broken:
            raise WorkerError(f"the update of step {self.run.step + 1:,} failed halfway: the weights are incomplete.")
        self.learner.collect()
        mixed = (self.mixing.ngram, self.mixing.weight) if self.mixing else ()
        return Model(self.config, self.vocab, self.best or self.params, self.run, self.source.task, *mixed)

    @property
    def latest(self) -> Model:
        """The network as it is now, without the run."""
        return Model(self.config, self.vocab, self.params, task=self.source.task)

    def bits_per_char(self, nats: float) -> float:
        """Bits per original character for a validation loss in nats per symbol; for examples, bits per target."""
        if isinstance(self.held_out, Rows):
            return nats / math.log(2)
        return nats / math.log(2) * symbols_of(self.held_out) / self.corpus.count_chars(self.held_out)
