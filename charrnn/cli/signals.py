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
    """A request to stop; `signal` is the number of the first signal that was received, or 0.

    The owner of the work keeps the rest up to date: `loss` says what would be lost if the process ended now, `saved`
    that nothing would be. `resumed` becomes True when a suspended process continues.
    """

    def __init__(self) -> None:
        self.signal, self.interrupts = 0, 0
        self.loss: Callable[[], str] = lambda: "the run"
        self.saved = self.resumed = False

    def __bool__(self) -> bool:
        return self.signal != 0

    def receive(self, number: int, frame: FrameType | None) -> None:
        """The first signal is a request; of the others, which a closed terminal sends too, only a third SIGINT ends
        the process.
        """
        self.interrupts += number == signal.SIGINT
        if self.interrupts > 2 or (self.saved and not self):
            leave(number, frame)
        elif self.signal and number == signal.SIGINT and not self.saved:
            from charrnn.display.terminal import interject

            interject(
                f"Finishing the step and saving. A third Ctrl-C ends the process at once and loses {self.loss()}."
            )
        self.signal = self.signal or number

    def resume(self, number: int, frame: FrameType | None) -> None:
        from charrnn.display import terminal

        self.resumed = True
        if terminal.live:
            terminal.live.erase()  # forgets it: the shell has written below


def leave(number: int, frame: FrameType | None) -> None:
    """Ends the process at once, with a visible cursor and without temporary files next to the model."""
    try:
        abandon()
        if sys.stderr is not None and sys.stderr.isatty():
            os.write(sys.stderr.fileno(), SHOW_CURSOR)
    finally:
        os._exit(128 + number)


def watch(handler: Handler) -> dict[int, Any]:
    """Sets the handler of the stop signals that are not ignored (nohup); returns the previous handlers."""
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
    """Yields a `Stop` that records the first signal, so that a loop can end after the current step.

    In the background, writing to the terminal does not suspend the process. After a signal its handlers stay: others
    must not change the exit code.
    """
    stop = Stop()
    previous = watch(stop.receive)
    for name, handler in (("SIGCONT", stop.resume), ("SIGTTOU", signal.SIG_IGN)):
        if number := getattr(signal, name, None):
            previous[number] = signal.signal(number, handler)
    try:
        yield stop
    finally:
        for number, handler in previous.items() if not stop else ():
            signal.signal(number, handler)
