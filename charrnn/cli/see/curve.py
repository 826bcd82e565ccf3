"""`charrnn see curve`: the course of a training."""

import click

from charrnn.cli.options import GroupedCommand, models_option, option
from charrnn.cli.see.common import Output, plot_options


@click.command(cls=GroupedCommand)
@models_option()
@option("--against", type=click.Choice(("steps", "seconds")), default="steps", help="Unit of the x-axis.")
@plot_options
def curve(models: tuple[str, ...], against: str, output: str | None, plot: bool, as_json: bool) -> None:
    """Plot the course of a training: losses, learning rate, and gradient norm."""
    out = Output(models, output, as_json, plot)
    from charrnn.checkpoint.model import load
    from charrnn.display.panels import curve_panels
    from charrnn.see.curve import summary, training_curves

    loaded = [(path, load(path)) for path in models]
    rows = [(path, model, training_curves(path, model, against)) for path, model in loaded]
    out.compare("curve", rows, summary, curve_panels)
