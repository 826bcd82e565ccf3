"""Plain writing to the terminal: foreign text made harmless, answers to stdout, remarks to stderr."""

import os
import sys
import unicodedata
from typing import TextIO

NARROWEST, WIDEST = 10, 1000  # columns
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def safe(text: str) -> str:
    """The text with nothing in it that a terminal would obey: newline and tab stay, the rest becomes visible."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(visible, text))


def visible(character: str) -> str:
    code = ord(character)
    if character in "\n\t":
        return character
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return f"\\u{{{code:x}}}" if unicodedata.category(character) in UNSEEN else character


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person reads this; asked of the stream, because FORCE_COLOR makes rich believe it of any."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def columns() -> int | None:
    """The width that COLUMNS claims, within reason, for rich, which believes any; None where it claims none."""
    claimed = os.environ.get("COLUMNS", "")
    return min(max(int(claimed[:9]), NARROWEST), WIDEST) if claimed.isdecimal() else None


def remark(text: str) -> None:
    """One line on stderr, also where a name in it has a newline; a closed stderr is no reason to stop."""
    stream = sys.stderr
    if stream is None:
        return
    line = safe(text).replace("\n", "\u240a") + "\n"
    try:
        stream.write(line.encode(stream.encoding or "utf-8", "backslashreplace").decode(stream.encoding or "utf-8"))
        stream.flush()
    except (OSError, ValueError):
        pass


class ReaderLeft(Exception):
    """Nobody reads stdout any more."""


class Answer:
    """stdout, for what was asked for: exact bytes of UTF-8 to a pipe or file, harmless text to a terminal."""

    def __init__(self) -> None:
        if sys.stdout is None:
            raise OSError("standard output is closed")
        self.stream = sys.stdout
        self.terminal = is_terminal(self.stream)
        self.encoding = self.stream.encoding or "utf-8"

    def write(self, text: str) -> None:
        """Writes and flushes; raises ReaderLeft where the pipe is closed."""
        if self.terminal:
            data = safe(text).encode(self.encoding, "backslashreplace")
        else:
            data = text.encode("utf-8", "surrogateescape")
        self.put(data)

    def put(self, data: bytes) -> None:
        """Writes what is harmless and encoded already, such as a picture in colours."""
        try:
            self.stream.buffer.write(data)
            self.stream.buffer.flush()
        except BrokenPipeError:
            raise ReaderLeft from None

    def line(self, text: str) -> None:
        self.write(text + "\n")


def silence(stream: TextIO | None) -> None:
    """Points a broken stream at nothing, so that the interpreter's last flush does not complain."""
    if stream is None:
        return
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):
        pass


def settle(stream: TextIO | None) -> None:
    """Writes out what a stream still holds; where that cannot be done, the interpreter shall not try again."""
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):
        silence(stream)
