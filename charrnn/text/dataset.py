"""`Dataset`: the data of a training, a `Corpus` or `Examples`; `read_dataset` reads either."""

from charrnn.errors import UsageError
from charrnn.options import Options
from charrnn.text.corpus import Corpus
from charrnn.text.examples import Examples
from charrnn.text.source import Paths, Progress
from charrnn.text.vocab import Vocab

Dataset = Corpus | Examples  # what both have (splits, vocabulary, names, sizes) is all that a training needs


def read_dataset(
    paths: Paths,
    options: Options,
    vocab: Vocab | None = None,
    include: Vocab | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Reads the data of a training, numbered by `vocab`, or by its own symbols and those of `include`."""
    if options.task == "text":
        return Corpus.read(
            paths, options.unit, options.encoding, vocab, progress, options.min_count, include, options.by_line
        )
    if options.min_count:
        raise UsageError("`min_count` applies to plain text only, not to examples.")
    return Examples.read(
        paths,
        options.task,
        options.unit,
        options.encoding,
        vocab,
        include,
        columns=options.columns,
        header=options.header,
    )
