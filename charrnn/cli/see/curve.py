"""cli.see.curve."""

import click

from charrnn.cli.options import GroupedCommand, as_json, as_plot, option, plotting, several_models
from charrnn.cli.see.common import Output


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
        lambda: panels.curve_panels(rows),
    )
