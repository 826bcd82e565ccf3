"""A training as a person sees it: a live display on a terminal, a plain line every few seconds elsewhere."""

import math
import os
import sys
import time
from collections.abc import Callable
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from charrnn.checkpoint.history import Step
from charrnn.display.charts import duration, spark, speed
from charrnn.display.terminal import columns, is_terminal, remark, safe
from charrnn.training.loop import Training

REFRESH = 0.25  # seconds
PLAIN_EVERY = 5.0
TEXT_LINES = 6
NATS_PER_BIT = math.log(2)


class Display(Protocol):
    """What shows a training; `write` is asked for a line of text when there is room for one."""

    def __enter__(self) -> "Display": ...

    def __exit__(self, *problem: object) -> None: ...

    def show(self, record: Step) -> None: ...


Writer = Callable[[int], str]


def display(training: Training, write: Writer, quiet: bool, live: bool) -> Display:
    """The display that suits stderr."""
    if quiet:
        return Quiet()
    if live and is_terminal(sys.stderr) and os.environ.get("TERM") not in ("dumb", "unknown"):
        return Screen(training, write)
    return Plain(training)


class Quiet:
    def __enter__(self) -> "Quiet":
        return self

    def __exit__(self, *problem: object) -> None:
        pass

    def show(self, record: Step) -> None:
        pass


def headline(training: Training) -> list[str]:
    """The network, the text, and how the one is trained on the other."""
    config, options, streams = training.config, training.options, training.streams
    distinct = f"{len(training.vocab):,} distinct" + ("" if options.unit == "char" else f" {options.unit}s")
    return [
        f"{config.cell.upper()} {config.layers} x {config.hidden_size}, {len(training.params.flat):,} parameters",
        f"{safe(training.source.label)}: {training.source.symbols:,} symbols, {distinct}",
        f"{streams.batch_size} streams x {streams.seq_length} steps, {options.optimizer} {options.lr:g}, "
        f"{options.schedule}, dropout {options.dropout:g}, seed {options.seed}, "
        f"{options.workers} worker{'s' * (options.workers > 1)}",
    ]


class Clock:
    """How long the rest takes, from what the steps of this sitting took."""

    def __init__(self, training: Training) -> None:
        self.training, self.begin, self.first = training, time.monotonic(), training.run.step

    def left(self, step: int) -> str:
        took = time.monotonic() - self.begin
        return duration(took / max(step - self.first, 1) * (self.training.end - step))


class Plain:
    """One line every few seconds, for files and pipes."""

    def __init__(self, training: Training) -> None:
        self.training, self.clock, self.last = training, Clock(training), time.monotonic()

    def __enter__(self) -> "Plain":
        for line in headline(self.training):
            remark(line)
        return self

    def __exit__(self, *problem: object) -> None:
        pass

    def show(self, record: Step) -> None:
        now = time.monotonic()
        if now - self.last < PLAIN_EVERY and record.step < self.training.end:
            return
        self.last = now
        run, end = self.training.run, self.training.end
        held_out = ""
        if run.history.val and run.best_loss is not None:
            held_out = f"  held out {run.history.val[-1][1]:.3f} (best {run.best_loss:.3f})"
        remark(
            f"step {record.step}/{end}  epoch {record.epoch:.1f}  loss {record.loss:.3f}{held_out}  "
            f"{speed(record.chars_per_second)} char/s  {self.clock.left(record.step)} left"
        )


class Screen:
    """The live display on stderr, refreshed at most four times a second."""

    def __init__(self, training: Training, write: Writer, console: Console | None = None) -> None:
        self.training, self.write = training, write
        self.console = console or Console(
            stderr=True, markup=False, highlight=False, emoji=False, force_terminal=True, width=columns()
        )
        self.live = Live(console=self.console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self.clock, self.drawn, self.gone = Clock(training), 0.0, False
        self.record: Step | None = None
        self.smooth: float | None = None
        self.speed = 0.0
        self.lines: list[tuple[int, str]] = []

    def __enter__(self) -> "Screen":
        self.add_line(self.training.run.step)
        self.draw(self.live.start)
        self.draw()
        return self

    def __exit__(self, *problem: object) -> None:
        self.draw()
        self.draw(self.live.stop)

    def add_line(self, step: int) -> None:
        """Keeps the first line, the latest, and in between those at steps that grow most evenly in ratio."""
        self.lines.append((step, safe(self.write(step))))
        if len(self.lines) > TEXT_LINES:
            steps = [at + 1 for at, _ in self.lines]
            ratios = [after / before for before, after in zip(steps[1:], steps[3:], strict=False)]
            del self.lines[2 + ratios.index(min(ratios))]

    def show(self, record: Step) -> None:
        self.record = record
        self.smooth = record.loss if self.smooth is None else 0.95 * self.smooth + 0.05 * record.loss
        self.speed = self.speed or record.chars_per_second
        self.speed = 0.95 * self.speed + 0.05 * record.chars_per_second
        if record.val_loss is not None:
            self.add_line(record.step)
        now = time.monotonic()
        if now - self.drawn >= REFRESH or record.val_loss is not None:
            self.draw()

    def draw(self, action: Callable[[], None] | None = None) -> None:
        """Draws; a terminal that is gone is no reason to stop."""
        self.drawn = time.monotonic()
        if self.gone:
            return
        try:
            if action is not None:
                action()
            else:
                self.live.update(self.picture(), refresh=True)
        except (OSError, ValueError):
            self.gone = True

    def picture(self) -> RenderableType:
        width = self.console.size.width
        first, second, third = headline(self.training)
        parts: list[RenderableType] = [
            Text.assemble((first, "bold"), no_wrap=True, overflow="ellipsis"),
            Text(second, no_wrap=True, overflow="ellipsis"),
            Text(third, style="dim", no_wrap=True, overflow="ellipsis"),
            Text(""),
            *self.bar(width),
        ]
        if self.record is not None:
            parts += [self.losses(width), *self.rates(self.record)]
        parts += [Text(""), *self.texts()]
        return Group(*parts)

    def bar(self, width: int) -> list[RenderableType]:
        step, end = self.training.run.step, self.training.end
        words = [f"step {step:,}/{end:,}", f"epoch {step / self.training.streams.windows:.1f}"]
        if self.record is not None:
            words.append(f"{self.clock.left(step)} left")
        if len(", ".join(words)) > width:
            del words[1]  # what a narrow screen can do without
        place = ", ".join(words)
        narrow = width < len(place) + 16
        room = width - 1 if narrow else width - len(place) - 3
        bar = ProgressBar(total=end, completed=step, width=max(1, room))
        grid = Table.grid(padding=(0, 1))
        if narrow:
            grid.add_row(bar)  # a bar by itself does not end its line
            return [grid, line(place)]
        grid.add_row(bar, line(place))
        return [grid]

    def losses(self, width: int) -> Table:
        history, run = self.training.run.history, self.training.run
        plain = self.console.options.ascii_only
        room = max(0, min(30, width - 45))
        grid = Table.grid(padding=(0, 2))
        smooth = self.smooth or 0.0
        grid.add_row(line("loss"), *figures(smooth), line(spark(history.train or [smooth], room, plain), "cyan"))
        if history.val and run.best_loss is not None:
            values = [value for _, value in history.val]
            fresh = run.best_step == history.val[-1][0]
            row = [line("held out"), *figures(values[-1], "green" if fresh else "")]
            grid.add_row(*row, line(spark(values, room, plain), "cyan"))
            best = f"{run.best_loss:.3f} at step {run.best_step:,}"
            grid.add_row(
                line("best"),
                line(best if width < 45 else f"{run.best_loss:.3f} nats", "green"),
                line(f"{(run.best_loss or 0.0) / NATS_PER_BIT:.2f} bits", "green"),
                line(f"at step {run.best_step:,}", "green"),
            )
        return grid

    def rates(self, record: Step) -> list[RenderableType]:
        text = f"gradient {record.grad_norm:.2f}   rate {record.lr:.5f}   {speed(self.speed)} characters/s"
        return [line(text, "dim")]

    def texts(self) -> list[RenderableType]:
        """What the network wrote; text from a model is never markup."""
        rows = []
        for number, (step, text) in enumerate(self.lines):
            latest = number == len(self.lines) - 1
            rows.append(
                Text.assemble(
                    (f"step {step:>6,}  ", "dim"),
                    (text, "" if latest else "dim"),
                    no_wrap=True,
                    overflow="ellipsis",
                )
            )
        return list(rows)


def line(text: str, style: str = "") -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def figures(nats: float, style: str = "") -> list[Text]:
    return [line(f"{nats:.3f} nats", style), line(f"{nats / NATS_PER_BIT:.2f} bits", style)]
