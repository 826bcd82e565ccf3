"""Shell completion: callbacks for options and arguments, as `shell_complete` of click."""

from glob import escape, glob

import click
from click.shell_completion import CompletionItem

Items = list["CompletionItem[str]"]


def files(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Files and folders, which the shell lists."""
    return [CompletionItem(incomplete, type="file")]


def models(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Model files; the shell adds folders."""
    names = sorted(glob(f"{escape(incomplete)}*.npz"))
    return [CompletionItem(incomplete, type="dir"), *map(CompletionItem, names)]


def labels(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Labels of the model given with -m; none if it cannot be read."""
    from charrnn.cli.inputs import load_models
    from charrnn.errors import CharRNNError

    try:
        [(_, model)], _ = load_models(context.params["models"], "best")
    except (CharRNNError, ValueError):  # ValueError: several models
        return []
    known = model.task.labels if model.task else ()
    return [CompletionItem(label) for label in known if label.startswith(incomplete)]


def commands(context: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Commands below those that are already given."""
    from charrnn.cli.help import find_command

    found = find_command(context, context.params["names"])
    return found.command.shell_complete(found, incomplete) if isinstance(found.command, click.Group) else []
