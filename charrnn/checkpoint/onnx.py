"""One step of a network as an ONNX graph: from ids and states to logits and states.

The equations are those of `nn/equations.py`: they are computed with a `Value` in place of each array, which records
the operators. So every cell can be exported, also a new one.

    input   ids (B,) int64; h (layers, B, H), and c of a cell that has it
    output  logits (B, V); h_next, c_next
"""

from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from charrnn._version import __version__
from charrnn.checkpoint.exchange import KEY, description, package
from charrnn.checkpoint.model import Model
from charrnn.errors import UsageError
from charrnn.nn.equations import CELLS, LINEAR_CELLS, Gates, StepValues
from charrnn.nn.linear import EPS
from charrnn.nn.params import Config, Params

OPSET, IR_VERSION = 17, 8  # of 2022; the operators are the same in later versions
MOST_BYTES = (1 << 31) - (1 << 24)  # of the weights: Protocol Buffers allow 2 GiB
OPERATORS = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "power": "Pow",
    "matmul": "MatMul",
    "negative": "Neg",
    "absolute": "Abs",
    "exp": "Exp",
    "log": "Log",
    "sqrt": "Sqrt",
    "sin": "Sin",
    "cos": "Cos",
    "tanh": "Tanh",
    "maximum": "Max",
    "minimum": "Min",
}


class Graph:
    """The nodes and constants of a graph that grows."""

    def __init__(self, onnx: Any) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: Any, name: str = "") -> "Value":
        name = name or f"constant{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(np.asarray(values), name))
        return Value(self, name)

    def add(self, operator: str, *inputs: Any, outputs: int = 1, name: str = "", **attributes: Any) -> list["Value"]:
        """The outputs of a new node; inputs that are not values of the graph become constants."""
        values = [one if isinstance(one, Value) else self.constant(np.float32(one)) for one in inputs]
        names = [name] if name else [f"{operator.lower()}{len(self.nodes)}_{k}" for k in range(outputs)]
        node = self.onnx.helper.make_node(operator, [value.name for value in values], names, names[0], **attributes)
        self.nodes.append(node)
        return [Value(self, one) for one in names]


class Value(NDArrayOperatorsMixin):
    """A value in a graph, with the operators and functions of an array."""

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph, self.name = graph, name

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **more: Any) -> "Value":
        if ufunc.__name__ not in OPERATORS or method != "__call__" or more:
            raise UsageError(f"the cell uses numpy.{ufunc.__name__}, which cannot be written to an .onnx file.")
        return self.graph.add(OPERATORS[ufunc.__name__], *inputs)[0]


def encode(model: Model) -> bytes:
    """The `.onnx` file of a model.

    Raises UsageError if the package is missing, the cell has other operators, or the weights are too large.
    """
    if model.params.flat.nbytes > MOST_BYTES:
        raise UsageError(
            "an .onnx file has at most 2 GB, and the weights have more: export a .safetensors file instead."
        )
    onnx = package("onnx", "onnx")
    config, graph = model.config, Graph(onnx)
    names = [*config.states]
    step(config, model.params, graph)
    number, ids = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
    state, logits = (config.layers, "batch", config.hidden_size), ("batch", config.vocab_size)
    info = onnx.helper.make_tensor_value_info
    inputs = [info("ids", ids, ("batch",)), *(info(name, number, state) for name in names)]
    outputs = [info("logits", number, logits), *(info(f"{name}_next", number, state) for name in names)]
    whole = onnx.helper.make_model(
        onnx.helper.make_graph(graph.nodes, "step", inputs, outputs, graph.constants),
        producer_name="charrnn",
        producer_version=__version__,
        ir_version=IR_VERSION,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
    )
    onnx.helper.set_model_props(whole, {KEY: description(model)})
    onnx.checker.check_model(whole)
    data: bytes = whole.SerializeToString()
    return data


def step(config: Config, params: Params, graph: Graph) -> None:
    """Adds the step of the plain network, through all layers, and the output layer."""
    after = {name: list[Value]() for name in config.states}
    weights = {name: graph.constant(values, name) for name, values in params.items() if not is_vector(config, name)}
    x = Value(graph, "ids")
    if config.linear:
        x = graph.add("Gather", weights["E"], x)[0]
    for k in range(config.layers):
        at = graph.constant(np.int64(k))
        previous = {f"{name}_prev": graph.add("Gather", Value(graph, name), at)[0] for name in config.states}
        own = {name: weights.get(f"l{k}.{name}") for name in ("Wx", "Wh", "b", "Wo", "bo")}
        if config.linear:
            vectors = {name: params[f"l{k}.{name}"][None] for name in LINEAR_CELLS[config.cell].vectors}
            v, x = linear_layer(config, graph, x, own, {**previous, **vectors})
        else:
            xw = (x @ own["Wx"] if k else graph.add("Gather", own["Wx"], x)[0]) + own["b"]
            hw = previous["h_prev"] @ own["Wh"]
            v = CELLS[config.cell].step(split(config, graph, xw), split(config, graph, hw), **previous)
            x = v.h
        for name, values in after.items():
            values.append(getattr(v, name))
    top = normalized(graph, x) if config.linear else x
    graph.add("Add", top @ weights["Wy"], weights["by"], name="logits")
    axis = graph.constant(np.array([0], np.int64))
    for name, values in after.items():
        rows = [graph.add("Unsqueeze", value, axis)[0] for value in values]
        graph.add("Concat", *rows, name=f"{name}_next", axis=0)


def is_vector(config: Config, name: str) -> bool:
    """Whether these weights are a vector of a linear recurrence, of which the graph only holds what follows from it."""
    return config.linear and name.split(".")[-1] in LINEAR_CELLS[config.cell].vectors


def linear_layer(
    config: Config, graph: Graph, x: "Value", weights: dict[str, Any], given: dict[str, Any]
) -> tuple[StepValues, "Value"]:
    """A layer of `nn/linear.py`: the values of the cell, and y."""
    xw = normalized(graph, x) @ weights["Wx"] + weights["b"]
    v = LINEAR_CELLS[config.cell].step(split(config, graph, xw), **given)
    states = graph.add("Concat", *(getattr(v, name) for name in config.states), axis=-1)[0]
    o, g = graph.add("Split", states @ weights["Wo"] + weights["bo"], outputs=2, axis=-1)
    return v, x + o * graph.add("Sigmoid", g)[0]


def normalized(graph: Graph, x: "Value") -> "Value":
    """x / rms(x)"""
    value: Value = x / np.sqrt(graph.add("ReduceMean", x * x, axes=[-1], keepdims=1)[0] + EPS)
    return value


def split(config: Config, graph: Graph, columns: Value) -> Gates:
    """(B, G·H) as one (B, H) value per gate."""
    values = graph.add("Split", columns, outputs=len(config.gates), axis=-1)
    return Gates(**dict(zip(config.gates, values, strict=True)))
