"""charrnn: character-level RNN, GRU and LSTM in plain NumPy.

    import charrnn
    training = charrnn.train("corpus.txt", hidden_size=64, steps=500)
    for record in training:
        print(record.step, record.loss)
    training.model.save("model.npz")
    print("".join(charrnn.sample(charrnn.load("model.npz"), 200, temp=0.8)))

The names are loaded at first use, so that `import charrnn` does not load NumPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from charrnn._version import __version__ as __version__

if TYPE_CHECKING:
    from charrnn.checkpoint.history import Step as Step
    from charrnn.checkpoint.model import Model as Model
    from charrnn.checkpoint.model import load as load
    from charrnn.errors import CharRNNError as CharRNNError
    from charrnn.errors import DivergedError as DivergedError
    from charrnn.errors import ModelFileError as ModelFileError
    from charrnn.errors import TextError as TextError
    from charrnn.errors import UsageError as UsageError
    from charrnn.errors import WorkerError as WorkerError
    from charrnn.evaluation.baselines import Baseline as Baseline
    from charrnn.evaluation.baselines import Baselines as Baselines
    from charrnn.evaluation.baselines import compute_baselines as compute_baselines
    from charrnn.evaluation.classification import Labelled as Labelled
    from charrnn.evaluation.classification import classify as classify
    from charrnn.evaluation.classification import grade_labels as grade_labels
    from charrnn.evaluation.dynamic import evaluate_dynamic as evaluate_dynamic
    from charrnn.evaluation.pairs import Paired as Paired
    from charrnn.evaluation.pairs import grade_pairs as grade_pairs
    from charrnn.evaluation.score import Score as Score
    from charrnn.evaluation.score import evaluate as evaluate
    from charrnn.evaluation.verdict import Comparison as Comparison
    from charrnn.evaluation.verdict import compare as compare
    from charrnn.options import Options as Options
    from charrnn.sampling.conditional import Target as Target
    from charrnn.sampling.conditional import answers as answers
    from charrnn.sampling.conditional import beam_search as beam_search
    from charrnn.sampling.conditional import for_labels as for_labels
    from charrnn.sampling.mixture import Mixture as Mixture
    from charrnn.sampling.options import SamplingOptions as SamplingOptions
    from charrnn.sampling.sample import Sample as Sample
    from charrnn.sampling.sample import sample as sample
    from charrnn.sampling.sample import sample_many as sample_many
    from charrnn.text.corpus import Corpus as Corpus
    from charrnn.text.examples import Examples as Examples
    from charrnn.text.tasks import Task as Task
    from charrnn.text.vocab import Vocab as Vocab
    from charrnn.training.loop import Training as Training
    from charrnn.training.train import train as train

_HOME = {
    "Model": "checkpoint.model",
    "load": "checkpoint.model",
    "Step": "checkpoint.history",
    "CharRNNError": "errors",
    "UsageError": "errors",
    "TextError": "errors",
    "ModelFileError": "errors",
    "DivergedError": "errors",
    "WorkerError": "errors",
    "Baseline": "evaluation.baselines",
    "Baselines": "evaluation.baselines",
    "compute_baselines": "evaluation.baselines",
    "Labelled": "evaluation.classification",
    "classify": "evaluation.classification",
    "grade_labels": "evaluation.classification",
    "evaluate_dynamic": "evaluation.dynamic",
    "Paired": "evaluation.pairs",
    "grade_pairs": "evaluation.pairs",
    "Score": "evaluation.score",
    "evaluate": "evaluation.score",
    "Comparison": "evaluation.verdict",
    "compare": "evaluation.verdict",
    "Options": "options",
    "Target": "sampling.conditional",
    "answers": "sampling.conditional",
    "beam_search": "sampling.conditional",
    "for_labels": "sampling.conditional",
    "Mixture": "sampling.mixture",
    "SamplingOptions": "sampling.options",
    "Sample": "sampling.sample",
    "sample": "sampling.sample",
    "sample_many": "sampling.sample",
    "Corpus": "text.corpus",
    "Examples": "text.examples",
    "Task": "text.tasks",
    "Vocab": "text.vocab",
    "Training": "training.loop",
    "train": "training.train",
}

__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'charrnn' has no attribute {name!r}")
    return getattr(import_module(f"charrnn.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
