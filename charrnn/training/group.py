"""The processes of a training on several machines: rank 0 runs the training, the other ranks follow its orders.

`Group` is the ordinary training, alone; `MPIGroup` has one rank per process that mpiexec started. Once the ranks are
connected, no call blocks inside MPI: it would delay signals, and keep a core busy that another rank may need.
"""

import json
import math
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from charrnn.arrays import Array
from charrnn.errors import WorkerError
from charrnn.system.mpi import announced, connect
from charrnn.system.resources import cores
from charrnn.training.step import param_shards

TIMEOUT = 600.0  # seconds; a rank that does not answer for longer is lost
BUSY = 0.002  # seconds of waiting without a pause
PAUSE, LONG_PAUSE = 0.0001, 0.001  # seconds: while data arrive, and while waiting for an order
ORDER = 1024  # bytes of an order


class Group:
    """A training without other ranks. `cores` are those of this rank; `received` is the signal that this rank was sent,
    and `signal` one that another rank was sent; `failed` says that the ranks are no longer at the same place.
    """

    rank, size, received, signal, failed = 0, 1, 0, 0, False

    def __init__(self) -> None:
        self.cores, self.notes = cores(), list[str]()

    def order(self, name: str, *values: Any) -> None:
        """Has the other ranks call this method of their `Learner`; only rank 0 gives orders."""

    def copy(self, *arrays: "np.ndarray[Any, Any]") -> None:
        """Copies the arrays of rank 0 to all ranks."""

    @contextmanager
    def together(self) -> Iterator[None]:
        """What all ranks do at the same time: an error of this one separates it from the others."""
        try:
            yield
        except BaseException:
            self.failed = self.size > 1
            raise

    def add(self, vector: Array, values: list[float]) -> list[list[float]]:
        """Adds up the vector (n,), float32, over all ranks, in place; returns the values of each rank."""
        return [values]

    def end(self, code: int) -> int:
        """Ends the other ranks with this exit code, and returns it."""
        return code


class MPIGroup(Group):
    """The ranks that mpiexec started. Raises UsageError if mpi4py cannot be used."""

    def __init__(self) -> None:
        super().__init__()
        self.mpi = connect()
        self.comm = self.mpi.COMM_WORLD
        self.rank, self.size, self.parent = self.comm.rank, self.comm.size, os.getppid()
        own = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(cores()))
        hosts = dict[str, list[set[int]]]()
        for host, usable, total in self.comm.allgather((platform.node(), own, os.cpu_count() or 1)):
            hosts.setdefault(host, []).append(usable)
            if len(usable) < total and not self.notes:
                self.notes.append(
                    f"a rank on {host} may use {len(usable)} of {total} cores: Open MPI binds each rank to one "
                    "core unless it is started with --bind-to none."
                )
        self.cores = max(1, min(len(set[int]().union(*ranks)) // len(ranks) for ranks in hosts.values()))
        self.scratch = np.empty(0, np.float32)

    def wait(self, *requests: Any, seconds: float = TIMEOUT, pause: float = PAUSE) -> None:
        """Waits until all of these communications are complete. Data only arrive while MPI is called."""
        start, pending = time.perf_counter(), list(requests)
        try:
            while not self.mpi.Request.Testall(pending):
                waited = time.perf_counter() - start
                if waited > seconds:
                    raise WorkerError(f"the other ranks have not answered rank {self.rank} for {seconds:.0f} seconds.")
                if os.getppid() != self.parent:
                    raise WorkerError("the process of mpiexec that started this rank has ended.")
                if waited < BUSY and hasattr(os, "sched_yield"):
                    os.sched_yield()
                else:
                    time.sleep(min(pause, waited / 20))
        except BaseException as error:
            self.failed = True
            if not isinstance(error, self.mpi.Exception):
                raise
            raise WorkerError(
                f"rank {self.rank} has lost its connection to another rank, which may have died."
            ) from None

    def order(self, name: str, *values: Any) -> None:
        if self.rank:
            return
        if self.failed:
            raise WorkerError("the other ranks can no longer be reached: they hold a part of the state of the run.")
        self.copy(np.frombuffer(bytearray(json.dumps([name, *values]).encode().ljust(ORDER)), np.uint8))

    def receive_order(self) -> list[Any]:
        """The name of a method, and its arguments; rank 0 may not give the next order for hours."""
        text = np.empty(ORDER, np.uint8)
        self.wait(self.comm.Ibcast(text, 0), seconds=math.inf, pause=LONG_PAUSE)
        return list(json.loads(text.tobytes()))

    def copy(self, *arrays: "np.ndarray[Any, Any]") -> None:
        self.wait(*(self.comm.Ibcast(values, 0) for values in arrays))

    def send(self, values: "np.ndarray[Any, Any]", rank: int) -> None:
        self.wait(self.comm.Isend(values, rank))

    def receive(self, values: "np.ndarray[Any, Any]", rank: int) -> None:
        self.wait(self.comm.Irecv(values, rank))

    def add(self, vector: Array, values: list[float]) -> list[list[float]]:
        table = np.zeros((self.size, 1 + len(values)))
        table[self.rank] = [self.received, *values]
        request = self.comm.Iallreduce(self.mpi.IN_PLACE, table)  # exact: all other terms are 0
        self.add_in_ring(vector)
        self.wait(request)
        self.signal = self.signal or int(table[:, 0].max())
        return [[*map(float, row)] for row in table[:, 1:]]

    def add_in_ring(self, vector: Array) -> None:
        """Each rank sends to the next one: first sums of parts of the vector, until each rank has a complete part; then
        complete parts. The order of the additions is fixed.
        """
        parts = [vector[shard] for shard in param_shards(len(vector), self.size)]
        if len(self.scratch) < max(map(len, parts)):
            self.scratch = np.empty(max(map(len, parts)), np.float32)
        before, after = (self.rank - 1) % self.size, (self.rank + 1) % self.size
        for hop in range(2 * (self.size - 1)):
            outgoing, incoming = parts[(self.rank - hop) % self.size], parts[(self.rank - hop - 1) % self.size]
            adding = hop < self.size - 1
            buffer = self.scratch[: len(incoming)] if adding else incoming
            self.wait(self.comm.Irecv(buffer, before), self.comm.Isend(outgoing, after))
            if adding:
                incoming += buffer

    def end(self, code: int) -> int:
        self.order("end", code)
        self.failed = True
        self.mpi.Finalize()
        return code


def start_group() -> Group:
    """The group of this process, by the environment: MPI ranks, or an ordinary process alone."""
    return MPIGroup() if announced()[1] > 1 else Group()
