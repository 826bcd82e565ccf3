"""`charrnn see gradients`: how far gradients reach back in time."""

from typing import Any

import click

from charrnn.checks import check_float, check_int
from charrnn.cli.options import GroupedCommand, models_option, option
from charrnn.cli.see.common import Output, WindowInput, plot_options, text_options
from charrnn.errors import UsageError

LAGS, POSITIONS, CHARS = 100, 256, 20_000


@click.command(cls=GroupedCommand)
@models_option()
@text_options(CHARS)
@option("--lags", type=int, default=LAGS, metavar="K", help="Largest number of steps back.")
@option(
    "--positions",
    type=int,
    default=POSITIONS,
    metavar="N",
    help="Number of time steps t whose loss L_t is differentiated.",
)
@option("--untrained", is_flag=True, help="Use the same networks with random weights.")
@option(
    "--scale",
    type=float,
    metavar="F",
    show_default="1",
    help="With --untrained: factor applied to the recurrent weights.",
)
@plot_options
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
    """Plot how far gradients reach back in time: the norm of dL_t/dh_{t-k} for each lag k.

    Without TEXT, the validation split of the model's training text is used.
    """
    check_int("lags", lags, 1, 100_000)
    check_int("positions", positions, 1, 1_000_000)
    if scale is not None:
        check_float("scale", scale, at_least=0.0)
        if not untrained:
            raise UsageError("--scale needs --untrained: use both.")
    out = Output([*models, *texts], output, as_json, plot)
    from charrnn.display import see as display
    from charrnn.display.panels import gradient_panels
    from charrnn.see.gradients import fresh, gradient_norms, summary

    inputs, rows = WindowInput(texts, output, **which), []
    for path in models:
        model, window = inputs.window(path)
        if untrained:
            model = fresh(model, 1.0 if scale is None else scale)
        rows.append((path, model, gradient_norms(model, window, lags, positions)))
    out.compare("gradients", rows, summary, gradient_panels, display.gradients)
