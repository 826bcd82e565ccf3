"""`charrnn write`: an editor in the terminal, in which the model suggests continuations."""

import importlib.util
import os
import shlex
import sys

import click

from charrnn.checks import check_float, check_int
from charrnn.cli.options import (
    GroupedCommand,
    complete_files,
    model_argument,
    model_option,
    options_from,
    seed_option,
    weights_option,
)
from charrnn.display.charts import counted
from charrnn.display.terminal import is_terminal, remark
from charrnn.errors import CharRNNError, UsageError
from charrnn.sampling.options import SamplingOptions


@click.command(cls=GroupedCommand)
@click.argument("file", required=False, shell_complete=complete_files)
@model_option()
@weights_option()
@options_from(SamplingOptions, "temp", group="Options")
@seed_option(help="Seed of the random numbers; the same seed gives the same suggestions at the same place.")
def write(file: str | None, model: str, weights: str, temp: float, seed: int) -> int:
    """Edit a text while a model suggests continuations.

    The editor fills the terminal. FILE is an existing or a new text; without it, the editor asks for a name when the
    text is saved.
    """
    if importlib.util.find_spec("textual") is None:
        install = 'python -m pip install "charrnn[write]"'
        raise CharRNNError(f"charrnn write needs Textual, which is not installed: {install}")
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
        again = f" {shlex.quote(text.name)}" if text.path else ""
        remark(f"not saved, but the draft was kept: continue with charrnn write{again}{model_argument(model)}")
    elif text.written:
        remark(f"{text.name}: {counted(len(text.saved), 'character')}, saved.")
    return editor.return_code or 0


def check_terminal() -> None:
    """Raises UsageError unless there is a terminal that can show a full screen."""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)) or os.environ.get("TERM") in ("dumb", "unknown"):
        raise UsageError(
            "charrnn write needs a terminal: use charrnn sample --prompt-file FILE to continue a file without one."
        )
    if (sys.stderr.encoding or "").lower().replace("-", "") != "utf8":
        raise UsageError(f"charrnn write needs a UTF-8 terminal, not {sys.stderr.encoding}: set a UTF-8 locale.")
