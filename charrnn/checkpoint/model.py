"""`Model`, and the model file: one `.npz` with the weights by name, the state of the training, and JSON in `meta`.

Arrays in the file: `meta` is the JSON as bytes (uint8), `vocab` the codes of the symbols (uint32), `rare` those of the
rare symbols that share the unknown symbol, if there are any; `l0.Wx` ... `by` are the best weights; `last.l0.Wx` ...
the last ones, if they differ; `optimizer.m` ... and `state.h` ... are for resuming; `sha256` is the digest of all that
precedes it. After the best weights come `ngram.1.keys`, `ngram.1.counts`, ... of an n-gram model, if there is one.
Fields that a later version adds to the JSON have defaults, which are used for files without them.
"""

import json
import math
import os
from dataclasses import dataclass, field, replace
from typing import IO, Any

import numpy as np

from charrnn.checkpoint import npz
from charrnn.checkpoint.builtin import model_file
from charrnn.checkpoint.ngram_arrays import ngram_arrays, read_ngram
from charrnn.checkpoint.notebook import table
from charrnn.checkpoint.run import HISTORY_ROOM, Run, read_params, read_run
from charrnn.checks import from_file, require, shown
from charrnn.errors import ModelFileError, UsageError
from charrnn.nn.ngram_model import NgramModel
from charrnn.nn.params import Config, Params
from charrnn.system.atomic import PathLike, replacing, target
from charrnn.text.tasks import Task
from charrnn.text.units import UNITS
from charrnn.text.vocab import NEWLINE, REPLACEMENT, Vocab

VERSION = 1  # of the format
FIELDS = {"version", "config", "unit", "boundary", "run", "task", "ngram"}
MAX_META = 1 << 21
CODE = np.dtype("<u4")
SURROGATES = range(0xD800, 0xE000)  # never symbols of a text


@dataclass
class Model:
    """A trained network: `config`, `vocab`, and `params`, its weights by name (float32; the best ones).

    `run` is the state of its training, None if there was none; `task` is None for a text, else what was learned from
    examples: the network's symbols are those of the vocabulary, followed by the labels of the task. With `ngram`, an
    n-gram model, the probabilities are w p_ngram + (1 - w) p_network, where w is `ngram_weight`; w is 1 if there is no
    network: `config` then has no layers, and `params` is empty.
    """

    config: Config
    vocab: Vocab
    params: Params
    run: Run | None = None
    task: Task | None = None
    ngram: NgramModel | None = None
    ngram_weight: float = 0.0
    path: str = field(default="", compare=False)  # of the file that it was loaded from, for messages

    @property
    def kind(self) -> str:
        """The network and the n-gram model, in a few words."""
        parts = [self.config.name] * bool(self.config.layers) + ([self.ngram.name] if self.ngram else [])
        return " + ".join(parts)

    @property
    def description(self) -> str:
        """The network in a few words."""
        symbols = len(self.vocab)
        return f"{self.kind}, {symbols:,} symbol{'s' * (symbols != 1)}"

    def __repr__(self) -> str:
        loss = f", validation loss {self.run.best_loss:.2f}" if self.run and self.run.best_loss is not None else ""
        return f"Model({self.description}{loss}{self.alone if loss else ''})"

    @property
    def alone(self) -> str:
        """What the validation loss of the run is that of, if the model is more."""
        return " (network alone)" if self.ngram and self.config.layers else ""

    def _repr_html_(self) -> str:
        """A table for a notebook: the network, and its training."""
        rows = [("network" if self.config.layers else "model", self.description)]
        if self.config.layers:
            rows.append(("parameters", f"{len(self.params.flat):,}"))
        if self.task:
            rows.append(("task", self.task.kind))
        if run := self.run:
            rows.append(("text", ", ".join(run.texts)))
            if self.config.layers:
                rows.append(("training", f"{run.step:,} steps in {run.seconds:,.0f} s"))
            if run.best_loss is not None:
                at = f" at step {run.best_step:,}" if self.config.layers else ""
                rows.append(("validation loss", f"{run.best_loss:.4f} nats{at}{self.alone}"))
        return table(rows)

    @property
    def boundary(self) -> int | None:
        """The id of the symbol that ends every text, an end of text or a newline; None for one long text."""
        return self.vocab.boundary

    def of_text(self) -> "Model":
        """This model. Raises UsageError, with the command that suits its task, if it has one."""
        if self.task:
            raise UsageError(self.task.instead(self.path))
        return self

    def of_network(self) -> "Model":
        """The network of this model, without its n-gram model. Raises UsageError if it has no network."""
        if not self.config.layers:
            raise UsageError(
                f"{self.path or 'the model'} is an n-gram model, and this needs a network: train one with "
                "charrnn train TEXT."
            )
        return replace(self, ngram=None, ngram_weight=0.0)

    def save(self, path: PathLike) -> None:
        """Writes the model file atomically: to a temporary file first, which is then renamed.

        Raises ModelFileError if that fails or a number is not finite; an existing file is then unchanged.
        """
        arrays = self.arrays()
        for name, values in arrays.items():
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise ModelFileError(f"{path} was not written: {name} has a number that is not finite.")
        try:
            with replacing(target(path)) as file:
                npz.pack(file, arrays)
        except OSError as error:
            raise ModelFileError(f"{path} could not be written: {error.strerror or error}.") from error

    def arrays(self) -> dict[str, npz.Values]:
        """The arrays of the file by name, in their order."""
        meta = {
            "version": VERSION,
            "config": self.config.as_dict(),
            "unit": self.vocab.unit,
            "boundary": self.vocab.boundary_code,
            "run": self.run.as_dict() if self.run else None,
            "task": self.task.as_dict() if self.task else None,
        }
        if self.ngram:
            meta["ngram"] = {"order": self.ngram.order, "weight": self.ngram_weight}
        text = json.dumps(meta, ensure_ascii=True, allow_nan=False).encode()
        if len(text) > MAX_META:
            raise ModelFileError("the texts have too many names for a model file: give their folder instead.")
        arrays: dict[str, npz.Values] = {"meta": np.frombuffer(text, "u1"), "vocab": self.vocab.codes.astype(CODE)}
        if len(self.vocab.rare):
            arrays["rare"] = self.vocab.rare.astype(CODE)
        arrays |= self.params
        arrays |= ngram_arrays(self.ngram) if self.ngram else {}
        if self.run:
            last = {} if np.array_equal(self.run.last.flat, self.params.flat) else self.run.last
            for prefix, group in (("last", last), ("optimizer", self.run.optimizer), ("state", self.run.state)):
                arrays |= {f"{prefix}.{name}": values for name, values in group.items()}
        return arrays

    @property
    def room(self) -> int:
        """The largest size in bytes of the file of this run: best and last weights, and a full history."""
        sizes = [values.nbytes + 512 for values in self.arrays().values()]
        return sum(sizes) + self.params.flat.nbytes + 512 * len(self.params) + HISTORY_ROOM


def load(path: PathLike, weights: str = "best") -> Model:
    """The model in a file, or the built-in model `:NAME`.

    `weights` are "best", by validation loss, or "last", those after the last step. Raises ModelFileError if the file is
    missing, damaged, not a model, or written by another version.
    """
    if weights not in ("best", "last"):
        raise ModelFileError(f"weights are 'best' or 'last', not {weights!r}.")
    with npz.opened(model_file(path)) as file, npz.refusing(path):
        model = replace(read(file), path=os.fspath(path))
    if weights == "last" and model.run:  # without the best weights, nothing may claim to be the best
        return replace(model, params=model.run.last, run=replace(model.run, best_step=None, best_loss=None))
    return model


def read(file: IO[bytes]) -> Model:
    members = npz.Members(file)
    require(members.size("meta") <= MAX_META, "meta")
    text = members.array("meta", npz.BYTE, (members.size("meta"),)).tobytes().decode("ascii")
    meta = json.loads(text, parse_constant=finite, parse_float=finite, object_pairs_hook=unrepeated)
    check_version(meta)
    config = from_file(Config, meta["config"])
    task = Task.from_dict(meta["task"]) if meta.get("task") is not None else None
    symbols = config.vocab_size - len(task.labels if task else ())
    codes = members.array("vocab", CODE, (symbols,))
    rare = members.array("rare", CODE, (members.size("rare") // CODE.itemsize,)) if "rare" in members else codes[:0]
    vocab = checked_vocab(meta["unit"], codes.tolist(), rare.tolist(), symbols, meta.get("boundary"))
    require(task is None or (task.needs <= set(codes.tolist()) and vocab.boundary is None), "task")
    params = read_params(members, config, "")
    ngram, weight = None, 0.0
    if meta.get("ngram") is not None:
        ngram, weight = read_ngram(members, meta["ngram"], config, vocab, task)
    require(config.layers > 0 or ngram is not None, "ngram")
    run = read_run(members, config, meta["run"], params) if meta["run"] is not None else None
    members.end()
    return Model(config, vocab, params, run, task, ngram, weight)


def check_version(meta: dict[str, Any]) -> None:
    """Raises ModelFileError or ValueError unless this version can read the file."""
    require(isinstance(meta, dict), "meta")
    if "version" not in meta:
        raise ModelFileError("was written by a development version of charrnn: train it again.")
    require(type(meta["version"]) is int and meta["version"] > 0, "version")
    if meta["version"] > VERSION:
        raise ModelFileError(f"was written by a newer charrnn (format {meta['version']}; this one reads {VERSION}).")
    if unknown := sorted(set(meta) - FIELDS):
        raise ModelFileError(f"was written by a newer charrnn: it contains {shown(unknown[0])!r}.")


def finite(number: str) -> float:
    """A number in JSON, which also allows NaN and infinity."""
    value = float(number)
    require(math.isfinite(value), number)
    return value


def unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in JSON, which also allows repeated names."""
    values = dict(pairs)
    require(len(values) == len(pairs), "repeated")
    return values


def checked_vocab(unit: str, codes: list[int], rare: list[int], symbols: int, boundary: int | None) -> Vocab:
    require(unit in UNITS, "unit")
    limit = UNITS[unit].end_of_text
    require(boundary is None or (type(boundary) is int and boundary in (NEWLINE, limit)), "boundary")
    characters = codes[:-1] if boundary == limit else codes
    require(all(0 <= code < limit and code not in SURROGATES for code in [*characters, *rare]), "codes")
    require((set(codes) - {REPLACEMENT}).isdisjoint(rare), "rare")
    vocab = Vocab(unit, codes, rare, boundary)
    require(len(vocab) == symbols and vocab.codes.tolist() == codes and vocab.rare.tolist() == rare, "vocab")
    return vocab
