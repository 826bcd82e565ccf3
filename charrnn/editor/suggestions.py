"""The continuations suggested at the cursor; they stay as long as the text agrees with them."""

import re

from charrnn.editor.predictions import Continuation

PIECES = {"word": r"\s*\S+|\s+", "line": r"\n*[^\n]*", "all": r"(?s).*"}


class Suggestions:
    """Continuations of the text `before` the cursor, one of them chosen.

    `kept` are the remainders of earlier ones, shown until `items`, with their probabilities, are ready.
    """

    def __init__(self) -> None:
        self.before = ""
        self.items: list[Continuation] = []
        self.kept: list[str] = []
        self.chosen = 0

    def follow(self, before: str) -> None:
        """Adapts to a new text before the cursor: of continuations that agree with it, the remainder is kept."""
        if before == self.before and self.items:
            return
        new = before[len(self.before) :]
        grown = before == self.before + new
        rests = [text.removeprefix(new) if grown and text.startswith(new) else "" for text in self.texts]
        chosen = rests[self.chosen] if rests else ""
        self.kept = list(dict.fromkeys(filter(None, rests)))
        self.chosen = self.kept.index(chosen) if chosen else 0
        self.before, self.items = before, []

    def forget(self) -> None:
        """Drops all continuations, so that new ones are drawn."""
        self.items, self.kept, self.chosen = [], [], 0

    def update(self, items: list[Continuation]) -> None:
        """Takes new continuations of `before`; those of `kept` are first among them."""
        self.items, self.kept = items, []
        self.chosen = min(self.chosen, max(len(items) - 1, 0))

    @property
    def texts(self) -> list[str]:
        return [item.text for item in self.items] or self.kept

    @property
    def text(self) -> str:
        """The chosen one; empty if there is none."""
        return self.texts[self.chosen] if self.texts else ""

    def turn(self, by: int = 1) -> None:
        """Chooses the next one."""
        if self.texts:
            self.chosen = (self.chosen + by) % len(self.texts)

    def piece(self, size: str) -> str:
        """The start of the chosen one: its next "word", the rest of its "line", or "all"."""
        match = re.match(PIECES[size], self.text)
        return match[0] if match else ""
