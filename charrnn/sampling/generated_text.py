"""One text while it is written: which symbols may come next, what has come out, and where it ends."""

from collections.abc import Iterator, Sequence

import numpy as np

from charrnn.arrays import Mask
from charrnn.sampling.rules import Copies, Ending, NoCopy, NoRepeat, Rule
from charrnn.sampling.spelling import Spelling
from charrnn.text.units import UNITS

PURPOSE = 2  # of the random numbers: apart from those of weights (0) and dropout (1)
BLOCK = 256  # random numbers drawn together


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, PURPOSE]))


def uniforms(seed: int) -> Iterator[float]:
    """The endless stream of numbers in [0, 1) that draws the text of a seed: one for each symbol."""
    rng = generator(seed)
    while True:
        yield from rng.random(BLOCK).tolist()


class Writer:
    """Takes the symbols of one text, and lets characters out as soon as nothing that follows can change them.

    It is `done` at a stop or after so many lines (`end` is "stop"), or where nothing is left that may come ("stuck").
    `logs` are the log-probabilities of its symbols, where somebody collects them.
    """

    def __init__(
        self,
        spelling: Spelling,
        seed: int,
        *,
        prime: str = "",
        no_repeat: int = 0,
        copies: Copies | None = None,
        stop: Sequence[str] = (),
        lines: int = 0,
    ) -> None:
        self.spelling, self.seed, self.uniforms = spelling, seed, uniforms(seed)
        self.unit = UNITS[spelling.vocab.unit]
        self.decoder = self.unit.decoder()
        self.rules: list[Rule] = []
        if no_repeat:
            self.rules.append(NoRepeat(no_repeat, prime))
        if copies is not None:
            self.rules.append(NoCopy(copies))
        self.ending = Ending(stop, lines) if stop or lines else None
        self.free = spelling.free and not self.rules  # any symbol may come at any time
        # a symbol is a character, and comes out at once
        self.simple = self.free and self.ending is None and spelling.vocab.unit == "char"
        self.out: list[str] = []
        self.length = 0
        self.logs: list[float] = []
        self.end: str | None = None

    @property
    def done(self) -> bool:
        return self.end is not None

    def allowed(self) -> Mask | None:
        """Which symbols (V,) may come next, None for all of them; where there are none, the text is done."""
        if self.done:
            return None
        mask = self.spelling.allowed(self.decoder.held, self.banned if self.rules else None)
        if mask is None or mask.any():
            return mask
        self.give_up()
        return None

    def banned(self, more: str = "") -> set[str]:
        return {character for rule in self.rules for character in rule.banned(more)}

    def push(self, code: int) -> None:
        """Takes a symbol; nothing where the text is done."""
        if not self.done:
            for character in self.decoder.push(code):
                self.write(character)

    def write(self, character: str) -> None:
        for rule in self.rules:
            rule.push(character)
        if self.ending is None:
            self.add(character)
        elif not self.done:
            self.add(self.ending.push(character))
            self.end = "stop" if self.ending.done else None

    def give_up(self) -> None:
        """Nothing may come: the text ends with what stands."""
        for character in self.decoder.flush():
            self.write(character)
        if self.ending is not None and not self.done:
            self.add(self.ending.withheld)
        self.end = self.end or "stuck"

    def add(self, piece: str) -> None:
        """Lets these characters out."""
        if piece:
            self.out.append(piece)
            self.length += len(piece)

    def take(self) -> str:
        """The characters that came out since the last time."""
        text = "".join(self.out)
        self.out.clear()
        return text
