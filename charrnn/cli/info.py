"""`charrnn info`: the network, vocabulary and training of a model."""

import os

from charrnn.cli.options import command, json_option, model_option
from charrnn.display.terminal import Answer


@command()
@model_option()
@json_option(help="Write one JSON object to stdout.")
def info(model: str, as_json: bool) -> None:
    """Show the network, vocabulary and training of a model."""
    from charrnn.checkpoint.builtin import model_file
    from charrnn.checkpoint.model import load

    loaded = load(model)
    answer = Answer()
    if as_json:
        vocab, ngram = loaded.vocab, loaded.ngram
        return answer.json(
            {
                "model": model,
                "config": loaded.config.as_dict(),
                "unit": vocab.unit,
                "vocab": vocab.symbols,
                "boundary": loaded.boundary,
                "rare": [vocab.symbol(code) for code in vocab.rare.tolist()],
                "ngram": ngram and {"order": ngram.order, "weight": loaded.ngram_weight, "grams": ngram.sizes},
                "task": loaded.task.as_dict() if loaded.task else None,
                "parameters": len(loaded.params.flat),
                "arrays": {name: values.shape for name, values in loaded.params.items()},
                "run": loaded.run.as_dict() if loaded.run else None,
            }
        )
    from charrnn.display.console import show
    from charrnn.display.info import information

    size = os.path.getsize(model_file(model))
    show(answer, lambda out: information(out, model, loaded, size))
