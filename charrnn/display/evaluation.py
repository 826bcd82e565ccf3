"""`charrnn eval`: scores, the comparison with baselines, the confusion matrix, errors."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from charrnn.checkpoint.model import Model
from charrnn.display.charts import bar
from charrnn.display.tables import fitting, network, new_table, print_lines
from charrnn.display.terminal import safe
from charrnn.evaluation.baselines import Baseline
from charrnn.evaluation.classification import Labelled
from charrnn.evaluation.pairs import Paired
from charrnn.evaluation.score import Score
from charrnn.evaluation.verdict import Comparison

COUNT_WIDTH = 5  # columns of a count in the confusion matrix
SHORTEST_BAR, LONGEST_BAR = 8, 30  # columns
Compared = tuple[str, Model, Score, Comparison]


def scores(
    out: Console, rows: Sequence[tuple[str, Model, Score]], splits: Sequence[str] = (), comparable: bool = True
) -> None:
    """One row per model, in this order; the first in green as the best if they are comparable.

    `splits` names the part of the text on which each was scored; the column is shown if they differ.
    """
    lines = [score_line(*row) for row in rows]
    if len(set(splits)) > 1:
        lines = [{"model": line["model"], "split": split} | line for line, split in zip(lines, splits, strict=True)]
    columns = fitting(lines, out.width, ("perplexity", "bits/byte", "accuracy", "network", "chars", "split", "nats"))
    best = "green" if len(lines) > 1 and comparable else ""
    print_lines(out, lines, columns, [best, *[""] * (len(lines) - 1)])


def score_line(path: str, model: Model, score: Score) -> dict[str, str]:
    return {
        "model": safe(path),
        "network": network(model),
        "nats": f"{score.nats:.4f}",
        "bits/char": f"{score.bits_per_char:.4f}",
        "bits/byte": f"{score.bits_per_byte:.4f}",
        "perplexity": f"{score.perplexity:.3f}",
        "accuracy": f"{score.accuracy:.1%}",
        "chars": f"{score.chars:,}",
    }


def comparison(out: Console, models: Sequence[Compared]) -> None:
    """One row per baseline and model, the worst first, with its bits per character as a bar; then the verdicts."""
    scored = [(score, safe(path), network(model)) for path, model, score, _ in models]
    rows = sorted([*baselines(models), *scored], key=lambda row: -row[0].bits_per_char)
    lines = [
        {"model": name, "network": net, "nats": f"{row.nats:.4f}", "bits/char": f"{row.bits_per_char:.4f}"}
        for row, name, net in rows
    ]
    columns = fitting(lines, out.width - SHORTEST_BAR - 3, ("network", "nats"))
    widths = [max(cell_len(line[name]) for line in [*lines, {name: name}]) for name in columns]
    room = min(out.width - sum(widths) - 3 * len(columns) - 2, LONGEST_BAR)
    if room >= SHORTEST_BAR:
        columns.append("")
        for line, (row, _, _) in zip(lines, rows, strict=True):
            line[""] = bar(row.bits_per_char / rows[0][0].bits_per_char, room, out.options.ascii_only)
    print_lines(out, lines, columns, ["green" if net else "" for _, _, net in rows])
    for path, _, _, judged in models:
        out.print(Text(f"{safe(path)}: {judged.verdict}" if len(models) > 1 else judged.verdict))


def baselines(models: Sequence[Compared]) -> list[tuple[Baseline | Score, str, str]]:
    """The baselines of all models, each once; models of different units have different ones."""
    groups = {id(judged.baselines): (model.vocab.unit, judged.baselines) for _, model, _, judged in models}
    several = len(groups) > 1
    return [
        (row, f"{row.name}, {unit}" if several else row.name, "")
        for unit, group in groups.values()
        for row in group.rows
    ]


def labels(out: Console, grade: Labelled) -> None:
    """Accuracy and macro-F1, the confusion matrix, and the most confident errors."""
    correct = f"{grade.accuracy:.1%} of {grade.examples:,} correct (± {grade.error:.1%})"
    out.print(Text(f"{correct}, macro-F1 {grade.f1:.3f}"))
    names = [safe(label) for label in grade.labels]
    if len(names) * COUNT_WIDTH <= out.width - max(map(len, names)) - 8:
        out.print(confusion_matrix(names, grade))
    else:
        out.print(Text("\n".join(confusions(k, names, grade) for k in range(len(names)))))
    if grade.mistakes:
        out.print(Text("Most confident errors:"))
    for text, label, predicted, p in grade.mistakes:
        out.print(Text(f"  {safe(text)}: {safe(label)}, predicted {safe(predicted)} ({p:.1%})"))


def confusion_matrix(names: Sequence[str], grade: Labelled) -> Table:
    """Rows: true label, columns: predicted label, by number."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1))
    table.add_column("", no_wrap=True)
    table.add_column("")
    for number, _ in enumerate(names, 1):
        table.add_column(str(number), justify="right")
    for k, (name, counts) in enumerate(zip(names, grade.confusion.tolist(), strict=True)):
        cells = [Text(str(n or "."), "green" if i == k else "" if n else "dim") for i, n in enumerate(counts)]
        table.add_row(str(k + 1), Text(name), *cells)
    return table


def confusions(k: int, names: Sequence[str], grade: Labelled) -> str:
    """How many examples of label k are correct, and its three most frequent wrong predictions."""
    counts = grade.confusion[k]
    wrong = [f"{names[i]} {int(counts[i])}" for i in (-counts).argsort().tolist() if i != k and counts[i]]
    most = f", predicted as {', '.join(wrong[:3])}" if wrong else ""
    return f"{names[k]}: {int(counts[k])} of {int(counts.sum())} correct{most}"


def pairs(out: Console, grade: Paired) -> None:
    """The share of exact outputs, the character error rate, and the worst cases."""
    exact = f"{grade.accuracy:.2%} of {grade.examples:,} exact (± {grade.error:.2%})"
    out.print(Text(f"{exact}, character error rate {grade.error_rate:.2%}"))
    if grade.worst:
        table = new_table(("source", "target", "output", "edits"))
        for *texts, edits in grade.worst:
            table.add_row(*(Text(safe(text)) for text in texts), str(edits))
        out.print(table)
