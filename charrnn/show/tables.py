"""The answers of `eval` and `info` as tables on stdout."""

import sys
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from charrnn.bench import Result
from charrnn.checkpoint import Model
from charrnn.evaluation import Score
from charrnn.show.charts import duration, spark, speed
from charrnn.show.terminal import is_terminal, safe


def console() -> Console:
    """stdout, in colour only where a person reads it."""
    terminal = is_terminal(sys.stdout)
    return Console(
        file=sys.stdout,
        markup=False,
        highlight=False,
        emoji=False,
        force_terminal=terminal,
        color_system="auto" if terminal else None,
        width=None if terminal else 100,
    )


def scores(out: Console, rows: Sequence[tuple[str, Model, Score]]) -> None:
    """One row a model, the best first (by bits per character)."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("model", overflow="fold")
    table.add_column("network", no_wrap=True)
    names = ("nats", "bits/char", "bits/byte", "perplexity", "accuracy", "chars")
    for name in names:
        table.add_column(name, justify="right")
    for place, (path, model, score) in enumerate(rows):
        figures = (
            f"{score.nats:.4f}",
            f"{score.bits_per_char:.4f}",
            f"{score.bits_per_byte:.4f}",
            f"{score.perplexity:.3f}",
            f"{score.accuracy:.1%}",
            f"{score.chars:,}",
        )
        style = "green" if place == 0 and len(rows) > 1 else ""
        table.add_row(Text(safe(path)), network(model), *figures, style=style)
    out.print(table)


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
        arrays.add_row(name, " x ".join(map(str, values.shape)), f"{values.size:,}")
    out.print(arrays)
    if model.run:
        curves(out, model)


def facts(path: str, model: Model, size: int) -> list[tuple[str, str]]:
    run, vocab = model.run, model.vocab
    found = [
        ("model", f"{path}, {size / 1e6:.1f} MB"),
        ("network", f"{network(model)}s, {len(model.params.flat):,} parameters"),
        ("vocabulary", f"{len(vocab):,} {vocab.unit}s: {alphabet(model)}"),
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
        ("training", f"step {run.step:,} (epoch {run.step / run.windows:.1f}) in {duration(run.seconds)}"),
        (
            "length",
            ", ".join(f"{n} {k}" for k, n in (("epochs", options.epochs), ("steps", options.steps)) if n)
            or f"{options.length(run.windows)[1]:,} steps (the default)",
        ),
        ("held-out loss", best),
        ("streams", f"{run.streams} x {run.seq_length} steps"),
        ("optimizer", f"{options.optimizer}, rate {options.lr:g} {options.schedule}, clip {options.clip:g}"),
        ("dropout", f"{options.dropout:g}"),
        ("seed", str(options.seed)),
    ]


def alphabet(model: Model, most: int = 120) -> str:
    """The symbols one after another, white space by name."""
    names = {"\n": "newline", "\t": "tab", " ": "space", "\r": "carriage return"}
    named = [names[symbol] for symbol in model.vocab.symbols if symbol in names]
    others = [symbol for symbol in model.vocab.symbols if symbol not in names]
    rest = f" and {len(others) - most:,} more" if len(others) > most else ""
    return " ".join(filter(None, [", ".join(named), "".join(others[:most]) + rest]))


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
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name, side in (
        ("network", "left"),
        ("window", "left"),
        ("workers", "right"),
        ("training", "right"),
        ("of limit", "right"),
        ("sampling", "right"),
    ):
        table.add_column(name, justify="right" if side == "right" else "left", no_wrap=True)
    for result in results:
        case = result.case
        table.add_row(
            f"{case.cell.upper()} {case.layers} x {case.hidden_size}",
            f"{case.batch_size} x {case.seq_length}",
            str(result.workers),
            speed(result.train),
            f"{result.share:.0%}",
            speed(result.sample),
        )
    out.print(table)
    out.print(Text("characters a second", "dim"))
