"""`charrnn novelty`: the copied runs marked in the text, and figures compared with those of real text."""

from rich.console import Console
from rich.text import Text

from charrnn.display.tables import new_table
from charrnn.display.terminal import CONTEXT, safe
from charrnn.evaluation.novelty import LENGTHS, MARKED, Novelty

EXCERPT = 1500  # characters of the text that are shown, around its longest copied run
QUOTED = 60
ESCAPES = str.maketrans({"\n": "\\n", "\t": "\\t"})  # in a line of its own
STYLE = "bold black on yellow"


def marked(out: Console, novelty: Novelty) -> None:
    """The text, or the part of it around the longest copied run, with all copied runs marked."""
    middle = novelty.longest.at + novelty.longest.length // 2 if novelty.longest else 0
    start = max(min(middle - EXCERPT // 2, novelty.chars - EXCERPT), 0)
    end = min(start + EXCERPT, novelty.chars)
    text, at = Text(), start
    for first, last in [*novelty.runs, (end, end)]:
        first, last = max(first, start), min(last, end)
        if first <= last:
            for begin, stop, style in ((at, first, ""), (first, last, STYLE)):
                text.append(safe(novelty.text[begin:stop], novelty.text[max(begin - CONTEXT, 0) : begin]), style)
            at = last
    out.print(text, soft_wrap=True)
    shown = "" if end - start == novelty.chars else f"; showing characters {start:,} to {end:,} of {novelty.chars:,}"
    legend = f" copied from the corpus: {MARKED} or more consecutive characters{shown}"
    out.print(Text.assemble(("marked", STYLE), (legend, "dim")), soft_wrap=True)


def table(out: Console, sample: Novelty, real: Novelty | None) -> None:
    """The length of the longest copied run, the shares of new n-grams, and where the run occurs."""
    columns = {"sample": sample} | ({"validation split": real} if real else {})
    grid = new_table(["", *columns])
    grid.add_row("characters", *(f"{column.chars:,}" for column in columns.values()))
    longest = [column.longest for column in columns.values()]
    grid.add_row("longest copied run", *(f"{run.length if run else 0:,}" for run in longest))
    for n in LENGTHS:
        shares = [column.new[n] for column in columns.values()]
        grid.add_row(f"new {n}-grams", *("-" if share is None else f"{share:.1%}" for share in shares))
    out.print(grid)
    for name, column in columns.items():
        if run := column.longest:
            words = column.words(run)
            quoted = words if len(words) <= QUOTED else f"{words[: QUOTED - 3]}..."
            place = f"longest copied run of the {name}: {run.file}, line {run.line:,}: "
            out.print(Text.assemble(safe(place), (safe(quoted.translate(ESCAPES)), "dim")), soft_wrap=True)
