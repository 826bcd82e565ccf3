"""What float16 weights cost: how far the predictions of a model change if its weights are rounded."""

from dataclasses import replace

import numpy as np

from charrnn.arrays import Ids
from charrnn.checkpoint.model import Model
from charrnn.nn.fast import engine
from charrnn.nn.loss import log_softmax
from charrnn.nn.stepper import NetworkStepper
from charrnn.text.tasks import END, TAB

STREAMS, STEPS = 64, 64  # texts, and symbols of each
INPUT = 20  # symbols of a source, and of a text to classify


def rounded(model: Model) -> Model:
    """The model with weights rounded to float16; weights beyond its range become infinite."""
    params = model.params.copy()
    with np.errstate(over="ignore"):
        params.flat[:] = params.flat.astype(np.float16)
    return replace(model, params=params)


def float16_cost(model: Model) -> float:
    """Nats per prediction that are lost by rounding: the Kullback-Leibler divergence of the rounded model.

    It is the mean over texts that the model itself generates. Infinite if a weight is beyond float16.
    """
    half, rng = rounded(model), np.random.default_rng(0)
    if not np.isfinite(half.params.flat).all():
        return float("inf")
    streams = [NetworkStepper(engine.network(each.config, each.params, 1, STREAMS), STREAMS) for each in (model, half)]
    for ids in beginning(model, rng):
        for stream in streams:
            stream.step(ids.tolist())
    V, labels = len(model.vocab), model.task is not None and model.task.kind == "classify"
    costs: list[float] = []
    for _ in range(1 if labels else STEPS):
        part = slice(V, None) if labels else slice(0, V)
        exact, other = (log_softmax(stream.logits[:, part].astype(np.float64)) for stream in streams)
        p = np.exp(exact)
        costs.append(float((p * (exact - other)).sum(axis=1).mean()))
        drawn = (p.cumsum(axis=1) < rng.random((STREAMS, 1))).sum(axis=1)
        for stream in streams:
            stream.step(np.minimum(drawn, V - 1).tolist())
    return float(np.mean(costs))


def beginning(model: Model, rng: np.random.Generator) -> list[Ids]:
    """What each stream reads before it is predicted: ids (STREAMS,), step by step; random ones for a source or text."""
    vocab, task = model.vocab, model.task
    if task is None:
        return [] if vocab.start is None else [np.full(STREAMS, vocab.start)]
    if task.kind == "generate":
        return [len(vocab) + np.arange(STREAMS) % len(task.labels)]
    end = vocab.id_of(TAB if task.kind == "pairs" else END)
    return [*rng.integers(len(vocab), size=(INPUT, STREAMS)), np.full(STREAMS, end)]
