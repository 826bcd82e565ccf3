"""`Dataset`: what a training asks of Corpus and Examples (a Protocol); `read_dataset(paths, options)`."""

import os
from collections.abc import Sequence

from charrnn.errors import UsageError
from charrnn.options import Options
from charrnn.text.corpus import Corpus
from charrnn.text.examples import Examples
from charrnn.text.source import Progress
from charrnn.text.vocab import Vocab


def read_texts(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    options: Options,
    vocab: Vocab | None = None,
    beside: Vocab | None = None,
    progress: Progress | None = None,
) -> Corpus | Examples:
    """What a training reads, by its task; numbered by `vocab`, or its own symbols and those of `beside`."""
    if options.task == "text":
        return Corpus.read(paths, options.unit, options.encoding, vocab, progress, options.min_count, beside)
    if options.min_count:
        raise UsageError("--min-count is for one long text: of examples every symbol stands for itself.")
    return Examples.read(paths, options.task, options.unit, options.encoding, vocab, beside)
