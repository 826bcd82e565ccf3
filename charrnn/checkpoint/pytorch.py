"""The weights of a model as tensors for PyTorch, and back.

    ours                    PyTorch's
    l0.Wx (inputs, G·H)     rnn.weight_ih_l0 (G·H, inputs); the input of layer 0 is one-hot, or an embedding
    l0.Wh (H, G·H)          rnn.weight_hh_l0 (G·H, H)
    l0.b (G·H,)             rnn.bias_ih_l0, and rnn.bias_hh_l0 with zeros
    Wy (H, V), by (V,)      output.weight (V, H), output.bias (V,)

The gates have another order. PyTorch adds its two biases, except in the GRU: there the second bias of the candidate n
is multiplied by the reset gate. Here it does not exist, so a network in which it is not zero cannot be imported.

PyTorch has no module for linear recurrences, so their weights keep their names and shapes, those of `Config.shapes`.
"""

import numpy as np

from charrnn.arrays import Array
from charrnn.checks import shown
from charrnn.errors import ModelFileError, UsageError
from charrnn.nn.equations import CELLS, LINEAR_CELLS
from charrnn.nn.params import Config, Params

GATES = {"lstm": "ifgo", "gru": "rzn", "rnn": "h"}  # in PyTorch's order
Tensors = dict[str, Array]


def to_pytorch(config: Config, params: Params) -> Tensors:
    """The tensors by name, contiguous. Raises UsageError for a cell that is neither in PyTorch nor linear."""
    if config.cell in LINEAR_CELLS:
        return dict(params)
    if config.cell not in GATES:
        raise UsageError(f"PyTorch has the cells {', '.join(GATES)}, not {config.cell}.")
    gates, tensors = (config.gates, GATES[config.cell]), Tensors()
    for k in range(config.layers):
        tensors[f"rnn.weight_ih_l{k}"] = reordered(params[f"l{k}.Wx"].T, *gates)
        tensors[f"rnn.weight_hh_l{k}"] = reordered(params[f"l{k}.Wh"].T, *gates)
        tensors[f"rnn.bias_ih_l{k}"] = reordered(params[f"l{k}.b"], *gates)
        tensors[f"rnn.bias_hh_l{k}"] = np.zeros_like(params[f"l{k}.b"])
    return {**tensors, "output.weight": np.ascontiguousarray(params["Wy"].T), "output.bias": params["by"]}


def reordered(rows: Array, before: str, after: str) -> Array:
    """(G·H, ...) with the blocks of the gates in another order."""
    blocks = dict(zip(before, np.split(rows, len(before)), strict=True))
    return np.ascontiguousarray(np.concatenate([blocks[gate] for gate in after]))


def from_pytorch(tensors: Tensors) -> tuple[Config, Params]:
    """The configuration and the weights of such tensors.

    Raises ModelFileError if the tensors are others; the file is to be named before its message.
    """
    rest = dict(tensors)
    config, params = linear_recurrence(rest) if "E" in rest else recurrent_module(rest)
    if rest:
        raise ModelFileError(f"has the tensor {shown(min(rest))}, which a model of charrnn does not have.")
    if not np.isfinite(params.flat).all():
        raise ModelFileError("has numbers that are not finite.")
    return config, params


def linear_recurrence(rest: Tensors) -> tuple[Config, Params]:
    """Takes all weights of a linear recurrence out of `rest`."""
    V, H = shape(rest, "E")
    layers = len({name.partition(".")[0] for name in rest if name.startswith("l")})
    found = {name: values.shape for name, values in rest.items()}
    configs = [Config(cell, max(1, layers), H, V) for cell in LINEAR_CELLS]
    config = max(configs, key=lambda config: len(config.shapes.items() & found.items()))  # the cell that fits best
    params = Params(config.shapes)
    for name, wanted in config.shapes.items():
        params[name][:] = take(rest, name, wanted)
    return config, params


def recurrent_module(rest: Tensors) -> tuple[Config, Params]:
    """Takes all tensors of a module out of `rest`: one recurrent network, one linear layer, which is its output, and
    perhaps an embedding, whatever their names. Biases may be missing.
    """
    rnn = only_recurrent(rest)
    output, embedding = output_and_embedding(rest)
    inputs, (V, H) = shape(rest, f"{rnn}weight_ih_l0")[1], shape(rest, f"{output}weight")
    cell = next((cell for cell, gates in GATES.items() if shape(rest, f"{rnn}weight_hh_l0")[0] == len(gates) * H), "")
    if not cell:
        raise ModelFileError(
            f"does not fit: {rnn}weight_hh_l0 is {shape(rest, f'{rnn}weight_hh_l0')}, and {output}weight {(V, H)}."
        )
    config = Config(cell, sum(f"{rnn}weight_ih_l{k}" in rest for k in range(len(rest))), H, V)
    params, rows = Params(config.shapes), len(config.gates) * H
    for k in range(config.layers):
        Wx = take(rest, f"{rnn}weight_ih_l{k}", (rows, H if k else inputs))
        Wh = take(rest, f"{rnn}weight_hh_l{k}", (rows, H))
        b, second = (take(rest, f"{rnn}{name}_l{k}", (rows,)) for name in ("bias_ih", "bias_hh"))
        if k == 0 and embedding is not None:  # of an embedding, the product with Wx is all that matters
            Wx = Wx @ take(rest, f"{embedding}weight", (V, inputs)).T
        elif k == 0 and inputs != V:
            raise ModelFileError(
                f"predicts {V} symbols and reads {inputs} numbers per step, so its input is not one-hot."
            )
        if cell == "gru" and second[2 * H :].any():
            raise ModelFileError(
                f"has a bias in the product with the reset gate (the last third of {rnn}bias_hh_l{k}), which charrnn "
                "does not have: keep it at 0 during the training, as docs/export.md shows."
            )
        for name, values in (("Wx", Wx), ("Wh", Wh), ("b", b + second)):
            params[f"l{k}.{name}"][:] = reordered(values, GATES[cell], CELLS[cell].gates).T
    params["Wy"][:] = take(rest, f"{output}weight", (V, H)).T
    params["by"][:] = take(rest, f"{output}bias", (V,))
    return config, params


def only_recurrent(tensors: Tensors) -> str:
    """What precedes the names of the tensors of the recurrent network, such as "rnn."."""
    found = [name.removesuffix("weight_ih_l0") for name in tensors if name.endswith("weight_ih_l0")]
    if len(found) != 1:
        what = "more than one tensor weight_ih_l0" if found else "no tensor weight_ih_l0 or E"
        raise ModelFileError(f"has {what}: one nn.LSTM, nn.GRU or nn.RNN, or one linear recurrence, is needed.")
    return found[0]


def output_and_embedding(tensors: Tensors) -> tuple[str, str | None]:
    """The same for the linear layer and, if there is one, the embedding, which has no bias."""
    found = [name.removesuffix("weight") for name in tensors if name.endswith("weight")]
    found.sort(key=lambda name: f"{name}bias" not in tensors)
    if not found or len(found) > 2 or (len(found) == 2 and f"{found[0]}bias" not in tensors):
        names = ", ".join(f"{name}weight" for name in found) or "none"
        raise ModelFileError(f"needs one nn.Linear, with a bias if there is an nn.Embedding; found: {shown(names)}.")
    return found[0], (found[1] if found[1:] else None)


def shape(tensors: Tensors, name: str) -> tuple[int, int]:
    """The shape of a matrix that is not empty."""
    if name not in tensors or tensors[name].ndim != 2 or not tensors[name].size:
        raise ModelFileError(f"has no matrix {name}.")
    rows, columns = tensors[name].shape
    return rows, columns


def take(tensors: Tensors, name: str, wanted: tuple[int, ...]) -> Array:
    """Removes the tensor of this name and shape; a bias may be missing."""
    if name not in tensors and "bias" in name:
        return np.zeros(wanted, np.float32)
    if name not in tensors or tensors[name].shape != wanted:
        found = f"{tensors[name].shape} instead of {wanted}" if name in tensors else "missing"
        raise ModelFileError(f"does not fit: {name} is {found}.")
    return tensors.pop(name)
