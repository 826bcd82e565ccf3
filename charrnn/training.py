"""Training: truncated backpropagation through time over a text, one record a step.

`train()` computes and yields; it never prints, saves, or installs a signal handler.
"""

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from charrnn.arrays import Array
from charrnn.blas import differences, machine
from charrnn.checkpoint import Model, Run
from charrnn.errors import DivergedError, TextError, UsageError
from charrnn.evaluation import Evaluator
from charrnn.memory import check_memory
from charrnn.model import Config, fresh_params
from charrnn.optim import OPTIMIZERS, clip_norm, learning_rate
from charrnn.options import Options
from charrnn.parallel import CARRY_ON, LOAD, RESET, Share, Team, cores, default_workers, shares
from charrnn.params import Ids, Params
from charrnn.text.corpus import Corpus, Streams

EVAL_EVERY = 100
EVAL_SHARE = 0.1  # of the time, at most, that evaluation takes where nothing else is asked for

Average = Callable[[Array], None]


@dataclass(frozen=True)
class Step:
    """What one step of training says of itself.

    `loss` and `val_loss` (None where the step ended without an evaluation) are mean nats per symbol,
    `grad_norm` is the norm before clipping, `seconds` the time spent in the run so far, and `epoch` how often
    the training text has been read.
    """

    step: int
    epoch: float
    loss: float
    val_loss: float | None
    lr: float
    grad_norm: float
    chars_per_second: float
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Training(Iterator[Step]):
    """A training that yields one `Step` at a time and can be left and taken up at any of them.

    `notes` are sentences for the user, `model` is what has been learned so far.
    """

    def __init__(
        self, corpus: Corpus, options: Options, resumed: Model | None = None, average: Average | None = None
    ) -> None:
        self.corpus, self.average = corpus, average
        self.vocab = corpus.vocab
        if resumed:
            self._check_text(resumed)
        ids, self.held_out = corpus.split(options.val_fraction)
        self.streams = Streams(ids, options.batch_size, options.seq_length)
        self.config = Config(options.cell, options.layers, options.hidden_size, len(corpus.vocab))
        T, B = self.streams.seq_length, self.streams.batch_size
        workers = min(options.workers or default_workers(self.config, B, cores()), B)
        check_memory(self.config, T, B, workers)
        self.options = replace(options, workers=workers)
        self.notes = [*corpus.notes, *self._notes(options.workers)]
        if resumed and resumed.run and resumed.run.options.workers != workers:
            self.notes.append(f"workers: {workers} instead of {resumed.run.options.workers}, so rounding may differ.")
        if resumed and resumed.run:
            self.notes += differences(resumed.run.machine)
        last = resumed.run.last if resumed and resumed.run else fresh_params(self.config, options.seed)
        self.team = Team(self.config, T, B, workers, options.dropout, options.seed) if workers > 1 else None
        self.params = Params(self.config.shapes, flat=self.team.params if self.team else None)
        self.params.flat[:] = last.flat  # a model that is gone on with stays as it is
        self.grads = Params(self.config.shapes)
        mine = shares(B, workers)[0]
        self.share = Share(self.config, self.params, self.grads, T, mine, B, options.dropout, options.seed)
        self.optimizer = OPTIMIZERS[options.optimizer](self.params.flat)
        self.evaluator = Evaluator(self.config, self.params, self.vocab) if self.held_out else None
        self.best: Params | None = None
        # the states (layers, B, H) after the last step that is complete, here and in the workers
        self.carried = self.team.state if self.team else self.share.network.state()
        self.state = RESET
        self.run = self._take_up(resumed) if resumed else self._begin()
        self.span, self.end = options.length(self.streams.windows)
        self.eval_every = options.eval_every or self._eval_rule()

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
            texts=self.corpus.names,
            sha256=self.corpus.sha256,
            symbols=len(self.corpus.ids),
            streams=self.streams.batch_size,
            seq_length=self.streams.seq_length,
            windows=self.streams.windows,
            step=0,
            last=self.params,
            optimizer=self.optimizer.state,
            state=self.carried,
            machine=machine(),
        )

    def _check_text(self, resumed: Model) -> None:
        if resumed.run is None:
            raise UsageError("the model holds no training to go on from: leave --resume out.")
        if resumed.run.sha256 != self.corpus.sha256 or resumed.vocab != self.vocab:
            raise TextError(
                f"{self.corpus.label} is not the text that the model was trained on: resume with that one, "
                "or start anew with --force."
            )

    def _take_up(self, resumed: Model) -> Run:
        assert resumed.run is not None
        run = replace(resumed.run, texts=self.corpus.names, history=deepcopy(resumed.run.history))
        if run.best_step is not None and run.best_step != run.step:
            self.best = resumed.params.copy()
        elif run.best_step is not None:
            self.best = self.params.copy()
        for name, vector in self.optimizer.state.items():
            vector[:] = run.optimizer[name]
        run.options, run.last, run.optimizer = self.options, self.params, self.optimizer.state
        for name, values in self.carried.items():
            values[:] = run.state[name]
        run.state, self.state, run.machine = self.carried, LOAD, machine()
        return run

    def _eval_rule(self) -> int:
        """Seldom enough that evaluation (a third of the work a symbol, by one process) takes no more than its share."""
        symbols = sum(map(len, self.held_out))
        per_step = self.streams.batch_size * self.streams.seq_length
        return max(EVAL_EVERY, math.ceil(self.options.workers * symbols / 3 / EVAL_SHARE / per_step))

    def __next__(self) -> Step:
        run = self.run
        if run.step >= self.end:
            self.close()
            raise StopIteration
        start = time.perf_counter()
        step = run.step + 1
        lr = learning_rate(self.options.schedule, self.options.lr, step, self.span)
        loss, grad_norm = self._learn(step, lr)
        busy = time.perf_counter() - start
        val_loss = None
        if self.evaluator is not None and (step % self.eval_every == 0 or step == self.span):
            val_loss = self._evaluate(self.evaluator)
        run.seconds += time.perf_counter() - start
        symbols = self.streams.batch_size * self.streams.seq_length
        return Step(
            step=step,
            epoch=step / self.streams.windows,
            loss=loss,
            val_loss=val_loss,
            lr=lr,
            grad_norm=grad_norm,
            chars_per_second=symbols / busy,
            seconds=run.seconds,
        )

    def _learn(self, step: int, lr: float) -> tuple[float, float]:
        """One window forward, back, and one step of the optimizer; the loss and the gradient's norm."""
        index = (step - 1) % self.streams.windows
        what, self.state = (RESET if index == 0 else self.state), LOAD  # should this step be interrupted
        window = self.streams.window(index)
        with np.errstate(all="ignore"):  # what is not finite is noticed below, before it does harm
            loss = self._gradient(window, step, what)
            grad_norm = clip_norm(self.grads.flat, self.options.clip)
            if not math.isfinite(loss) or not math.isfinite(grad_norm):
                raise self._diverged(step, "the loss" if not math.isfinite(loss) else "the gradient")
            self.optimizer.update(self.params.flat, self.grads.flat, lr, step)
            self.run.step = step
            self._commit()
            if not np.isfinite(self.params.flat).all():
                raise self._diverged(step, "a weight")
            # anything else that is not finite in there has reached the weights; these stop them silently
            if any(vector.max() == np.inf for vector in self.optimizer.state.values()):
                raise self._diverged(step, "the optimizer's mean of squares")
        self.run.history.add(loss)
        return loss, grad_norm

    def _gradient(self, window: Ids, step: int, what: int) -> float:
        """The loss of the window (T+1, B); its gradient, of all shares and averaged, is in `grads` then."""
        if self.team:
            self.team.begin(window, step, what)
        mine = {name: values[:, self.share.streams] for name, values in self.carried.items()}
        loss = self.share.learn(window, step, what, mine)
        if self.team:
            loss += self.team.finish(self.grads.flat)
        if self.average is not None:
            self.average(self.grads.flat)
        return loss

    def _commit(self) -> None:
        """The step is complete: the states after it are those to go on from."""
        if self.team:
            for name, values in self.carried.items():
                values[:] = self.team.next[name]
        self.share.network.store_state({n: values[:, self.share.streams] for n, values in self.carried.items()})
        self.state = CARRY_ON

    def _diverged(self, step: int, what: str) -> DivergedError:
        return DivergedError(
            f"the training diverged at step {step}: {what} is no longer a finite number. "
            f"Try a smaller --lr than {self.options.lr:g}, or --clip 1."
        )

    def _evaluate(self, evaluator: Evaluator) -> float:
        run, held_out = self.run, self.held_out
        with np.errstate(all="ignore"):
            loss = evaluator.score(self.corpus.ids, held_out).nats
        if not math.isfinite(loss):
            raise self._diverged(run.step, "the held-out loss")
        run.history.add_val(run.step, loss)
        if run.best_loss is None or loss < run.best_loss:
            run.best_step, run.best_loss = run.step, loss
            if self.best is None:
                self.best = self.params.copy()
            self.best.flat[:] = self.params.flat
        return loss

    def close(self) -> None:
        """Lets the workers go; the training cannot go on then, but its model stays."""
        if self.team:
            self.carried = self.run.state = {name: values.copy() for name, values in self.carried.items()}
            self.team.close()

    @property
    def model(self) -> Model:
        """What has been learned so far: the best weights, and the run to go on from.

        It shares the training's arrays: save it, or sample from it, before the next step.
        """
        return Model(self.config, self.vocab, self.best or self.params, self.run)

    def bits_per_char(self, nats: float) -> float:
        """Bits per original character for a held-out loss in nats per symbol."""
        chars = self.corpus.count_chars(self.held_out)
        return nats / math.log(2) * sum(map(len, self.held_out)) / chars

    @property
    def latest(self) -> Model:
        """The network as it is now, without the run."""
        return Model(self.config, self.vocab, self.params)


def train(
    texts: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Corpus,
    *,
    model: Model | None = None,
    average: Average | None = None,
    **options: Any,
) -> Training:
    """Trains on files, folders or a `Corpus`, and yields a `Step` for every step; `.model` is the result.

    `options` are the fields of `Options`. With `model` the run that it holds goes on (the options may only
    restate those it was made with, or set new `epochs`, `steps` or `workers`). `average` is called once a step with
    the flat gradient (n,), before clipping, to average it in place over workers. Raises CharRNNError for
    whatever a user can cause.
    """
    if isinstance(texts, Corpus):
        options = {"unit": texts.vocab.unit, **options}
        if options["unit"] != texts.vocab.unit:
            raise UsageError(f"the corpus is made of {texts.vocab.unit}s, not of {options['unit']}s.")
    known = set(Options.__dataclass_fields__)
    if wrong := sorted(set(options) - known):
        raise UsageError(f"there is no option {wrong[0]!r}: there are {', '.join(sorted(known))}.")
    if model is not None and model.run is None:
        raise UsageError("the model holds no training to go on from.")
    chosen = model.run.options.resumed(options) if model and model.run else Options(**options)
    if isinstance(texts, Corpus):
        corpus = texts
    else:
        paths = [texts] if isinstance(texts, str | os.PathLike) else list(texts)
        corpus = Corpus.read(paths, chosen.unit, chosen.encoding)
    return Training(corpus, chosen, model, average)
