"""The answers of `eval`, `info` and `bench` as tables on stdout."""

import io
import shutil
from collections.abc import Callable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from charrnn.checkpoint.model import Model
from charrnn.checkpoint.run import Run
from charrnn.evaluation.score import Score
from charrnn.show.charts import duration, spark, speed
from charrnn.show.terminal import NARROWEST, WIDEST, Answer, safe
from charrnn.text.tasks import DOES, Task
from charrnn.training.benchmark import Result
from charrnn.training.transfer import Transfer

OFF_TERMINAL = 120  # columns
FIGURES = ("nats", "bits/char", "bits/byte", "perplexity", "accuracy", "chars")
FIRST_TO_GO = ("perplexity", "bits/byte", "accuracy", "network", "chars", "part", "nats")
MODEL_ROOM = 12  # columns in which a folded name can still be read


def show(answer: Answer, draw: Callable[[Console], None]) -> None:
    """Draws on paper and writes that: rich by itself ends the process where nobody reads, and knows one encoding."""
    encoding = answer.encoding if answer.terminal else "utf-8"
    data = io.BytesIO()
    paper = io.TextIOWrapper(data, encoding, errors="backslashreplace", newline="")
    draw(console(paper, answer.terminal))
    paper.flush()
    answer.put(data.getvalue())


def console(paper: io.TextIOWrapper, terminal: bool) -> Console:
    """As wide as stdout, in colour only where a person reads it."""
    width = shutil.get_terminal_size((OFF_TERMINAL, 24)).columns
    return Console(
        file=paper,
        markup=False,
        highlight=False,
        emoji=False,
        force_terminal=terminal,
        color_system="auto" if terminal else None,
        width=min(max(width, NARROWEST), WIDEST),
    )


def scores(
    out: Console,
    rows: Sequence[tuple[str, Model, Score]],
    parts: Sequence[str] = (),
    comparable: bool = True,
) -> None:
    """One row a model, in this order; the first in green as the best, where they can be compared.

    `parts` says what of the text each was scored on; it is shown where that differs.
    """
    several = len(set(parts)) > 1
    lines = [cells(*row, part) for row, part in zip(rows, parts if several else [""] * len(rows), strict=True)]
    if not several:
        for line in lines:
            del line["part"]
    names = fitting(lines, out.width)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(
            name,
            justify="right" if name in FIGURES else "left",
            no_wrap=name != "model",
            overflow="fold",
        )
    for place, line in enumerate(lines):
        best = place == 0 and len(lines) > 1 and comparable
        table.add_row(*(Text(line[name]) for name in names), style="green" if best else "")
    out.print(table)


def cells(path: str, model: Model, score: Score, part: str) -> dict[str, str]:
    """What a row says, by column."""
    return {
        "model": safe(path),
        "part": part,
        "network": network(model),
        "nats": f"{score.nats:.4f}",
        "bits/char": f"{score.bits_per_char:.4f}",
        "bits/byte": f"{score.bits_per_byte:.4f}",
        "perplexity": f"{score.perplexity:.3f}",
        "accuracy": f"{score.accuracy:.1%}",
        "chars": f"{score.chars:,}",
    }


def fitting(lines: Sequence[dict[str, str]], width: int, first_to_go: Sequence[str] = FIRST_TO_GO) -> list[str]:
    """The columns that have room side by side: a figure that is cut is worth nothing."""
    widths = {name: max(cell_len(text) for text in (name, *(line[name] for line in lines))) for name in lines[0]}
    if "model" in widths:
        widths["model"] = min(widths["model"], MODEL_ROOM)
    for name in first_to_go:
        if sum(widths.values()) + 3 * len(widths) - 1 <= width:
            break
        widths.pop(name, None)
    return list(widths)


def network(model: Model) -> str:
    config = model.config
    return f"{config.cell.upper()} {config.layers} x {config.hidden_size}, {model.vocab.unit}"


def information(out: Console, path: str, model: Model, size: int) -> None:
    """What a model is, how it was trained, and how its loss fell."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in facts(path, model, size):
        table.add_row(name, Text(safe(value)))
    out.print(table)
    arrays = Table(box=SIMPLE_HEAD, pad_edge=False)
    arrays.add_column("array")
    for name in ("shape", "parameters"):
        arrays.add_column(name, justify="right")
    for name, values in model.params.items():
        arrays.add_row(Text(safe(name)), " x ".join(map(str, values.shape)), f"{values.size:,}")
    out.print(arrays)
    if model.run:
        curves(out, model)


def facts(path: str, model: Model, size: int) -> list[tuple[str, str]]:
    run, vocab = model.run, model.vocab
    found = [
        ("model", f"{path}, {size / 1e6:.1f} MB"),
        ("network", f"{network(model)}s, {len(model.params.flat):,} parameters"),
        ("vocabulary", f"{len(vocab):,} {vocab.unit}s: {alphabet(model.vocab.symbols)}"),
        *([("task", task_line(model.task))] if model.task else []),
        *(
            [("rare", f"{len(vocab.rare):,} more are one of these symbols, which is never written")]
            if len(vocab.rare)
            else []
        ),
    ]
    if run is None:
        return [*found, ("training", "none recorded")]
    options = run.options
    best = "none held out, or not evaluated yet"
    if run.best_loss is not None:
        best = f"{run.best_loss:.4f} nats at step {run.best_step:,}"
    return [
        *found,
        ("text", f"{', '.join(run.texts)}: {run.symbols:,} symbols, sha256 {run.sha256[:12]}"),
        *([("before", f"weights from a training on {', '.join(run.before)}")] if run.before else []),
        ("training", f"step {run.step:,} (epoch {run.step / run.windows:.1f}) in {duration(run.seconds)}"),
        (
            "length",
            ", ".join(f"{n} {k}" for k, n in (("epochs", options.epochs), ("steps", options.steps)) if n)
            or f"{options.length(run.windows)[1]:,} steps (the default)",
        ),
        ("held-out loss", best),
        ("streams", f"{run.streams} x {run.seq_length} steps"),
        ("optimizer", f"{options.optimizer}, rate {options.lr:g} {options.schedule}, clip {options.clip:g}"),
        ("dropout", f"{options.dropout:g}, weight decay {options.weight_decay:g}"),
        *events(run),
        ("seed", str(options.seed)),
    ]


def events(run: Run) -> list[tuple[str, str]]:
    """What happened to the run on its way."""
    found, cut, setbacks = [], run.options.cut_at(), run.health.setbacks
    if cut:
        found.append(("cut", f"at step {cut[0]:,}, to end at step {cut[1]:,}"))
    if setbacks:
        found.append(("set back", f"at step {', '.join(f'{step:,}' for step in setbacks)}"))
    return found


def task_line(task: Task) -> str:
    """What the model does, and its labels with how many examples each had."""
    labels = ", ".join(f"{label} {count:,}" for label, count in zip(task.labels, task.counts, strict=True))
    return f"{DOES[task.kind]}{': ' + labels if labels else ''}"


def alphabet(symbols: Sequence[str], most: int = 120) -> str:
    """Symbols one after another, white space by name."""
    names = {"\n": "newline", "\t": "tab", " ": "space", "\r": "carriage return"}
    named = [names[symbol] for symbol in symbols if symbol in names]
    others = [symbol for symbol in symbols if symbol not in names]
    rest = f" and {len(others) - most:,} more" if len(others) > most else ""
    return " ".join(filter(None, [", ".join(named), "".join(others[:most]) + rest]))


def carried_over(path: str, transfer: Transfer, text: Sequence[str]) -> list[str]:
    """What of a model was kept for a run on a text with these symbols, and what is new: lines of a small table."""
    there = set(text)
    idle = [symbol for symbol in transfer.kept if symbol not in there]
    labels = [f", {n:,} labels" if n else "" for n in (transfer.kept_labels, transfer.new_labels)]
    rows = [
        ("kept", f"{len(transfer.kept):,} symbols{labels[0]}, {transfer.kept_weights:,} weights", []),
        ("new", f"{len(transfer.new):,} symbols{labels[1]}, {transfer.new_weights:,} weights", transfer.new),
        ("not in the text", f"{len(idle):,} of those kept", idle),
    ]
    width = max(len(name) for name, _, _ in rows)
    return [
        f"first weights from {path}:",
        *(f"  {name:{width}}  {what}{': ' if some else ''}{alphabet(some, 40)}" for name, what, some in rows),
    ]


def curves(out: Console, model: Model) -> None:
    history = model.run.history if model.run else None
    if history is None:
        return
    plain, width = out.options.ascii_only, max(10, min(60, out.width - 40))
    grid = Table.grid(padding=(0, 2))
    for name, values in (("loss", history.train), ("held out", [loss for _, loss in history.val])):
        if values:
            grid.add_row(Text(name, "dim"), spark(values, width, plain), f"{values[0]:.3f} to {values[-1]:.3f}")
    out.print(grid)


def benchmarks(out: Console, machine: dict[str, Any], results: Sequence[Result]) -> None:
    """Characters per second, and the share of what the machine's multipliers allow."""
    names = ("numpy", "blas", "core_type", "cores", "gflops_per_core")
    out.print(Text(", ".join(f"{name.replace('_', ' ')} {machine[name]}" for name in names), "dim"))
    lines = [
        {
            "network": f"{result.case.cell.upper()} {result.case.layers} x {result.case.hidden_size}",
            "window": f"{result.case.batch_size} x {result.case.seq_length}",
            "workers": str(result.workers),
            "training": speed(result.train),
            "of limit": f"{result.share:.0%}",
            "sampling": speed(result.sample),
        }
        for result in results
    ]
    columns = fitting(lines, out.width, ("workers", "sampling", "of limit", "window"))
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="left" if name in ("network", "window") else "right", no_wrap=True)
    for line in lines:
        table.add_row(*(line[name] for name in columns))
    out.print(table)
    out.print(Text("characters a second", "dim"))
