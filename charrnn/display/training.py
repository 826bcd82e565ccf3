"""A training run: a live display on a terminal, otherwise a line every few seconds."""

import math
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from rich.cells import chop_cells
from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from charrnn.checkpoint.history import Step
from charrnn.display import terminal
from charrnn.display.charts import counted, duration, spark, speed
from charrnn.display.console import stderr_console
from charrnn.display.terminal import is_live, remark, safe, stderr_size
from charrnn.training.loop import Training

REFRESH = 0.25  # seconds
PLAIN_EVERY = 5.0  # seconds
SAMPLES = 6  # lines
WIDEST = 80  # columns, so that few lines wrap when the terminal becomes narrower
NO_WRAP, WRAP = "\x1b[?7l", "\x1b[?7h"
SMOOTHING = 0.95  # of the displayed training loss and speed
NATS_PER_BIT = math.log(2)
SampleLine = Callable[[int], str]  # a line of text sampled after a step


class Display:
    """A context that shows a training run: this one shows nothing. `show` is called after every step."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.resume()

    def resume(self) -> None:
        """Estimates the remaining time anew, after the process was suspended."""
        self.left = countdown(self.training)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        pass

    def show(self, record: Step) -> None:
        pass


def display(training: Training, sample: SampleLine, quiet: bool, live: bool) -> Display:
    """The display that suits stderr."""
    if quiet:
        return Display(training)
    live = live and is_live(sys.stderr) and not in_background() and not stderr_console().legacy_windows
    return Screen(training, sample) if live else Plain(training)


def in_background() -> bool:
    """Whether the terminal belongs to another job, such as the shell after `bg`."""
    try:
        return os.tcgetpgrp(sys.stderr.fileno()) not in (0, os.getpgrp())
    except (OSError, ValueError, AttributeError):  # not its terminal, or Windows
        return False


def headline(training: Training) -> list[str]:
    """Three lines: the network, the text, the hyperparameters."""
    config, options, streams = training.config, training.options, training.streams
    distinct = f"{len(training.vocab):,} distinct" + ("" if options.unit == "char" else f" (unit {options.unit})")
    extras = {name: getattr(options, name) for name in ("recurrent_dropout", "activation_regularisation")}
    more = "".join(f", {name.replace('_', ' ')} {value:g}" for name, value in extras.items() if value)
    ranks = f"{training.group.size} ranks x " if training.group.size > 1 else ""
    return [
        f"{config.name}, {len(training.params.flat):,} parameters",
        f"{safe(training.source.label)}: {training.source.symbols:,} symbols, {distinct}",
        f"{counted(streams.batch_size, 'stream')} x {counted(streams.seq_length, 'step')}, "
        f"{options.optimizer} {options.lr:g}, {options.schedule}, dropout {options.dropout:g}{more}, "
        f"seed {options.seed}, {ranks}{counted(options.workers, 'worker')}",
    ]


def countdown(training: Training) -> Callable[[], str]:
    """Estimates the remaining time from the steps since this call."""
    start, first = time.monotonic(), training.run.step

    def left() -> str:
        step, elapsed = training.run.step, time.monotonic() - start
        return duration(elapsed / max(step - first, 1) * (training.end - step)) + " left"

    return left


class Plain(Display):
    """One line every few seconds, for files and pipes."""

    def __init__(self, training: Training) -> None:
        super().__init__(training)
        self.last = time.monotonic()

    def __enter__(self) -> Self:
        for text in headline(self.training):
            remark(text)
        return self

    def show(self, record: Step) -> None:
        now = time.monotonic()
        if now - self.last < PLAIN_EVERY and record.step < self.training.end:
            return
        self.last = now
        run, end = self.training.run, self.training.end
        losses = f"training loss {record.loss:.3f}"
        if run.history.val and run.best_loss is not None:
            losses += f"  validation loss {run.history.val[-1][1]:.3f} (best {run.best_loss:.3f})"
        remark(
            f"step {record.step}/{end}  epoch {record.epoch:.1f}  {losses}  "
            f"{speed(record.chars_per_second)} char/s  {self.left()}"
        )


class Screen(Display):
    """The live display on stderr, refreshed at most four times per second.

    The cursor rests below it and stays visible, so that a process that is suspended or killed leaves nothing to repair.
    """

    def __init__(self, training: Training, sample: SampleLine, console: Console | None = None) -> None:
        super().__init__(training)
        self.sample, self.console = sample, console or stderr_console()
        self.drawn, self.gone = 0.0, False
        self.record: Step | None = None
        self.smooth: float | None = None
        self.speed = 0.0
        self.lines: list[tuple[int, str]] = []  # steps and samples
        self.shown: list[str] = []  # the lines on the terminal

    def __enter__(self) -> Self:
        for text in headline(self.training):
            remark(text)
        self.add_line(self.training.run.step)
        terminal.live = self
        self.draw()
        return self

    def __exit__(self, *problem: object) -> None:
        self.draw()
        terminal.live = None

    def add_line(self, step: int) -> None:
        """Adds a sample; of the older ones, those whose steps grow most evenly in ratio are kept."""
        self.lines.append((step, safe(self.sample(step))))
        if len(self.lines) > SAMPLES:
            steps = [at + 1 for at, _ in self.lines]
            del self.lines[min(range(2, SAMPLES), key=lambda k: steps[k + 1] / steps[k - 1])]

    def show(self, record: Step) -> None:
        self.record = record
        self.smooth = smoothed(self.smooth, record.loss)
        self.speed = smoothed(self.speed or None, record.chars_per_second)
        if record.val_loss is not None:
            self.add_line(record.step)
        if time.monotonic() - self.drawn >= REFRESH or record.val_loss is not None:
            self.draw()

    def columns(self) -> int:
        return min(self.console.width, stderr_size().columns, WIDEST)

    def erase(self) -> str:
        """See `Live`. A terminal that has become narrower has wrapped the lines; one that is cleared at once may keep
        its lines in the scrollback.
        """
        width, lines = stderr_size().columns, [] if in_background() else self.shown
        rows = sum(max(1, len(chop_cells(line, width))) for line in lines)
        self.shown = []
        return "\r\x1b[2K" + "\x1b[A\x1b[2K" * rows if rows else ""

    def draw(self) -> None:
        """Draws the display again; the training continues if the terminal is closed, or belongs to another job."""
        self.drawn = time.monotonic()
        if in_background():
            self.shown = []
        elif not self.gone:
            rows, self.gone = stderr_size().lines, True
            with suppress(OSError, ValueError):
                with self.console.capture() as capture:
                    self.console.print(self.picture(rows), width=self.columns())
                lines = capture.get().split("\n")[:-1][1 - rows :]
                plain = [Text.from_ansi(line).plain for line in lines]
                text = self.erase() + NO_WRAP + "".join(f"{line}\n" for line in lines) + WRAP
                self.shown = plain  # before the lines are: the process may be suspended while it writes
                self.console.file.write(text)
                self.console.file.flush()
                self.gone = False

    def picture(self, rows: int = 24) -> RenderableType:
        width = self.columns()
        parts = self.bar(width)
        if self.record:
            rates = f"gradient norm {self.record.grad_norm:.2f}   learning rate {self.record.lr:.5f}"
            parts += [self.losses(width), one_line(f"{rates}   {speed(self.speed)} char/s", style="dim")]
        return Group(*parts, Text(""), *self.samples()[-max(1, (rows - 10) // 2) :])

    def bar(self, width: int) -> list[RenderableType]:
        step, end = self.training.run.step, self.training.end
        words = [f"step {step:,}/{end:,}", f"epoch {step / self.training.streams.windows:.1f}"]
        words += [self.left()] if self.record else []
        place = ", ".join(words)
        if len(place) > width:
            place = ", ".join(words[::2])  # without the epoch
        narrow = width < len(place) + 16
        room = width - 1 if narrow else width - len(place) - 3
        bar = ProgressBar(total=end, completed=step, width=max(1, room))
        grid = Table.grid(padding=(0, 1))
        grid.add_row(bar, *[one_line(place)] * (not narrow))  # without a table, a bar does not end its line
        return [grid, *[one_line(place)] * narrow]

    def losses(self, width: int) -> Table:
        history, run = self.training.run.history, self.training.run
        narrow, room = width < 52, max(0, min(30, width - 52))
        grid = Table.grid(padding=(0, 2))

        def add_row(name: str, nats: float, curve: list[float], style: str = "") -> None:
            line = one_line(spark(curve, room, self.console.options.ascii_only), style="cyan")
            grid.add_row(one_line(name), *loss_cells(nats, style), line)

        smooth = self.smooth or 0.0
        add_row("training loss", smooth, history.train or [smooth])
        if history.val and run.best_loss is not None:
            steps, values = zip(*history.val, strict=True)
            add_row("validation loss", values[-1], list(values), "green" if run.best_step == steps[-1] else "")
            nats, bits = loss_cells(run.best_loss, "green")
            at = f"at step {run.best_step:,}"
            best = one_line(f"{run.best_loss:.3f} {at}", style="green") if narrow else nats
            grid.add_row(one_line("best"), best, bits, one_line(at, style="green"))
        return grid

    def samples(self) -> list[RenderableType]:
        """The sampled lines, the latest highlighted; they are never parsed as markup."""
        styles = ["dim"] * (len(self.lines) - 1) + [""]
        return [
            one_line((f"step {step:>6,}  ", "dim"), (text, style))
            for (step, text), style in zip(self.lines, styles, strict=True)
        ]


def smoothed(mean: float | None, value: float) -> float:
    return value if mean is None else SMOOTHING * mean + (1.0 - SMOOTHING) * value


def one_line(*parts: str | tuple[str, str], style: str = "") -> Text:
    return Text.assemble(*parts, style=style, no_wrap=True, overflow="ellipsis")


def loss_cells(nats: float, style: str = "") -> list[Text]:
    return [one_line(f"{nats:.3f} nats", style=style), one_line(f"{nats / NATS_PER_BIT:.2f} bits", style=style)]
