"""NaN and infinity in weights, gradient, loss, hidden state and optimizer are detected in the same step."""

import os
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from charrnn.arrays import Array
from charrnn.checkpoint.model import load
from charrnn.errors import DivergedError
from charrnn.training.loop import Training
from tests.torture.common import Outcome, Tally, dice, digest, folder, tiny

COUNT = 300
PLACES = ("weight", "gradient", "loss", "h", "c", "optimizer")
VALUES = (np.nan, np.inf, -np.inf)
CELLS, OPTIMIZERS = ("rnn", "gru", "lstm"), ("adam", "rmsprop", "adagrad", "sgd")


def plant(training: Training, place: str, value: float, at: float) -> None:
    """Inject the value; `at` in [0, 1) is the relative position in the array."""

    def put(values: Array) -> None:
        values.flat[int(at * values.size)] = value

    shard = training.learner.pool.worker.streams
    learn = shard.run
    if place == "weight":
        put(training.params.flat)
    elif place == "gradient":
        update = training.learner.pool.worker.params
        add = update.add

        def add_it() -> float:
            put(training.learner.grads.flat)
            return add()

        update.add = add_it  # type: ignore[method-assign]
    elif place == "loss":
        shard.run = lambda *given: learn(*given) * 0.0 + value  # type: ignore[method-assign]
    elif place == "optimizer":
        put(next(iter(training.learner.vectors.values())))
    else:
        state = shard.network.state()
        put(state["c" if place == "c" else "h"][0])
        shard.network.set_state(state)


def run(count: int, seed: int) -> Outcome:
    rng, tally = dice(seed, "numbers"), Tally()
    with folder():
        cases = islice(cycle((p, v) for p in PLACES for v in VALUES), count)
        for number, (place, value) in enumerate(cases):
            cell = "lstm" if place == "c" else CELLS[number % 3]
            optimizer, clip = OPTIMIZERS[number % 4], number % 2  # at the usual rate, SGD diverges without clipping
            training = tiny(cell=cell, optimizer=optimizer, lr=0.01, steps=60, dropout=0.0, clip=clip)
            steps = rng.randrange(1, 50)
            steps += steps % training.streams.windows == 0  # the hidden state is reset at the start of an epoch
            for _ in range(steps):
                next(training)
            training.model.save("m.npz")
            before, bits = Path("m.npz").read_bytes(), digest(training.model)
            plant(training, place, value, rng.random())
            tally.count += 1
            what = f"{value} in {place} of {cell}, {training.options.optimizer}, step {steps + 1}"
            try:
                record = next(training)
                noticed = record.step == steps + 1 and training.run.health.setbacks == [steps + 1]
                tally.check(noticed and bool(record.setback), f"{what}: {record}")
            except DivergedError as error:  # the injected value persists after every setback
                tally.check(f"step {steps + 1}:" in str(error) and place in ("gradient", "loss"), f"{what}: {error}")
            tally.check(Path("m.npz").read_bytes() == before, f"{what}: the file was changed")
            tally.check(digest(load("m.npz")) == bits, f"{what}: the file differs from the saved model")
            training.model.save("m.npz")  # saving and loading refuse non-finite numbers
            load("m.npz")
            tally.check(sorted(os.listdir()) == ["corpus.txt", "m.npz"], f"{what}: leftover files")
    return tally.outcome("values injected, each detected in the same step; the file on disk stays finite and unchanged")
