"""`charrnn info`; the note on weights that a new run takes from another model."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from charrnn.checkpoint.history import History
from charrnn.checkpoint.model import Model
from charrnn.checkpoint.run import Run
from charrnn.checks import on_circle
from charrnn.display.charts import counted, duration, spark
from charrnn.display.tables import new_table
from charrnn.display.terminal import safe
from charrnn.options import NGRAM
from charrnn.text.tasks import DOES, Task
from charrnn.training.transfer import Transfer


def information(out: Console, path: str, model: Model, size: int) -> None:
    """The model, its training run, its arrays, and the loss curves."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in facts(path, model, size):
        table.add_row(name, Text(safe(value)))
    out.print(table)
    if model.params:
        arrays = new_table(("array", "shape", "parameters"))
        for name, values in model.params.items():
            arrays.add_row(Text(safe(name)), " x ".join(map(str, values.shape)), f"{values.size:,}")
        out.print(arrays)
    if model.run:
        loss_curves(out, model.run.history)


def facts(path: str, model: Model, size: int) -> list[tuple[str, str]]:
    vocab, run, config = model.vocab, model.run, model.config
    rows = [
        ("model", f"{path}, {size / 1e6:.1f} MB"),
        *([("network", f"{config.name}, {len(model.params.flat):,} parameters")] * bool(config.layers)),
        *([ngram_fact(model)] if model.ngram else []),
        ("vocabulary", f"{counted(len(vocab), 'symbol')} (unit {vocab.unit}): {alphabet(vocab.symbols)}"),
    ]
    if model.boundary is not None:
        ends = "an end of text" if vocab.end_of_text is not None else "a newline: each line is an example"
        rows.append(("texts", f"end with {ends}"))
    if model.task:
        rows.append(("task", task_line(model.task)))
    if len(vocab.rare):
        rows.append(("unknown symbol", f"stands for {len(vocab.rare):,} rare symbols; never sampled"))
    return rows + (run_facts(run, model.alone) if run else [("training", "not recorded")])


def ngram_fact(model: Model) -> tuple[str, str]:
    """The n-gram model: its size, and its weight beside a network."""
    assert model.ngram is not None
    weight = f", weight {model.ngram_weight:.3f}" if model.config.layers else ""
    return "n-gram", f"{model.ngram.name}, modified Kneser-Ney, {sum(model.ngram.sizes):,} n-grams{weight}"


def run_facts(run: Run, alone: str) -> list[tuple[str, str]]:
    options = run.options
    lengths = [counted(n, name) for name, n in (("epoch", options.epochs), ("step", options.steps)) if n]
    best = "no validation split, or not evaluated yet"
    if run.best_loss is not None:
        best = f"{run.best_loss:.4f} nats at step {run.best_step:,}{alone}"
    rows = [("text", f"{', '.join(run.texts)}: {run.symbols:,} symbols, sha256 {run.sha256[:12]}")]
    if run.folder:
        rows.append(("folder", run.folder))
    if options.cell == NGRAM:
        loss = [] if run.best_loss is None else [("validation loss", f"{run.best_loss:.4f} nats")]
        return [*rows, ("counted in", f"{run.seconds:.1f} s"), *loss, ("seed", str(options.seed))]
    if run.before:
        rows.append(("initialised", f"with weights trained on {', '.join(run.before)}"))
    rows += [
        ("training", f"step {run.step:,} (epoch {run.step / run.windows:.1f}) in {duration(run.seconds)}"),
        ("length", ", ".join(lengths) or f"{options.length(run.windows)[1]:,} steps (the default)"),
        ("validation loss", best),
        ("streams", f"{run.streams:,} x {counted(run.seq_length, 'step')}"),
        ("optimizer", f"{options.optimizer}, learning rate {options.lr:g} {options.schedule}, clip {options.clip:g}"),
        ("dropout", f"{options.dropout:g}, recurrent {options.recurrent_dropout:g}"),
        (
            "regularisation",
            f"weight decay {options.weight_decay:g}, activation {options.activation_regularisation:g}",
        ),
    ]
    if run.rates:
        rows.append(("learning rate", ", ".join(f"{rate:g} from step {step:,}" for step, rate in run.rates)))
    if run.health.setbacks:
        rows.append(("set back", f"at step {', '.join(f'{step:,}' for step in run.health.setbacks)}"))
    return [*rows, ("seed", str(options.seed))]


def task_line(task: Task) -> str:
    """The task, and its labels with the number of examples of each."""
    labels = ", ".join(f"{label} {count:,}" for label, count in zip(task.labels, task.counts, strict=True))
    return ": ".join(filter(None, (DOES[task.kind], labels)))


def alphabet(symbols: Sequence[str], most: int = 120) -> str:
    """Symbols one after another, white space by name."""
    names = {"\n": "newline", "\t": "tab", " ": "space", "\r": "carriage return", "end of text": "end of text"}
    named = [names[symbol] for symbol in symbols if symbol in names]
    others = [symbol for symbol in symbols if symbol not in names]
    rest = f" and {len(others) - most:,} more" if len(others) > most else ""
    return " ".join(filter(None, [", ".join(named), "".join(map(on_circle, others[:most])) + rest]))


def carried_over(path: str, transfer: Transfer, text: Sequence[str]) -> list[str]:
    """Lines of a table: what a run on a text with these symbols takes from a model, and what is new."""
    occurring = set(text)
    unused = [symbol for symbol in transfer.kept if symbol not in occurring]
    labels = [f", {n:,} labels" if n else "" for n in (transfer.kept_labels, transfer.new_labels)]
    rows = [
        ("kept", f"{len(transfer.kept):,} symbols{labels[0]}, {transfer.kept_weights:,} weights", []),
        ("new", f"{len(transfer.new):,} symbols{labels[1]}, {transfer.new_weights:,} weights", transfer.new),
        ("not in the text", f"{len(unused):,} of the kept symbols", unused),
    ]
    width = max(len(name) for name, _, _ in rows)
    return [
        f"initial weights from {path}:",
        *(f"  {name:{width}}  {count}{': ' if some else ''}{alphabet(some, 40)}" for name, count, some in rows),
    ]


def loss_curves(out: Console, history: History) -> None:
    width = max(10, min(60, out.width - 40))
    grid = Table.grid(padding=(0, 2))
    for name, values in (("training loss", history.train), ("validation loss", [loss for _, loss in history.val])):
        if values:
            line = spark(values, width, out.options.ascii_only)
            grid.add_row(Text(name, "dim"), line, f"{values[0]:.3f} to {values[-1]:.3f}")
    out.print(grid)
