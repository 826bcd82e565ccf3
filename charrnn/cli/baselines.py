"""Comparison of models with baselines: `charrnn eval --baselines`, and the end of a training."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from charrnn.cli.options import model_argument
from charrnn.display.terminal import remark
from charrnn.errors import TextError, UsageError

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.evaluation.baselines import Baselines
    from charrnn.evaluation.graded import Graded
    from charrnn.evaluation.score import Score
    from charrnn.evaluation.verdict import Comparison
    from charrnn.text.corpus import Corpus, Segment
    from charrnn.training.loop import Training


LARGE = 1_000_000  # symbols; the baselines of a larger text take a while


class BaselineComparison:
    """Compares models with baselines, which are computed once for all models with the same symbols and texts.

    `read_training_text` reads the text that a model was trained on, by its path.
    """

    def __init__(self, read_training_text: "Callable[[str, Model], Corpus]") -> None:
        self.read_training_text = read_training_text
        self.known: dict[tuple[object, ...], Baselines] = {}

    def __call__(
        self, path: str, model: "Model", corpus: "Corpus", segments: "list[Segment]", score: "Score"
    ) -> "Comparison":
        """Compares `score`, of these segments, with what baselines of the training text predict of them."""
        from charrnn.evaluation.baselines import compute_baselines
        from charrnn.evaluation.verdict import Comparison, summarize_fit, verdict

        if model.run is None:
            raise UsageError(
                f"{path} does not record what it was trained on, so that it has no baselines: leave --baselines out."
            )
        source = corpus
        if corpus.sha256 != model.run.sha256:
            source = self.read_training_text(path, model)
            if source.sha256 != model.run.sha256:
                raise TextError(
                    f"{source.label} has changed since {path} was trained on it, so that its baselines are unknown: "
                    "leave --baselines out."
                )
        train, held_out = source.split(model.run.options.val_fraction, model.run.options.seed)
        same = source is corpus
        if same and segments != held_out:
            raise UsageError(
                f"{path} was trained on all of {corpus.label}: name a text that it has not seen, "
                f"charrnn eval --baselines TEXT{model_argument(path)}."
            )
        key = (source.sha256, len(train), corpus.sha256, tuple(segments), corpus.vocab)
        if key not in self.known:
            announce(len(train), remark)
            self.known[key] = compute_baselines(train, corpus, segments)
        summary = summarize_fit(model, corpus, segments, score.nats) if same and model.config.layers else None
        return Comparison(self.known[key], verdict(score.bits_per_char, self.known[key], summary))


def compare_training(training: "Training", say: Callable[[str], None]) -> "Comparison | None":
    """Compares the model of a finished training with the baselines; None if that fails, which `say` is told."""
    from charrnn.evaluation.verdict import compare

    if training.run.best_loss is None:
        return None
    announce(training.source.symbols, say)
    model = training.model.of_network() if training.mixing else training.model
    try:
        return compare(model, training.corpus)
    except (OSError, MemoryError, RuntimeError) as error:  # the model is saved: only the comparison is missing
        say(f"note: no comparison with n-grams and xz: {str(error) or 'not enough memory'}.")
        return None


def grade_training(training: "Training", say: Callable[[str], None]) -> "Graded | None":
    """Grades the model of a finished training on examples; None if that fails, which `say` is told."""
    from charrnn.evaluation.graded import graded
    from charrnn.text.examples import Examples

    assert isinstance(training.source, Examples)
    try:
        return graded(training.model, training.source)
    except (OSError, MemoryError, RuntimeError) as error:  # the model is saved: only the verdict is missing
        say(f"note: no verdict on the validation split: {str(error) or 'not enough memory'}.")
        return None


def announce(symbols: int, say: Callable[[str], None], what: str = "n-grams and running xz for the comparison") -> None:
    if symbols > LARGE:
        say(f"Counting {what} ...")
