"""How a training is shown in a notebook: its state in one line, the curves of its losses, and a sample."""

from charrnn.checkpoint.model import Model
from charrnn.checkpoint.notebook import plot, text
from charrnn.checkpoint.run import Run
from charrnn.sampling.sample import sample

SAMPLE = 200  # characters


class ReprMixin:
    """The `repr` of a training, and its HTML; neither changes the training."""

    run: Run
    end: int

    @property
    def latest(self) -> Model:
        raise NotImplementedError

    def __repr__(self) -> str:
        run, best = self.run, self.run.best_loss
        loss = "" if best is None else f", validation loss {best:.2f}"
        return f"Training({self.latest.description}, step {run.step:,} of {self.end:,}{loss})"

    def _repr_html_(self) -> str:
        """The losses so far, and a text that the latest weights generate; a model of examples generates none."""
        history, latest = self.run.history, self.latest
        validation = [step for step, _ in history.val], [loss for _, loss in history.val]
        curves = plot({"training loss": (history.steps, history.train), "validation loss": validation}, "steps")
        return text(self) + curves + ("" if latest.task else text("".join(sample(latest, SAMPLE)), "pre"))
