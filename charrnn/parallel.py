"""Several processes on one batch: each has its share of the streams, and gradients are added in a fixed order.

The parent keeps the optimizer and everything else, and computes the first share itself. A worker is a fresh Python with
one thread for matrix products that knows nothing but forward and backward; it ends when the pipe that only the
parent holds closes, so that nothing is left behind however the parent ends.
"""

import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import weakref
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np

from charrnn.arrays import Array
from charrnn.blas import set_threads
from charrnn.dropout import Dropout
from charrnn.errors import WorkerError
from charrnn.model import Config, Network, cross_entropy
from charrnn.options import BLAS_THREADS
from charrnn.params import Params
from charrnn.shared import Block, Layout, attach
from charrnn.text.batch import Batch

STREAMS_EACH = 8  # a worker with fewer does little but wait
WORK_EACH = 500_000  # weights times streams below which a worker's help costs more than it gives
CARRY_ON, RESET, LOAD = range(3)  # what becomes of the state before a window
KINDS = ("state", "next")
ORDER, ANSWER = struct.Struct("<qqq"), struct.Struct("<qqd")  # both begin with the number of the order


def cores() -> int:
    """The processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def default_workers(config: Config, streams: int, available: int) -> int:
    """How many processes suit these sizes: a fixed rule, never a timing, so that a run can be repeated."""
    weights = sum(int(np.prod(shape)) for name, shape in config.shapes.items() if name != "l0.Wx")
    return max(1, min(available, streams // STREAMS_EACH, weights * streams // WORK_EACH))


def shares(streams: int, workers: int) -> list[slice]:
    """The streams of each worker: as equal as can be."""
    return [slice(a, b) for a, b in pairwise([streams * k // workers for k in range(workers + 1)])]


class Share:
    """Forward and backward for some of the streams; its loss and gradients are parts of the whole batch's mean."""

    def __init__(
        self,
        config: Config,
        params: Params,
        grads: Params,
        steps: int,
        streams: slice,
        dropout: float,
        seed: int,
    ) -> None:
        self.streams, self.grads = streams, grads
        self.network = Network(config, params, steps, streams.stop - streams.start, training=True)
        self.dropout = Dropout(dropout, seed, config.layers, steps, config.hidden_size, streams)

    def learn(self, batch: Batch, step: int, what: int, state: dict[str, Array]) -> float:
        """The loss of this share of the batch (of all streams); the gradients are in `grads` then.

        `what` is to be done first about the carried-in state; `state` is that of these streams, to LOAD.
        """
        if what == RESET:
            self.network.reset()
        elif what == LOAD:
            self.network.set_state(state)
        inputs, targets, scored, fresh = batch.of(self.streams)
        self.network.pack()
        logits = self.network.forward(inputs, self.dropout.masks(step), fresh)
        loss = cross_entropy(logits, targets, batch.symbols, scored)
        self.network.backward(inputs, logits, self.grads)
        self.network.carry()
        return loss


def layout(config: Config, steps: int, streams: int, workers: int, masked: bool) -> Layout:
    """Weights, the gradients of each worker but the first, the batch, and the states before and after it."""
    size = sum(int(np.prod(shape)) for shape in config.shapes.values())
    arrays: dict[str, tuple[tuple[int, ...], str]] = {"params": ((size,), "<f4")}
    arrays |= dict.fromkeys(("inputs", "targets"), ((steps, streams), "<i4"))
    arrays |= {name: ((steps, streams), "|b1") for name in ("scored", "fresh") if masked}
    arrays |= {f"grads{rank}": ((size,), "<f4") for rank in range(1, workers)}
    for kind in KINDS:
        arrays |= {f"{kind}.{name}": ((config.layers, streams, config.hidden_size), "<f4") for name in config.states}
    return Layout(arrays)


class Team:
    """The workers beside this process, and the memory that they share with it. `masked`: batches have masks."""

    def __init__(
        self, config: Config, steps: int, streams: int, workers: int, dropout: float, seed: int, masked: bool = False
    ) -> None:
        self.places = layout(config, steps, streams, workers, masked)
        self.block = Block(self.places.size)
        self.params: Array = self.view("params")
        self.state, self.next = ({name: self.view(f"{kind}.{name}") for name in config.states} for kind in KINDS)
        self.batch = batch_of(self.places, self.block.memory)
        self.slots = [self.view(f"grads{rank}") for rank in range(1, workers)]
        self.number = 0
        setup = {
            "handle": self.block.handle,
            "config": config.as_dict(),
            "steps": steps,
            "streams": streams,
            "workers": workers,
            "dropout": dropout,
            "seed": seed,
            "masked": masked,
        }
        self.processes: list[subprocess.Popen[bytes]] = []
        # in a notebook NumPy is loaded already, with threads that would be in the workers' way
        threads = set_threads(1)
        self.close = weakref.finalize(self, dismiss, self.processes, self.block.descriptor, threads)
        try:
            for rank in range(1, workers):
                self.processes.append(start(self.block.descriptor))
                self.send(rank, json.dumps({**setup, "rank": rank}).encode() + b"\n")
            for rank in range(1, workers):
                self.receive(rank)
        except OSError as error:
            self.close()
            raise WorkerError(f"a worker could not be started ({error}): try --workers 1.") from None

    def view(self, name: str) -> np.ndarray[Any, Any]:
        return self.places.view(self.block.memory, name)

    def send(self, rank: int, message: bytes) -> None:
        pipe = self.processes[rank - 1].stdin
        assert pipe is not None
        try:
            pipe.write(message)
        except BrokenPipeError:
            raise self.gone(rank) from None

    def receive(self, rank: int) -> float:
        pipe = self.processes[rank - 1].stdout
        assert pipe is not None
        while True:  # answers to orders that an interrupt has overtaken are passed over
            message = b""
            while len(message) < ANSWER.size:
                more = pipe.read(ANSWER.size - len(message))
                if not more:
                    raise self.gone(rank)
                message += more
            number, well, loss = ANSWER.unpack(message)
            if not well:
                raise WorkerError(f"worker {rank} failed, most likely for want of memory: try fewer --workers.")
            if number == self.number:
                return float(loss)

    def gone(self, rank: int) -> WorkerError:
        code = self.processes[rank - 1].wait()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return WorkerError(f"worker {rank} is gone ({how}), and the training with it.")

    def begin(self, batch: Batch, step: int, state: int) -> None:
        """Sets the others to work on their shares of the batch."""
        for shared, part in zip(self.batch, batch, strict=True):
            if shared is not None and part is not None:
                shared[:] = part
        self.number += 1
        for rank in range(1, len(self.processes) + 1):
            self.send(rank, ORDER.pack(self.number, step, state))

    def finish(self, grads: Array) -> float:
        """Adds the others' gradients to these, in the order of their ranks; the sum of the others' losses."""
        losses = [self.receive(rank) for rank in range(1, len(self.processes) + 1)]
        for slot in self.slots:
            grads += slot
        return sum(losses)


def start(descriptor: int) -> "subprocess.Popen[bytes]":
    """A fresh Python that runs `main` below, out of reach of the terminal's Ctrl-C."""
    home = str(Path(__file__).parent.parent)
    environment = {**os.environ, **dict.fromkeys(BLAS_THREADS, "1")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [home, environment.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-P", "-c", "from charrnn.parallel import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        env=environment,
        pass_fds=() if descriptor < 0 else (descriptor,),
        start_new_session=True,
    )


def dismiss(processes: "list[subprocess.Popen[bytes]]", descriptor: int, threads: int) -> None:
    """Closes the pipes, which ends the workers, waits for them, and gives the threads for products back."""
    set_threads(threads)
    for process in processes:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
    for process in processes:
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if descriptor >= 0:
        os.close(descriptor)


def main() -> None:
    """A worker's life: one setup, then window after window, until the pipe closes."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # the parent decides, and its pipe tells
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    with open(1, "wb", buffering=0, closefd=False) as answers:
        serve(sys.stdin.buffer, answers)


def serve(orders: IO[bytes], answers: IO[bytes]) -> None:
    try:
        share, batch, before, after = take_place(json.loads(orders.readline()))
        answers.write(ANSWER.pack(0, 1, 0.0))
        while len(order := orders.read(ORDER.size)) == ORDER.size:
            number, step, what = ORDER.unpack(order)
            loss = share.learn(batch, step, what, before)
            share.network.store_state(after)
            answers.write(ANSWER.pack(number, 1, loss))
    except BrokenPipeError:
        pass
    except Exception:
        answers.write(ANSWER.pack(0, 0, 0.0))


def batch_of(places: Layout, memory: mmap.mmap) -> Batch:
    """The shared batch."""
    found = [places.view(memory, name) if name in places.places else None for name in Batch._fields]
    return Batch(*found)  # type: ignore[arg-type]


def take_place(setup: dict[str, Any]) -> tuple[Share, Batch, dict[str, Array], dict[str, Array]]:
    """A worker's share, and its views of the batch and of its streams' states, before and after it."""
    config = Config(**setup["config"])
    rank, steps, streams, workers = (setup[name] for name in ("rank", "steps", "streams", "workers"))
    places = layout(config, steps, streams, workers, setup["masked"])
    memory = attach(setup["handle"], places.size)
    params = Params(config.shapes, flat=places.view(memory, "params"))
    grads = Params(config.shapes, flat=places.view(memory, f"grads{rank}"))
    mine = shares(streams, workers)[rank]
    share = Share(config, params, grads, steps, mine, setup["dropout"], setup["seed"])
    before, after = ({name: places.view(memory, f"{kind}.{name}")[:, mine] for name in config.states} for kind in KINDS)
    return share, batch_of(places, memory), before, after
