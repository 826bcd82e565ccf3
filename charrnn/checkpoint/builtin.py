"""The models that come with charrnn, by name: `:names`. `make pretrained` trains them."""

import os
from pathlib import Path

from charrnn.errors import ModelFileError
from charrnn.text.builtin import entry, is_builtin

MODELS = {"names": "names.npz"}
MODEL = "model", "There is :names"


def model_file(path: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """The file that a path stands for. Raises ModelFileError for an unknown `:NAME`."""
    if not isinstance(path, str) or not is_builtin(path):
        return path
    return Path(__file__).parent / "models" / entry(path, MODELS, MODEL, ModelFileError)
