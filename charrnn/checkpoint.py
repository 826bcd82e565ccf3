"""The model file: one `.npz` with the weights by name, the state of the training, and one JSON text, `meta`.

Arrays in the file: `l0.Wx` ... `by` the best weights; `last.l0.Wx` ... the last ones, where they differ;
`optimizer.m` ... and `state.h` ... what a resumed run needs. `meta` is the JSON as bytes (uint8).
"""

import io
import json
import math
import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from charrnn.arrays import Array
from charrnn.errors import CharRNNError, ModelFileError
from charrnn.history import History
from charrnn.model import Config
from charrnn.optim import OPTIMIZERS
from charrnn.options import Options
from charrnn.params import Params
from charrnn.text.vocab import CODE_LIMIT, UNITS, Vocab

FORMAT = 1
MAX_META = 1 << 26
FLOAT = np.dtype("<f4")

PathLike = str | os.PathLike[str]


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

        Raises ModelFileError where that cannot be done; the file that was there is untouched then.
        """
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


def target(path: PathLike) -> Path:
    """Where a model of this name is written: links are followed, and only a plain file is ever replaced."""
    try:
        real = Path(os.path.realpath(path))
        mode = real.stat().st_mode
    except FileNotFoundError:
        if not real.parent.is_dir():
            raise ModelFileError(f"there is no folder {real.parent} to write the model to.") from None
        return real
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} cannot be a model file: {error}.") from None
    if not stat.S_ISREG(mode):
        raise ModelFileError(f"{path} is not a plain file, so no model is written over it: choose another -m.")
    return real


def check_target(path: PathLike) -> None:
    """Raises ModelFileError where a model could not be written, before hours have gone into it."""
    real = target(path)
    temporary = real.with_name(f".{real.name}.tmp")
    try:
        temporary.open("wb").close()
        temporary.unlink()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be written: {error.strerror or error}.") from None


def write(path: Path, arrays: dict[str, np.ndarray[Any, Any]]) -> None:
    """An `.npz` of these arrays, by way of a temporary file: written, flushed to the disk, renamed."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with open(temporary, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for name, values in arrays.items():
                    with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                        np.lib.format.write_array(
                            member, np.ascontiguousarray(values), version=(1, 0), allow_pickle=False
                        )
            file.flush()
            os.fsync(file.fileno())
            if path.exists():
                os.chmod(temporary, stat.S_IMODE(path.stat().st_mode))
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes a rename last through a power cut; systems that cannot open a folder do without."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def load(path: PathLike, weights: str = "best") -> Model:
    """The model in a file; `weights` chooses the best by held-out loss or the last ones of the training.

    Raises ModelFileError where the file is missing, damaged, not a model, or of a newer format.
    """
    if weights not in ("best", "last"):
        raise ModelFileError(f"weights are 'best' or 'last', not {weights!r}.")
    with opened(path) as file, refusing(path):
        model = read(file)
    if weights == "last" and model.run:
        model.params = model.run.last
    return model


@contextmanager
def opened(path: PathLike) -> Iterator[IO[bytes]]:
    try:
        # without waiting for a writer, should it be a FIFO
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise ModelFileError(f"there is no model file {path}: charrnn train TEXT makes one.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ModelFileError(f"{path} cannot be read: {reason}.") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ModelFileError(f"{path} is not a plain file, so it is no model.")
    with open(descriptor, "rb") as file:
        yield file


@contextmanager
def refusing(path: PathLike) -> Iterator[None]:
    """Whatever is wrong inside the file is one kind of error and one sentence."""
    try:
        yield
    except ModelFileError as error:
        raise ModelFileError(f"{path} {error}") from None
    except (CharRNNError, Exception) as error:
        raise ModelFileError(f"{path} is not a charrnn model, or it is damaged ({type(error).__name__}).") from None


class Members:
    """The arrays of an `.npz`, each read whole (so that its checksum is checked) and only as expected."""

    def __init__(self, file: IO[bytes]) -> None:
        self.archive = zipfile.ZipFile(file)
        size = os.fstat(file.fileno()).st_size
        infos = self.archive.infolist()
        self.infos = {info.filename.removesuffix(".npy"): info for info in infos}
        sound = all(i.compress_type == zipfile.ZIP_STORED and i.file_size <= size for i in infos)
        if len(self.infos) != len(infos) or not sound or sum(i.file_size for i in infos) > size:
            raise ModelFileError("is not a charrnn model, or it is damaged (its list of arrays).")

    def array(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...] | None) -> np.ndarray[Any, Any]:
        """The array of this name; a shape of None takes any vector."""
        info = self.infos[name]
        wanted = None if shape is None else math.prod(shape) * dtype.itemsize
        if wanted is not None and not wanted < info.file_size <= wanted + 1024:
            raise ModelFileError(f"is damaged: the array {name} has a size that does not fit.")
        data = io.BytesIO(self.archive.read(info))
        if np.lib.format.read_magic(data) != (1, 0):
            raise ValueError(name)
        found, fortran, kind = np.lib.format.read_array_header_1_0(data)
        values = np.frombuffer(data.getbuffer(), dtype=dtype, offset=data.tell())
        if fortran or kind != dtype or found != (shape or (len(values),)) or len(values) != math.prod(found):
            raise ModelFileError(f"is damaged: the array {name} is not of the shape or type that fits.")
        if dtype == FLOAT and not np.isfinite(values).all():
            raise ModelFileError(f"is damaged: the array {name} holds numbers that are not finite.")
        return values.reshape(found)


def read(file: IO[bytes]) -> Model:
    members = Members(file)
    if members.infos["meta"].file_size > MAX_META:
        raise ValueError("meta")
    meta = json.loads(members.array("meta", np.dtype(np.uint8), None).tobytes())
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
