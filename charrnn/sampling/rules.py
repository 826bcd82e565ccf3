"""Constraints on a text while it is generated (no-repeat, no-copy), and where it ends (stop strings, lines)."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Protocol


class Copies(Protocol):
    """Sequences of `n` characters that must not be generated."""

    n: int

    def completing(self, context: str) -> Collection[str]:
        """The characters that complete one of these sequences after a context of n - 1 characters."""


class NoCopy:
    """Follows a text, and forbids the sequences `copies` in it."""

    def __init__(self, copies: Copies) -> None:
        self.copies, self.context = copies, ""

    def banned(self, more: str = "") -> Collection[str]:
        """The characters that must not follow the text and the characters `more`."""
        context = self.after(more)
        return self.copies.completing(context) if len(context) == self.copies.n - 1 else ()

    def push(self, character: str) -> None:
        """Appends a character to the text."""
        self.context = self.after(character)

    def after(self, more: str) -> str:
        """The last n - 1 characters of the text and `more`, or fewer at its start."""
        text = self.context + more
        return text[max(len(text) - self.copies.n + 1, 0) :]


class NoRepeat(NoCopy):
    """Forbids every sequence of `n` characters that the text, which starts with `prompt`, already contains.

    With `raw`, sequences of bytes: each is a character, or a surrogate escape above 127.
    """

    def __init__(self, n: int, prompt: str, raw: bool = False) -> None:
        super().__init__(self)  # the text itself is what it must not copy
        self.n, self.raw = n, raw
        self.followers: dict[str, list[str]] = defaultdict(list)  # characters seen after each n - 1 characters
        for character in prompt:
            self.push(character)

    def completing(self, context: str) -> Sequence[str]:
        return self.followers.get(context, ())

    def banned(self, more: str = "") -> Collection[str]:
        banned, text = super().banned(more), self.context + more
        # `more` itself follows a context: in "aa", the next "a" repeats the pair that it completes
        starts = range(max(len(self.context) - self.n + 1, 0), len(text) - self.n + 1)
        return [*banned, *(text[i + self.n - 1] for i in starts if text[i : i + self.n - 1] == self.after(more))]

    def push(self, character: str) -> None:
        for one in as_bytes(character) if self.raw else character:
            if len(self.context) == self.n - 1:
                self.followers[self.context].append(one)
            super().push(one)


def as_bytes(text: str) -> str:
    """The bytes of a text in UTF-8, each as a character, or as a surrogate escape above 127."""
    return text.encode("utf-8", "surrogateescape").decode("ascii", "surrogateescape")


class Ending:
    """Ends a text before one of the strings `stop`, or after `lines` lines (None: no limit), the first of which starts
    in the prompt. Lines of white space count only if `blank_lines` is set.

    Characters that may be the start of a stop string are withheld until that is decided.
    """

    def __init__(self, stop: Sequence[str], lines: int | None, prompt: str = "", blank_lines: bool = False) -> None:
        self.stop, self.lines, self.withheld, self.done = stop, lines, "", False
        self.newlines, self.blank_lines = 0, blank_lines
        self.counts = blank_lines or bool(prompt.rpartition("\n")[2].strip())  # whether the present line does

    def push(self, character: str) -> str:
        """Appends a character, and returns those that are released; if it ends the text, `done` is set."""
        text = self.withheld + character
        longest = max((len(stop) for stop in self.stop if text.endswith(stop)), default=0)
        if character == "\n":
            self.newlines += self.counts
            self.counts = self.blank_lines
        elif not character.isspace():
            self.counts = True
        self.done = bool(longest) or self.newlines == self.lines
        kept = 0 if self.done else max((overlap(text, stop) for stop in self.stop), default=0)
        self.withheld = text[len(text) - kept :]
        return text[: len(text) - kept - longest]


def overlap(text: str, stop: str) -> int:
    """The number of characters at the end of a text that are the start of a stop string."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)
