"""What of a text is copied: marked in the text, and as figures beside those of real text."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from charrnn.display.terminal import safe
from charrnn.evaluation.novelty import LENGTHS, MARKED, Novelty

EXCERPT = 1500  # characters of a text that are shown, around its longest copied run
QUOTED = 60
STYLE = "bold black on yellow"


def marked(out: Console, found: Novelty) -> None:
    """The text, or the part of it around the longest run, with what is copied in another colour."""
    middle = found.longest.at + found.longest.length // 2 if found.longest else 0
    begin = max(min(middle - EXCERPT // 2, found.chars - EXCERPT), 0)
    end = min(begin + EXCERPT, found.chars)
    text, at = Text(), begin
    for first, last in [*found.runs, (end, end)]:
        first, last = max(first, begin), min(last, end)
        if first > last:
            continue
        text.append(safe(found.text[at:first]))
        text.append(safe(found.text[first:last]), STYLE)
        at = last
    out.print(text, soft_wrap=True)
    shown = "" if end - begin == found.chars else f"; characters {begin:,} to {end:,} of {found.chars:,} are shown"
    legend = f" stands in the corpus, {MARKED} characters or more in a row{shown}"
    out.print(Text.assemble(("marked", STYLE), (legend, "dim")), soft_wrap=True)


def table(out: Console, mine: Novelty, real: Novelty | None) -> None:
    """The longest run and the shares of new n-grams, and where the run stands."""
    columns = [("sample", mine)] + ([("held-out text", real)] if real else [])
    grid = Table(box=SIMPLE_HEAD, pad_edge=False)
    grid.add_column("")
    for name, _ in columns:
        grid.add_column(name, justify="right")
    grid.add_row("characters", *(f"{found.chars:,}" for _, found in columns))
    grid.add_row("longest copied run", *(f"{found.longest.length if found.longest else 0:,}" for _, found in columns))
    for n in LENGTHS:
        grid.add_row(f"new {n}-grams", *(percent(found.new[n]) for _, found in columns))
    out.print(grid)
    for name, found in columns:
        if found.longest is not None:
            run = found.longest
            words = found.words(run)
            quoted = words if len(words) <= QUOTED else f"{words[: QUOTED - 3]}..."
            place = f"the longest of the {name}: {run.file}, line {run.line:,}: "
            out.print(Text.assemble(safe(place), (safe(repr(quoted)[1:-1]), "dim")), soft_wrap=True)


def percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
