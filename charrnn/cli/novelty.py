"""`charrnn novelty`: is a text copied from a corpus, and how much of it?"""

import json
from typing import TYPE_CHECKING, Any

import click

from charrnn.cli.inputs import named, recorded
from charrnn.cli.options import MODEL, STDIN, GroupedCommand, notes, option
from charrnn.display.reading import ReadProgress
from charrnn.display.terminal import Answer
from charrnn.errors import UsageError

if TYPE_CHECKING:
    from charrnn.evaluation.novelty import Novelty
    from charrnn.text.raw_text import Library


@click.command(cls=GroupedCommand)
@click.argument("samples", metavar="SAMPLE...", nargs=-1, type=str)
@option(
    "--corpus",
    "texts",
    metavar="TEXT",
    multiple=True,
    show_default=False,
    help="A file or folder to look in; several make one corpus.  [default: what the model was trained on]",
)
@option("-m", "--model", metavar="FILE", show_default=False, help=f"A model file.  [default: {MODEL}]")
@option("--encoding", show_default=False, help="Encoding of the texts.  [default: that of the training, or utf-8]")
@option("--json", "as_json", is_flag=True, show_default=False, help="One JSON object.")
def novelty(
    samples: tuple[str, ...], texts: tuple[str, ...], model: str | None, encoding: str | None, as_json: bool
) -> None:
    """Say how much of SAMPLE is copied from a corpus.

    Shows the longest run that is copied word for word, and the share of n-grams that are new, beside the same figures
    for held-out text of the corpus. On a terminal, what is copied is marked.
    """
    if not samples:
        raise UsageError("name the text to judge: charrnn novelty SAMPLE.")
    if texts and model is not None:
        raise UsageError("--model and --corpus both say what to look in: use one of them.")
    if (*samples, *texts).count(STDIN) > 1:
        raise UsageError("standard input can be read only once.")
    answer = Answer()
    from charrnn.checkpoint.model import load
    from charrnn.evaluation.novelty import novelty as judge
    from charrnn.text.raw_text import read_samples

    trained = None if texts else load(model or MODEL).of_text()
    with ReadProgress(texts or (trained.run.texts if trained and trained.run else ()), quiet=False) as reading:
        if trained is None:
            library = named(texts, "char", encoding or "utf-8", reading.progress, True)
        else:
            library = recorded(model or MODEL, trained, encoding, reading.progress, True)
        left_out, parts = read_samples(samples, library)
        notes(left_out)
        mine, real = judge(parts, library)
    if as_json:
        answer.line(json.dumps(report(samples, library, mine, real)))
        return
    from charrnn.display.console import show
    from charrnn.display.novelty import marked, table

    if answer.terminal:
        show(answer, lambda out: marked(out, mine))
    show(answer, lambda out: table(out, mine, real))


def report(samples: tuple[str, ...], library: "Library", mine: "Novelty", real: "Novelty | None") -> dict[str, Any]:
    """All of it, for JSON; places are counted in characters from 0, lines from 1."""
    return {
        "samples": list(samples),
        "corpus": [source.name for source in library.sources],
        "corpus_chars": library.chars,
        **figures(mine),
        "copied": mine.runs,
        "held_out": figures(real) if real else None,
    }


def figures(found: "Novelty") -> dict[str, Any]:
    longest, run = None, found.longest
    if run is not None:
        longest = {"text": found.words(run), "chars": run.length, "at": run.at}
        longest |= {"file": run.file, "offset": run.offset, "line": run.line}
    return {"chars": found.chars, "longest": longest, "new": {str(n): share for n, share in found.new.items()}}
