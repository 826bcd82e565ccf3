"""One forward and one backward pass of a small network over a few characters, as lines that can be checked by hand.

Every line is a name, the equation that gives it, and its numbers; the last lines are the gradients of the weights. The
equations of a cell are read from its source, so that what is printed is what has been computed.
"""

import inspect
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from charrnn.arrays import Array, Ids
from charrnn.checkpoint.model import Model
from charrnn.checkpoint.notebook import table
from charrnn.checks import quoted
from charrnn.errors import UsageError
from charrnn.nn.equations import StepGradients, StepValues
from charrnn.nn.linear import LinearNetwork, plain_network
from charrnn.nn.loss import cross_entropy, softmax
from charrnn.nn.params import Config, Params, fresh_params
from charrnn.see.result import Result
from charrnn.text.forms import known_form
from charrnn.text.units import UNITS
from charrnn.text.vocab import Vocab

MOST_UNITS, MOST_STEPS = 8, 12


@dataclass(frozen=True, repr=False)
class Line(Result):
    """`values` is a vector or a matrix in float64; consecutive lines with the same `heading` form a part.

    `rows` and `columns` label a matrix by symbols and units ("i 0": unit 0 of gate i); they are empty for a vector.
    """

    heading: str
    name: str
    equation: str
    values: Array
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()

    def __repr__(self) -> str:
        return f"Line({self.name} = {self.equation})"

    def figure(self) -> str:
        rows = [[f"{value:.5f}" for value in row] for row in self.values.reshape(-1, self.values.shape[-1])]
        labelled = [[label, *row] for label, row in zip(self.rows or [""], rows, strict=True)]
        return table(labelled, ("", *self.columns))

    def conclusion(self) -> str:
        return f"{self.name} = {self.equation}"

    def as_dict(self) -> dict[str, Any]:
        found = {"part": self.heading, "name": self.name, "equation": self.equation, "values": self.values.tolist()}
        return {**found, "rows": [*self.rows], "columns": [*self.columns]} if self.rows else found


def small(cell: str, layers: int, hidden_size: int, text: str, seed: int) -> Model:
    """An untrained network for this text. Its weights have two decimals, so that they can be typed into a calculator.

    The rows of the symbols are uniform in ±1 here: with the usual ±1.7 they would dominate.
    """
    vocab = Vocab("char", UNITS["char"].codes(text).tolist())
    config = Config(cell, layers, hidden_size, len(vocab))
    params = fresh_params(config, seed)
    params[config.lookup] /= math.sqrt(3.0)
    params.flat[:] = np.round(params.flat, 2)
    return Model(config, vocab, params)


def steps(model: Model, text: str) -> list[Line]:
    """All lines: the weights, the forward pass, the backward pass, the gradients.

    Raises UsageError if the network or the text is too large to be followed, or the text has unknown characters.
    """
    config = model.of_network().config
    if config.hidden_size > MOST_UNITS:
        raise UsageError(
            f"the model has {config.hidden_size} units per layer, and at most {MOST_UNITS} are shown: "
            "leave -m out for a small untrained network."
        )
    text = known_form(model.vocab, text)
    ids = model.vocab.encode(text)
    if unknown := model.vocab.unknown(text):
        raise UsageError(f"the model has never seen {quoted(unknown[0])}: see charrnn info.")
    if not 2 <= len(ids) <= MOST_STEPS + 1:
        raise UsageError(f"`text` has from 2 to {MOST_STEPS + 1} symbols, not {len(ids)}.")
    params = Params(config.shapes, np.float64)
    params.flat[:] = model.params.flat
    walk = LinearWalk if config.linear else Walk
    return list(walk(model.vocab.symbols, config, params, ids.astype(np.intp)).lines())


class Walk:
    """The pass over the text, forward and backward, by the plain network.

    `output` names the output of a layer, `top` is what the output layer reads of it, and `read` labels what the
    products with Wx and Wy read.
    """

    output, top, read = "h", "{}", "h"

    def __init__(self, symbols: Sequence[str], config: Config, params: Params, ids: Ids) -> None:
        self.symbols, self.config, self.params, self.ids = symbols, config, params, ids
        self.T = len(ids) - 1
        self.network = plain_network(config, params, self.T, 1)
        self.cell = self.network.cell
        logits = self.network.forward(ids[:-1, None])
        self.logits, self.p = logits.copy(), softmax(logits)
        self.loss = cross_entropy(logits, ids[1:, None])
        self.dlogits = logits  # which is where `cross_entropy` leaves its gradient

    def lines(self) -> Iterator[Line]:
        for name, values in self.params.items():
            yield Line("weights", name, " x ".join(map(str, values.shape)), values, *self.labels(name))
        yield from self.forward()
        yield Line("the loss", "L", f"mean of the {self.T} losses", np.array([self.loss]))
        yield from self.backward()
        yield from self.gradients()

    def labels(self, name: str) -> tuple[Sequence[str], Sequence[str]]:
        """Labels of the rows and columns of a matrix of weights, or of its gradient."""
        if self.params[name].ndim == 1:
            return (), ()
        symbols = [quoted(symbol) for symbol in self.symbols]
        h = [f"{self.read} {k}" for k in range(self.config.hidden_size)]
        if name == "Wy":
            return h, symbols
        columns = [f"{gate} {k}" for gate in self.cell.gates for k in range(self.config.hidden_size)]
        return (symbols if name == self.config.lookup else h), columns

    def layer(self, k: int, name: str) -> str:
        """The name of a layer's value; with one layer it needs no number."""
        return name if self.config.layers == 1 else f"{name}[{k}]"

    def computed(self, heading: str, k: int, function: Callable[..., object], values: object) -> Iterator[Line]:
        """The values of a layer that a cell's `step` or `step_back` computes."""
        for name, equation in equations(function, values, self.cell.gates):
            yield Line(heading, self.layer(k, name), equation, getattr(values, name)[0])

    def forward(self) -> Iterator[Line]:
        for t, layers in enumerate(self.network.values):
            read, target = self.symbols[self.ids[t]], self.symbols[self.ids[t + 1]]
            heading = f"forward, t = {t + 1}: reads {quoted(read)}, target {quoted(target)}"
            for k, v in enumerate(layers):
                yield from self.layer_forward(heading, k, v, quoted(read))
            p = self.p[t, 0]
            top = self.layer(self.config.layers - 1, self.output)
            yield Line(heading, "logits", f"{self.top.format(top)} Wy + by", self.logits[t, 0])
            yield Line(heading, "p", "exp(logits) / Σ exp(logits)", p)
            yield Line(heading, "loss", f"-ln p({quoted(target)})", -np.log(p[self.ids[t + 1], None]))

    def layer_forward(self, heading: str, k: int, v: StepValues, read: str) -> Iterator[Line]:
        """A step of layer k, in which layer 0 reads the symbol `read`."""
        source = f"h[{k - 1}] l{k}.Wx + l{k}.b" if k else f"row {read} of l0.Wx + l0.b"
        xw, hw = self.network.products(k, v.x, v.h_prev)
        yield Line(heading, self.layer(k, "xw"), source, xw[0])
        yield Line(heading, self.layer(k, "hw"), f"h_prev l{k}.Wh", hw[0])
        yield from self.computed(heading, k, self.cell.step, v)

    def backward(self) -> Iterator[Line]:
        for t, layers in self.network.back_through_time(self.dlogits):
            heading = f"backward, t = {t + 1}"
            yield Line(heading, "dlogits", f"(p - one-hot) / {self.T}", self.dlogits[t, 0])
            for k in range(self.config.layers - 1, -1, -1):
                yield from self.layer_backward(heading, k, layers[k], t)

    def layer_backward(self, heading: str, k: int, d: StepGradients, t: int) -> Iterator[Line]:
        last = t + 1 == self.T
        above = "dlogits Wyᵀ" if k == self.config.layers - 1 else f"da[{k + 1}] l{k + 1}.Wxᵀ"
        yield Line(heading, self.layer(k, "dh"), above + self.later(k, "dh_prev", t), d.dh[0])
        if "c" in self.cell.states:
            origin = "0 at the last step" if last else f"{self.layer(k, 'dc_prev')} of t = {t + 2}"
            yield Line(heading, self.layer(k, "dc_next"), origin, d.dc_next[0])
        yield from self.computed(heading, k, self.cell.step_back, d)
        direct = " + dh_direct" if hasattr(d, "dh_direct") else ""
        equation = f"[{self.names(d)[1]}] l{k}.Whᵀ{direct}"
        yield Line(heading, self.layer(k, "dh_prev"), equation, d.dh_prev[0])

    def later(self, k: int, name: str, t: int) -> str:
        """What a sum gains from the step after t."""
        return "" if t + 1 == self.T else f" + {self.layer(k, name)} of t = {t + 2}"

    def gradients(self) -> Iterator[Line]:
        """The gradients of the weights: sums over t of what each product read, times the gradient of the product."""
        grads, heading = Params(self.config.shapes, np.float64), "gradients, sums over t"
        self.network.backward(self.ids[:-1, None], self.dlogits, grads)
        _, layers = next(self.network.back_through_time(self.dlogits))
        products: dict[str, str] = {}
        for k, d in enumerate(layers):
            products |= self.products(k, d)
        for name, product in (products | {"Wy": f"{self.top.format(self.output)}ᵀ dlogits", "by": "dlogits"}).items():
            yield Line(heading, f"d{name}", product, grads[name], *self.labels(name))

    def products(self, k: int, d: StepGradients) -> dict[str, str]:
        """The gradient of each weight of layer k, as a product."""
        dxw, dhw = self.names(d)
        x = f"= h[{k - 1}]" if k else "one-hot"
        return {f"l{k}.Wh": f"h_prevᵀ [{dhw}]", f"l{k}.Wx": f"xᵀ [{dxw}], x {x}", f"l{k}.b": f"[{dxw}]"}

    def names(self, d: StepGradients) -> tuple[str, str]:
        """The names of the blocks of dxw and of dhw."""
        da = {gate: f"da_{gate}" for gate in self.cell.gates}
        dhw = [f"dhw_{gate}" if hasattr(d, f"dhw_{gate}") else name for gate, name in da.items()]
        return " ".join(da.values()), " ".join(dhw)


class LinearWalk(Walk):
    """The pass through layers of a linear recurrence, see `nn/linear.py`."""

    output, top, read = "y", "{0} / rms({0})", "u"
    network: LinearNetwork

    def labels(self, name: str) -> tuple[Sequence[str], Sequence[str]]:
        if not name.endswith((".Wo", "E")):
            return super().labels(name)
        units = range(self.config.hidden_size)
        if name == "E":
            return super().labels(name)[0], [f"x {k}" for k in units]
        rows = [f"{state} {k}" for state in self.cell.states for k in units]
        return rows, [f"{half} {k}" for half in "og" for k in units]

    def layer_forward(self, heading: str, k: int, v: StepValues, read: str) -> Iterator[Line]:
        states, H = " ".join(self.cell.states), self.config.hidden_size
        x, u, y = (self.layer(k, name) for name in "xuy")
        out = self.network.states_of(v) @ self.params[f"l{k}.Wo"] + self.params[f"l{k}.bo"]
        yield Line(heading, x, f"y[{k - 1}]" if k else f"row {read} of E", v.x[0])
        yield Line(heading, u, f"{x} / rms({x})", v.u[0])
        yield Line(heading, self.layer(k, "xw"), f"{u} l{k}.Wx + l{k}.b", self.network.product(k, v.u)[0])
        yield from self.computed(heading, k, self.cell.step, v)
        yield Line(heading, self.layer(k, "out"), f"[{states}] l{k}.Wo + l{k}.bo", out[0])
        yield Line(heading, self.layer(k, "o"), f"columns 0 to {H - 1} of out", v.o[0])
        yield Line(heading, self.layer(k, "g"), f"σ(columns {H} to {2 * H - 1} of out)", v.g[0])
        yield Line(heading, y, f"{x} + o * g", v.y[0])

    def layer_backward(self, heading: str, k: int, d: StepGradients, t: int) -> Iterator[Line]:
        top, H = k == self.config.layers - 1, self.config.hidden_size
        yield Line(heading, self.layer(k, "dy"), "rmsᵀ(dlogits Wyᵀ)" if top else f"dx[{k + 1}]", d.dy[0])
        yield Line(heading, self.layer(k, "dout"), "[dy * g, dy * o * g * (1 - g)]", d.dout[0])
        for place, name in enumerate(f"d{state}" for state in self.cell.states):
            columns = f" columns {place * H} to {(place + 1) * H - 1}" if len(self.cell.states) > 1 else ""
            product = f"dout l{k}.Woᵀ{columns}{self.later(k, f'{name}_prev', t)}"
            yield Line(heading, self.layer(k, name), product, getattr(d, name)[0])
        yield from self.computed(heading, k, self.cell.step_back, d)
        yield Line(heading, self.layer(k, "dx"), f"dy + rmsᵀ([{self.names(d)[0]}] l{k}.Wxᵀ)", d.dx[0])

    def products(self, k: int, d: StepGradients) -> dict[str, str]:
        found = {"E": "one-hotᵀ dx"} if k == 0 else {}
        dxw, states = self.names(d)[0], " ".join(self.cell.states)
        found |= {f"l{k}.Wx": f"uᵀ [{dxw}]", f"l{k}.b": f"[{dxw}]"}
        found |= {f"l{k}.{name}": f"d{name}" for name in self.network.vectors(k)}
        return {**found, f"l{k}.Wo": f"[{states}]ᵀ dout", f"l{k}.bo": "dout"}


def equations(function: Callable[..., object], values: object, gates: str) -> list[tuple[str, str]]:
    """The lines `name = equation` of a cell's `step` or `step_back` that give `values`, as on paper."""
    source = inspect.getsource(function)
    for pattern, replacement in (
        (r"\b(xw|hw)\.(\w)", r"\1_\2" if len(gates) > 1 else r"\1"),
        (r"tanh\((\w+)\) \*\* 2", r"tanh²(\1)"),
        (r" ?\*\* ?2", "²"),
        ("sigmoid", "σ"),
    ):
        source = re.sub(pattern, replacement, source)
    lines = re.findall(r"^ +(\w+) = (?!v\.)(.*?)(?:  #.*)?$", source, re.MULTILINE)
    return [(name, equation) for name, equation in lines if hasattr(values, name)]


def summary(lines: Sequence[Line]) -> str:
    """One sentence on the loss, compared with guessing, and on the largest gradient."""
    values = {line.name: line.values for line in lines}
    loss, symbols = float(values["L"][0]), len(values["by"])
    gradients = [line for line in lines if line.heading == lines[-1].heading]
    largest = max(gradients, key=lambda line: float(np.abs(line.values).max()))
    return (
        f"The loss is {loss:.3f} nats, where guessing has ln {symbols} = {math.log(symbols):.3f}; "
        f"the largest gradient, {np.abs(largest.values).max():.3f}, is in {largest.name}."
    )
