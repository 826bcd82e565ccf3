"""The answers of `eval`, `info` and `bench` as tables on stdout."""

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from charrnn.checkpoint.model import Model
from charrnn.display.charts import speed
from charrnn.training.benchmark import Result

FIRST_TO_GO = ("perplexity", "bits/byte", "accuracy", "network", "chars", "part", "nats")
MODEL_ROOM = 12  # columns in which a folded name can still be read


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


def benchmarks(out: Console, machine: dict[str, Any], results: Sequence[Result]) -> None:
    """Characters per second, and the share of what the machine's multipliers allow."""
    names = ("numpy", "blas", "processor", "cores", "gflops_per_core")
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
