"""Signals: during training, the first one stops it after the current step and a save; others end the process at once.

Only the processes of the command line install these handlers.
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

Handler = Callable[[int, FrameType | None], Any] | signal.Handlers


class Stop:
    """A request to stop; `signal` is the number of the signal that was received, or 0."""

    def __init__(self) -> None:
        self.signal = 0

    def __bool__(self) -> bool:
        return self.signal != 0

    def receive(self, number: int, frame: FrameType | None) -> None:
        if self.signal:
            leave(number, frame)
        self.signal = number


def leave(number: int, frame: FrameType | None) -> None:
    """Ends the process at once, with a visible cursor and without temporary files next to the model."""
    try:
        abandon()
        if sys.stderr is not None and sys.stderr.isatty():
            os.write(sys.stderr.fileno(), SHOW_CURSOR)
    finally:
        os._exit(128 + number)


def watch(handler: Handler) -> dict[int, Any]:
    """Sets the handler of all signals that are not ignored (nohup); returns the previous handlers."""
    previous = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    return {n: signal.signal(n, handler) for n, old in previous.items() if old not in (signal.SIG_IGN, None)}


def end_at_once() -> None:
    """Lets signals end the process while there is nothing to save; called before slow imports."""
    watch(leave)


def ignore() -> None:
    """Ignores signals from here on: the work is done and the exit code decided, and Python takes its handlers back."""
    watch(signal.SIG_IGN)


@contextmanager
def stopping() -> Iterator[Stop]:
    """Yields a `Stop` that records the first signal, so that a loop can end after the current step."""
    stop = Stop()
    previous = watch(stop.receive)
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
