"""`charrnn info`: the network, vocabulary and training of a model."""

import os
from typing import TYPE_CHECKING, Any

from charrnn.cli.options import command, json_option, model_option
from charrnn.display.terminal import Answer

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model


@command()
@model_option()
@json_option(help="Write one JSON object to stdout.")
def info(model: str, as_json: bool) -> None:
    """Show the network, vocabulary and training of a model."""
    from charrnn.checkpoint.model import load

    loaded = load(model)
    answer = Answer()
    if as_json:
        answer.json(facts(model, loaded))
        return
    from charrnn.display.console import show
    from charrnn.display.info import information

    size = os.path.getsize(model)
    show(answer, lambda out: information(out, model, loaded, size))


def facts(path: str, model: "Model") -> dict[str, Any]:
    return {
        "model": path,
        "config": model.config.as_dict(),
        "unit": model.vocab.unit,
        "vocab": model.vocab.symbols,
        "rare": [model.vocab.symbol(code) for code in model.vocab.rare.tolist()],
        "task": model.task.as_dict() if model.task else None,
        "parameters": len(model.params.flat),
        "arrays": {name: list(values.shape) for name, values in model.params.items()},
        "run": model.run.as_dict() if model.run else None,
    }
