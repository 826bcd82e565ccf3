"""Resume at every step and compare every later step; omitting any piece of the state must be detected."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice, product
from pathlib import Path

import charrnn
from charrnn.checkpoint.model import Model, load
from charrnn.checkpoint.run import Run
from charrnn.training.loop import Training
from tests.torture.common import TEXT, Outcome, Tally, dice, digest, folder, tiny

COUNT = 3600
STEPS, FEWER = 300, 60
EVAL_EVERY = 7
CASES = list(product(("rnn", "gru", "lstm"), ("adam", "rmsprop"), (0.0, 0.3)))


def begin(cell: str, optimizer: str, dropout: float, steps: int) -> Training:
    return tiny(cell=cell, optimizer=optimizer, dropout=dropout, steps=steps, eval_every=EVAL_EVERY, lr=0.02, seed=5)


def digests(training: Training) -> Iterator[str]:
    for _ in training:
        yield digest(training.model)


def resumed(model: Model) -> Training:
    return charrnn.train(charrnn.Corpus.from_text(TEXT), model=model)


def changed(**pieces: Callable[[Run], object]) -> Callable[[Model], Model]:
    """A function that replaces parts of a model's run."""

    def change(model: Model) -> Model:
        assert model.run is not None
        return replace(model, run=replace(model.run, **{name: of(model.run) for name, of in pieces.items()}))  # type: ignore[arg-type]

    return change


def without(kind: str, name: str) -> Callable[[Model], Model]:
    """A function that zeroes one vector of the optimizer or of the hidden state."""
    return changed(**{kind: lambda run: {**getattr(run, kind), name: 0.0 * getattr(run, kind)[name]}})


def without_best(model: Model) -> Model:
    assert model.run is not None
    return replace(model, params=model.run.last)


OMISSIONS: dict[str, Callable[[Model], Model]] = {
    "last weights": lambda model: changed(last=lambda run: model.params)(model),
    "best weights": without_best,
    "first moments": without("optimizer", "m"),
    "second moments": without("optimizer", "v"),
    "h": without("state", "h"),
    "c": without("state", "c"),
    "step": changed(step=lambda run: run.step - 1),
    "seed": changed(options=lambda run: replace(run.options, seed=0)),
    "best loss": changed(best_loss=lambda run: None, best_step=lambda run: None),
    "best step": changed(best_step=lambda run: 1),
    "running average": changed(history=lambda run: replace(run.history, points=run.history.points[:0])),
    "schedule": changed(options=lambda run: replace(run.options, steps=2 * run.options.length(run.windows)[1])),
}


def omissions(tally: Tally, steps: int) -> int:
    """The number of omissions detected at a step in the middle of an epoch, after the best step."""
    first = begin("lstm", "adam", 0.3, steps)
    wanted, at = [], 0
    for record in first:
        wanted.append(digest(first.model))
        # no epoch or evaluation follows directly, which would hide an omission
        midst = record.step % first.streams.windows > 2 and record.step % EVAL_EVERY == 2
        if record.step > 2 * steps // 3 and midst and not at:
            at = record.step
            first.model.save("omitted.npz")
    seen = 0
    for name, leave_out in OMISSIONS.items():
        again = resumed(leave_out(load("omitted.npz")))
        found = list(islice(digests(again), steps - at))
        seen += tally.check(found != wanted[at:], f"omission not detected: {name}")
    honest = list(digests(resumed(load("omitted.npz"))))
    tally.check(honest == wanted[at:], "the run differs although nothing was omitted")
    return seen


def run(count: int, seed: int) -> Outcome:
    rng, tally, looked = dice(seed, "resume"), Tally(), 0
    steps = STEPS if count >= 100 else FEWER
    with folder():
        if count >= COUNT:
            chosen = {case: list(range(1, steps + 1)) for case in CASES}
        else:
            some = rng.sample(CASES, min(len(CASES), max(1, count // 3)))
            chosen = {case: sorted(rng.sample(range(1, steps + 1), 1 + count // len(CASES))) for case in some}
        for case, points in chosen.items():
            whole, wanted = begin(*case, steps), []
            for record in whole:
                wanted.append(digest(whole.model))
                if record.step in points:
                    whole.model.save(f"{record.step}.npz")
            for k in points:
                found = list(digests(resumed(load(f"{k}.npz"))))
                tally.count += 1
                looked += len(found)
                tally.check(found == wanted[k:], f"{case}: resumed at {k}, later steps differ")
                Path(f"{k}.npz").unlink()
        seen = omissions(tally, steps)
    return tally.outcome(
        f"resumed runs, {looked:,} later steps compared; {seen} of {len(OMISSIONS)} omissions detected"
    )
