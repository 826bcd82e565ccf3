"""Constraints on a text while it is generated (no-repeat, no-copy), and where it ends (stop strings, lines)."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Protocol


class Rule(Protocol):
    """Follows a text, and forbids characters."""

    def banned(self, more: str = "") -> Collection[str]:
        """The characters that must not follow the text and the character `more`, if there is one."""

    def push(self, character: str) -> None:
        """Appends a character to the text."""


class Copies(Protocol):
    """Sequences of `n` characters that must not be generated."""

    n: int

    def completing(self, context: str) -> Collection[str]:
        """The characters that complete one of these sequences after a context of n - 1 characters."""


class NoRepeat:
    """Forbids every sequence of `n` characters that the text, which starts with `prompt`, already contains."""

    def __init__(self, n: int, prompt: str) -> None:
        self.n, self.text = n, list[str]()
        self.followers: dict[str, list[str]] = defaultdict(list)  # characters seen after each n - 1 characters
        for character in prompt:
            self.push(character)

    def context(self) -> str | None:
        """The last n - 1 characters, None if the text is shorter."""
        start = len(self.text) - (self.n - 1)
        return "".join(self.text[start:]) if start >= 0 else None

    def banned(self, more: str = "") -> Sequence[str]:
        """The characters that would repeat a sequence after the text and `more`."""
        if more:
            self.push(more)
        context = self.context()
        followers = () if context is None else tuple(self.followers.get(context, ()))
        if more:
            self.pop()
        return followers

    def push(self, character: str) -> None:
        context = self.context()
        if context is not None:
            self.followers[context].append(character)
        self.text.append(character)

    def pop(self) -> None:
        """Removes the last character."""
        self.text.pop()
        context = self.context()
        if context is not None:
            self.followers[context].pop()


class NoCopy:
    """Forbids the sequences `copies`."""

    def __init__(self, copies: Copies) -> None:
        self.copies, self.kept = copies, copies.n - 1
        self.text = ""

    def banned(self, more: str = "") -> Collection[str]:
        context = (self.text + more)[-self.kept :] if self.kept else ""
        return self.copies.completing(context) if len(context) == self.kept else ()

    def push(self, character: str) -> None:
        self.text = (self.text + character)[-self.kept :] if self.kept else ""


class Ending:
    """Ends a text before one of the strings `stop`, or after `lines` lines (None: no limit).

    Characters that may be the start of a stop string are withheld until that is decided.
    """

    def __init__(self, stop: Sequence[str], lines: int | None) -> None:
        self.stop, self.lines, self.withheld, self.done = tuple(stop), lines, "", False
        self.newlines = 0

    def push(self, character: str) -> str:
        """Appends a character, and returns those that are released; if it ends the text, `done` is set."""
        text = self.withheld + character
        longest = max((len(stop) for stop in self.stop if text.endswith(stop)), default=0)
        self.newlines += character == "\n"
        self.done = bool(longest) or self.newlines == self.lines
        kept = 0 if self.done else max((overlap(text, stop) for stop in self.stop), default=0)
        self.withheld = text[len(text) - kept :]
        return text[: len(text) - kept - longest]


def overlap(text: str, stop: str) -> int:
    """The number of characters at the end of a text that are the start of a stop string."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)
