"""Models of examples: a text for a label, and the target of a source by greedy or beam search."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from charrnn.arrays import Array
from charrnn.checkpoint.model import Model
from charrnn.checks import check_int, did_you_mean, quoted
from charrnn.errors import UsageError
from charrnn.nn.fast import engine
from charrnn.nn.loss import log_softmax
from charrnn.nn.params import Params
from charrnn.nn.stepper import NetworkStepper
from charrnn.sampling.filters import mask_logits
from charrnn.sampling.mixture import Mixture, check_weights, mix
from charrnn.text.examples import encoded
from charrnn.text.tasks import END, TAB, Task
from charrnn.text.vocab import Vocab

BATCH = 64  # sources read in parallel
LONGEST = 1000  # symbols of a target
MOST_BEAMS = 1000
MOST_LABELS = 20  # in a message


def for_labels(model: Model, weights: Mapping[str, float]) -> Model | Mixture:
    """A model of text that generates as `model` does for a label; for several labels, the mean of their vectors, or the
    mixture of their n-gram models.

    The newline, which every text starts with and which ends an example, gets the vector of the label: the network reads
    it in no other place. Each line is an example, never an empty one, before which the state is reset.
    Raises UsageError for labels that the model does not have.
    """
    if model.task is None:
        raise UsageError("the model was trained on a text: labels are for models of labelled examples.")
    if model.task.kind != "generate":
        raise UsageError(model.task.instead(model.path))
    labels, V = model.task.labels, len(model.vocab)
    numbers = [label_number(name, labels) for name in weights]
    check_weights("label", list(weights.values()))
    codes, rare = model.vocab.codes.tolist(), model.vocab.rare.tolist()
    config, vocab = replace(model.config, vocab_size=V), Vocab(model.vocab.unit, codes, rare, END)
    if model.ngram:
        roots = [Model(config, vocab, model.params, None, None, replace(model.ngram, root=k), 1.0) for k in numbers]
        return mix(roots, list(weights.values()))
    params = Params(config.shapes)
    for name, shape in config.shapes.items():
        params[name][:] = model.params[name][tuple(map(slice, shape))]  # labels come after the vocabulary
    vectors = [model.params[config.lookup][V + number] for number in numbers]
    params[config.lookup][model.vocab.newline] = np.average(vectors, axis=0, weights=list(weights.values()))
    return Model(config, vocab, params)


def label_number(name: str, labels: Sequence[str]) -> int:
    """The place of a label, in any normal form. Raises UsageError for a name that is none of them."""
    composed = [unicodedata.normalize("NFC", label) for label in labels]
    if name in labels:
        return labels.index(name)
    if isinstance(name, str) and (found := unicodedata.normalize("NFC", name)) in composed:
        return composed.index(found)
    known = ", ".join(labels[:MOST_LABELS]) + (
        f" and {len(labels) - MOST_LABELS:,} others" * (len(labels) > MOST_LABELS)
    )
    raise UsageError(f"the model has no label {quoted(str(name))}.{did_you_mean(name, labels)} It has {known}.")


@dataclass(frozen=True)
class Target:
    """A target that a model generated, and its ln p; `ended` is False if it was cut off at `LONGEST` symbols."""

    text: str
    logprob: float
    ended: bool = True


def pairs_task(model: Model) -> Task:
    """The task of a model of pairs. Raises UsageError for any other."""
    task = model.task
    if task is None or task.kind != "pairs":
        text = "the model was trained on a text: sources are for models of pairs."
        raise UsageError(task.instead(model.path) if task else text)
    return task


def read_sources(model: Model, sources: Sequence[str]) -> NetworkStepper:
    """Streams that have read one source each."""
    task = pairs_task(model)
    inputs = [task.source(model.vocab, encoded(model.vocab, source)) for source in sources]
    steps = max(map(len, inputs))
    window, reset = np.zeros((steps, len(inputs)), dtype=np.intp), np.zeros((steps, len(inputs)), dtype=bool)
    for column, ids in enumerate(inputs):  # aligned at the end; a reset removes the padding before each source
        window[-len(ids) :, column] = ids
        reset[-len(ids), column] = True
    network = engine.network(model.config, model.params, steps, len(inputs))
    streams = NetworkStepper(network, len(inputs))
    streams.logits = network.forward(window, None, reset)[-1]
    network.carry()
    return streams


def target_logprobs(model: Model, logits: Array) -> Array:
    """ln p (K, V) of the next symbol of a target, which is never a tab, in float64."""
    return log_softmax(mask_logits(logits, [model.vocab.codes != TAB] * len(logits)))


def answers(model: Model, sources: Sequence[str]) -> list[Target]:
    """The target that the model generates for each source by greedy search: always the most likely symbol.

    Raises UsageError unless the model is one of pairs.
    """
    if isinstance(sources, str):
        raise UsageError("sources is a list of texts, not a string.")
    targets: dict[int, Target] = {}
    order = sorted(range(len(sources)), key=lambda k: len(sources[k]))
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        streams = read_sources(model, [sources[k] for k in batch])
        written: list[list[int]] = []  # by step
        scores, incomplete = np.zeros(len(batch)), np.ones(len(batch), dtype=bool)
        for _ in range(LONGEST):
            logprobs = target_logprobs(model, streams.logits)
            ids = logprobs.argmax(axis=1)
            scores += incomplete * logprobs.max(axis=1)
            incomplete &= ids != model.vocab.newline
            written.append(ids.tolist())
            if not incomplete.any():
                break
            streams.step(written[-1])
        for k, source in enumerate(batch):
            text = model.vocab.decode([ids[k] for ids in written]).partition("\n")[0]
            targets[source] = Target(text, float(scores[k]), not incomplete[k])
    return [targets[k] for k in range(len(sources))]


def beam_search(model: Model, source: str, beam: int) -> list[Target]:
    """At most `beam` targets of a source by ln p of the whole target, the most likely first.

    Raises UsageError unless the model is one of pairs, and `beam` is from 1 to 1,000.
    """
    check_int("beam", beam, 1, MOST_BEAMS)
    streams, newline = read_sources(model, [source] * beam), model.vocab.newline
    scores = np.array([0.0] + [-np.inf] * (beam - 1))  # all beams are equal at first: only one of them counts
    beams: list[list[int]] = [[] for _ in range(beam)]
    complete: list[tuple[float, list[int]]] = []
    for _ in range(LONGEST):
        extended = scores[:, None] + target_logprobs(model, streams.logits)
        ends = zip(extended[:, newline].tolist(), beams, strict=True)
        complete += [(logprob, ids) for logprob, ids in ends if np.isfinite(logprob)]
        complete = sorted(complete, key=lambda pair: -pair[0])[:beam]
        extended[:, newline] = -np.inf
        best = np.argsort(-extended, axis=None, kind="stable")[:beam]
        rows, ids = np.unravel_index(best, extended.shape)
        scores = extended[rows, ids]
        # an incomplete target can only become less likely
        if not np.isfinite(scores[0]) or (len(complete) == beam and complete[-1][0] >= scores[0]):
            break
        beams = [[*beams[row], int(i)] for row, i in zip(rows, ids, strict=True)]
        streams.network.set_state({name: values[:, rows] for name, values in streams.network.state().items()})
        streams.step(ids.tolist())
    return [Target(model.vocab.decode(ids), logprob) for logprob, ids in complete]
