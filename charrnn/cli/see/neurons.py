"""`charrnn see neurons` and `surprise`: the text itself in colours."""

from typing import TYPE_CHECKING, Any

import click

from charrnn.checks import check_int
from charrnn.cli.options import GroupedCommand, as_json, drawing, one_model, option
from charrnn.cli.see.common import Looking, Output, text_options
from charrnn.errors import UsageError

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.see.neurons import Fit, Unit
    from charrnn.see.text_window import Passage

CHARS, FIND_CHARS = 2000, 50_000


@click.command(cls=GroupedCommand)
@one_model
@text_options(CHARS)
@option(
    "--find",
    is_flag=True,
    show_default=False,
    help="Rank all units by how well they follow built-in questions, over 50,000 characters if --chars says no other.",
)
@option("--top", type=int, metavar="N", help="Units to show for each question of --find.  [default: 1]")
@option("--unit", type=int, metavar="N", help="The unit to colour by, from 0.  [default: one that is found]")
@option("--layer", type=int, metavar="N", help="Its layer, from 0.  [default: the last]")
@option("--of", metavar="NAME", help="h, c or a gate (i f o g, r z n).  [default: h; --find: the states]")
@drawing
@as_json
@click.pass_context
def neurons(
    context: click.Context,
    /,
    model: str,
    texts: tuple[str, ...],
    find: bool,
    top: int | None,
    unit: int | None,
    layer: int | None,
    of: str | None,
    output: str | None,
    as_json: bool,
    **which: Any,
) -> None:
    """Colour a text by the activation of one unit, or find units that follow something.

    Without --unit and --find, the text is coloured by the unit that best follows what has to be remembered. The text
    is the held-out part of the one that the model was trained on, or TEXT.
    """
    check_options(find, top, unit, layer)
    out = Output(as_json, output, [model, *texts])
    by_default = context.get_parameter_source("chars") is click.core.ParameterSource.DEFAULT
    with Looking(texts, output, **which) as looking:
        loaded, take = looking.open(model)
        if find:
            rank(out, model, loaded, take(FIND_CHARS if by_default else looking.chars), of, top or 1)
        elif unit is not None:
            from charrnn.see.neurons import Unit

            chosen = Unit(loaded.config.layers - 1 if layer is None else layer, of or "h", unit)
            colour(out, model, loaded, take(looking.chars), chosen, None)
        else:
            fit = best(loaded, take(max(looking.chars, FIND_CHARS)), of)
            colour(out, model, loaded, take(looking.chars), fit.unit, fit)


def check_options(find: bool, top: int | None, unit: int | None, layer: int | None) -> None:
    """Raises UsageError for options that would be ignored."""
    if top is not None:
        check_int("top", top, 1)
        if not find:
            raise UsageError("--top is for --find: give both.")
    if find and unit is not None:
        raise UsageError("--find looks at all units, --unit at one: use one of them.")
    if layer is not None and unit is None:
        raise UsageError("--layer is for --unit: give both.")


def rank(out: Output, path: str, model: "Model", passage: "Passage", of: str | None, top: int) -> None:
    from dataclasses import asdict

    from charrnn.display import see as inside
    from charrnn.see.neurons import find

    units = find(model, passage, [of] if of else [], top)
    found = {
        "model": path,
        "symbols": units.symbols,
        "fits": [fit.as_dict() for fit in units.fits],
        "saturation": [asdict(row) for row in units.saturation],
    }
    out.give(lambda: [found], "charrnn see neurons --find", lambda console: inside.neurons(console, path, units))


def best(model: "Model", passage: "Passage", of: str | None) -> "Fit":
    """The unit that follows best what cannot be read off the last characters."""
    from charrnn.see.neurons import find

    fits = find(model, passage, [of] if of else []).fits
    if not fits:
        raise UsageError("no question has an answer in this text: choose a unit with --unit.")
    return max(fits, key=lambda fit: (fit.lasting, fit.fit))


def colour(out: Output, path: str, model: "Model", passage: "Passage", unit: "Unit", fit: "Fit | None") -> None:
    from charrnn.display import see as inside
    from charrnn.display.html import coloured
    from charrnn.see.neurons import activations, by_character, limits

    values = by_character(passage, activations(model, passage, unit))
    scale = inside.unit_scale(*limits(model, unit.of, values))
    title, characters = inside.unit_title(path, str(unit), fit), passage.characters
    found = {
        "model": path,
        "layer": unit.layer,
        "of": unit.of,
        "unit": unit.index,
        "follows": fit and fit.as_dict(),
        "characters": characters,
        "activations": values,
    }
    out.give(
        lambda: [found],
        title,
        lambda console: inside.activations(console, title, characters, values, scale),
        page=lambda: coloured(title, [("", 0, characters)], values, scale),
    )
