"""Training: truncated backpropagation through time over a text, one record a step.

`train()` computes and yields; it never prints, saves, or installs a signal handler.
"""

import math
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace

import numpy as np

from charrnn.arrays import Array
from charrnn.checkpoint.history import MOST_SETBACKS, Step
from charrnn.checkpoint.model import Model
from charrnn.checkpoint.run import Run
from charrnn.errors import DivergedError
from charrnn.evaluation.score import Score, scorer, symbols_of
from charrnn.nn.optim import NOT_FINITE, SOUND, WARM_UP_STEPS, learning_rate
from charrnn.nn.params import Config, Params, fresh_params
from charrnn.options import Options
from charrnn.system.blas import differences, machine
from charrnn.system.resources import cores
from charrnn.text.batches import Packed, Rows, Streams
from charrnn.text.corpus import Corpus, Segment
from charrnn.text.dataset import Dataset
from charrnn.training.cost import check_memory
from charrnn.training.learner import Learner
from charrnn.training.transfer import before, check_text, transfer
from charrnn.training.workers import default_workers

EVAL_EVERY = 100
EVAL_SHARE = 0.1  # of the time, at most, that evaluation takes where nothing else is asked for
Average = Callable[[Array], None]


class Training(Iterator[Step]):
    """A training that yields one `Step` at a time and can be left and taken up at any of them.

    `source` is what is read, `notes` are sentences for the user, `model` is what has been learned so far.
    """

    def __init__(
        self,
        corpus: Dataset,
        options: Options,
        resumed: Model | None = None,
        average: Average | None = None,
        init_from: Model | None = None,
    ) -> None:
        self.source, self.average = corpus, average
        self.vocab = corpus.vocab
        if resumed:
            check_text(resumed, corpus)
        self.streams: Streams | Packed
        self.held_out: list[Segment] | Rows
        self.streams, self.held_out = corpus.divide(options)
        self.config = Config(options.cell, options.layers, options.hidden_size, corpus.alphabet)
        T, B = self.streams.seq_length, self.streams.batch_size
        workers = min(options.workers or default_workers(self.config, B, cores()), B)
        check_memory(self.config, T, B, workers)
        self.options = replace(options, workers=workers)
        self.notes = [*corpus.notes, *self._notes(options.workers)]
        if resumed and resumed.run:
            then = resumed.run.options.workers
            self.notes += [f"workers: {workers} instead of {then}, so rounding may differ."] * (workers != then)
            self.notes += differences(resumed.run.machine)
        self.init_from = init_from
        last = resumed.run.last if resumed and resumed.run else self._first()
        # a model that is gone on with stays as it is
        self.learner = Learner(self.config, self.options, T, B, last, masked=corpus.task is not None)
        self.params = self.learner.params
        self.score = scorer(self.config, self.params, corpus, self.held_out) if self.held_out else None
        self.best: Params | None = None
        self.run = self._take_up(resumed) if resumed else self._begin()
        self._measure()
        if not resumed:  # with other workers the rule might give another number
            self.options = self.run.options = replace(self.options, eval_every=self.eval_every)

    def _notes(self, asked: int) -> list[str]:
        notes = list(self.streams.notes)
        if asked > self.options.workers:
            notes.append(f"workers: {self.options.workers} instead of {asked}, one for each stream.")
        if self.options.val_fraction and not self.held_out:
            notes.append("the text is too short to hold a part of it out, so the last weights are the best.")
        if len(self.vocab) == 1:
            notes.append("the text has only one distinct character: there is nothing to learn.")
        return notes

    def _begin(self) -> Run:
        return Run(
            options=self.options,
            texts=self.source.names,
            sha256=self.source.sha256,
            symbols=self.source.symbols,
            streams=self.streams.batch_size,
            seq_length=self.streams.seq_length,
            windows=self.streams.windows,
            step=0,
            last=self.params,
            optimizer=self.learner.vectors,
            state=self.learner.carried,
            machine=machine(),
            before=before(self.init_from),
        )

    def _first(self) -> Params:
        """The weights before the first step."""
        config, seed, source, labels = self.config, self.options.seed, self.init_from, self.source.labels
        return transfer(source, config, self.vocab, seed, labels).params if source else fresh_params(config, seed)

    def _take_up(self, resumed: Model) -> Run:
        assert resumed.run is not None
        run = replace(resumed.run, texts=self.source.names, history=deepcopy(resumed.run.history))
        run.health = deepcopy(run.health)
        if run.best_step is not None and run.best_step != run.step:
            self.best = resumed.params.copy()
        elif run.best_step is not None:
            self.best = self.params.copy()
        self.learner.take_up(run.optimizer, run.state)
        run.options, run.last, run.machine = self.options, self.params, machine()
        run.optimizer, run.state = self.learner.vectors, self.learner.carried
        return run

    def _eval_rule(self) -> int:
        """Seldom enough that evaluation (a third of the work a symbol, by one process) takes no more than its share."""
        symbols = symbols_of(self.held_out)
        per_step = self.streams.batch_size * self.streams.seq_length
        return max(EVAL_EVERY, math.ceil(self.options.workers * symbols / 3 / EVAL_SHARE / per_step))

    def __next__(self) -> Step:
        run = self.run
        if run.step >= self.end or self.stale:
            self.close()
            raise StopIteration
        start = time.perf_counter()
        step, setback = run.step + 1, None
        loss, grad_norm, wrong = self._learn(step, start)
        while wrong:
            setback = self._set_back(step, wrong)
            loss, grad_norm, wrong = self._learn(step, start)
        busy = time.perf_counter() - start
        val_loss = None
        if self.score is not None and (step % self.eval_every == 0 or step == self.span):
            val_loss = self._evaluate(self.score)
        run.seconds += time.perf_counter() - start
        symbols = self.streams.batch_size * self.streams.seq_length
        return Step(
            step=step,
            epoch=step / self.streams.windows,
            loss=loss,
            val_loss=val_loss,
            lr=self.rate(step),
            grad_norm=grad_norm,
            chars_per_second=symbols / busy,
            seconds=run.seconds,
            setback=setback,
        )

    @property
    def stale(self) -> bool:
        """Whether as many evaluations as `patience` have passed since the best one."""
        patience, best = self.options.patience, self.run.best_step
        return bool(patience) and best is not None and self.run.step - best >= patience * self.eval_every

    def rate(self, step: int) -> float:
        """The learning rate of a step: half of it after each setback, and up to that once more."""
        options, setbacks = self.options, self.run.health.setbacks
        rate = learning_rate(options.schedule, options.lr, step, self.schedule, options.cut_at()) * 0.5 ** len(setbacks)
        return rate * min(1.0, (step - setbacks[-1] + 1) / WARM_UP_STEPS) if setbacks else rate

    def _learn(self, step: int, start: float) -> tuple[float, float, str]:
        """One window forward, back, and one step of the optimizer: the loss, the gradient's norm, and what is wrong.

        Where something is wrong the step is not complete. `start` is when it began, on the clock of `perf_counter`.
        """
        options, health, learner = self.options, self.run.health, self.learner
        index = (step - 1) % self.streams.windows
        with np.errstate(all="ignore"):  # what is not finite is noticed below, before it does harm
            loss = learner.gradient(batch := self.streams.batch(step), step, reset=index == 0)
            loss = loss if batch.has_targets else health.recent or 0.0  # as it was: a 0 would make the next one a jump
            if self.average is not None:
                learner.average(self.average)
            grad_norm = learner.norm
            # whether a loss jumps is judged here alone, so not where several average: all have to do the same
            if wrong := health.wrong(loss, grad_norm, options.clip, jumps=self.average is None):
                return loss, grad_norm, wrong
            count = step - (health.setbacks[-1] - 1 if health.setbacks else 0)
            rate = self.rate(step)
            found = learner.update(rate, count, options.weight_decay, options.clip)
            if found != SOUND:
                return loss, grad_norm, NOT_FINITE[found]
        self.run.step = step
        learner.commit()
        health.add(loss)
        clipped, spent = 0.0 < options.clip < grad_norm, self.run.seconds + time.perf_counter() - start
        self.run.history.add(loss, grad_norm, clipped, rate, spent)
        return loss, grad_norm, ""

    def _set_back(self, step: int, wrong: str) -> str:
        """Back to the best weights with half the rate; what to say of it.

        Raises DivergedError when that has happened too often; the training stands at its best weights then.
        """
        run = self.run
        # weights that are worse than guessing are no better than the first
        best = self.best if run.best_loss is not None and run.best_loss < math.log(max(len(self.vocab), 2)) else None
        self.learner.start_over(best or self._first())
        often, lost = len(run.health.setbacks) >= MOST_SETBACKS, best is None and bool(run.before)
        run.health.set_back(step)
        if often or lost:  # a resumed run no longer knows the weights of another model that it started from
            which = "before its first scoring" if lost else f"for the {MOST_SETBACKS + 1}th time"
            advice = f"Try a smaller --lr than {self.options.lr:g}, or --clip 1."
            raise DivergedError(f"the training diverged at step {step}: {wrong}, {which}. {advice}")
        where = f"the best weights, of step {run.best_step:,}," if best else "the first weights"
        return f"step {step:,}: {wrong}; back to {where} with half the learning rate."

    def cut(self, total: int) -> None:
        """Shortens the schedule from here on, once, so that it ends at step `total`."""
        self.options = self.run.options = replace(self.options, cut=f"{self.run.step}:{total}")
        self._measure()

    def set_length(self, steps: int, eval_every: int = 0) -> None:
        """Gives a run that has not begun its length, and how often to evaluate (0: by the sizes)."""
        self.options = self.run.options = replace(self.options, epochs=None, steps=steps, eval_every=eval_every)
        self._measure()

    def _measure(self) -> None:
        """The schedule's steps; the span, which ends with an evaluation; and the end of this run."""
        self.schedule, self.end = self.options.length(self.streams.windows)
        cut = self.options.cut_at()
        self.span = cut[1] if cut else self.schedule
        self.eval_every = self.options.eval_every or self._eval_rule()

    def probe(self, seconds: float) -> float:
        """Seconds that a step of a run that has not begun takes; it is tried out, and nothing is changed."""
        return self.learner.probe(self.streams.batch(1), self.options.clip, seconds)

    def _evaluate(self, score: Callable[[], Score]) -> float:
        run = self.run
        with np.errstate(all="ignore"):
            loss = score().nats
        if not math.isfinite(loss):
            raise DivergedError(f"the training diverged at step {run.step}: the held-out loss is not a finite number.")
        run.history.add_val(run.step, loss)
        if run.best_loss is None or loss < run.best_loss:
            run.best_step, run.best_loss = run.step, loss
            if self.best is None:
                self.best = self.params.copy()
            self.best.flat[:] = self.params.flat
        return loss

    def close(self) -> None:
        """Lets the workers go; the training cannot go on then, but its model stays."""
        self.learner.close()
        self.run.state = self.learner.carried

    @property
    def corpus(self) -> Corpus:
        """The text, where the training is not one on examples."""
        assert isinstance(self.source, Corpus)
        return self.source

    @property
    def model(self) -> Model:
        """What has been learned so far: the best weights, and the run to go on from.

        It shares the training's arrays: save it, or sample from it, before the next step.
        """
        return Model(self.config, self.vocab, self.best or self.params, self.run, self.source.task)

    def bits_per_char(self, nats: float) -> float:
        """Bits per original character for a held-out loss in nats per symbol; of examples, bits per target."""
        if isinstance(self.held_out, Rows):
            return nats / math.log(2)
        return nats / math.log(2) * symbols_of(self.held_out) / self.corpus.count_chars(self.held_out)

    @property
    def latest(self) -> Model:
        """The network as it is now, without the run."""
        return Model(self.config, self.vocab, self.params, task=self.source.task)
