"""What the commands of `see` share: their options, the text that they show, and where the result goes."""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from charrnn.checks import check_int
from charrnn.cli.inputs import TextInput, refuse_overwriting, report_unknown
from charrnn.cli.options import (
    Decorator,
    encoding_option,
    json_option,
    option,
    output_option,
    plot_file_option,
    plot_option,
    texts_argument,
    weights_option,
)
from charrnn.display.terminal import Answer, remark
from charrnn.errors import UsageError
from charrnn.options import STDIN

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.display.console import Draw
    from charrnn.display.panels import Panel
    from charrnn.see.result import Result
    from charrnn.see.text_window import TextWindow

INPUT = "an input file: choose another -o for the picture"


R = TypeVar("R", bound="Result")


def combined(*decorators: Decorator) -> Decorator:
    return lambda command: reduce(lambda decorated, decorator: decorator(decorated), reversed(decorators), command)


def text_options(chars: int) -> Decorator:
    """Options for the text and the part of it to show, by default `chars` characters."""
    return combined(
        texts_argument(metavar="[TEXT...]"),
        weights_option(),
        option("--chars", type=int, default=chars, help="Number of characters to analyse."),
        option("--from", "skip", type=int, default=0, help="Number of characters to skip at the start of the text."),
        option("--all", "whole", is_flag=True, help="Use all of the training text, not only its validation split."),
        encoding_option(),
    )


picture_options = combined(output_option(), json_option())
plot_options = combined(plot_file_option(), plot_option(), json_option())


class WindowInput:
    """The windows of text that a command shows, for one model or several; `output` may not be one of the texts."""

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
        report_unknown(path, corpus.unknown)
        return model, lambda chars: text_window(corpus, segments, chars, self.skip)

    def window(self, path: str) -> "tuple[Model, TextWindow]":
        """A model, and the window of its text."""
        model, window = self.open(path)
        return model, window(self.chars)


class Output:
    """Where the result goes: JSON to stdout, a picture to a file, or, without either, text to stdout."""

    def __init__(self, inputs: Iterable[str], output: str | None, as_json: bool, plot: bool | None = None) -> None:
        """`inputs` are files that must not be overwritten; `plot` is None if the command makes no plots.

        Raises UsageError early if `output` is not valid.
        """
        self.output, self.as_json, self.plotted, self.answer = output, as_json, False, Answer()
        if output is not None:
            from charrnn.display.console import check_output

            self.plotted = check_output(output, plot is not None, bool(plot))
            for name in inputs:
                refuse_overwriting(output, 0 if name == STDIN else name, INPUT)
        elif plot:
            raise UsageError("--plot draws to a file: name it with -o.")

    def compare(
        self,
        command: str,
        rows: "Sequence[tuple[str, Model, R]]",
        summary: Callable[[Sequence[str], Sequence[R]], str],
        panels: "Callable[[Sequence[tuple[str, R]]], Sequence[Panel]]",
        draw: Callable[[Any, Sequence[tuple[str, R]]], None] | None = None,
    ) -> None:
        """Writes the results of several models; a row is a path, its model, and the result."""
        from charrnn.see.sentence import model_names

        results = [(path, result) for path, _, result in rows]
        self.emit(
            ({"model": path, **result.as_dict()} for path, result in results),
            summary(model_names([(path, model) for path, model, _ in rows]), [result for _, result in results]),
            f"charrnn see {command}",
            (lambda console: draw(console, results)) if draw else None,
            panels(results),
        )

    def emit(
        self,
        objects: Iterable[dict[str, Any]],
        summary: str,
        title: str,
        draw: "Draw | None",
        panels: "Sequence[Panel]" = (),
        page: Callable[[], str] | None = None,
    ) -> None:
        """Writes the result, with the sentence `summary` at its end and in every JSON object.

        A terminal shows `panels`, then what `draw` prints; `page` is the HTML, if it shows something else.
        """
        from charrnn.display import see as display
        from charrnn.display.console import show, write_file

        if self.output is not None:
            if page and Path(self.output).suffix.lower() == ".html":
                data = page().encode("utf-8", "surrogatepass")
            else:
                data = display.picture(self.output, title, panels, draw, summary, self.plotted)
            write_file(self.output, data)
            remark(f"Saved {self.output}.")
        if self.as_json:
            for values in objects:
                self.answer.json({**values, "summary": summary})
        elif self.output is None:
            show(self.answer, display.concluded(panels, draw, summary))
