"""`charrnn novelty`: how much of a text is copied from a corpus."""

from typing import TYPE_CHECKING, Any

import click

from charrnn.cli.inputs import open_named_corpus, open_training_corpus
from charrnn.cli.options import (
    MODEL,
    command,
    complete_texts,
    encoding_option,
    json_option,
    model_option,
    notes,
    option,
)
from charrnn.display.reading import ReadProgress
from charrnn.display.terminal import Answer
from charrnn.errors import UsageError
from charrnn.options import STDIN

if TYPE_CHECKING:
    from charrnn.evaluation.novelty import Novelty


@command()
@click.argument("samples", metavar="SAMPLE...", nargs=-1, type=str, shell_complete=complete_texts)
@option(
    "--corpus",
    "texts",
    metavar="TEXT",
    multiple=True,
    shell_complete=complete_texts,
    show_default="the text that the model was trained on",
    help="File or folder to compare with; can be given several times.",
)
@model_option(default=None, show_default=MODEL)
@encoding_option(help="Encoding of the texts.", show_default="that of the training, or utf-8")
@json_option(help="Write one JSON object to stdout.")
def novelty(
    samples: tuple[str, ...], texts: tuple[str, ...], model: str | None, encoding: str | None, as_json: bool
) -> None:
    """Measure how much of a text is copied from a corpus.

    Shows the longest copied run and the share of new n-grams, next to the same figures for the validation split of the
    corpus. On a terminal, copied runs are marked.
    """
    if not samples:
        raise UsageError("name the text to check: charrnn novelty SAMPLE.")
    if texts and model is not None:
        raise UsageError("--model and --corpus both choose the corpus: use one of them.")
    if (*samples, *texts).count(STDIN) > 1:
        raise UsageError("standard input can be read only once.")
    answer = Answer()
    from charrnn.checkpoint.model import load
    from charrnn.evaluation.novelty import novelty as measure
    from charrnn.text.raw_text import read_samples

    trained = None if texts else load(model or MODEL).of_text()
    with ReadProgress(texts or (trained.run.texts if trained and trained.run else ()), quiet=False) as reading:
        if trained is None:
            corpus = open_named_corpus(texts, "char", encoding or "utf-8", reading.progress, True)
        else:
            corpus = open_training_corpus(model or MODEL, trained, encoding, reading.progress, True)
        skipped, parts = read_samples(samples, corpus)
        notes(skipped)
        sample, validation = measure(parts, corpus)
    if as_json:
        answer.json(
            {
                "samples": samples,
                "corpus": [source.name for source in corpus.sources],
                "corpus_chars": corpus.chars,
                **figures(sample),
                "copied": sample.runs,
                "validation": figures(validation) if validation else None,
            }
        )
        return
    from charrnn.display.console import show
    from charrnn.display.novelty import marked, table

    if answer.terminal:
        show(answer, lambda out: marked(out, sample))
    show(answer, lambda out: table(out, sample, validation))


def figures(novelty: "Novelty") -> dict[str, Any]:
    """The results as JSON; offsets are in characters from 0, lines from 1."""
    longest, run = None, novelty.longest
    if run is not None:
        longest = {"text": novelty.words(run), "chars": run.length, "at": run.at}
        longest |= {"file": run.file, "offset": run.offset, "line": run.line}
    return {"chars": novelty.chars, "longest": longest, "new": {str(n): share for n, share in novelty.new.items()}}
