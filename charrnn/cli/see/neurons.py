"""`charrnn see neurons`: the activation of a unit on a text, and the units that follow probes."""

from typing import TYPE_CHECKING, Any

import click

from charrnn.checks import check_int
from charrnn.cli.options import GroupedCommand, given, model_option, option
from charrnn.cli.see.common import Output, WindowInput, picture_options, text_options
from charrnn.errors import UsageError

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.see.neurons import ProbeFit, Ranking, Unit
    from charrnn.see.text_window import TextWindow

CHARS, FIND_CHARS = 2000, 50_000


@click.command(cls=GroupedCommand)
@model_option()
@text_options(CHARS)
@option(
    "--find",
    is_flag=True,
    help="Rank all units by how well they predict the probes; --chars is 50,000 by default.",
)
@option("--top", type=int, show_default="1", help="With --find: number of units to show per probe.")
@option("--unit", type=int, show_default="the best", help="Unit to colour by, from 0.")
@option("--layer", type=int, show_default="the last", help="Layer of the unit, from 0.")
@option(
    "--of",
    metavar="NAME",
    show_default="h; --find: the states",
    help="Value to show: h, c or a gate (LSTM: i f o g; GRU: r z n).",
)
@picture_options
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
    """Colour a text by the activation of one unit, or find the units that predict probes.

    Probes are built-in features of a text, such as "inside quotes" and "word boundary". Without --unit and --find, the
    unit that best predicts a probe that requires memory is shown. Without TEXT, the validation split of the model's
    training text is used.
    """
    check_options(find, top, unit, layer)
    out = Output([model, *texts], output, as_json)
    inputs = WindowInput(texts, output, **which)
    from charrnn.see import neurons as see

    loaded, window = inputs.open(model)
    loaded = loaded.of_network()
    kinds = [of] if of else []
    if find:
        chars = inputs.chars if given(context, {"chars"}) else FIND_CHARS
        rank(out, model, see.find(loaded, window(chars), kinds, top or 1))
    elif unit is not None:
        chosen = see.Unit(loaded.config.layers - 1 if layer is None else layer, of or "h", unit)
        colour(out, model, loaded, window(inputs.chars), chosen, None)
    else:
        fit = see.best(see.find(loaded, window(max(inputs.chars, FIND_CHARS)), kinds).fits)
        if fit is None:
            raise UsageError("no probe applies to this text: choose a unit with --unit.")
        colour(out, model, loaded, window(inputs.chars), fit.unit, fit)


def check_options(find: bool, top: int | None, unit: int | None, layer: int | None) -> None:
    """Raises UsageError for options that would have no effect."""
    if top is not None:
        check_int("top", top, 1)
        if not find:
            raise UsageError("--top needs --find: use both.")
    if find and unit is not None:
        raise UsageError("--find ranks all units, and --unit shows one: use one of them.")
    if layer is not None and unit is None:
        raise UsageError("--layer needs --unit: use both.")


def rank(out: Output, path: str, ranking: "Ranking") -> None:
    from charrnn.display import see as display
    from charrnn.see.neurons import summary

    out.emit(
        [{"model": path, **ranking.as_dict()}],
        summary(ranking.fits),
        "charrnn see neurons --find",
        lambda console: display.neurons(console, path, ranking),
    )


def colour(out: Output, path: str, model: "Model", window: "TextWindow", unit: "Unit", fit: "ProbeFit | None") -> None:
    from charrnn.display import see as display
    from charrnn.display.html import coloured
    from charrnn.see.neurons import activations, by_character, limits, summary, unit_summary

    activation = by_character(window, activations(model, window, unit))
    scale = display.unit_scale(*limits(model, unit.of, activation))
    title, characters = display.unit_title(path, str(unit), fit), window.characters
    values = {
        "model": path,
        "layer": unit.layer,
        "of": unit.of,
        "unit": unit.index,
        "follows": fit and fit.as_dict(),
        "characters": characters,
        "activations": activation,
    }
    conclusion = summary([fit]) if fit else unit_summary(unit, characters, activation)
    out.emit(
        [values],
        conclusion,
        title,
        lambda console: display.activations(console, title, characters, activation, scale),
        page=lambda: coloured(title, [("", 0, characters)], activation, scale, summary=conclusion),
    )
