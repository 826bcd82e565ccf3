"""`charrnn see surprise`: the bits of each character."""

from typing import Any

import click

from charrnn.checks import check_int
from charrnn.cli.options import GroupedCommand, model_option, option
from charrnn.cli.see.common import Output, WindowInput, picture_options, text_options
from charrnn.cli.see.neurons import CHARS


@click.command(cls=GroupedCommand)
@model_option()
@text_options(CHARS)
@option("--worst", type=int, help="Show only the N most surprising lines, the worst first.")
@picture_options
def surprise(
    model: str, texts: tuple[str, ...], worst: int | None, output: str | None, as_json: bool, **which: Any
) -> None:
    """Colour each character by its surprise (-log2 of its probability, in bits).

    With -o FILE.html, pointing at a character shows the predictions. Without TEXT, the validation split of the model's
    training text is used.
    """
    if worst is not None:
        check_int("worst", worst, 1)
    out = Output([model, *texts], output, as_json)
    from charrnn.display import see as display
    from charrnn.display.html import coloured
    from charrnn.see import surprise as see

    found = see.surprise(*WindowInput(texts, output, **which).window(model))
    bits, characters = found.by_character.tolist(), found.window.characters
    chosen = see.worst(found, worst) if worst else []
    title, conclusion = display.surprise_title(model, found), see.summary(found)

    def objects() -> Any:
        guesses = found.guesses()
        for line in chosen or see.lines(found):
            part = slice(line.begin, line.end)
            text = "".join(characters[part])
            yield {"line": line.number, "text": text, "bits": bits[part], "expected": guesses[part]}

    parts = [(display.line_title(line), line.begin, characters[line.begin : line.end]) for line in chosen]
    out.emit(
        objects(),
        conclusion,
        title,
        lambda console: display.surprise(console, title, found, chosen),
        page=lambda: coloured(
            title, parts or [("", 0, characters)], bits, display.BITS, display.hints(found), conclusion
        ),
    )
