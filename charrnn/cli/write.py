"""`charrnn write`: an editor in the terminal, in which the model goes on where the writer stops."""

import importlib.util
import os
import sys

import click

from charrnn.checks import check_float, check_int
from charrnn.cli.options import MODEL, GroupedCommand, option
from charrnn.display.terminal import is_terminal, remark
from charrnn.errors import CharRNNError, UsageError

INSTALL = 'python -m pip install "charrnn[write]"'


@click.command(cls=GroupedCommand)
@click.argument("file", required=False)
@option("-m", "--model", metavar="FILE", default=MODEL, help="The model file.")
@option(
    "--weights",
    type=click.Choice(("best", "last")),
    default="best",
    help="The weights with the best held-out loss, or the last ones.",
)
@option(
    "-t",
    "--temp",
    "--temperature",
    "temp",
    type=float,
    default=0.8,
    help="Below 1 more certain, above 1 wilder; 0 takes the likeliest each time.",
)
@option("--seed", type=int, default=0, help="The same seed suggests the same at the same place.")
def write(file: str | None, model: str, weights: str, temp: float, seed: int) -> int:
    """Write a text together with a model, in a full-screen editor.

    FILE is the text to write on, or a new one; without it, a name is asked for when it is saved.
    """
    if importlib.util.find_spec("textual") is None:
        raise CharRNNError(f"charrnn write needs Textual, which is not installed: {INSTALL}")
    check_float("temp", temp, at_least=0.0)
    check_int("seed", seed, 0)
    check_terminal()
    from charrnn.checkpoint.model import load
    from charrnn.editor.app import Editor
    from charrnn.editor.text_file import TextFile

    loaded = load(model, weights).of_text()
    text = TextFile(file)
    editor, done = Editor(loaded, os.path.basename(model), text, temp, seed), False
    try:
        editor.run()
        done = True
    finally:
        keep = not editor.discarded and (editor.unsaved or text.recovered is not None or not done)
        text.close(keep_draft=keep)
    if keep:
        again = f"charrnn write {text.name}" if text.path else "charrnn write"
        remark(f"not saved, but kept: {again} takes it up again.")
    elif text.written:
        remark(f"{text.name}: {len(text.saved):,} characters, saved.")
    return editor.return_code or 0


def check_terminal() -> None:
    """Raises UsageError unless there is a terminal that can hold a full screen."""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)) or os.environ.get("TERM") in ("dumb", "unknown"):
        raise UsageError("charrnn write wants a terminal to itself; charrnn sample --prime-file goes on from a file.")
    if (sys.stderr.encoding or "").lower().replace("-", "") != "utf8":
        raise UsageError(f"charrnn write wants a terminal in UTF-8, not {sys.stderr.encoding}: see the locale.")
