"""Models as `.safetensors` files that PyTorch loads, and back."""

import json
import os
from pathlib import Path

import numpy as np

from charrnn.checkpoint import npz
from charrnn.checkpoint.exchange import KEY, description, package
from charrnn.checkpoint.model import Model, checked_vocab
from charrnn.checkpoint.pytorch import Tensors, from_pytorch, to_pytorch
from charrnn.checks import require
from charrnn.errors import ModelFileError, UsageError
from charrnn.nn.params import Params
from charrnn.text.tasks import Task
from charrnn.text.vocab import Vocab

SAVE = "in PyTorch, safetensors.torch.save_file(module.state_dict(), FILE) writes one."


def encode(model: Model) -> bytes:
    """The `.safetensors` file of a model. Raises UsageError if the package is missing or PyTorch has no such cell."""
    tensors = to_pytorch(model.config, model.params)
    data: bytes = package("safetensors.numpy", "safetensors").save(tensors, {KEY: description(model)})
    return data


def decode(path: str, vocab: str | None = None) -> Model:
    """The model in a `.safetensors` file. `vocab` is a JSON file with its vocabulary, needed if the file has none.

    Raises ModelFileError if it is not such a network, UsageError if the package or the vocabulary is missing.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # numbers that are not finite are refused
        tensors, text = read(path)
        try:
            config, params = from_pytorch(tensors)
        except ModelFileError as error:
            raise ModelFileError(f"{path} {error}") from None
    if vocab is not None:
        text = read_text(vocab)
    if text is None:
        raise UsageError(f"{path} has no vocabulary: name a JSON list of its characters with `vocab=FILE`.")
    try:
        symbols, task, order = read_vocab(text, config.vocab_size)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        source = path if vocab is None else vocab
        raise ModelFileError(
            f"the vocabulary in {source} is not valid: it is a JSON list of {config.vocab_size:,} different characters."
        ) from None
    arrange(params, config.lookup, order)
    return Model(config, symbols, params, None, task)


def read(path: str) -> tuple[Tensors, str | None]:
    """The tensors of a file by name, and the description of the model."""
    safetensors = package("safetensors", "safetensors")
    if not os.path.exists(path):
        raise ModelFileError(f"there is no file {path}.")
    with npz.opened(path):  # a plain file
        pass
    name, tensors = "", Tensors()
    try:
        with safetensors.safe_open(path, framework="np") as file:
            for name in file.keys():  # noqa: SIM118
                tensors[name] = file.get_tensor(name).astype(np.float32)
            return tensors, (file.metadata() or {}).get(KEY)
    except (TypeError, AttributeError):
        raise ModelFileError(f"{path} has the tensor {name} of a type that NumPy lacks: save it as float32.") from None
    except (OSError, safetensors.SafetensorError):
        raise ModelFileError(f"{path} is not a .safetensors file, or it is damaged: {SAVE}") from None


def read_text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except FileNotFoundError:
        raise ModelFileError(f"there is no file {path}.") from None
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def read_vocab(text: str, symbols: int) -> tuple[Vocab, Task | None, list[int]]:
    """The vocabulary, the task, and the places of the symbols in the order of their codes.

    `text` is JSON: a list of characters or of their codes, or an object such as `description` writes. Raises
    ValueError, TypeError, KeyError, OverflowError or RecursionError if it is not valid.
    """
    values = json.loads(text)
    if not isinstance(values, dict):
        values = {"vocab": values}
    task = Task.from_dict(values["task"]) if values.get("task") is not None else None
    labels = len(task.labels) if task else 0
    codes = [ord(symbol) if isinstance(symbol, str) else symbol for symbol in values["vocab"]]
    order = sorted(range(len(codes)), key=codes.__getitem__)
    vocab = checked_vocab(
        values.get("unit", "char"),
        [codes[place] for place in order],
        values.get("rare", []),
        symbols - labels,
        values.get("boundary"),
    )
    require(task is None or (task.needs <= set(codes) and vocab.boundary is None), "task")
    return vocab, task, [*order, *range(len(codes), symbols)]


def arrange(params: Params, lookup: str, order: list[int]) -> None:
    """Puts the symbols in another order; `lookup` names the weights with a row per symbol."""
    params[lookup][:] = params[lookup][order]
    params["Wy"][:] = params["Wy"][:, order]
    params["by"][:] = params["by"][order]
