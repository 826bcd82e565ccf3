"""What the commands of `see` share: the text that they show, and where the result goes."""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from charrnn.checks import check_int
from charrnn.cli.inputs import TextInput, refuse_overwriting, report_unknown
from charrnn.cli.options import Decorator, encoding_option, option, texts_argument, weights_option
from charrnn.display.terminal import Answer, remark
from charrnn.errors import UsageError
from charrnn.options import STDIN

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.display.console import Draw
    from charrnn.display.panels import Panel
    from charrnn.see.text_window import TextWindow

INPUT = "an input file: choose another -o for the picture"


def text_options(chars: int) -> Decorator:
    """Options for the text and the part of it to show, by default `chars` characters."""
    decorators = [
        texts_argument(metavar="[TEXT...]"),
        weights_option(),
        option("--chars", type=int, default=chars, help="Number of characters to analyse."),
        option("--from", "skip", type=int, default=0, help="Number of characters to skip before them."),
        option("--all", "whole", is_flag=True, help="Use all of a training text, not only its validation split."),
        encoding_option(),
    ]

    def decorate(command: Any) -> Any:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


class WindowInput:
    """The windows of text that a command shows, for one model or several."""

    def __init__(
        self,
        texts: tuple[str, ...],
        output: str | None,
        *,
        weights: str,
        chars: int,
        skip: int,
        whole: bool,
        encoding: str | None,
    ) -> None:
        """`output` is a file that may not be one of the texts."""
        check_int("chars", chars, 1)
        check_int("from", skip, 0)
        self.weights, self.chars, self.skip, self.output = weights, chars, skip, output
        self.texts = TextInput(texts, encoding, whole, "used", "name a text", quiet=not texts)

    def open(self, path: str) -> "tuple[Model, Callable[[int], TextWindow]]":
        """A model, and a function that returns a window of N characters of its text."""
        from charrnn.checkpoint.model import load
        from charrnn.see.text_window import text_window

        model = load(path, self.weights).of_text()
        corpus = self.texts.corpus(path, model)
        for file in corpus.files:
            if self.output is not None:
                refuse_overwriting(self.output, file, INPUT)
        segments, _ = self.texts.segments(path, model, corpus)
        report_unknown(path, corpus.unknown, sum(corpus.unknown.values()))
        return model, lambda chars: text_window(corpus, segments, chars, self.skip)

    def window(self, path: str) -> "tuple[Model, TextWindow]":
        """A model, and the window of its text."""
        model, window = self.open(path)
        return model, window(self.chars)


class Output:
    """Where the result goes: JSON to stdout, a picture to a file, or, without either, text to stdout."""

    def __init__(
        self, as_json: bool, output: str | None, inputs: Iterable[str], plots: bool = False, plot: bool = False
    ) -> None:
        """`inputs` are files that must not be overwritten. Raises UsageError early if `output` is not valid."""
        self.as_json, self.output, self.answer = as_json, output, Answer()
        if plot and output is None:
            raise UsageError("--plot draws to a file: name it with -o.")
        self.plotted = False
        if output is not None:
            from charrnn.display.console import check_output

            self.plotted = check_output(output, plots, plot)
            for name in inputs:
                refuse_overwriting(output, 0 if name == STDIN else name, INPUT)

    def emit(
        self,
        objects: Callable[[], Iterable[dict[str, Any]]],
        summary: str,
        title: str,
        draw: "Draw",
        panels: "Callable[[], Sequence[Panel]] | None" = None,
        page: Callable[[], str] | None = None,
    ) -> None:
        """Writes the result, with the sentence `summary` at its end and in every JSON object.

        `page` is the HTML, if it differs from what a terminal shows.
        """
        from charrnn.display import see as display
        from charrnn.display.console import show

        whole = display.concluded(draw, summary)
        if self.output is not None:
            self.draw_file(self.output, title, whole, panels, page)
            remark(f"Saved {self.output}.")
        if self.as_json:
            for values in objects():
                self.answer.line(json.dumps({**values, "summary": summary}))
        elif self.output is None:
            show(self.answer, whole)

    def draw_file(
        self,
        output: str,
        title: str,
        draw: "Draw",
        panels: "Callable[[], Sequence[Panel]] | None",
        page: Callable[[], str] | None,
    ) -> None:
        from charrnn.display.console import render, write_file

        ending = os.path.splitext(output)[1].lower().removeprefix(".")
        if self.plotted and panels is not None:
            from charrnn.display.matplotlib_plot import plot

            write_file(output, plot(panels(), ending))
        elif ending == "html" and page is not None:
            write_file(output, page().encode("utf-8", "surrogatepass"))
        else:
            write_file(output, render(output, title, draw))
