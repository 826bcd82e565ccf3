"""`Run`: the state of a training, as it is stored and resumed."""

import os
from dataclasses import asdict, dataclass, field
from typing import Any

from charrnn.arrays import Array
from charrnn.checkpoint.history import LOSSES, Health, History
from charrnn.checkpoint.npz import FLOAT, Members
from charrnn.checks import check_float, check_int, from_file, require
from charrnn.nn.optim import OPTIMIZERS
from charrnn.nn.params import Config, Params
from charrnn.options import Options
from charrnn.system.blas import versions
from charrnn.text.builtin import CORPORA, is_builtin
from charrnn.text.dataset import Dataset

HISTORY_ROOM = 1 << 18
ARRAYS = {"last", "optimizer", "state"}  # fields that are stored as arrays, not as JSON


@dataclass
class Run:
    """The state of a training: all that is needed to continue as if it had never stopped.

    `texts` are the paths as they were typed, in `folder`; `streams`, `seq_length` and `windows` (the steps of an epoch)
    are the sizes in use; `last` the weights after `step` steps; `optimizer` its vectors, each as long as `last.flat`;
    `state` the carried state, (layers, streams, H) for each of `h` (and `c`). `best_loss` is a validation loss in nats.
    `versions` are those that the last bits depend on (`blas.versions`). `before` are the texts that the first weights
    were trained on, if they come from another model. `rates` are pairs of a step and the (peak) learning rate from it
    on, if that was changed when the run was resumed. `extended` is the step after which the run was last resumed with
    another length although its learning rate had decayed, or early stopping had ended it; 0 if it never was.
    """

    options: Options
    texts: tuple[str, ...]
    sha256: str
    symbols: int
    streams: int
    seq_length: int
    windows: int
    step: int
    last: Params = field(repr=False)
    optimizer: dict[str, Array] = field(repr=False)
    state: dict[str, Array] = field(repr=False)
    best_step: int | None = None
    best_loss: float | None = None
    seconds: float = 0.0
    history: History = field(default_factory=History)
    versions: dict[str, str] = field(default_factory=dict)
    health: Health = field(default_factory=Health)
    before: tuple[str, ...] = ()
    folder: str = ""
    rates: tuple[tuple[int, float], ...] = ()
    extended: int = 0

    @classmethod
    def new(
        cls,
        source: Dataset,
        options: Options,
        last: Params,
        optimizer: dict[str, Array],
        state: dict[str, Array],
        streams: int,
        seq_length: int,
        windows: int,
    ) -> "Run":
        """A run on these texts or examples that has not begun."""
        folder = folder_of(source.names) if source.files else ""
        sizes = source.symbols, streams, seq_length, windows
        texts = source.names, source.sha256
        return cls(options, *texts, *sizes, 0, last, optimizer, state, folder=folder, versions=versions())

    def places(self, model: str) -> list[tuple[str, ...]]:
        """Where the texts may be: the paths as typed, the absolute ones of the training, and those beside the model."""
        folders = ("", self.folder, os.path.dirname(model))
        places = [
            tuple(text if is_builtin(text) else os.path.join(folder, text) for text in self.texts) for folder in folders
        ]
        return [place for place in dict.fromkeys(places) if all(map(is_kept, place))]

    def record_rate(self, before: float) -> None:
        """Records that the learning rate of the options replaces the one `before` from the next step on."""
        earlier = self.rates or ((1, before),)
        self.rates = (*(pair for pair in earlier if pair[0] <= self.step), (self.step + 1, self.options.lr))
        self.health.forget()

    def as_dict(self) -> dict[str, Any]:
        """All fields but the arrays, as JSON."""
        values = {name: value for name, value in vars(self).items() if name not in ARRAYS}
        nested = {"options": asdict(self.options), "history": self.history.as_dict(), "health": asdict(self.health)}
        return {**values, **nested, "texts": list(self.texts), "before": list(self.before)}


def is_kept(path: str) -> bool:
    """Whether a path is a corpus, a file or a folder, which can be read again, unlike a pipe."""
    return path[1:] in CORPORA if is_builtin(path) else os.path.isfile(path) or os.path.isdir(path)


def folder_of(texts: tuple[str, ...]) -> str:
    """The working folder, if the path of a text depends on it."""
    return os.getcwd() if any(is_kept(text) and not (is_builtin(text) or os.path.isabs(text)) for text in texts) else ""


def read_params(members: Members, config: Config, prefix: str) -> Params:
    # read before anything of the size that the configuration claims is allocated
    arrays = {name: members.array(f"{prefix}{name}", FLOAT, shape) for name, shape in config.shapes.items()}
    params = Params(config.shapes)
    for name, values in arrays.items():
        params[name][:] = values
    return params


def read_run(members: Members, config: Config, values: dict[str, Any], params: Params) -> Run:
    """The run in a model file, whose best weights are `params`. Raises CharRNNError, KeyError, TypeError or ValueError
    if it cannot be one.
    """
    run = from_file(Run, {**values, "last": params, "optimizer": {}, "state": {}})
    check(run)
    run.options = Options.from_dict(values["options"])
    for name in ("cell", "layers", "hidden_size") if config.layers else ("cell",):
        require(getattr(run.options, name) == getattr(config, name), name)
    run.history = History.from_dict(values.get("history", {}))
    run.health = Health.from_dict(values.get("health", {}), run.step)
    run.texts, run.before = tuple(run.texts), tuple(run.before)
    require(isinstance(run.rates, list | tuple), "rates")
    run.rates = tuple((step, rate) for step, rate in run.rates)
    for step, rate in run.rates:
        check_int("step", step, 1, run.step + 1)
        check_float("rate", rate, above=0.0)
    if "last.by" in members:
        run.last = read_params(members, config, "last.")
    for name in OPTIMIZERS[run.options.optimizer].vectors if config.layers else ():
        run.optimizer[name] = members.array(f"optimizer.{name}", FLOAT, params.flat.shape).copy()
    for name in config.states:
        run.state[name] = members.array(f"state.{name}", FLOAT, (config.layers, run.streams, config.hidden_size))
    return run


def check(run: Run) -> None:
    """Raises UsageError or ValueError unless the values can be those of a run."""
    for name in ("symbols", "streams", "seq_length", "windows"):
        check_int(name, getattr(run, name), 1)
    check_int("step", run.step, 0)
    check_int("extended", run.extended, 0, run.step)
    check_float("seconds", run.seconds, at_least=0.0)
    require((run.best_step is None) == (run.best_loss is None), "best_step")
    if run.best_step is not None:
        check_int("best_step", run.best_step, 1, max(run.step, 1))
        check_float("best_loss", run.best_loss, **LOSSES)
    require(isinstance(run.sha256, str) and len(run.sha256) == 64, "sha256")
    require(isinstance(run.versions, dict), "versions")
    require(isinstance(run.folder, str), "folder")
    for name, values in (("texts", run.texts), ("before", run.before), ("versions", list(run.versions.values()))):
        require(isinstance(values, list | tuple) and all(isinstance(value, str) for value in values), name)
