"""`charrnn import`: a network that was trained in PyTorch, as a model file."""

import os

import click

from charrnn.cli.inputs import refuse_overwriting
from charrnn.cli.options import command, complete_files, file_option, model_argument, model_option, option
from charrnn.display.terminal import remark
from charrnn.errors import UsageError


@command("import")
@click.argument("path", metavar="FILE", type=str, shell_complete=complete_files)
@model_option(help="Model file to write.")
@file_option(
    "--vocab", help="JSON list of the characters in the order of their ids, for a FILE that does not contain it."
)
@option("--force", is_flag=True, help="Replace an existing model file.")
def import_model(path: str, model: str, vocab: str | None, force: bool) -> None:
    """Write the model file of a network that was trained in PyTorch.

    FILE is a .safetensors file with the state_dict of a module: one nn.LSTM, nn.GRU or nn.RNN, one nn.Linear as the
    output layer, and perhaps an nn.Embedding; or with the weights of a linear recurrence under their names in the model
    file. docs/export.md shows how to save it with its vocabulary.
    """
    if os.path.isfile(model) and not force:
        raise UsageError(f"{model} already exists: use --force to replace it, or -m for another file.")
    for source in (path, *([vocab] if vocab else [])):
        refuse_overwriting(model, source, "the file to import: choose another -m for the model")
    from charrnn.checkpoint.safetensors import decode

    imported = decode(path, vocab)
    imported.save(model)
    command = (
        imported.task.command(model_argument(model)) if imported.task else f"charrnn sample{model_argument(model)}"
    )
    remark(f"Saved {model}: {imported.description}. Next: {command}")
