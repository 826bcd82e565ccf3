"""`charrnn info`; what a transfer kept."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from charrnn.checkpoint.model import Model
from charrnn.checkpoint.run import Run
from charrnn.display.charts import duration, spark
from charrnn.display.tables import network
from charrnn.display.terminal import safe
from charrnn.text.tasks import DOES, Task
from charrnn.training.transfer import Transfer


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
