"""How good a model of examples is, drawn: figures, a confusion matrix, and what it gets wrong."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from charrnn.evaluation.classification import Labelled
from charrnn.evaluation.pairs import Paired
from charrnn.show.terminal import safe

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
