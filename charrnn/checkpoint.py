"""The model file: one `.npz` with the weights by name, the state of the training, and one JSON text, `meta`.

Arrays in the file: `l0.Wx` ... `by` the best weights; `last.l0.Wx` ... the last ones, where they differ;
`optimizer.m` ... and `state.h` ... what a resumed run needs. `meta` is the JSON as bytes (uint8).
"""

import json
from dataclasses import dataclass, field, replace
from typing import IO, Any

import numpy as np

from charrnn.arrays import Array
from charrnn.errors import ModelFileError
from charrnn.history import History
from charrnn.model import Config
from charrnn.npz import FLOAT, Members, PathLike, opened, refusing, target, write
from charrnn.optim import OPTIMIZERS
from charrnn.options import Options, check_float, check_int
from charrnn.params import Params
from charrnn.text.vocab import CODE_LIMIT, UNITS, Vocab

FORMAT = 1
MAX_META = 1 << 26


@dataclass
class Run:
    """Where a training stands, and all that it needs to go on as if it had never stopped.

    `texts` are the paths as they were typed; `streams`, `seq_length` and `windows` (an epoch's steps) are the
    sizes in use; `last` the weights after `step` steps; `optimizer` its vectors, each as long as `last.flat`;
    `state` the carried state, (layers, streams, H) for each of `h` (and `c`). `best_loss` is held-out, in nats.
    """

    options: Options
    texts: tuple[str, ...]
    sha256: str
    symbols: int
    streams: int
    seq_length: int
    windows: int
    step: int
    last: Params
    optimizer: dict[str, Array]
    state: dict[str, Array]
    best_step: int | None = None
    best_loss: float | None = None
    seconds: float = 0.0
    history: History = field(default_factory=History)

    SCALARS = (
        "sha256",
        "symbols",
        "streams",
        "seq_length",
        "windows",
        "step",
        "best_step",
        "best_loss",
        "seconds",
    )

    def as_dict(self) -> dict[str, Any]:
        scalars = {name: getattr(self, name) for name in self.SCALARS}
        return {
            "options": self.options.as_dict(),
            "texts": list(self.texts),
            **scalars,
            "history": self.history.as_dict(),
        }


@dataclass
class Model:
    """A trained network: `config`, `vocab`, and `params`, its weights by name (float32; the best ones).

    `run` is what a training left to go on from, None where there was none.
    """

    config: Config
    vocab: Vocab
    params: Params
    run: Run | None = None

    def save(self, path: PathLike) -> None:
        """Writes the model file: beside it first, then renamed over it, so that it is never half-written.

        Raises ModelFileError where that cannot be done, or the weights are no longer finite numbers; the file that was
        there is untouched then.
        """
        for weights in (self.params, self.run.last if self.run else self.params):
            if not np.isfinite(weights.flat).all():
                raise ModelFileError(f"{path} is not written: the weights are no longer finite numbers.")
        meta = {
            "format": FORMAT,
            "config": self.config.as_dict(),
            "unit": self.vocab.unit,
            "vocab": self.vocab.codes.tolist(),
            "run": self.run.as_dict() if self.run else None,
        }
        text = json.dumps(meta, ensure_ascii=True, allow_nan=False).encode()
        arrays: dict[str, np.ndarray[Any, Any]] = {"meta": np.frombuffer(text, dtype=np.uint8)}
        arrays.update(self.params)
        if self.run:
            if not same(self.run.last, self.params):
                arrays.update({f"last.{name}": values for name, values in self.run.last.items()})
            arrays.update({f"optimizer.{name}": values for name, values in self.run.optimizer.items()})
            arrays.update({f"state.{name}": values for name, values in self.run.state.items()})
        try:
            write(target(path), arrays)
        except OSError as error:
            raise ModelFileError(f"{path} could not be written: {error.strerror or error}.") from error


def same(one: Params, other: Params) -> bool:
    return one is other or bool(np.array_equal(one.flat, other.flat))


def load(path: PathLike, weights: str = "best") -> Model:
    """The model in a file; `weights` chooses the best by held-out loss or the last ones of the training.

    Raises ModelFileError where the file is missing, damaged, not a model, or of a newer format.
    """
    if weights not in ("best", "last"):
        raise ModelFileError(f"weights are 'best' or 'last', not {weights!r}.")
    with opened(path) as file, refusing(path):
        model = read(file)
    if weights == "last" and model.run:  # where the best ones are not there, they are not claimed
        return replace(model, params=model.run.last, run=replace(model.run, best_step=None, best_loss=None))
    return model


def read(file: IO[bytes]) -> Model:
    members = Members(file)
    if members.infos["meta"].file_size > MAX_META:
        raise ValueError("meta")
    meta = json.loads(members.array("meta", np.dtype(np.uint8), None).tobytes(), parse_constant=refuse_constant)
    if type(meta["format"]) is not int or meta["format"] < 1:
        raise ValueError("format")
    if meta["format"] > FORMAT:
        raise ModelFileError(f"was written by a newer charrnn (format {meta['format']}; this one reads {FORMAT}).")
    config = Config(**meta["config"])
    limit = 256 if meta["unit"] == "byte" else CODE_LIMIT
    if meta["unit"] not in UNITS or not all(type(code) is int and 0 <= code < limit for code in meta["vocab"]):
        raise ValueError("vocab")
    vocab = Vocab(meta["unit"], meta["vocab"])
    if len(vocab) != config.vocab_size or vocab.codes.tolist() != meta["vocab"]:
        raise ValueError("vocab")
    params = read_params(members, config, "")
    run = read_run(members, config, meta["run"], params) if meta["run"] is not None else None
    used = 1 + len(params) + (0 if run is None else len(run.optimizer) + len(run.state))
    used += len(params) if run is not None and run.last is not params else 0
    if used != len(members.infos):
        raise ModelFileError("is damaged: it holds arrays that do not belong there.")
    return Model(config, vocab, params, run)


def refuse_constant(name: str) -> float:
    raise ValueError(name)


def read_params(members: Members, config: Config, prefix: str) -> Params:
    if not all(f"{prefix}{name}" in members.infos for name in config.shapes):
        raise ModelFileError("is damaged: weights are missing.")
    # read before anything of the size that the configuration claims is allocated
    arrays = {name: members.array(f"{prefix}{name}", FLOAT, shape) for name, shape in config.shapes.items()}
    params = Params(config.shapes)
    for name, values in arrays.items():
        params[name][:] = values
    return params


def read_run(members: Members, config: Config, values: dict[str, Any], params: Params) -> Run:
    options = Options.from_dict(values["options"])
    scalars = {name: values[name] for name in Run.SCALARS}
    check_scalars(scalars)
    last = read_params(members, config, "last.") if "last.by" in members.infos else params
    state_shape = (config.layers, scalars["streams"], config.hidden_size)
    return Run(
        options=options,
        texts=tuple(str(text) for text in values["texts"]),
        **scalars,
        last=last,
        optimizer={
            name: members.array(f"optimizer.{name}", FLOAT, params.flat.shape).copy()
            for name in OPTIMIZERS[options.optimizer].vectors
        },
        state={name: members.array(f"state.{name}", FLOAT, state_shape) for name in config.states},
        history=History.from_dict(values["history"]),
    )


def check_scalars(values: dict[str, Any]) -> None:
    """Raises UsageError or ValueError unless these can be where a run stands."""
    for name in ("symbols", "streams", "seq_length", "windows"):
        check_int(name, values[name], 1)
    check_int("step", values["step"], 0)
    check_float("seconds", values["seconds"], at_least=0.0)
    if values["best_step"] is not None:
        check_int("best_step", values["best_step"], 1, max(values["step"], 1))
        check_float("best_loss", values["best_loss"])
    if not isinstance(values["sha256"], str) or len(values["sha256"]) != 64:
        raise ValueError("sha256")
