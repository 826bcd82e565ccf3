"""What the commands of `see` share: the text that is looked at, and where the picture goes."""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from charrnn.checks import check_int
from charrnn.cli.inputs import Spool, refuse_overwriting, report_unknown
from charrnn.cli.options import STDIN, notes, option, weights
from charrnn.display.terminal import Answer, remark
from charrnn.errors import TextError, UsageError
from charrnn.options import Options

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.display.console import Draw
    from charrnn.display.panels import Panel
    from charrnn.see.text_window import Passage
    from charrnn.text.corpus import Corpus, Segment

READ = "a file that is read: choose another -o for the picture"
Decorator = Callable[[Any], Any]


def text_options(chars: int) -> Decorator:
    """Which text, and how much of it; `chars` unless something else is asked for."""
    decorators = [
        click.argument("texts", metavar="[TEXT...]", nargs=-1, type=str),
        weights,
        option("--chars", type=int, default=chars, metavar="N", help="Characters to look at."),
        option("--from", "begin", type=int, default=0, metavar="N", help="Characters to leave out before them."),
        option(
            "--all", "whole", is_flag=True, show_default=False, help="Look at all of a text, not its held-out part."
        ),
        option("--encoding", show_default=False, help="Encoding of TEXT.  [default: that of the training]"),
    ]

    def decorate(command: Any) -> Any:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


class Looking:
    """The texts of one call of a command, read once for all models; a context."""

    def __init__(
        self,
        texts: tuple[str, ...],
        output: str | None,
        *,
        weights: str,
        chars: int,
        begin: int,
        whole: bool,
        encoding: str | None,
    ) -> None:
        """`output` is a file that may not be one of the texts."""
        check_int("chars", chars, 1)
        check_int("from", begin, 0)
        self.texts, self.weights, self.chars, self.begin = texts, weights, chars, begin
        self.whole, self.encoding, self.output = whole, encoding, output
        self.spool = Spool()

    def __enter__(self) -> "Looking":
        return self

    def __exit__(self, *problem: object) -> None:
        self.spool.__exit__(*problem)

    def open(self, path: str) -> "tuple[Model, Callable[[int], Passage]]":
        """A model, and what takes so many characters of the text that is to be looked at."""
        from charrnn.checkpoint.model import load
        from charrnn.see.text_window import passage

        model = load(path, self.weights).of_text()
        corpus = self.read(path, model)
        segments = self.segments(path, model, corpus)
        report_unknown(path, corpus)
        return model, lambda chars: passage(corpus, segments, chars, self.begin)

    def at(self, path: str) -> "tuple[Model, Passage]":
        """A model, and the part of the text to look at."""
        model, take = self.open(path)
        return model, take(self.chars)

    def read(self, path: str, model: "Model") -> "Corpus":
        from charrnn.text.corpus import Corpus

        recorded = model.run.texts if model.run else ()
        if not self.texts and (not recorded or STDIN in recorded):
            raise TextError(f"{path} does not say which file it was trained on: name the text to look at.")
        encoding = self.encoding or (model.run.options.encoding if model.run else "utf-8")
        Options(encoding=encoding)  # refuses an encoding that there is not
        sources = [self.spool.text(name) for name in self.texts or recorded]
        try:
            corpus = Corpus.read(sources, model.vocab.unit, encoding, model.vocab)
        except TextError as error:
            if self.texts:
                raise
            raise TextError(f"{error} {path} was trained on it; name the text to look at.") from None
        for file in corpus.files:
            if self.output is not None:
                refuse_overwriting(self.output, file, READ)
        notes(corpus.notes)
        return corpus

    def segments(self, path: str, model: "Model", corpus: "Corpus") -> "list[Segment]":
        """The held-out part of the text that the model was trained on, all of any other."""
        run = model.run
        if run is None or self.whole or run.sha256 != corpus.sha256:
            return corpus.segments
        held_out = corpus.split(run.options.val_fraction)[1]
        if not held_out:
            return corpus.segments
        if self.texts:
            remark(f"note: {path} was trained on {corpus.label}: its held-out part is looked at (--all for all of it).")
        return held_out


class Output:
    """Where the answer goes: JSON to stdout, a picture to a file, and without either, a drawing to stdout."""

    def __init__(
        self, as_json: bool, output: str | None, others: Iterable[str], plots: bool = False, plot: bool = False
    ) -> None:
        """`others` are files that must not be written over. What is wrong with `output` is said before any work."""
        self.as_json, self.output, self.answer = as_json, output, Answer()
        if plot and output is None:
            raise UsageError("--plot draws into a file: name it with -o.")
        self.plotted = False
        if output is not None:
            from charrnn.display.console import check_output

            self.plotted = check_output(output, plots, plot)
            for other in others:
                refuse_overwriting(output, 0 if other == STDIN else other, READ)

    def give(
        self,
        objects: Callable[[], Iterable[dict[str, Any]]],
        title: str,
        draw: "Draw",
        panels: "Callable[[], Sequence[Panel]] | None" = None,
        page: Callable[[], str] | None = None,
    ) -> None:
        """Answers as asked. `page` is the HTML, where it is not what the terminal would show."""
        from charrnn.display.console import show

        if self.output is not None:
            self.write(self.output, title, draw, panels, page)
            remark(f"Drawn in {self.output}.")
        if self.as_json:
            for found in objects():
                self.answer.line(json.dumps(found))
        elif self.output is None:
            show(self.answer, draw)

    def write(
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
