"""`charrnn see curve`: the course of a training."""

import click

from charrnn.cli.options import GroupedCommand, json_option, models_option, option, plot_file_option, plot_option
from charrnn.cli.see.common import Output


@click.command(cls=GroupedCommand)
@models_option()
@option("--against", type=click.Choice(("steps", "seconds")), default="steps", help="Unit of the x-axis.")
@plot_file_option()
@plot_option()
@json_option()
def curve(models: tuple[str, ...], against: str, output: str | None, plot: bool, as_json: bool) -> None:
    """Plot the course of a training: losses, learning rate, and gradient norm."""
    out = Output(as_json, output, models, plots=True, plot=plot)
    from charrnn.checkpoint.model import load
    from charrnn.display import panels
    from charrnn.display import see as display
    from charrnn.see.curve import summary, training_curves
    from charrnn.see.sentence import model_names

    loaded = [(path, load(path)) for path in models]
    rows = [(path, training_curves(path, model, against)) for path, model in loaded]
    out.emit(
        lambda: ({"model": path, **found.as_dict()} for path, found in rows),
        summary(model_names(loaded), [run for _, run in rows]),
        "charrnn see curve",
        lambda console: display.curves(console, rows),
        lambda: panels.curve_panels(rows),
    )
