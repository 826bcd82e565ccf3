"""What is suggested behind the cursor: continuations that stay while what is written agrees with them."""

import re

from charrnn.editor.predictions import Continuation

PIECES = {
    "word": re.compile(r"\s*\S+|\s+"),
    "line": re.compile(r"\n*[^\n]*"),
    "all": re.compile(r".*", re.DOTALL),
}


class Suggestions:
    """Continuations of `before`, of which one is chosen.

    `kept` are those that are left of earlier ones; they are shown until `items`, with their probabilities, are there.
    """

    def __init__(self) -> None:
        self.before = ""
        self.items: list[Continuation] = []
        self.kept: list[str] = []
        self.chosen = 0

    def follow(self, before: str) -> None:
        """The cursor stands behind `before` now: what agrees with it keeps its rest, the others go."""
        if before == self.before and self.items:
            return
        new = before[len(self.before) :] if before.startswith(self.before) else None
        texts = self.texts
        rests = [None if new is None or not text.startswith(new) else text[len(new) :] for text in texts]
        chosen = rests[self.chosen] if rests else None
        self.kept = list(dict.fromkeys(rest for rest in rests if rest))
        self.chosen = self.kept.index(chosen) if chosen else 0
        self.before, self.items = before, []

    def forget(self) -> None:
        """Others are wanted."""
        self.items, self.kept, self.chosen = [], [], 0

    def found(self, items: list[Continuation]) -> None:
        """The continuations of `before`; those of `kept` first."""
        self.items, self.kept = items, []
        self.chosen = min(self.chosen, max(len(items) - 1, 0))

    @property
    def texts(self) -> list[str]:
        return [item.text for item in self.items] or self.kept

    @property
    def text(self) -> str:
        """The one that is chosen; empty while there is none."""
        return self.texts[self.chosen] if self.texts else ""

    def turn(self, by: int = 1) -> None:
        """Chooses the next one."""
        if self.texts:
            self.chosen = (self.chosen + by) % len(self.texts)

    def piece(self, size: str) -> str:
        """The beginning of the chosen one: its next word, the rest of its line, or all; `size` names it."""
        match = PIECES[size].match(self.text)
        return match[0] if match else ""
