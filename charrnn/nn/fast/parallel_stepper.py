"""One stream, computed by several processes: each has the weights of some units, which its caches hold more of.

The processes share h by memory, and wait for each other once per layer. They are forked, and counters in that memory
order what they write, which only processors with the memory model of x86-64 guarantee: see `SUPPORTED`.
"""

import mmap
import os
import platform
import signal
import sys
import time
import weakref
from contextlib import suppress

import numpy as np
from numpy import copyto

from charrnn.arrays import LINE
from charrnn.errors import WorkerError
from charrnn.nn.fast.stepper import Stepper
from charrnn.nn.params import Config, Params

SUPPORTED = sys.platform == "linux" and platform.machine() == "x86_64"
SPINS = 5000  # looks at a counter, a fraction of a millisecond, before a process sleeps between two looks
PAUSE = 0.0001  # seconds
STORE, LOAD = -1, -2  # orders; all others are symbols to read
WORDS = LINE // 8  # a counter has a cache line of its own


class ParallelStepper(Stepper):
    """The first process predicts and gives the orders; the texts are those of `Stepper`.

    Raises WorkerError if another process has died. They end with this object, and with the process that made it.
    """

    def __init__(self, config: Config, params: Params, workers: int) -> None:
        self.workers, self.rank, self.met, self.steps, self.orders = workers, 0, 0, 0, 0
        shape = (3, config.layers, config.hidden_size)
        lines = LINE * (workers + 1)
        memory = mmap.mmap(-1, lines + 4 * int(np.prod(shape)))
        self.counters = memoryview(memory)[:lines].cast("q")  # of each process, and of the orders
        shared = np.frombuffer(memory, np.float32, offset=lines).reshape(shape)
        self.exchanged = shared[:2]  # h after even and after odd steps: a process may be one layer behind
        self.parent, self.children = os.getpid(), list[int]()
        for rank in range(1, workers):
            if (child := os.fork()) == 0:
                self.rank = rank
                break
            self.children.append(child)
        try:
            super().__init__(config, params)
            self.cs = shared[2]
            if self.rank:
                self.serve()
        finally:
            if self.rank:
                os._exit(1)
        self.close = weakref.finalize(self, stop, self.children)

    def units(self, hidden_size: int) -> slice:
        return slice(self.rank * hidden_size // self.workers, (self.rank + 1) * hidden_size // self.workers)

    def serve(self) -> None:
        """Obeys the first process."""
        os.setsid()  # out of reach of the terminal's Ctrl-C
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        while True:
            self.layers[0].multiply()  # while the first process draws the symbol
            self.orders += 1
            self.wait(self.workers * WORDS, self.orders)
            order = self.counters[self.workers * WORDS + 1]
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
        self.steps += 1
        for k, (layer, h) in enumerate(zip(self.layers, self.exchanged[self.steps % 2], strict=True)):
            if k:
                layer.multiply()
            copyto(h[layer.units], layer.step(i))
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
        for rank in range(self.workers):
            self.wait(rank * WORDS, self.met)

    def wait(self, place: int, number: int) -> None:
        """Waits until a counter has reached a number."""
        counters = self.counters
        for _ in range(SPINS):
            if counters[place] >= number:
                return
        while counters[place] < number:
            self.check()
            time.sleep(PAUSE)

    def check(self) -> None:
        """Ends this process if the first has died; raises WorkerError if another has."""
        if self.rank and os.getppid() != self.parent:
            os._exit(1)
        for child in [] if self.rank else self.children:
            if os.waitpid(child, os.WNOHANG)[0]:
                self.children.remove(child)
                raise WorkerError("a worker died, so the text has ended: try `workers=1`.")


def stop(children: list[int]) -> None:
    """Ends these processes, which hold nothing but memory."""
    for child in children:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
