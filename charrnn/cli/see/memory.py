"""`charrnn see memory`: how much context networks use."""

from typing import Any

import click

from charrnn.cli.options import GroupedCommand, models_option
from charrnn.cli.see.common import Output, WindowInput, plot_options, text_options
from charrnn.cli.see.gradients import CHARS


@click.command(cls=GroupedCommand)
@models_option()
@text_options(CHARS)
@plot_options
def memory(
    models: tuple[str, ...], texts: tuple[str, ...], output: str | None, plot: bool, as_json: bool, **which: Any
) -> None:
    """Plot how much context a model uses, and the error of truncated gradients.

    Shows the loss if the hidden state is reset every n characters, and compares the gradient truncated after n
    characters with the one that reaches back 400 characters. Without TEXT, the validation split of the model's training
    text is used.
    """
    out = Output([*models, *texts], output, as_json, plot)
    from charrnn.display import see as display
    from charrnn.display.panels import memory_panels
    from charrnn.see import memory as see

    inputs, rows = WindowInput(texts, output, **which), []
    for path in models:
        model, window = inputs.window(path)
        rows.append((path, model, see.memory(model, window)))
    out.compare("memory", rows, see.summary, memory_panels, display.memory)
