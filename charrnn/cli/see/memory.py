"""cli.see.memory."""

from typing import Any

import click

from charrnn.cli.options import GroupedCommand, as_json, as_plot, plotting, several_models
from charrnn.cli.see.common import Looking, Output, text_options
from charrnn.cli.see.gradients import CHARS


@click.command(cls=GroupedCommand)
@several_models
@text_options(CHARS)
@plotting
@as_plot
@as_json
def memory(
    models: tuple[str, ...],
    texts: tuple[str, ...],
    output: str | None,
    plot: bool,
    as_json: bool,
    **which: Any,
) -> None:
    """Draw how much context networks use, and what truncating their gradient costs.

    The loss on the held-out text where the state is cleared every n characters; and the gradient cut every n
    characters beside the one that goes back 400.
    """
    out = Output(as_json, output, [*models, *texts], plots=True, plot=plot)
    from charrnn.display import panels
    from charrnn.display import see as inside
    from charrnn.see.memory import cleared_losses, kept_loss, truncations

    rows = []
    with Looking(texts, output, **which) as looking:
        for path in models:
            model, passage = looking.at(path)
            cuts = truncations(model, passage)
            rows.append((path, cleared_losses(model, passage), kept_loss(model, passage), cuts))
    out.give(
        lambda: (
            {
                "model": path,
                "cleared": {str(n): loss for n, loss in cleared},
                "never": kept,
                "truncated": [cut.as_dict() for cut in cuts],
            }
            for path, cleared, kept, cuts in rows
        ),
        "charrnn see memory",
        lambda console: inside.memory(console, rows),
        lambda: panels.memory_panels(rows),
    )
