"""`Run`: where a training stands; written and checked."""

from dataclasses import dataclass, field
from typing import Any

from charrnn.arrays import Array
from charrnn.checkpoint.history import LOSSES, Health, History
from charrnn.checkpoint.npz import FLOAT, Members
from charrnn.checks import check_float, check_int
from charrnn.nn.optim import OPTIMIZERS
from charrnn.nn.params import Config, Params
from charrnn.options import Options

HISTORY_ROOM = 1 << 18


@dataclass
class Run:
    """Where a training stands, and all that it needs to go on as if it had never stopped.

    `texts` are the paths as they were typed; `streams`, `seq_length` and `windows` (an epoch's steps) are the
    sizes in use; `last` the weights after `step` steps; `optimizer` its vectors, each as long as `last.flat`;
    `state` the carried state, (layers, streams, H) for each of `h` (and `c`). `best_loss` is held-out, in nats.
    `machine` is what the last bits depend on (`blas.machine`), `health` how the training fares.
    `before` are the texts that the first weights were trained on, where they come from another model.
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
    machine: dict[str, str] = field(default_factory=dict)
    health: Health = field(default_factory=Health)
    before: tuple[str, ...] = ()

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
            "machine": self.machine,
            "health": self.health.as_dict(),
            "before": list(self.before),
        }


def read_params(members: Members, config: Config, prefix: str) -> Params:
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
    machine = values.get("machine", {})  # which the first format lacks
    if any(getattr(options, name) != getattr(config, name) for name in ("cell", "layers", "hidden_size")):
        raise ValueError("options")
    last = read_params(members, config, "last.") if "last.by" in members else params
    state_shape = (config.layers, scalars["streams"], config.hidden_size)
    return Run(
        options=options,
        texts=tuple(strings(values["texts"])),
        **scalars,
        last=last,
        optimizer={
            name: members.array(f"optimizer.{name}", FLOAT, params.flat.shape).copy()
            for name in OPTIMIZERS[options.optimizer].vectors
        },
        state={name: members.array(f"state.{name}", FLOAT, state_shape) for name in config.states},
        history=History.from_dict(values["history"]),
        machine=dict(zip(machine, strings(list(machine.values())), strict=True)),
        health=Health.from_dict(values["health"], scalars["step"]) if "health" in values else Health(),
        before=tuple(strings(values.get("before", []))),
    )


def strings(values: list[Any]) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("not texts")
    return values


def check_scalars(values: dict[str, Any]) -> None:
    """Raises UsageError or ValueError unless these can be where a run stands."""
    for name in ("symbols", "streams", "seq_length", "windows"):
        check_int(name, values[name], 1)
    check_int("step", values["step"], 0)
    check_float("seconds", values["seconds"], at_least=0.0)
    if (values["best_step"] is None) != (values["best_loss"] is None):
        raise ValueError("best")
    if values["best_step"] is not None:
        check_int("best_step", values["best_step"], 1, max(values["step"], 1))
        check_float("best_loss", values["best_loss"], **LOSSES)
    if not isinstance(values["sha256"], str) or len(values["sha256"]) != 64:
        raise ValueError("sha256")
