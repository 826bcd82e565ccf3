"""`charrnn see step`: every number of a forward and backward pass, with its equation."""

from typing import Any

import click

from charrnn.checks import check_int, flag
from charrnn.cli.options import GroupedCommand, given, model_option, option, seed_option
from charrnn.cli.see.common import Output, picture_options
from charrnn.display.terminal import safe
from charrnn.errors import UsageError
from charrnn.options import CELLS, LINEAR_CELLS

TEXT = "abba"


@click.command(cls=GroupedCommand)
@option("--text", default=TEXT, metavar="STRING", help="Text of 2 to 13 characters.")
@option("--cell", metavar="NAME", default="lstm", help=f"Recurrent cell: {', '.join(CELLS + LINEAR_CELLS)}.")
@option("--layers", type=int, default=1, help="Number of layers.")
@option("--hidden-size", type=int, default=2, help="Units per layer, up to 8.")
@seed_option(help="Seed of the random weights (rounded to two decimals).")
@model_option(default=None, show_default=False, help="Use a model file with at most 8 units per layer.")
@picture_options
@click.pass_context
def step(
    context: click.Context,
    /,
    text: str,
    cell: str,
    layers: int,
    hidden_size: int,
    seed: int,
    model: str | None,
    output: str | None,
    as_json: bool,
    **_: Any,
) -> None:
    """Print a forward and backward pass over a few characters, number by number.

    Each line shows its equation, to check a calculation by hand. The last lines are the gradients of the weights.
    """
    check_int("layers", layers, 1, 4)
    check_int("hidden_size", hidden_size, 1, 8)
    check_int("seed", seed, 0)
    contradicting = given(context, {"cell", "layers", "hidden_size", "seed"})
    if model is not None and contradicting:
        raise UsageError(f"{flag(next(iter(contradicting)))} is that of the model: leave it or -m out.")
    if not text:
        raise UsageError("--text is empty: it needs at least two characters.")
    out = Output([model] if model else [], output, as_json)
    from charrnn.checkpoint.model import load
    from charrnn.display import see as display
    from charrnn.see.step import small, steps, summary

    lines = steps(load(model).of_text() if model else small(cell, layers, hidden_size, text, seed), text)
    out.emit(
        (line.as_dict() for line in lines),
        summary(lines),
        f"charrnn see step --text {safe(text)}",
        lambda console: display.step(console, lines),
    )
