"""`charrnn train --init-from MODEL`: what a run starts from: another model's weights, or where it stopped."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from charrnn.cli.common import STDIN
from charrnn.display.terminal import remark
from charrnn.errors import TextError, UsageError

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.text.vocab import Vocab
    from charrnn.training.loop import Training


@dataclass(frozen=True)
class Start:
    """What a run starts from: `model`, from the file `path`, or fresh weights."""

    path: str | None = None
    model: "Model | None" = None

    @property
    def vocab(self) -> "Vocab | None":
        return self.model.vocab if self.model else None

    def settled(self, given: dict[str, Any]) -> dict[str, Any]:
        """The options that the user gave, and those that the model settles."""
        from charrnn.training.transfer import settled

        return settled(self.model, given) if self.model else given

    def explain(self, training: "Training") -> None:
        """Says what was kept of the model, and what is new."""
        if self.model is None:
            return
        from charrnn.display.info import carried_over
        from charrnn.training.transfer import transfer

        source, seed = training.source, training.options.seed
        found = transfer(self.model, training.config, training.vocab, seed, source.labels)
        for line in carried_over(str(self.path), found, source.occurring):
            remark(line)


def started(path: str | None) -> Start:
    from charrnn.checkpoint.model import load

    return Start(path, load(path)) if path else Start()


def check_recorded(texts: tuple[str, ...], model: str) -> None:
    """Raises where the text that a model was trained on is not to be found by itself."""
    if STDIN in texts:
        raise UsageError(f"{model} was trained on standard input: give it again, charrnn train --resume - < TEXT.")
    for text in texts:
        if not os.path.exists(text):
            raise TextError(
                f"{text}, which {model} was trained on, is not there: name it, charrnn train --resume TEXT."
            )
