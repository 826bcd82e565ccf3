"""Pictures in files: what the terminal would show as SVG or HTML, plots by matplotlib; each complete or not there."""

import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from charrnn.display.html import page
from charrnn.display.terminal import NARROWEST, WIDEST, Answer
from charrnn.errors import CharRNNError, UsageError
from charrnn.system.atomic import PathLike, claimed, replacing, target

Draw = Callable[[Console], None]  # what draws an answer

DRAWN, PLOTTED = (".html", ".svg"), (".png", ".pdf", ".svg")
WIDTH = 100  # columns
# browsers take dots from another font, which is wider: each gets one column
BRAILLE = re.compile("[\u2800-\u28ff]")
CELL = "i { display: inline-block; width: 1.25ch; font-size: 0.8em; font-style: normal; text-align: center; }\n"
# middling colours, that can be read on white and on black
THEME = TerminalTheme(
    (255, 255, 255),
    (27, 29, 34),
    [
        *((90, 90, 90), (205, 60, 50), (30, 140, 60), (170, 120, 0)),
        *((50, 100, 220), (165, 70, 175), (0, 135, 150), (130, 130, 130)),
    ],
)


def check_output(path: str, plots: bool = False, plot: bool = False) -> bool:
    """Whether this file is a plot; raises UsageError for an ending that stands for nothing, and where none can be."""
    ending = Path(path).suffix.lower()
    endings = (*DRAWN, *PLOTTED[:2]) if plots else DRAWN
    if ending not in endings:
        raise UsageError(f"-o is a file that ends in {', '.join(endings[:-1])} or {endings[-1]}, not {path}.")
    if plot and ending not in PLOTTED:
        raise UsageError(f"--plot draws {', '.join(PLOTTED)}, not {path}.")
    with claimed(path, "picture", "-o"):
        pass  # it could be written
    return plot or ending not in DRAWN


def put(path: PathLike, data: bytes) -> None:
    """Writes the file beside the old one, and renames it."""
    try:
        with replacing(target(path, "picture", "-o")) as file:
            file.write(data)
    except OSError as error:
        raise CharRNNError(f"{path} could not be written: {error.strerror or error}.") from error


def drawn(path: PathLike, title: str, draw: Draw, width: int = WIDTH) -> bytes:
    """What the terminal would show, as SVG or HTML by the ending of the path."""
    out = paper(width)
    draw(out)
    if Path(path).suffix.lower() == ".svg":
        return svg(out, title).encode()
    code = out.export_html(theme=THEME, inline_styles=True, code_format="<pre>{code}</pre>")
    return page(title, BRAILLE.sub(r"<i>\g<0></i>", code), CELL, wrap="pre").encode()


def paper(width: int) -> Console:
    """A console that remembers what was printed, in all colours."""
    return Console(
        file=io.StringIO(),
        record=True,
        width=width,
        force_terminal=True,
        color_system="truecolor",
        markup=False,
        highlight=False,
        emoji=False,
        no_color=False,
        legacy_windows=False,
    )


def svg(out: Console, title: str) -> str:
    """The console's picture, in the reader's own monospaced font."""
    picture = out.export_svg(title=title)
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    return picture.replace("Fira Code", "DejaVu Sans Mono")


OFF_TERMINAL = 120  # columns


def show(answer: Answer, draw: Draw) -> None:
    """Draws on paper and writes that: rich by itself ends the process where nobody reads, and knows one encoding."""
    encoding = answer.encoding if answer.terminal else "utf-8"
    data = io.BytesIO()
    paper = io.TextIOWrapper(data, encoding, errors="backslashreplace", newline="")
    draw(console(paper, answer.terminal))
    paper.flush()
    answer.put(data.getvalue())


def console(paper: io.TextIOWrapper, terminal: bool) -> Console:
    """As wide as stdout, in colour only where a person reads it."""
    width = shutil.get_terminal_size((OFF_TERMINAL, 24)).columns
    return Console(
        file=paper,
        markup=False,
        highlight=False,
        emoji=False,
        force_terminal=terminal,
        color_system="auto" if terminal else None,
        width=min(max(width, NARROWEST), WIDEST),
    )
