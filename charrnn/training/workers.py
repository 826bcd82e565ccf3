"""Several processes on one batch: each has its share of the streams, and gradients are added in a fixed order.

The parent decides everything, and computes the first share itself; what the others do is in `worker.py`.
"""

import json
import os
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np

from charrnn.errors import WorkerError
from charrnn.nn.optim import OPTIMIZERS
from charrnn.nn.params import Config
from charrnn.system.blas import set_threads
from charrnn.system.resources import BLAS_THREADS
from charrnn.text.batches import Batch
from charrnn.training.shared_memory import Block
from charrnn.training.worker import ANSWER, KINDS, ORDER, batch_of, do, layout, part_of

STREAMS_EACH = 8  # a worker with fewer does little but wait
WORK_EACH = 500_000  # weights times streams below which a worker's help costs more than it gives


def default_workers(config: Config, streams: int, available: int) -> int:
    """How many processes suit these sizes: a fixed rule, never a timing, so that a run can be repeated."""
    multiplied = sum(int(np.prod(shape)) for name, shape in config.shapes.items() if name != "l0.Wx")
    return max(1, min(available, streams // STREAMS_EACH, multiplied * streams // WORK_EACH))


class Team:
    """The workers beside this process, and the memory that they share with it. `masked`: batches have masks."""

    def __init__(
        self,
        config: Config,
        steps: int,
        streams: int,
        workers: int,
        dropout: float,
        seed: int,
        optimizer: str,
        masked: bool = False,
    ) -> None:
        self.places = layout(config, steps, streams, workers, optimizer, masked)
        self.block = Block(self.places.size)
        self.params, self.grads, self.settings = map(self.view, ("params", "grads0", "settings"))
        self.vectors = {name: self.view(f"optimizer.{name}") for name in OPTIMIZERS[optimizer].vectors}
        self.part = part_of(self.places, self.block.memory, config, optimizer, workers, 0)
        self.state, self.next = ({name: self.view(f"{kind}.{name}") for name in config.states} for kind in KINDS)
        self.batch = batch_of(self.places, self.block.memory)
        self.number = 0
        setup = {
            "handle": self.block.handle,
            "config": config.as_dict(),
            "steps": steps,
            "streams": streams,
            "workers": workers,
            "dropout": dropout,
            "seed": seed,
            "optimizer": optimizer,
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

    def finish(self) -> float:
        """Waits until the others have learned; the sum of their losses."""
        return sum(self.answers())

    def answers(self) -> list[float]:
        return [self.receive(rank) for rank in range(1, len(self.processes) + 1)]

    def together(self, what: int, settings: tuple[float, ...] = ()) -> list[float]:
        """Has all add their part of the gradients, or update their part of the weights; what each says of it."""
        self.settings[: len(settings)] = settings
        self.number += 1
        for rank in range(1, len(self.processes) + 1):
            self.send(rank, ORDER.pack(self.number, 0, what))
        try:
            mine = do(self.part, what, self.settings)
        finally:  # whatever comes between, nobody is left at work on what all share
            others = self.answers()
        return [mine, *others]


def start(descriptor: int) -> "subprocess.Popen[bytes]":
    """A fresh Python that runs the `main` of `worker.py`, out of reach of the terminal's Ctrl-C."""
    home = str(Path(__file__).parent.parent)
    environment = {**os.environ, **dict.fromkeys(BLAS_THREADS, "1")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [home, environment.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-P", "-c", "from charrnn.training.worker import main; main()"],
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
