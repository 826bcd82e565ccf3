"""A worker process: it runs the windows of its streams, and adds and updates its shard of the weights.

It is a fresh Python with one BLAS thread. It ends when its pipe closes, which only the parent holds open, so that no
process is left behind however the parent ends.
"""

import json
import signal
import struct
import sys
from contextlib import suppress
from typing import NamedTuple

from charrnn.arrays import Array, ceil_div
from charrnn.nn.fast.engine import is_fast
from charrnn.nn.fast.layout import Division
from charrnn.nn.fast.weights import PackedWeights, packed_shapes
from charrnn.nn.optim import OPTIMIZERS
from charrnn.nn.params import Params
from charrnn.system.portability import STOP_SIGNALS
from charrnn.text.batches import Batch
from charrnn.training.shared_memory import Arrays, Layout, attach
from charrnn.training.step import Job, ParamShard, Phase, StreamShard, param_shards, stream_shards

ORDER = struct.Struct("<qqqddd")  # the fields of `Order`
ANSWER = struct.Struct("<qqd")  # the number of the order, whether it succeeded, and the result


class Order(NamedTuple):
    """A message of the parent: `step` is that of the training for a window, that of the optimizer for an update."""

    number: int
    phase: int
    step: int = 0
    lr: float = 0.0
    weight_decay: float = 0.0
    scale: float = 1.0


class WorkerState(NamedTuple):
    """A worker's shards, and its views of the shared memory: the batch of all streams, and the carried states of its
    own streams before and after the window, each (layers, B, H).
    """

    streams: StreamShard
    params: ParamShard
    batch: Batch
    before: dict[str, Array]
    after: dict[str, Array]


def layout(job: Job) -> Layout:
    """Weights, vectors of the optimizer, gradients of each worker, the batch, the states before and after it, and the
    copies of the weights that a fast network multiplies with.
    """
    size, window = job.weights, (job.steps, job.streams)
    vectors = [f"optimizer.{name}" for name in OPTIMIZERS[job.optimizer].vectors]
    grads = [f"grads{rank}" for rank in range(job.workers)]
    arrays: dict[str, tuple[tuple[int, ...], str]] = dict.fromkeys(("params", *vectors, *grads), ((size,), "<f4"))
    arrays |= dict.fromkeys(Batch._fields[:2], (window, "<i4"))
    arrays |= dict.fromkeys(Batch._fields[2:] if job.masked else (), (window, "|b1"))
    states = [f"{when}.{name}" for when in ("before", "after") for name in job.config.states]
    arrays |= dict.fromkeys(states, ((job.config.layers, job.streams, job.config.hidden_size), "<f4"))
    if is_fast(job.config, job.engine) and not job.config.linear:
        shapes = packed_shapes(job.config, division(job), training=True)
        arrays |= {f"packed.{name}": (shape, "<f4") for name, shape in shapes.items()}
    return Layout(arrays)


def division(job: Job) -> Division:
    """How all workers divide the weights: by the largest shard of the streams."""
    return Division(len(job.config.gates), job.config.hidden_size, ceil_div(job.streams, job.processes))


def packed_weights(job: Job, rank: int, params: Params, arrays: Arrays) -> PackedWeights | None:
    """The copies of the weights, which all workers share; None for the plain engine."""
    memory = {name.removeprefix("packed."): array for name, array in arrays.items() if name.startswith("packed.")}
    return PackedWeights(job.config, params, division(job), memory, rank, job.workers) if memory else None


def attach_worker(job: Job, rank: int, arrays: Arrays) -> WorkerState:
    """The worker of this number; number 0 is the process that trains."""
    streams = stream_shards(job.streams, job.processes)[job.rank * job.workers + rank]
    weights = param_shards(job.weights, job.workers)[rank]
    params, grads = (Params(job.config.shapes, flat=arrays[name]) for name in ("params", f"grads{rank}"))
    kind = OPTIMIZERS[job.optimizer]
    optimizer = kind(params.flat[weights], {name: arrays[f"optimizer.{name}"][weights] for name in kind.vectors})
    own, *others = (arrays[f"grads{k}"][weights] for k in range(job.workers))
    return WorkerState(
        StreamShard(job, streams, params, grads, packed_weights(job, rank, params, arrays)),
        ParamShard(optimizer, params.flat[weights], own, others),
        Batch(*map(arrays.get, Batch._fields)),  # type: ignore[arg-type]
        *({name: arrays[f"{when}.{name}"][:, streams] for name in job.config.states} for when in ("before", "after")),
    )


def run_phase(worker: WorkerState, order: Order) -> float:
    """Does this worker's part of a phase: returns the loss of a window, the sum of squares of ADD, or the status."""
    phase = Phase(order.phase)
    if phase == Phase.PACK:
        worker.streams.network.pack()
        return 0.0
    if phase == Phase.ADD:
        return worker.params.add()
    if phase == Phase.UPDATE:
        return worker.params.update(order.lr, order.step, order.weight_decay, order.scale)
    loss = worker.streams.run(worker.batch, order.step, phase, worker.before)
    worker.streams.network.store_state(worker.after)
    return loss


def main() -> None:
    """Entry point of a worker process: reads the job and the place in it, one line each, then one order after another
    until the pipe closes.
    """
    for number in STOP_SIGNALS:  # the parent decides, and closes the pipe
        signal.signal(number, signal.SIG_IGN)
    orders = sys.stdin.buffer
    with open(1, "wb", buffering=0, closefd=False) as answers, suppress(BrokenPipeError):
        try:
            job, place = Job.from_json(orders.readline()), json.loads(orders.readline())
            plan = layout(job)
            worker = attach_worker(job, place["rank"], plan.views(attach(place["handle"], plan.size)))
            answers.write(ANSWER.pack(0, True, 0.0))
            while len(message := orders.read(ORDER.size)) == ORDER.size:
                order = Order(*ORDER.unpack(message))
                answers.write(ANSWER.pack(order.number, True, run_phase(worker, order)))
        except Exception:
            answers.write(ANSWER.pack(0, False, 0.0))  # fails in silence if it is the pipe that is broken
