"""What the files for other programs share: the description of a model as JSON, and packages that are optional."""

import json
from dataclasses import replace
from importlib import import_module
from typing import Any

from charrnn.checkpoint.model import Model
from charrnn.errors import UsageError

KEY = "charrnn"  # of the description in the metadata of a file


def description(model: Model) -> str:
    """JSON with the keys of `meta` in the model file, except `version` and `run`, and the codes `vocab` and `rare`."""
    meta = json.loads(replace(model, run=None).arrays()["meta"].tobytes())
    del meta["version"], meta["run"]
    return json.dumps(meta | {"vocab": model.vocab.codes.tolist(), "rare": model.vocab.rare.tolist()})


def package(name: str, extra: str) -> Any:
    """A module of an optional package. Raises UsageError if the package is not installed."""
    try:
        return import_module(name)
    except ImportError:
        message = f".{extra} files need the package {extra}: pip install 'charrnn[{extra}]'."
        raise UsageError(message) from None
