"""Rich consoles for stdout and stderr, and picture files: what the terminal would show, as SVG or HTML."""

import io
import re
import shutil
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.color import parse_rgb_hex
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from charrnn.display.terminal import NARROWEST, WIDEST, Answer, columns
from charrnn.errors import CharRNNError, UsageError
from charrnn.system.atomic import PathLike, claimed, replacing, target

Draw = Callable[[Console], None]  # prints an answer on a console

OFF_TERMINAL = 120  # columns of an answer to a pipe or file
PICTURE_WIDTH = 100  # columns
DRAWN, PLOTTED = (".html", ".svg"), (".png", ".pdf", ".svg")
TEXT_LENGTH = re.compile(r'textLength="([\d.]+)"([^>]*)>([^<]+)<')
# Medium colours, readable on white and on black.
MEDIUM = "5a5a5a cd3c32 1e8c3c aa7800 3264dc a546af 008796 828282"
THEME = TerminalTheme((255, 255, 255), (27, 29, 34), [parse_rgb_hex(colour) for colour in MEDIUM.split()])


def plain_console(**settings: Any) -> Console:
    """A console that prints text unchanged: no markup, emoji codes or highlighting."""
    return Console(markup=False, highlight=False, emoji=False, **settings)


def stderr_console() -> Console:
    return plain_console(stderr=True, force_terminal=True, width=columns())


def show(answer: Answer, draw: Draw) -> None:
    """Prints on stdout, as wide as the terminal, in colour only on a terminal.

    Rich writes to a buffer: on its own it would exit when the pipe is closed, and fail on other encodings.
    """
    data = io.BytesIO()
    encoding = answer.encoding if answer.terminal else "utf-8"
    buffer = io.TextIOWrapper(data, encoding, errors="backslashreplace", newline="")
    width = min(max(shutil.get_terminal_size((OFF_TERMINAL, 24)).columns, NARROWEST), WIDEST)
    colours = "auto" if answer.terminal else None
    draw(plain_console(file=buffer, force_terminal=answer.terminal, color_system=colours, width=width))
    buffer.flush()
    answer.write_bytes(data.getvalue())


def check_output(path: str, plots: bool = False, plot: bool = False) -> bool:
    """Whether matplotlib makes this picture file (`plots`: it can, `plot`: it must).

    Raises UsageError for an unknown file name extension, and where no file can be written.
    """
    ending = Path(path).suffix.lower()
    endings = (*DRAWN, *PLOTTED[:2]) if plots else DRAWN
    if ending not in endings:
        raise UsageError(f"-o is a file that ends in {', '.join(endings[:-1])} or {endings[-1]}, not {path}.")
    if plot and ending not in PLOTTED:
        raise UsageError(f"--plot draws {', '.join(PLOTTED)}, not {path}.")
    with claimed(path, "picture", "-o"):
        pass  # the file can be written
    return plot or ending not in DRAWN


def write_file(path: PathLike, data: bytes) -> None:
    """Writes the complete file, or leaves the old one unchanged."""
    try:
        with replacing(target(path, "picture", "-o")) as file:
            file.write(data)
    except OSError as error:
        raise CharRNNError(f"{path} could not be written: {error.strerror or error}.") from error


def recorded(draw: Draw, width: int) -> Console:
    """A console that has recorded what was drawn, in all colours, for export."""
    colours = {"force_terminal": True, "color_system": "truecolor", "no_color": False, "legacy_windows": False}
    out = plain_console(file=io.StringIO(), record=True, width=width, **colours)
    draw(out)
    return out


def svg(title: str, draw: Draw, width: int = PICTURE_WIDTH) -> str:
    """What the terminal would show, as SVG."""
    return local_font(recorded(draw, width).export_svg(title=title))


def preformatted(draw: Draw) -> str:
    """What the terminal would show, as an element of a web page."""
    return recorded(draw, PICTURE_WIDTH).export_html(theme=THEME, inline_styles=True, code_format="<pre>{code}</pre>\n")


def local_font(svg: str) -> str:
    """The SVG in the reader's own monospaced font, without the web font that rich links to.

    Rich states the length of a text in characters; here it is in columns, of which a Hangul syllable takes two.
    """

    def in_columns(match: re.Match[str]) -> str:
        text = unescape(match[3])
        return f'textLength="{float(match[1]) * cell_len(text) / len(text):g}"{match[2]}>{match[3]}<'

    svg = TEXT_LENGTH.sub(in_columns, svg)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", "DejaVu Sans Mono")
