"""`charrnn see memory`: how much context networks use."""

from typing import Any

import click

from charrnn.cli.options import GroupedCommand, json_option, models_option, plot_file_option, plot_option
from charrnn.cli.see.common import Output, WindowInput, text_options
from charrnn.cli.see.gradients import CHARS


@click.command(cls=GroupedCommand)
@models_option()
@text_options(CHARS)
@plot_file_option()
@plot_option()
@json_option()
def memory(
    models: tuple[str, ...], texts: tuple[str, ...], output: str | None, plot: bool, as_json: bool, **which: Any
) -> None:
    """Plot how much context networks use, and the error of truncated gradients.

    Shows the validation loss if the hidden state is reset every n characters, and compares the gradient that is
    truncated after n characters with the one that reaches back 400.
    """
    out = Output(as_json, output, [*models, *texts], plots=True, plot=plot)
    from charrnn.display import panels
    from charrnn.display import see as display
    from charrnn.see.memory import cleared_losses, kept_loss, summary, truncations
    from charrnn.see.sentence import model_names

    inputs, loaded, rows = WindowInput(texts, output, **which), [], []
    for path in models:
        model, window = inputs.window(path)
        loaded.append((path, model))
        cuts = truncations(model, window)
        rows.append((path, cleared_losses(model, window), kept_loss(model, window), cuts))
    out.emit(
        lambda: (
            {
                "model": path,
                "cleared": {str(n): loss for n, loss in cleared},
                "never": kept,
                "truncated": [cut.as_dict() for cut in cuts],
            }
            for path, cleared, kept, cuts in rows
        ),
        summary(model_names(loaded), [(cleared, kept) for _, cleared, kept, _ in rows]),
        "charrnn see memory",
        lambda console: display.memory(console, rows),
        lambda: panels.memory_panels(rows),
    )
