"""`charrnn see curve`, `gradients` and `memory`: what can be drawn as curves, of one network or several."""

from typing import Any

import click

from charrnn.checks import check_float, check_int
from charrnn.cli.common import GroupedCommand, option
from charrnn.cli.looking import (
    Looking,
    Output,
    as_json,
    as_plot,
    plotting,
    several_models,
    text_options,
)
from charrnn.errors import UsageError

LAGS, POSITIONS, CHARS = 100, 256, 20_000


@click.command(cls=GroupedCommand)
@several_models
@option("--against", type=click.Choice(("steps", "seconds")), default="steps", help="What the x-axis counts.")
@plotting
@as_plot
@as_json
def curve(models: tuple[str, ...], against: str, output: str | None, plot: bool, as_json: bool) -> None:
    """Draw how runs went: losses, learning rate, and the norm of the gradient."""
    out = Output(as_json, output, models, plots=True, plot=plot)
    from charrnn.checkpoint.model import load
    from charrnn.display import panels
    from charrnn.display import see as inside
    from charrnn.see.curve import curves

    rows = [(path, curves(path, load(path), against)) for path in models]
    out.give(
        lambda: ({"model": path, **found.as_dict()} for path, found in rows),
        "charrnn see curve",
        lambda console: inside.curves(console, rows),
        lambda: panels.of_curves(rows),
    )


@click.command(cls=GroupedCommand)
@several_models
@text_options(CHARS)
@option("--lags", type=int, default=LAGS, metavar="K", help="How many steps back.")
@option("--positions", type=int, default=POSITIONS, metavar="N", help="Losses to go back from, spread over the text.")
@option("--untrained", is_flag=True, show_default=False, help="The same networks with fresh weights.")
@option("--scale", type=float, metavar="F", help="Multiply the recurrent weights of --untrained.  [default: 1]")
@plotting
@as_plot
@as_json
def gradients(
    models: tuple[str, ...],
    texts: tuple[str, ...],
    lags: int,
    positions: int,
    untrained: bool,
    scale: float | None,
    output: str | None,
    plot: bool,
    as_json: bool,
    **which: Any,
) -> None:
    """Draw how much of the gradient of a loss reaches back k characters: the norm of dL_t/dh_{t-k}.

    The text is the held-out part of the one that a model was trained on, or TEXT.
    """
    check_int("lags", lags, 1, 100_000)
    check_int("positions", positions, 1, 1_000_000)
    if scale is not None:
        check_float("scale", scale, at_least=0.0)
        if not untrained:
            raise UsageError("--scale multiplies the fresh weights of --untrained: give both.")
    out = Output(as_json, output, [*models, *texts], plots=True, plot=plot)
    from charrnn.display import panels
    from charrnn.display import see as inside
    from charrnn.see.gradients import flow, fresh

    rows = []
    with Looking(texts, output, **which) as looking:
        for path in models:
            model, passage = looking.at(path)
            rows.append(
                (
                    path,
                    flow(
                        fresh(model, 1.0 if scale is None else scale) if untrained else model, passage, lags, positions
                    ),
                )
            )
    out.give(
        lambda: ({"model": path, **found.as_dict()} for path, found in rows),
        "charrnn see gradients",
        lambda console: inside.flows(console, rows),
        lambda: panels.of_flows(rows),
    )


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
        lambda: panels.of_memory(rows),
    )
