"""Answers to stdout, remarks to stderr; control characters in foreign text are made visible."""

import codecs
import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

NARROWEST, WIDEST = 10, 1000  # columns
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
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
