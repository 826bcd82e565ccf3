"""Progress while a large text is read: a bar on a terminal, else a line every few seconds."""

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from charrnn.display.terminal import is_live, remark, safe

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


PATIENCE = 1.0  # seconds before the bar appears
REFRESH = 0.25
PLAIN_EVERY = 5.0


class ReadProgress:
    """A context; `progress` is the callback of `Corpus.read`: bytes read so far, and in total."""

    def __init__(self, texts: tuple[str, ...], quiet: bool) -> None:
        more = f" and {len(texts) - 1} more" if len(texts) > 1 else ""
        self.label = "standard input" if texts == ("-",) else safe(texts[0]) + more
        self.quiet = quiet
        self.live = is_live(sys.stderr)
        self.due = time.monotonic() + (PATIENCE if self.live else PLAIN_EVERY)
        self.bar: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> "ReadProgress":
        return self

    def __exit__(self, *problem: object) -> None:
        if self.bar is not None:
            with suppress(OSError):  # the terminal is closed
                self.bar[0].stop()

    def progress(self, done: int, total: int) -> None:
        """Updates the bar, or prints a line, when it is due."""
        now = time.monotonic()
        if self.quiet or now < self.due:
            return
        if not self.live:
            self.due = now + PLAIN_EVERY
            remark(f"reading {self.label}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB")
            return
        self.due = now + REFRESH
        with suppress(OSError):
            self.bar = self.bar or start(self.label, total)
            progress, task = self.bar
            progress.update(task, completed=done, total=total, refresh=True)


def start(label: str, total: int) -> "tuple[Progress, TaskID]":
    """A bar on stderr that disappears at the end; rich is imported only when a bar is needed."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from charrnn.display.console import stderr_console

    bar = Progress(
        TextColumn("reading {task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=stderr_console(),
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    bar.start()
    bar.console.show_cursor()  # so that a process that is suspended does not leave it hidden
    return bar, bar.add_task(label, total=total)
