"""Answers to stdout, remarks to stderr; control characters in foreign text are made visible."""

import json
import os
import sys
import unicodedata
from contextlib import suppress
from typing import TextIO

NARROWEST, WIDEST = 10, 1000  # columns
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
NAMED = {chr(code): chr(0x2400 + code) for code in range(0x20)} | {"\x7f": "\u2421", "\n": "\n", "\t": "\t"}


def safe(text: str) -> str:
    """The text with its control characters made visible, except newline and tab: no terminal obeys any of it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(visible, text))


def visible(character: str) -> str:
    if character in NAMED:
        return NAMED[character]
    return f"\\u{{{ord(character):x}}}" if unicodedata.category(character) in UNSEEN else character


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


def remark(text: str) -> None:
    """Prints one line on stderr, whatever control characters it contains; a closed stderr is ignored."""
    if sys.stderr is None:
        return
    encoding = sys.stderr.encoding or "utf-8"
    line = safe(text).replace("\n", "\u240a") + "\n"
    with suppress(OSError, ValueError):
        sys.stderr.write(line.encode(encoding, "backslashreplace").decode(encoding))
        sys.stderr.flush()


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

    def write(self, text: str) -> None:
        """Writes and flushes. Raises ReaderLeft if the pipe is closed."""
        if self.terminal:
            data = safe(text).encode(self.encoding, "backslashreplace")
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
        """One line of JSON."""
        self.line(json.dumps(values))


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
