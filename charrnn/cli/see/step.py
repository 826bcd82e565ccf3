"""`charrnn see step`: every number of one pass forward and back, with its equation."""

from typing import Any

import click

from charrnn.checks import check_int
from charrnn.cli.options import GroupedCommand, as_json, drawing, given, option
from charrnn.cli.see.common import Output
from charrnn.display.terminal import safe
from charrnn.errors import UsageError
from charrnn.options import CELLS

TEXT = "abba"


@click.command(cls=GroupedCommand)
@option("--text", default=TEXT, metavar="STRING", help="The characters to read, from 2 to 13.")
@option("--cell", metavar="NAME", default="lstm", help=f"Recurrent cell: {', '.join(CELLS)}.")
@option("--layers", type=int, default=1, help="Layers of cells.")
@option("--hidden-size", type=int, default=2, help="Size of each layer's state, up to 8.")
@option("--seed", type=int, default=0, help="The same seed gives the same weights, of two decimals.")
@option("-m", "--model", metavar="FILE", show_default=False, help="A model file of at most 8 units a layer instead.")
@drawing
@as_json
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
    """Print a pass over a few characters, forward and back, number by number.

    Each line has its equation, so that a calculation by hand can be checked. The last lines are the gradients of the
    weights.
    """
    check_int("layers", layers, 1, 4)
    check_int("hidden_size", hidden_size, 1, 8)
    check_int("seed", seed, 0)
    contradicting = given(context, {"cell", "layers", "hidden_size", "seed"})
    if model is not None and contradicting:
        raise UsageError(f"--{next(iter(contradicting)).replace('_', '-')} is that of the model: leave it or -m out.")
    if not text:
        raise UsageError("--text is empty: give it two characters or more.")
    out = Output(as_json, output, [model] if model else [])
    from charrnn.checkpoint.model import load
    from charrnn.display import see as inside
    from charrnn.see.step import small, steps

    lines = steps(load(model).of_text() if model else small(cell, layers, hidden_size, text, seed), text)
    out.give(
        lambda: (line.as_dict() for line in lines),
        f"charrnn see step --text {safe(text)}",
        lambda console: inside.step(console, lines),
    )
