"""A worker: a fresh Python with one thread for matrix products, and what it shares with the process that started it.

It knows nothing but forward and backward for its streams, and how to add and update its part of the weights; it ends
when the pipe that only its parent holds closes, so that nothing is left behind however the parent ends.
"""

import json
import mmap
import signal
import struct
import sys
from typing import IO, Any

from charrnn.arrays import Array
from charrnn.nn.optim import OPTIMIZERS
from charrnn.nn.params import Config, Params
from charrnn.text.batches import Batch
from charrnn.training.shared_memory import Layout, attach
from charrnn.training.step import ADD, UPDATE, Part, Share, parts, shares, weights

KINDS = ("state", "next")
SETTINGS = 4  # numbers that come with an update
ORDER, ANSWER = struct.Struct("<qqq"), struct.Struct("<qqd")  # both begin with the number of the order


def layout(config: Config, steps: int, streams: int, workers: int, optimizer: str, masked: bool) -> Layout:
    """Weights, the optimizer's vectors, the gradients of each worker, the batch, and the states before and after it."""
    size = weights(config)
    vectors = [f"optimizer.{name}" for name in OPTIMIZERS[optimizer].vectors]
    arrays: dict[str, tuple[tuple[int, ...], str]] = dict.fromkeys(("params", *vectors), ((size,), "<f4"))
    arrays["settings"] = (SETTINGS,), "<f8"
    arrays |= dict.fromkeys(("inputs", "targets"), ((steps, streams), "<i4"))
    arrays |= {name: ((steps, streams), "|b1") for name in ("loss_mask", "reset") if masked}
    arrays |= {f"grads{rank}": ((size,), "<f4") for rank in range(workers)}
    for kind in KINDS:
        arrays |= {f"{kind}.{name}": ((config.layers, streams, config.hidden_size), "<f4") for name in config.states}
    return Layout(arrays)


def part_of(places: Layout, memory: mmap.mmap, config: Config, optimizer: str, workers: int, rank: int) -> Part:
    """What a worker updates."""
    mine, kind = parts(weights(config), workers)[rank], OPTIMIZERS[optimizer]
    params, first, *others = (
        places.view(memory, name)[mine] for name in ("params", *(f"grads{k}" for k in range(workers)))
    )
    vectors = {name: places.view(memory, f"optimizer.{name}")[mine] for name in kind.vectors}
    return Part(kind(params, vectors), params, first, others)


def do(part: Part, what: int, settings: Array) -> float:
    """Adds this part of the gradients, or updates this part of the weights."""
    if what == ADD:
        return part.add()
    lr, step, weight_decay, scale = settings.tolist()
    return float(part.update(lr, int(step), weight_decay, scale))


def main() -> None:
    """A worker's life: one setup, then window after window, until the pipe closes."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # the parent decides, and its pipe tells
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    with open(1, "wb", buffering=0, closefd=False) as answers:
        serve(sys.stdin.buffer, answers)


def serve(orders: IO[bytes], answers: IO[bytes]) -> None:
    try:
        share, part, settings, batch, before, after = take_place(json.loads(orders.readline()))
        answers.write(ANSWER.pack(0, 1, 0.0))
        while len(order := orders.read(ORDER.size)) == ORDER.size:
            number, step, what = ORDER.unpack(order)
            if what in (ADD, UPDATE):
                found = do(part, what, settings)
            else:
                found = share.learn(batch, step, what, before)
                share.network.store_state(after)
            answers.write(ANSWER.pack(number, 1, found))
    except BrokenPipeError:
        pass
    except Exception:
        answers.write(ANSWER.pack(0, 0, 0.0))


def batch_of(places: Layout, memory: mmap.mmap) -> Batch:
    """The shared batch."""
    found = [places.view(memory, name) if name in places.places else None for name in Batch._fields]
    return Batch(*found)  # type: ignore[arg-type]


def take_place(setup: dict[str, Any]) -> tuple[Share, Part, Array, Batch, dict[str, Array], dict[str, Array]]:
    """A worker's share and part, and its views of the settings, the batch, and its streams' states before and after."""
    config, optimizer = Config(**setup["config"]), setup["optimizer"]
    rank, steps, streams, workers = (setup[name] for name in ("rank", "steps", "streams", "workers"))
    places = layout(config, steps, streams, workers, optimizer, setup["masked"])
    memory = attach(setup["handle"], places.size)
    params = Params(config.shapes, flat=places.view(memory, "params"))
    grads = Params(config.shapes, flat=places.view(memory, f"grads{rank}"))
    mine = shares(streams, workers)[rank]
    share = Share(config, params, grads, steps, mine, setup["dropout"], setup["seed"])
    before, after = ({name: places.view(memory, f"{kind}.{name}")[:, mine] for name in config.states} for kind in KINDS)
    part = part_of(places, memory, config, optimizer, workers, rank)
    return share, part, places.view(memory, "settings"), batch_of(places, memory), before, after
