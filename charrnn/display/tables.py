"""Tables whose columns fit the terminal, and the table of `bench`."""

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

# Columns of text, aligned to the left; those in FOLDED may take several lines. All others are figures.
FOLDED = {"model", "array", "source", "target", "output", "contents"}
TEXT = FOLDED | {"", "split", "network", "window", "probe", "unit", "corpus", "language", "licence"}
MODEL_WIDTH = 12  # columns in which a folded name is still readable


def new_table(columns: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="left" if name in TEXT else "right", no_wrap=name not in FOLDED, overflow="fold")
    return table


def print_lines(
    out: Console, lines: Sequence[dict[str, str]], columns: Sequence[str], styles: Sequence[str] = ()
) -> None:
    """Prints these columns of the lines as a table; `styles` are those of the lines."""
    table = new_table(columns)
    for line, style in zip(lines, styles or [""] * len(lines), strict=True):
        table.add_row(*(Text(line[name]) for name in columns), style=style)
    out.print(table)


def fitting(lines: Sequence[dict[str, str]], width: int, first_to_go: Sequence[str]) -> list[str]:
    """The columns that fit next to each other; those of `first_to_go` are left out first: a figure is never cut."""
    widths = {name: max(cell_len(line[name]) for line in ({name: name}, *lines)) for name in lines[0]}
    widths |= {"model": min(widths["model"], MODEL_WIDTH)} if "model" in widths else {}
    for name in first_to_go:
        if sum(widths.values()) + 3 * len(widths) - 1 <= width:
            break
        widths.pop(name, None)
    return list(widths)


def network(model: Model) -> str:
    return f"{model.kind}, {model.vocab.unit}"


def benchmarks(out: Console, machine: dict[str, Any], results: Sequence[Result]) -> None:
    """Characters per second, and the share of the machine's peak rate that training reaches."""
    names = ("numpy", "blas", "processor", "cores", "gflops_per_core")
    out.print(Text(", ".join(f"{name.replace('_', ' ')} {machine[name]}" for name in names), "dim"))
    lines = [
        {
            "network": f"{result.case.cell.upper()} {result.case.layers} x {result.case.hidden_size}",
            "window": f"{result.case.batch_size} x {result.case.seq_length}",
            "workers": str(result.workers),
            "training": speed(result.train),
            "of peak": f"{result.share:.0%}",
            "sampling": speed(result.sample),
        }
        for result in results
    ]
    print_lines(out, lines, fitting(lines, out.width, ("workers", "sampling", "of peak", "window")))
    out.print(Text("characters per second", "dim"))
