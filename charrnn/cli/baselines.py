"""Models beside the baselines: `charrnn eval --baselines`, and the end of a training."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from charrnn.display.terminal import remark
from charrnn.errors import TextError, UsageError

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.checkpoint.run import Run
    from charrnn.evaluation.baselines import Baselines
    from charrnn.evaluation.score import Score
    from charrnn.evaluation.verdict import Comparison
    from charrnn.text.corpus import Corpus, Segment
    from charrnn.training.loop import Training


LONG = 1_000_000  # symbols: to count more takes a while


class Judge:
    """Judges models; the baselines are counted once for all that have the same symbols and texts.

    `own` reads the text that the model in a file was trained on.
    """

    def __init__(self, own: "Callable[[str, Model], Corpus]") -> None:
        self.own = own
        self.known: dict[tuple[object, ...], Baselines] = {}

    def __call__(
        self, path: str, model: "Model", corpus: "Corpus", segments: "list[Segment]", score: "Score"
    ) -> "Comparison":
        """How `score`, of these segments, stands beside what counting the training text predicts of them."""
        from charrnn.evaluation.baselines import compute_baselines
        from charrnn.evaluation.verdict import Comparison, summarize_fit, verdict

        if model.run is None:
            raise UsageError(
                f"{path} does not say what it was trained on, so there is nothing to count: no --baselines."
            )
        source = self.source(path, model, model.run, corpus)
        train, held_out = source.split(model.run.options.val_fraction)
        same = source is corpus
        if same and segments != held_out:
            raise UsageError(
                f"{path} was trained on all of {corpus.label}: name a text that it has not seen, "
                "charrnn eval --baselines TEXT."
            )
        key = (source.sha256, len(train), corpus.sha256, tuple(segments), corpus.vocab)
        if key not in self.known:
            announce(len(train), remark)
            self.known[key] = compute_baselines(train, corpus, segments)
        rivals = self.known[key]
        how = summarize_fit(model, corpus, segments, score.nats) if same else None
        return Comparison(rivals, verdict(score.bits_per_char, rivals, how))

    def source(self, path: str, model: "Model", run: "Run", corpus: "Corpus") -> "Corpus":
        """The text that a model was trained on, which may be the one that it was scored on."""
        if corpus.sha256 == run.sha256:
            return corpus
        found = self.own(path, model)
        if found.sha256 != run.sha256:
            raise TextError(
                f"{found.label} has changed since {path} was trained on it, and the baselines count that text: "
                "leave --baselines out."
            )
        return found


def judged(training: "Training", say: Callable[[str], None]) -> "Comparison | None":
    """How a training that is over stands beside the baselines; None where it cannot be told, which `say` is told."""
    from charrnn.evaluation.score import evaluate
    from charrnn.evaluation.verdict import compare

    if training.run.best_loss is None:
        return None
    announce(len(training.corpus.ids), say)
    model, corpus = training.model, training.corpus
    try:
        return compare(model, corpus, evaluate(model, corpus, corpus.split(training.options.val_fraction)[1]))
    except (OSError, MemoryError, RuntimeError) as error:  # the model is saved, and this is only an extra
        say(f"note: there is no comparison with n-grams and xz: {str(error) or 'too little memory'}.")
        return None


def announce(symbols: int, say: Callable[[str], None]) -> None:
    if symbols > LONG:
        say("Counting n-grams and running xz to compare with ...")
