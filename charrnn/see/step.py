"""One forward and one backward pass of a small network over a few characters, as lines that can be checked by hand.

Every line is a name, the equation that gives it, and its numbers; the last lines are the gradients of the weights.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from charrnn.arrays import Array
from charrnn.checkpoint.model import Model
from charrnn.errors import UsageError
from charrnn.nn.loss import softmax_nats
from charrnn.nn.network import Back, Moment, Trace
from charrnn.nn.params import Config, Params, fresh_params
from charrnn.text.units import UNITS
from charrnn.text.vocab import Vocab

MOST_UNITS, MOST_SYMBOLS, MOST_STEPS = 8, 100, 12


@dataclass(frozen=True)
class Line:
    """`values` is a vector, or a matrix, in float64; `heading` says where a new part begins."""

    heading: str
    name: str
    equation: str
    values: Array

    def as_dict(self) -> dict[str, Any]:
        return {"part": self.heading, "name": self.name, "equation": self.equation, "values": self.values.tolist()}


def small(cell: str, layers: int, hidden_size: int, text: str, seed: int) -> Model:
    """A fresh network for this text whose weights have two decimals, so that they can be typed into a calculator.

    The rows of l0.Wx are drawn from ±1 here: its usual ±1.7 would leave little to see of the rest.
    """
    vocab = Vocab("char", UNITS["char"].codes(text).tolist())
    config = Config(cell, layers, hidden_size, len(vocab))
    params = fresh_params(config, seed)
    params["l0.Wx"] /= math.sqrt(3.0)
    params.flat[:] = np.round(params.flat, 2)
    return Model(config, vocab, params)


def steps(model: Model, text: str) -> list[Line]:
    """All lines: the weights, the steps forward, the steps back, the gradients.

    Raises UsageError where the network or the text is too large to be read, or the text has unknown characters.
    """
    config = model.config
    if config.hidden_size > MOST_UNITS:
        raise UsageError(
            f"the model has {config.hidden_size} units a layer, and at most {MOST_UNITS} can be followed by eye: "
            "leave -m out for a small network."
        )
    ids = model.vocab.encode(text)
    if len(model.vocab.unknown(text)) > 0:
        raise UsageError(f"the model has never seen {model.vocab.unknown(text)[0]!r}: see charrnn info.")
    if not 2 <= len(ids) <= MOST_STEPS + 1:
        raise UsageError(f"--text has from 2 to {MOST_STEPS + 1} symbols, not {len(ids)}.")
    params = Params(config.shapes, np.float64)
    params.flat[:] = model.params.flat
    return list(Walk(model.vocab.symbols, config, params, ids.astype(np.intp)).lines())


class Walk:
    """The walk over the text, forward and back, by the plain equations."""

    def __init__(self, symbols: Sequence[str], config: Config, params: Params, ids: Array) -> None:
        self.symbols, self.config, self.params, self.ids = symbols, config, params, ids
        self.trace = Trace(config, params)
        self.T = len(ids) - 1
        self.moments: list[list[Moment]] = []
        self.dlogits: list[Array] = []
        self.backs: list[list[Back]] = []

    def lines(self) -> Iterator[Line]:
        for name, values in self.params.items():
            yield Line("weights", name, " x ".join(map(str, values.shape)), values)
        yield from self.forward()
        yield from self.back()
        yield from self.gradients()

    def layer(self, k: int, name: str) -> str:
        """The name of a layer's value; with one layer it needs no number."""
        return name if self.config.layers == 1 else f"{name}[{k}]"

    def forward(self) -> Iterator[Line]:
        before, losses = self.trace.empty_state(1), []
        for t in range(1, self.T + 1):
            read, target = int(self.ids[t - 1]), int(self.ids[t])
            heading = f"forward, t = {t}: reads {self.symbols[read]!r}, should say {self.symbols[target]!r}"
            moments = self.trace.step(np.array([read]), before)
            before = [moment.values for moment in moments]
            self.moments.append(moments)
            for k, moment in enumerate(moments):
                source = f"row {self.symbols[read]!r} of l0.Wx + l0.b" if k == 0 else f"h[{k - 1}] l{k}.Wx + l{k}.b"
                yield Line(heading, self.layer(k, "x"), source, np.concatenate(moment.x, axis=-1)[0])
                yield Line(heading, self.layer(k, "u"), f"h_prev l{k}.Wh", np.concatenate(moment.u, axis=-1)[0])
                for name, equation in self.trace.equations.lines:
                    yield Line(heading, self.layer(k, name), equation, moment.values[name][0])
            logits = self.trace.logits(moments)
            yield Line(heading, "logits", f"{self.layer(self.config.layers - 1, 'h')} Wy + by", logits[0].copy())
            nats = softmax_nats(logits[None], np.array([[target]]))  # leaves the probabilities in `logits`
            yield Line(heading, "p", "exp(logits) / Σ exp(logits)", logits[0].copy())
            yield Line(heading, "loss", f"-ln p({self.symbols[target]!r})", nats[0])
            losses.append(float(nats[0, 0]))
            logits[0, target] -= 1.0
            self.dlogits.append(logits / self.T)
        yield Line("the loss", "L", f"mean of the {self.T} losses", np.array([sum(losses) / self.T]))

    def back(self) -> Iterator[Line]:
        after: list[Back] | None = None
        top, T = self.config.layers - 1, self.T
        for t in range(T, 0, -1):
            heading = f"back, t = {t}"
            yield Line(heading, "dlogits", f"(p - one-hot) / {T}", self.dlogits[t - 1][0])
            found = self.trace.step_back(self.moments[t - 1], self.dlogits[t - 1], after)
            for k in range(top, -1, -1):
                above = "dlogits Wyᵀ" if k == top else f"da[{k + 1}] l{k + 1}.Wxᵀ"
                later = f" + {self.layer(k, 'dh_prev')} of t = {t + 1}" if after else ""
                yield Line(heading, self.layer(k, "dh"), above + later, found[k].dh[0])
                if "c" in self.config.states:
                    origin = f"{self.layer(k, 'dc_prev')} of t = {t + 1}" if after else "nothing comes from later"
                    yield Line(heading, self.layer(k, "dc_next"), origin, found[k].dc[0])
                for name, equation in self.trace.equations.back_lines:
                    yield Line(heading, self.layer(k, name), equation, found[k].values[name][0])
                names = " ".join(self.trace.equations.wh)
                rest = " + rest" if "rest" in found[k].values else ""
                equation = f"[{names}] l{k}.Whᵀ{rest}"
                yield Line(heading, self.layer(k, "dh_prev"), equation, self.trace.to_h(k, found[k])[0])
            after = found
            self.backs.insert(0, found)

    def gradients(self) -> Iterator[Line]:
        """The gradients of the weights: sums over t of what went in, times what came back."""
        heading, equations = "gradients, sums over t", self.trace.equations
        for k in range(self.config.layers):
            shape = self.params[f"l{k}.Wx"].shape
            dWx, dWh, db = np.zeros(shape), np.zeros(self.params[f"l{k}.Wh"].shape), np.zeros(shape[1])
            for t in range(self.T):
                da_x = np.concatenate([self.backs[t][k].values[name] for name in equations.wx], axis=-1)[0]
                da_h = np.concatenate([self.backs[t][k].values[name] for name in equations.wh], axis=-1)[0]
                x = self.moments[t][k - 1].values["h"][0] if k else np.eye(len(self.symbols))[self.ids[t]]
                dWx, db = dWx + np.outer(x, da_x), db + da_x
                dWh += np.outer(self.moments[t][k].before["h"][0], da_h)
            wx, wh = " ".join(equations.wx), " ".join(equations.wh)
            yield Line(heading, f"dl{k}.Wh", f"h_prevᵀ [{wh}]", dWh)
            yield Line(heading, f"dl{k}.Wx", f"xᵀ [{wx}], x {'one-hot' if k == 0 else f'= h[{k - 1}]'}", dWx)
            yield Line(heading, f"dl{k}.b", f"[{wx}]", db)
        h = [moments[-1].values["h"][0] for moments in self.moments]
        dWy = sum((np.outer(a, d[0]) for a, d in zip(h, self.dlogits, strict=True)), np.zeros(self.params["Wy"].shape))
        yield Line(heading, "dWy", "hᵀ dlogits", dWy)
        yield Line(heading, "dby", "dlogits", np.sum(self.dlogits, axis=0)[0])
