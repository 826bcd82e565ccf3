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
    from charrnn.evaluation.score import Score as Score
    from charrnn.evaluation.score import evaluate as evaluate
    from charrnn.options import Options as Options
    from charrnn.sampling.sample import sample as sample
    from charrnn.text.corpus import Corpus as Corpus
    from charrnn.text.vocab import Vocab as Vocab
    from charrnn.training.loop import Training as Training
    from charrnn.training.train import train as train

_HOME = {
    "Model": "checkpoint.model",
    "load": "checkpoint.model",
    "CharRNNError": "errors",
    "Score": "evaluation.score",
    "evaluate": "evaluation.score",
    "Options": "options",
    "sample": "sampling.sample",
    "Corpus": "text.corpus",
    "Vocab": "text.vocab",
    "Step": "checkpoint.history",
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
