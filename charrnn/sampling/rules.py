"""What a text may not do while it is written, and where it ends: --no-repeat, --no-copy, --stop, --lines."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Protocol


class Rule(Protocol):
    """Follows a text, and says which characters may not come next."""

    def banned(self, more: str = "") -> Collection[str]:
        """Those that may not come after the text and the character `more`, if there is one."""

    def push(self, character: str) -> None:
        """The text goes on by this character."""


class Copies(Protocol):
    """Runs of `n` characters that must not be written."""

    n: int

    def completing(self, context: str) -> Collection[str]:
        """The characters that make one of them of n - 1 characters."""


class NoRepeat:
    """No sequence of `n` characters comes twice; `text` is what stands already."""

    def __init__(self, n: int, text: str) -> None:
        self.n, self.text = n, list[str]()
        self.followers: dict[str, list[str]] = defaultdict(list)  # what came after each sequence of n - 1 characters
        for character in text:
            self.push(character)

    def context(self) -> str | None:
        """The last n - 1 characters, None where there are not yet as many."""
        begin = len(self.text) - (self.n - 1)
        return "".join(self.text[begin:]) if begin >= 0 else None

    def banned(self, more: str = "") -> Sequence[str]:
        """The characters that would repeat a sequence, after the text and `more`."""
        if more:
            self.push(more)
        context = self.context()
        found = () if context is None else tuple(self.followers.get(context, ()))
        if more:
            self.pop()
        return found

    def push(self, character: str) -> None:
        context = self.context()
        if context is not None:
            self.followers[context].append(character)
        self.text.append(character)

    def pop(self) -> None:
        """Takes the last character back."""
        self.text.pop()
        context = self.context()
        if context is not None:
            self.followers[context].pop()


class NoCopy:
    """None of the runs `copies` is written."""

    def __init__(self, copies: Copies) -> None:
        self.copies, self.kept = copies, copies.n - 1
        self.text = ""

    def banned(self, more: str = "") -> Collection[str]:
        context = (self.text + more)[-self.kept :] if self.kept else ""
        return self.copies.completing(context) if len(context) == self.kept else ()

    def push(self, character: str) -> None:
        self.text = (self.text + character)[-self.kept :] if self.kept else ""


class Ending:
    """Where a text ends: before one of the texts `stop`, or with so many `lines` (0 for any number).

    What may be the beginning of a stop is withheld until that is decided.
    """

    def __init__(self, stop: Sequence[str], lines: int) -> None:
        self.stop, self.lines, self.withheld, self.done = tuple(stop), lines, "", False
        self.written = 0  # lines

    def push(self, character: str) -> str:
        """What this character lets out; nothing comes after it where `done`."""
        text = self.withheld + character
        longest = max((len(stop) for stop in self.stop if text.endswith(stop)), default=0)
        self.written += character == "\n"
        self.done = bool(longest) or (self.lines > 0 and self.written == self.lines)
        kept = 0 if self.done else max((overlap(text, stop) for stop in self.stop), default=0)
        self.withheld = text[len(text) - kept :]
        return text[: len(text) - kept - longest]


def overlap(text: str, stop: str) -> int:
    """How many characters at the end of a text are the beginning of a stop."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)
