"""Several processes that train on one batch: each has a shard of the streams, and gradients are added in a fixed order.

The parent gives all orders and is itself the worker of rank 0; the other workers run `worker.py`.
"""

import json
import math
import os
import subprocess
import sys
import weakref
from pathlib import Path

from charrnn.errors import WorkerError
from charrnn.nn.optim import OPTIMIZERS
from charrnn.nn.params import Config
from charrnn.system.blas import set_threads
from charrnn.system.resources import BLAS_THREADS
from charrnn.text.batches import Batch
from charrnn.training.shared_memory import Block
from charrnn.training.step import Job, Phase
from charrnn.training.worker import ANSWER, ORDER, Order, attach_worker, layout, run_phase

HOME = Path(__file__).parents[2]  # where a worker finds charrnn
STREAMS_EACH = 4  # a worker with fewer gains little, see docs/performance.md
WORK_EACH = 500_000  # weights times streams; a worker with less costs more than it gains


def default_workers(config: Config, streams: int, available: int) -> int:
    """The number of processes for these sizes: a fixed rule, never a timing, so that runs are reproducible."""
    multiplied = sum(math.prod(shape) for name, shape in config.shapes.items() if name != config.lookup)
    return max(1, min(available, streams // STREAMS_EACH, multiplied * streams // WORK_EACH))


class WorkerPool:
    """All workers of a training, the parent included; a pool of one has plain memory and no other processes.

    `params` and `grads` are the weights and the parent's gradients, `vectors` those of the optimizer (flat), and
    `before` and `after` the carried states (layers, B, H) of all streams before and after the window.
    """

    def __init__(self, job: Job) -> None:
        plan = layout(job)
        self.block = Block(plan.size, shared=job.workers > 1)
        arrays = plan.views(self.block.memory)
        self.worker = attach_worker(job, 0, arrays)
        self.params, self.grads = self.worker.streams.params, self.worker.streams.grads
        self.vectors = {name: arrays[f"optimizer.{name}"] for name in OPTIMIZERS[job.optimizer].vectors}
        self.before, self.after = (
            {name: arrays[f"{when}.{name}"] for name in job.config.states} for when in ("before", "after")
        )
        self.number = 0
        self.processes: list[subprocess.Popen[bytes]] = []
        # in a notebook NumPy is already loaded, with BLAS threads that would compete with the workers
        threads = set_threads(1) if job.workers > 1 else 0
        self.close = weakref.finalize(self, stop_processes, self.processes, self.block.descriptor, threads)
        try:
            for rank in range(1, job.workers):
                self.processes.append(start_process(self.block.descriptor))
                place = json.dumps({"rank": rank, "handle": self.block.handle})
                self.send(rank, f"{job.to_json()}\n{place}\n".encode())
            for rank in range(1, job.workers):
                self.receive(rank)
        except OSError as error:
            self.close()
            raise WorkerError(f"a worker could not be started ({error}): try `workers=1`.") from None

    def set_batch(self, batch: Batch) -> None:
        """Copies the batch into the memory of the workers."""
        for shared, values in zip(self.worker.batch, batch, strict=True):
            if shared is not None and values is not None:
                shared[:] = values

    def broadcast(
        self, phase: Phase, step: int, lr: float = 0.0, weight_decay: float = 0.0, scale: float = 1.0
    ) -> list[float]:
        """Has all workers run a phase, and returns the result of each; see `worker.run_phase`."""
        self.number += 1
        order = Order(self.number, phase, step, lr, weight_decay, scale)
        others = range(1, len(self.processes) + 1)
        for rank in others:
            self.send(rank, ORDER.pack(*order))
        try:
            own = run_phase(self.worker, order)
        finally:  # even after an interrupt: nobody may still write to the shared memory
            results = [self.receive(rank) for rank in others]
        return [own, *results]

    def send(self, rank: int, message: bytes) -> None:
        pipe = self.processes[rank - 1].stdin
        assert pipe is not None
        try:
            pipe.write(message)
        except BrokenPipeError:
            raise self.died(rank) from None

    def receive(self, rank: int) -> float:
        pipe = self.processes[rank - 1].stdout
        assert pipe is not None
        while True:  # skips answers to orders that an interrupt cut short
            message = b""
            while len(message) < ANSWER.size:
                more = pipe.read(ANSWER.size - len(message))
                if not more:
                    raise self.died(rank)
                message += more
            number, well, result = ANSWER.unpack(message)
            if not well:
                raise WorkerError(f"worker {rank} failed, probably for lack of memory: try fewer `workers`.")
            if number == self.number:
                return float(result)

    def died(self, rank: int) -> WorkerError:
        code = self.processes[rank - 1].wait()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return WorkerError(f"worker {rank} died ({how}), so the training has ended.")


def start_process(descriptor: int) -> "subprocess.Popen[bytes]":
    """A fresh Python that runs the `main` of `worker.py`, out of reach of the terminal's Ctrl-C."""
    environment = {**os.environ, **dict.fromkeys(BLAS_THREADS, "1")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HOME), environment.get("PYTHONPATH")]))
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


def stop_processes(processes: "list[subprocess.Popen[bytes]]", descriptor: int, threads: int) -> None:
    """Closes the pipes, which ends the workers; waits for them; and restores the number of BLAS threads."""
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
