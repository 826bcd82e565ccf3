"""Models on a ladder with uniform, unigram, the best n-gram and xz, and what that means."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from charrnn.checkpoint.model import Model
from charrnn.evaluation.baselines import Baseline, Baselines
from charrnn.evaluation.score import Score
from charrnn.evaluation.verdict import Judged
from charrnn.show.charts import bar
from charrnn.show.tables import fitting, network
from charrnn.show.terminal import safe

Standing = tuple[str, Model, Score, Judged]
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
