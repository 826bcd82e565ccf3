"""A large text being read: a bar on a terminal, a plain line every few seconds elsewhere; a small text is no news."""

import os
import sys
import time
from typing import TYPE_CHECKING

from charrnn.display.terminal import columns, is_terminal, remark, safe

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


PATIENCE = 1.0  # seconds before anything is shown
REFRESH = 0.25
PLAIN_EVERY = 5.0


class Reading:
    """A context; `progress` is what `Corpus.read` calls with the bytes done and the bytes in all."""

    def __init__(self, texts: tuple[str, ...], quiet: bool) -> None:
        more = f" and {len(texts) - 1} more" if len(texts) > 1 else ""
        self.label = "standard input" if texts == ("-",) else safe(texts[0]) + more
        self.quiet = quiet
        self.live = is_terminal(sys.stderr) and os.environ.get("TERM") not in ("dumb", "unknown")
        self.begin = time.monotonic()
        self.due = self.begin + (PATIENCE if self.live else PLAIN_EVERY)
        self.bar: Progress | None = None
        self.task: TaskID | None = None

    def __enter__(self) -> "Reading":
        return self

    def __exit__(self, *problem: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def progress(self, done: int, total: int) -> None:
        """Shows how far it is, when that is due."""
        now = time.monotonic()
        if self.quiet or now < self.due:
            return
        if not self.live:
            self.due = now + PLAIN_EVERY
            remark(f"reading {self.label}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB")
            return
        self.due = now + REFRESH
        if self.bar is None or self.task is None:
            self.bar, self.task = start(self.label, total)
        self.bar.update(self.task, completed=done, total=total, refresh=True)


def start(label: str, total: int) -> "tuple[Progress, TaskID]":
    """A bar on stderr that is gone when it is done; rich is loaded no sooner than a bar is wanted."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("reading {task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, markup=False, highlight=False, emoji=False, force_terminal=True, width=columns()),
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    bar.start()
    return bar, bar.add_task(label, total=total)
