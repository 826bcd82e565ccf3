"""What models of examples are used for: telling labels, writing by label, and writing a target for a source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Array
from charrnn.checkpoint.model import Model
from charrnn.checks import check_int
from charrnn.errors import UsageError
from charrnn.nn.fast import engine
from charrnn.nn.interface import RecurrentNetwork
from charrnn.nn.params import Config, Params
from charrnn.text.examples import encoded
from charrnn.text.tasks import TAB

SIDE_BY_SIDE = 64  # sources that are read together
LONGEST = 1000  # symbols of a target
MOST_BEAMS = 1000
Logs = NDArray[np.float64]


def by_label(model: Model, weights: Mapping[str, float]) -> Model:
    """A model of text that writes as `model` does after a label; after several, as after the mean of their vectors.

    The newline, with which every text begins and which ends an example, is given the label's vector: it is never read
    otherwise. Raises UsageError for labels that the model does not know.
    """
    if model.task is None:
        raise UsageError("the model was trained on a text: --label is for one that was trained with --labelled.")
    if model.task.kind != "generate":
        raise UsageError(model.task.instead)
    labels, V = model.task.labels, len(model.vocab)
    for name, weight in weights.items():
        if name not in labels:
            raise UsageError(f"the model has no label {name!r}. It has {', '.join(labels)}.")
        if not 0.0 < weight < float("inf"):
            raise UsageError(f"the weight of a label is a number above 0, not {weight:g}.")
    config = Config(model.config.cell, model.config.layers, model.config.hidden_size, V)
    params, newline = Params(config.shapes), model.vocab.newline
    for name, values in model.params.items():
        params[name][:] = values[:V] if name == "l0.Wx" else values[..., :V] if name in ("Wy", "by") else values
    vectors = [model.params["l0.Wx"][V + labels.index(name)] for name in weights]
    params["l0.Wx"][newline] = np.average(vectors, axis=0, weights=list(weights.values()))
    return Model(config, model.vocab, params)


@dataclass(frozen=True)
class Found:
    """A target that a model wrote, and ln p of it; `ended` is False where it was cut off at `LONGEST` symbols."""

    text: str
    log: float
    ended: bool = True


def source_network(model: Model, sources: Sequence[str]) -> tuple[RecurrentNetwork, Logs]:
    """A network that has read the sources side by side, and what comes next, as ln p (K, V)."""
    task = model.task
    if task is None or task.kind != "pairs":
        raise UsageError(task.instead if task else "the model was trained on a text: --source is for one of pairs.")
    read = [task.source(model.vocab, encoded(model.vocab, source)) for source in sources]
    steps = max(map(len, read))
    window, fresh = np.zeros((steps, len(read)), dtype=np.intp), np.zeros((steps, len(read)), dtype=bool)
    for column, ids in enumerate(read):  # they end together; what stands before them is forgotten
        window[steps - len(ids) :, column] = ids
        fresh[steps - len(ids), column] = True
    network = engine.network(model.config, model.params, steps, len(read))
    logits = network.forward(window, None, fresh)[-1]
    network.carry()
    return network, logs_of(model, logits)


def logs_of(model: Model, logits: Array) -> Logs:
    """ln p (K, V) in float64; what no target holds, a tab, is impossible."""
    logs = logits.astype(np.float64)
    logs[:, model.vocab.ids_of(np.array([TAB], np.uint32))] = -np.inf
    logs -= logs.max(axis=1, keepdims=True)
    logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
    return logs


def answers(model: Model, sources: Sequence[str]) -> list[Found]:
    """The target that the model writes for each source, taking the likeliest symbol each time."""
    found: dict[int, Found] = {}
    order = sorted(range(len(sources)), key=lambda k: len(sources[k]))
    for begin in range(0, len(order), SIDE_BY_SIDE):
        group = order[begin : begin + SIDE_BY_SIDE]
        network, logs = source_network(model, [sources[k] for k in group])
        written: list[list[int]] = [[] for _ in group]
        totals, open_ones = np.zeros(len(group)), np.ones(len(group), dtype=bool)
        for _ in range(LONGEST):
            drawn = logs.argmax(axis=1)
            totals += np.where(open_ones, logs.max(axis=1), 0.0)
            open_ones &= drawn != model.vocab.newline
            for k in np.flatnonzero(open_ones).tolist():
                written[k].append(int(drawn[k]))
            if not open_ones.any():
                break
            logs = logs_of(model, network.forward(drawn[None])[0])
            network.carry()
        for k, place in enumerate(group):
            found[place] = Found(model.vocab.decode(written[k]), float(totals[k]), not open_ones[k])
    return [found[k] for k in range(len(sources))]


def search(model: Model, source: str, beam: int) -> list[Found]:
    """The likeliest targets of a source, the best first, at most `beam`: beam search, by ln p of the whole target."""
    check_int("beam", beam, 1, MOST_BEAMS)
    network, logs = source_network(model, [source] * beam)
    scores = np.array([0.0] + [-np.inf] * (beam - 1))  # all beams are one at first
    written: list[list[int]] = [[] for _ in range(beam)]
    done: list[tuple[float, list[int]]] = []
    for _ in range(LONGEST):
        ways = scores[:, None] + logs
        ends = ways[:, model.vocab.newline]
        done += [(float(end), written[k]) for k, end in enumerate(ends) if np.isfinite(end)]
        done = sorted(done, key=lambda pair: -pair[0])[:beam]
        ways[:, model.vocab.newline] = -np.inf
        best = np.argsort(-ways, axis=None, kind="stable")[:beam]
        rows, ids = np.unravel_index(best, ways.shape)
        scores = ways[rows, ids]
        # no way that is still open can become likelier than it is
        if not np.isfinite(scores[0]) or (len(done) == beam and done[-1][0] >= scores[0]):
            break
        written = [[*written[row], int(i)] for row, i in zip(rows, ids, strict=True)]
        network.set_state({name: values[:, rows] for name, values in network.state().items()})
        logs = logs_of(model, network.forward(ids[None])[0])
        network.carry()
    return [Found(model.vocab.decode(ids), log) for log, ids in done]
