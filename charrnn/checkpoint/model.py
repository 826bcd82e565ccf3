"""The model file: one `.npz` with the weights by name, the state of the training, and one JSON text, `meta`.

Arrays in the file: `l0.Wx` ... `by` the best weights; `last.l0.Wx` ... the last ones, where they differ;
`optimizer.m` ... and `state.h` ... what a resumed run needs. `meta` is the JSON as bytes (uint8), `vocab` the codes of
the symbols (uint32), `rare` those of rare ones that share one symbol, where there are any, `sha256` the digest of all
that stands before it. Format 1 had the vocabulary in `meta`, and no digest: it is still read. Format 3 has a `task` in
`meta`.
"""

import json
import math
from dataclasses import dataclass, replace
from typing import IO, Any

import numpy as np

from charrnn.checkpoint.npz import BYTE, Members, Values, opened, refusing, write
from charrnn.checkpoint.run import HISTORY_ROOM, Run, read_params, read_run
from charrnn.errors import ModelFileError, UsageError
from charrnn.nn.params import Config, Params
from charrnn.system.atomic import PathLike, target
from charrnn.text.tasks import Task
from charrnn.text.units import UNITS
from charrnn.text.vocab import CODE_LIMIT, REPLACEMENT, Vocab

FORMAT, TASK_FORMAT = 2, 3  # the second has a task, which the first readers would pass over
MAX_META = 1 << 21
CODE = np.dtype("<u4")
SURROGATES = range(0xD800, 0xE000)  # no symbols of any text


@dataclass
class Model:
    """A trained network: `config`, `vocab`, and `params`, its weights by name (float32; the best ones).

    `run` is what a training left to go on from, None where there was none; `task` is None for a text, else what was
    learned from examples: the network's symbols are the vocabulary's and then the task's labels.
    """

    config: Config
    vocab: Vocab
    params: Params
    run: Run | None = None
    task: Task | None = None

    def of_text(self) -> "Model":
        """This model. Raises UsageError where it has a task, which another way of using it suits."""
        if self.task:
            raise UsageError(self.task.instead)
        return self

    def save(self, path: PathLike) -> None:
        """Writes the model file: beside it first, then renamed over it, so that it is never half-written.

        Raises ModelFileError where that cannot be done, or the numbers are no longer finite; the file that was there is
        untouched then.
        """
        arrays = self.arrays()
        for name, values in arrays.items():
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise ModelFileError(f"{path} is not written: {name} is no longer finite.")
        try:
            write(target(path), arrays)
        except OSError as error:
            raise ModelFileError(f"{path} could not be written: {error.strerror or error}.") from error

    def arrays(self) -> dict[str, Values]:
        """All that the file holds, by name, in its order."""
        meta = {
            "format": TASK_FORMAT if self.task else FORMAT,
            "config": self.config.as_dict(),
            "unit": self.vocab.unit,
            "run": self.run.as_dict() if self.run else None,
        }
        if self.task:
            meta["task"] = self.task.as_dict()
        text = json.dumps(meta, ensure_ascii=True, allow_nan=False).encode()
        if len(text) > MAX_META:
            raise ModelFileError("the names of the texts are too many to be kept in a model file: name their folder.")
        arrays: dict[str, Values] = {"meta": np.frombuffer(text, dtype=BYTE), "vocab": self.vocab.codes.astype(CODE)}
        if len(self.vocab.rare):
            arrays["rare"] = self.vocab.rare.astype(CODE)
        arrays.update(self.params)
        if self.run:
            if not same(self.run.last, self.params):
                arrays.update({f"last.{name}": values for name, values in self.run.last.items()})
            arrays.update({f"optimizer.{name}": values for name, values in self.run.optimizer.items()})
            arrays.update({f"state.{name}": values for name, values in self.run.state.items()})
        return arrays

    @property
    def room(self) -> int:
        """Bytes that the file of this run may come to take: best and last weights, and a full history."""
        sizes = [values.nbytes + 512 for values in self.arrays().values()]
        return sum(sizes) + self.params.flat.nbytes + 512 * len(self.params) + HISTORY_ROOM


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
    if members.size("meta") > MAX_META:
        raise ValueError("meta")
    text = members.array("meta", BYTE, (members.size("meta"),)).tobytes().decode("ascii")
    meta = json.loads(text, parse_constant=finite, parse_float=finite, object_pairs_hook=unrepeated)
    if type(meta["format"]) is not int or meta["format"] < 1:
        raise ValueError("format")
    if meta["format"] > TASK_FORMAT:
        raise ModelFileError(f"was written by a newer charrnn (format {meta['format']}; this one reads {TASK_FORMAT}).")
    config = Config(**meta["config"])
    old = meta["format"] == 1
    task = Task.from_dict(meta["task"]) if meta["format"] == TASK_FORMAT else None
    symbols = config.vocab_size - len(task.labels if task else ())
    codes = meta["vocab"] if old else members.array("vocab", CODE, (symbols,)).tolist()
    rare = []
    if "rare" in members:
        rare = members.array("rare", CODE, (members.size("rare") // CODE.itemsize,)).tolist()
    vocab = checked_vocab(meta["unit"], codes, rare, symbols)
    if task and not task.needs <= set(codes):
        raise ValueError("task")
    params = read_params(members, config, "")
    run = read_run(members, config, meta["run"], params) if meta["run"] is not None else None
    members.end(hashed=not old)
    return Model(config, vocab, params, run, task)


def finite(number: str) -> float:
    """A number from JSON, which may spell what is none."""
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(number)
    return value


def unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object from JSON, whose names may be said only once."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is repeated")
    return found


def checked_vocab(unit: str, codes: list[int], rare: list[int], symbols: int) -> Vocab:
    limit = 256 if unit == "byte" else CODE_LIMIT
    if unit not in UNITS or not all(type(c) is int and 0 <= c < limit and c not in SURROGATES for c in [*codes, *rare]):
        raise ValueError("vocab")
    vocab = Vocab(unit, codes, rare)
    if len(vocab) != symbols or vocab.codes.tolist() != codes or vocab.rare.tolist() != rare:
        raise ValueError("vocab")
    if not (set(codes) - {REPLACEMENT}).isdisjoint(rare):
        raise ValueError("rare")
    return vocab
