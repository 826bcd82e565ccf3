"""Signals that ask to stop: while training the first waits for a step and a save; all others end the process at once.

Nothing but the command line's own processes ever has these handlers.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from charrnn.system.lock import abandon
from charrnn.system.portability import STOP_SIGNALS

SHOW_CURSOR = b"\x1b[?25h"

Handler = Callable[[int, FrameType | None], Any]


class Stop:
    """`signal` is the number of the signal that came, 0 before."""

    def __init__(self) -> None:
        self.signal = 0

    def __bool__(self) -> bool:
        return self.signal != 0

    def receive(self, number: int, frame: FrameType | None) -> None:
        if self.signal:
            leave(number, frame)
        self.signal = number


def leave(number: int, frame: FrameType | None) -> None:
    """Ends the process at once: with its cursor, and nothing half-written beside the model."""
    try:
        abandon()
        if sys.stderr is not None and sys.stderr.isatty():
            os.write(sys.stderr.fileno(), SHOW_CURSOR)
    finally:
        os._exit(128 + number)


def watch(handler: Handler) -> dict[int, Any]:
    """Sets the handler of all signals but those that were ignored before (nohup); returns the former ones."""
    found = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    return {n: signal.signal(n, handler) for n, old in found.items() if old not in (signal.SIG_IGN, None)}


def at_once() -> None:
    """Until there is something to save, a signal ends the process; said before anything that takes time is imported."""
    watch(leave)


@contextmanager
def stopping() -> Iterator[Stop]:
    """The first signal is only remembered: the loop stops when it can."""
    stop = Stop()
    before = watch(stop.receive)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
