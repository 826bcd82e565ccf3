"""cli.see.surprise."""

from typing import TYPE_CHECKING, Any

import click

from charrnn.checks import check_int
from charrnn.cli.options import GroupedCommand, as_json, drawing, one_model, option
from charrnn.cli.see.common import Looking, Output, text_options
from charrnn.cli.see.neurons import CHARS

if TYPE_CHECKING:
    pass


@click.command(cls=GroupedCommand)
@one_model
@text_options(CHARS)
@option("--worst", type=int, metavar="N", help="Only the N most surprising lines, the worst first.")
@drawing
@as_json
def surprise(
    model: str, texts: tuple[str, ...], worst: int | None, output: str | None, as_json: bool, **which: Any
) -> None:
    """Colour every character by how unexpected it was, in bits.

    In an .html, what the model expected instead is shown where the pointer rests. The text is the held-out part of the
    one that the model was trained on, or TEXT.
    """
    if worst is not None:
        check_int("worst", worst, 1)
    out = Output(as_json, output, [model, *texts])
    from charrnn.display import see as inside
    from charrnn.display.html import coloured
    from charrnn.see import surprise as lens

    with Looking(texts, output, **which) as looking:
        found = lens.surprise(*looking.at(model))
    bits, characters = found.by_character.tolist(), found.passage.characters
    chosen = lens.worst(found, worst) if worst else []
    title = inside.surprise_title(model, found)

    def objects() -> Any:
        guesses = found.guesses()
        for line in chosen or lens.lines(found):
            part = slice(line.begin, line.end)
            text = "".join(characters[part])
            yield {"line": line.number, "text": text, "bits": bits[part], "expected": guesses[part]}

    parts = [(inside.line_title(line), line.begin, characters[line.begin : line.end]) for line in chosen]
    out.give(
        objects,
        title,
        lambda console: inside.surprise(console, title, found, chosen),
        page=lambda: coloured(title, parts or [("", 0, characters)], bits, inside.BITS, inside.hints(found)),
    )
