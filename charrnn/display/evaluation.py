"""How good a model of examples is, drawn: figures, a confusion matrix, and what it gets wrong."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from charrnn.checkpoint.model import Model
from charrnn.display.charts import bar
from charrnn.display.tables import fitting, network
from charrnn.display.terminal import safe
from charrnn.evaluation.baselines import Baseline, Baselines
from charrnn.evaluation.classification import Labelled
from charrnn.evaluation.pairs import Paired
from charrnn.evaluation.score import Score
from charrnn.evaluation.verdict import Comparison

NARROW = 4  # columns of the matrix, whose heads are the labels' numbers


def labels(out: Console, grade: Labelled) -> None:
    """Accuracy and F1, the confusion matrix (a row a label, a column what it was taken for), the surest mistakes."""
    figures = f"{grade.accuracy:.1%} of {grade.examples:,} right (± {grade.error:.1%}), macro-F1 {grade.f1:.3f}"
    out.print(Text(figures))
    names = [safe(label) for label in grade.labels]
    room = out.width - max(map(len, names)) - 8
    if len(names) * (NARROW + 1) <= room:
        table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
        table.add_column("", no_wrap=True)
        table.add_column("")
        for number in range(1, len(names) + 1):
            table.add_column(str(number), justify="right")
        for k, name in enumerate(names):
            counts = grade.confusion[k].tolist()
            cells = [
                Text(str(n) if n else ".", style="green" if i == k else "" if n else "dim")
                for i, n in enumerate(counts)
            ]
            table.add_row(Text(str(k + 1)), Text(name), *cells)
        out.print(table)
    else:  # no room for the matrix: what each label is mostly taken for
        for k, name in enumerate(names):
            counts = grade.confusion[k]
            others = [(int(counts[i]), names[i]) for i in (-counts).argsort().tolist() if i != k and counts[i]]
            wrong = ", ".join(f"{other} {n}" for n, other in others[:3])
            out.print(
                Text(f"{name}: {int(counts[k])} of {int(counts.sum())} right{', else ' + wrong if wrong else ''}")
            )
    if grade.mistakes:
        out.print(Text("Surest mistakes:"))
    for text, label, given, p in grade.mistakes:
        out.print(Text(f"  {safe(text)}: {safe(label)}, taken for {safe(given)} ({p:.1%})"))


def pairs(out: Console, grade: Paired) -> None:
    """The share that is exact, the rate of wrong characters, and the worst cases."""
    out.print(
        Text(
            f"{grade.accuracy:.2%} of {grade.examples:,} exact (± {grade.error:.2%}), "
            f"character error rate {grade.error_rate:.2%}"
        )
    )
    if not grade.worst:
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("source", "target", "written"):
        table.add_column(name, overflow="fold")
    table.add_column("edits", justify="right")
    for source, target, written, edits in grade.worst:
        table.add_row(*(Text(safe(text)) for text in (source, target, written)), str(edits))
    out.print(table)


Standing = tuple[str, Model, Score, Comparison]
Rung = tuple[Baseline | Score, str, str]
SHORTEST, LONGEST = 8, 30  # columns of a bar
FIRST_TO_GO = ("network", "nats")


def ladder(out: Console, standings: Sequence[Standing]) -> None:
    """One row a baseline or model, the worst first, with its bits per character as a bar; then a sentence a model."""
    rungs: list[Rung] = [(row, "", name) for name, row in opponents(standings)]
    rungs += [(score, network(model), safe(path)) for path, model, score, _ in standings]
    rungs.sort(key=lambda rung: -rung[0].bits_per_char)
    lines = [
        {"model": name, "network": what, "nats": f"{row.nats:.4f}", "bits/char": f"{row.bits_per_char:.4f}"}
        for row, what, name in rungs
    ]
    columns = fitting(lines, out.width - SHORTEST - 3, FIRST_TO_GO)
    widths = [max(cell_len(line[name]) for line in [*lines, {name: name}]) for name in columns]
    room = min(out.width - sum(widths) - 3 * len(columns) - 1, LONGEST)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        figure = name in ("nats", "bits/char")
        table.add_column(name, justify="right" if figure else "left", no_wrap=name != "model", overflow="fold")
    if room >= SHORTEST:
        table.add_column("", no_wrap=True)
    longest = max(row.bits_per_char for row, _, _ in rungs)
    for line, (row, what, _) in zip(lines, rungs, strict=True):
        drawn = [bar(row.bits_per_char / longest, room, out.options.ascii_only)] if room >= SHORTEST else []
        table.add_row(*(Text(line[name]) for name in columns), *map(Text, drawn), style="green" if what else "")
    out.print(table)
    for path, _, _, judged in standings:
        out.print(Text(f"{safe(path)}: {judged.verdict}" if len(standings) > 1 else judged.verdict))


def opponents(standings: Sequence[Standing]) -> list[tuple[str, Baseline]]:
    """The baselines, each once; those of several units say which is theirs."""
    found: dict[int, tuple[str, Baselines]] = {}
    for _, model, _, judged in standings:
        found.setdefault(id(judged.baselines), (model.vocab.unit, judged.baselines))
    several = len(found) > 1
    return [
        (f"{row.name}, {unit}" if several else row.name, row)
        for unit, baselines in found.values()
        for row in baselines.rows
    ]


FIGURES = ("nats", "bits/char", "bits/byte", "perplexity", "accuracy", "chars")


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
