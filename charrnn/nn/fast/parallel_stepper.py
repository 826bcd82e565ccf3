"""One stream, computed by several processes: each has the weights of some units, which its caches hold more of.

The processes share h by memory, and wait for each other once per layer. They are forked, and counters in that memory
order what they write, which only processors with the memory model of x86-64 guarantee: see `SUPPORTED`.
"""

import math
import mmap
import os
import platform
import signal
import sys
import time
import warnings
import weakref
from contextlib import suppress

import numpy as np
from numpy import copyto

from charrnn.arrays import LINE
from charrnn.errors import UsageError, WorkerError
from charrnn.nn.fast.cells import CELLS
from charrnn.nn.fast.stepper import Stepper
from charrnn.nn.params import Config, Params
from charrnn.system.blas import set_threads

SUPPORTED = sys.platform == "linux" and platform.machine() == "x86_64"
BLOCK = 16  # units and columns: OpenBLAS sums a column of a whole block in the same order, whatever is next to it
FIRST_SHARE = 0.5  # of layer 0, relative to the other processes
# A process that waits first looks at a counter, for about 10 µs, then lets others run between two looks, for about a
# millisecond, and then sleeps between two looks. Longer looks keep a busy core from the process that they wait for.
LOOKS, YIELDS = 200, 2000
SHORTEST, LONGEST = 0.0001, 0.01  # pauses, in seconds
STORE, LOAD = -1, -2  # orders; all others are symbols to read
WORDS = LINE // 8  # a counter has a cache line of its own


def check_workers(config: Config, workers: int) -> None:
    """Raises UsageError unless this number of processes, two or more, can compute a network with the same bits."""
    if not SUPPORTED:
        raise UsageError("several workers need Linux on an x86-64 processor: use `workers=1`.")
    if config.cell not in CELLS:
        raise UsageError(f"several workers compute {', '.join(sorted(CELLS))}, and not {config.cell}: use `workers=1`.")
    H, multiple = config.hidden_size, BLOCK // math.gcd(BLOCK, len(CELLS[config.cell].gates))
    if H % multiple:
        raise UsageError(
            f"several workers need a hidden size that is a multiple of {multiple}, and it is {H}: use `workers=1`."
        )
    if workers * BLOCK > H:
        raise UsageError(f"each worker needs at least {BLOCK} units, and {workers} workers have {H}: use `workers=1`.")


class ParallelStepper(Stepper):
    """The first process predicts and gives the orders; the texts are those of `Stepper`.

    Raises WorkerError if another process could not be started, or has died. The others end with this object, and with
    the process that made it. Until then, BLAS computes with one thread.
    """

    def __init__(self, config: Config, params: Params, workers: int) -> None:
        self.workers, self.rank, self.met, self.orders, self.parity = workers, 0, 0, 0, 0
        shape = (3, config.layers, config.hidden_size)
        lines = LINE * (workers + 1)
        memory = mmap.mmap(-1, lines + 4 * math.prod(shape))
        self.counters = memoryview(memory)[:lines].cast("q")  # of each process, and of the orders
        shared = np.frombuffer(memory, np.float32, offset=lines).reshape(shape)
        self.exchanged = shared[:2]  # h after even and after odd steps: a process may be one layer behind
        self.parent, self.children = os.getpid(), list[int]()
        self.close = weakref.finalize(self, stop, self.parent, self.children, set_threads(1))
        self.start_workers()
        try:
            super().__init__(config, params)
            self.cs = shared[2]
            self.peers = [rank * WORDS for rank in range(workers) if rank != self.rank]
            # by parity: each layer, its h of the units of this process, and its whole h
            self.rounds = [
                [(layer, h[layer.units], h) for layer, h in zip(self.layers, hs, strict=True)] for hs in self.exchanged
            ]
            if self.rank:
                del self.Wy  # only the first process predicts
                self.serve()
        finally:
            if self.rank:
                os._exit(1)

    def start_workers(self) -> None:
        """Forks the other processes, in which the signals of the terminal stay blocked: they end with the first."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        try:
            for rank in range(1, self.workers):
                with warnings.catch_warnings():  # of other threads: the worker needs none of them
                    warnings.simplefilter("ignore", DeprecationWarning)
                    child = os.fork()
                if child == 0:
                    self.rank = rank
                    return
                self.children.append(child)
        except OSError as error:
            self.close()
            raise WorkerError(f"a worker could not be started ({error.strerror}): try `workers=1`.") from None
        finally:
            if not self.rank:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def units(self, k: int, hidden_size: int) -> slice:
        """Equal shares in whole blocks, except that the first process has half a share of layer 0: the others begin
        with the product of layer 0 while it predicts and draws a symbol.
        """
        first = 1.0 if k else FIRST_SHARE
        blocks = hidden_size / BLOCK / (first + self.workers - 1)
        begin, end = (BLOCK * round(blocks * (first + rank - 1)) for rank in (self.rank, self.rank + 1))
        return slice(begin if self.rank else 0, end if self.rank < self.workers - 1 else hidden_size)

    def serve(self) -> None:
        """Obeys the first process."""
        place, multiply = self.workers * WORDS, self.layers[0].multiply
        while True:
            multiply()  # while the first process draws the symbol
            self.orders += 1
            self.wait(place, self.orders)
            order = self.counters[place + 1]
            if order == STORE:
                self.store()
            elif order == LOAD:
                self.load()
            else:
                self.read(order)

    def order(self, order: int) -> None:
        if not self.rank:
            self.counters[self.workers * WORDS + 1] = order
            self.orders += 1
            self.counters[self.workers * WORDS] = self.orders

    def step_all(self, ids: list[int]) -> None:
        for i in ids:
            self.order(i)
            self.layers[0].multiply()
            self.read(i)
        if ids:
            self.predict()

    def read(self, i: int) -> None:
        """Reads a symbol, after the product of layer 0."""
        self.parity ^= 1
        for k, (layer, own, h) in enumerate(self.rounds[self.parity]):
            if k:
                layer.multiply()
            copyto(own, layer.step(i))
            self.meet()
            copyto(layer.h, h)

    def store(self) -> None:
        self.order(STORE)
        super().store()
        self.meet()

    def load(self) -> None:
        if not self.rank:
            copyto(self.exchanged[0].reshape(-1), self.hs)
        self.order(LOAD)
        copyto(self.hs, self.exchanged[0].reshape(-1))
        super().load()
        self.meet()

    def meet(self) -> None:
        """Waits until all processes have come here."""
        self.met += 1
        self.counters[self.rank * WORDS] = self.met
        for place in self.peers:
            self.wait(place, self.met)

    def wait(self, place: int, number: int) -> None:
        """Waits until a counter has reached a number."""
        counters = self.counters
        for _ in range(LOOKS):
            if counters[place] >= number:
                return
        for _ in range(YIELDS):
            if counters[place] >= number:
                return
            os.sched_yield()
        pause = SHORTEST
        while counters[place] < number:
            self.check()
            time.sleep(pause)
            pause = min(2 * pause, LONGEST)

    def check(self) -> None:
        """Ends this process if the first has died; raises WorkerError if another has."""
        if self.rank and os.getppid() != self.parent:
            os._exit(1)
        for child in [] if self.rank else self.children:
            if has_ended(child):
                self.children.remove(child)
                raise WorkerError("a worker died, so the text has ended: try `workers=1`.")


def has_ended(child: int) -> bool:
    try:
        return os.waitpid(child, os.WNOHANG) != (0, 0)
    except ChildProcessError:  # the system keeps no record of it if SIGCHLD is ignored
        return True


def stop(parent: int, children: list[int], threads: int) -> None:
    """Ends these processes, which hold nothing but memory, and gives BLAS its threads back."""
    if os.getpid() != parent:  # a copy of the object in a process that was forked later
        return
    set_threads(threads)
    for child in children:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
