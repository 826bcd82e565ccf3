"""`charrnn see curve`, `gradients` and `memory`: what can be drawn as curves, of one network or several."""

from typing import Any

import click

from charrnn.checks import check_float, check_int
from charrnn.cli.options import GroupedCommand, as_json, as_plot, option, plotting, several_models
from charrnn.cli.see.common import Looking, Output, text_options
from charrnn.errors import UsageError

LAGS, POSITIONS, CHARS = 100, 256, 20_000


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
        lambda console: inside.gradients(console, rows),
        lambda: panels.gradient_panels(rows),
    )
