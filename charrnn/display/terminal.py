"""Answers to stdout, remarks to stderr; control characters in foreign text are made visible."""

import codecs
import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TextIO

NARROWEST, WIDEST = 10, 1000  # columns
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
WORD = re.compile(
    r"(?:--[^ ]+ (?!-))?(?:'[^']*'[^ ]*|[^ ]+)"
)  # a quoted argument, or an option and its value, is one word
NAMED = {chr(code): chr(0x2400 + code) for code in range(0x20)} | {"\x7f": "\u2421", "\n": "\n", "\t": "\t"}


JOINERS = "\u200c\u200d\u180e"  # between letters, and between the parts of an emoji, they belong to the spelling
SPACE = "\u200b"  # of zero width, between the words of scripts that have no other: Thai to Khmer
SIGNS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"  # seen, although Cf
FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e007a]{0,6}$")  # of a region, the start of it
CONTEXT = 8  # characters that decide how the next one is shown


def safe(text: str, before: str = "") -> str:
    """The text with its control characters made visible, except newline and tab: no terminal obeys any of it.

    So are directions and other characters that cannot be seen, unless they are part of a word or of an emoji.
    `before` is what precedes the text; its last `CONTEXT` characters are enough.
    """
    return replaced(text, lambda character: NAMED.get(character) or f"\\u{{{ord(character):x}}}", before)


def replaced(text: str, replacement: Callable[[str], str], before: str = "") -> str:
    """The text with a replacement for every character that is not safe to write."""
    if text.isascii() and text.isprintable():
        return text
    start, text = len(before), before + text
    return "".join(
        replacement(character) if unsafe(character, text[max(at - CONTEXT, 0) : at]) else character
        for at, character in enumerate(text[start:], start)
    )


def unsafe(character: str, before: str) -> bool:
    """Whether a terminal obeys a character, or shows nothing for it although it is no part of a word or an emoji."""
    if unicodedata.category(character) not in UNSEEN:
        return False
    if character in JOINERS:
        return unicodedata.category(before[-1:] or " ")[0] not in "LMNS"
    if character == SPACE:
        return not "\u0e00" <= before[-1:] < "\u1800"
    if "\U000e0030" <= character <= "\U000e007f":
        return not FLAG.search(before)
    return character not in SIGNS


def is_terminal(stream: TextIO | None) -> bool:
    """Whether the stream is a terminal; rich is not asked, because FORCE_COLOR makes it assume one."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def is_live(stream: TextIO | None) -> bool:
    """Whether the stream is a terminal on which lines can be redrawn."""
    return is_terminal(stream) and os.environ.get("TERM") not in ("dumb", "unknown")


def columns() -> int | None:
    """The width that COLUMNS sets, limited to a range that rich can draw; None if it is not set."""
    claimed = os.environ.get("COLUMNS", "")
    return min(max(int(claimed[:9]), NARROWEST), WIDEST) if claimed.isdecimal() else None


class Live(Protocol):
    """A display at the end of the terminal, above which remarks are printed."""

    def erase(self) -> str:
        """Forgets the display; returns the control sequences that remove it from the terminal."""

    def draw(self) -> None: ...


live: Live | None = None


def remark(text: str) -> None:
    """Prints a paragraph on stderr, whatever control characters it contains; a closed stderr is ignored."""
    if sys.stderr is None:
        return
    with suppress(OSError, ValueError):
        sys.stderr.write(paragraph(text))
        sys.stderr.flush()
    if live:
        live.draw()


def interject(text: str) -> None:
    """`remark` from a signal handler, which may interrupt another: it neither buffers nor draws."""
    with suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), paragraph(text).encode(sys.stderr.encoding))


def paragraph(text: str) -> str:
    """What a remark writes on stderr: one line, or on a terminal lines of whole words instead of the live display."""
    line, encoding = safe(text).replace("\n", "\u240a"), sys.stderr.encoding or "utf-8"
    if is_terminal(sys.stderr):
        line = "\n".join(wrapped(line, columns() or stderr_size().columns))
    return (live.erase() if live else "") + line.encode(encoding, "backslashreplace").decode(encoding) + "\n"


def stderr_size() -> os.terminal_size:
    """The columns and lines of the terminal that stderr writes to, now; 80 and 24 if it does not say."""
    size = os.terminal_size((0, 0))
    with suppress(OSError, ValueError, AttributeError):
        size = os.get_terminal_size(sys.stderr.fileno())
    return os.terminal_size((size.columns or 80, size.lines or 24))


def wrapped(text: str, width: int) -> list[str]:
    """Lines of whole words. A command keeps its line, or has lines that end with a backslash: it can be pasted."""
    from rich.cells import cell_len

    if cell_len(text) <= width:
        return [text]
    indent = " " * (len(text) - len(text.lstrip(" ")))
    lines = [indent]
    for unit in units(text):
        whole = " ".join(unit)
        fits = len(unit) == 1 or cell_len(f"{indent}  {whole}") <= width
        for number, word in enumerate([whole] if fits else unit):
            start = not lines[-1].strip(" ")
            if not start and (cell_len(f"{lines[-1]} {word}") > width - 2 * (not fits) or not (fits or number)):
                lines[-1] += " \\" * (number > 0)
                lines.append(indent + "  ")
                start = True
            lines[-1] += word if start else f" {word}"
    return lines


def units(text: str) -> list[list[str]]:
    """The words of a text, each on its own, but those of a command together, up to a punctuation mark."""
    found: list[list[str]] = []
    command = False
    for word in WORD.findall(text):
        if command:
            found[-1].append(word)
        else:
            found.append([word])
        command = (command or word == "charrnn") and word[-1] not in ",.;:)"
    return found


class ReaderLeft(Exception):
    """The reader of stdout has closed the pipe."""


class Answer:
    """stdout: exact UTF-8 to a pipe or file, text without control characters to a terminal."""

    def __init__(self) -> None:
        if sys.stdout is None:
            raise OSError("standard output is closed")
        self.stream = sys.stdout
        self.terminal = is_terminal(self.stream)
        self.encoding = self.stream.encoding or "utf-8"
        self.before = ""  # the end of what has been written

    def write(self, text: str) -> None:
        """Writes and flushes. Raises ReaderLeft if the pipe is closed."""
        if self.terminal:
            data = safe(text, self.before).encode(self.encoding, "backslashreplace")
            self.before = (self.before + text)[-CONTEXT:]
        else:
            data = text.encode("utf-8", "surrogateescape")
        self.write_bytes(data)

    def write_bytes(self, data: bytes) -> None:
        """Writes output that is safe and encoded already, such as a coloured table."""
        try:
            self.stream.buffer.write(data)
            self.stream.buffer.flush()
        except BrokenPipeError:
            raise ReaderLeft from None

    def line(self, text: str) -> None:
        self.write(text + "\n")

    def json(self, values: object) -> None:
        """One line of JSON: in ASCII unless stdout is UTF-8; control characters are always escaped."""
        text = json.dumps(values, ensure_ascii=codecs.lookup(self.encoding).name != "utf-8")
        self.line(replaced(text, escaped))


def escaped(character: str) -> str:
    """The character in JSON, in ASCII."""
    return re.sub("....", r"\\u\g<0>", character.encode("utf-16-be", "surrogatepass").hex())


def silence(stream: TextIO | None) -> None:
    """Redirects a broken stream to the null device, so that the interpreter's last flush does not fail."""
    if stream is not None:
        with suppress(OSError, ValueError), open(os.devnull, "wb") as null:
            os.dup2(null.fileno(), stream.fileno())


def settle(stream: TextIO | None) -> None:
    """Flushes a stream; if that fails, the stream is silenced."""
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):
        silence(stream)
