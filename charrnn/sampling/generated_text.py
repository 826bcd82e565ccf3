"""One text while it is generated: which symbols may come next, which characters are certain, and why it ended."""

from collections.abc import Iterator

import numpy as np

from charrnn.arrays import Mask, RandomStream
from charrnn.checks import LARGEST
from charrnn.sampling.options import SamplingOptions
from charrnn.sampling.rules import Ending, NoCopy, NoRepeat
from charrnn.sampling.spelling import Spelling
from charrnn.text.units import UNITS

BLOCK = 256  # random numbers generated at once


def uniforms(seed: int) -> Iterator[float]:
    """An endless stream of random numbers in [0, 1) for one text: one per symbol."""
    rng = np.random.Generator(np.random.PCG64([seed, RandomStream.SAMPLING]))
    while True:
        yield from rng.random(BLOCK).tolist()


class GeneratedText:
    """Takes symbols one by one, and releases each character as soon as no later symbol can change it.

    At most `length` characters are released (None: no limit). `end` says why the text is done: "stop" (before a stop
    string, or after the last line), "length", or "stuck" (the constraints allow no symbol); None before that.
    """

    def __init__(
        self, spelling: Spelling, options: SamplingOptions, length: int | None, prompt: str, seed: int
    ) -> None:
        self.spelling, self.seed, self.uniform = spelling, seed, uniforms(seed).__next__
        self.decoder = UNITS[spelling.vocab.unit].decoder()
        self.rules = [NoCopy(options.copies)] if options.copies is not None else []
        if options.no_repeat:
            self.rules.append(NoRepeat(options.no_repeat, prompt, options.raw))
        self.ending = None
        if options.stop or options.lines:
            self.ending = Ending(options.stop, options.lines, prompt, options.blank_lines)
        self.free = spelling.free and not self.rules  # every symbol is always allowed
        # every symbol is a character that is certain at once
        self.simple = self.free and self.ending is None and spelling.vocab.unit == "char"
        self.remaining = LARGEST if length is None else length
        self.end: str | None = None if self.remaining else "length"
        self.mask: Mask | None = None
        self._constrain()

    @property
    def done(self) -> bool:
        return self.end is not None

    def allowed(self) -> Mask | None:
        """Which symbols (V,) may come next; None allows all of them."""
        return self.mask

    def push(self, symbol: int) -> str:
        """Appends the symbol with this id, and returns the characters that it makes certain; "" if the text is done."""
        if self.end is not None:
            return ""
        if self.simple:
            return self._release(chr(self.spelling.codes[symbol]))
        released = "".join(map(self._append, self.decoder.push(self.spelling.codes[symbol])))
        return released if self.free else released + self._constrain()

    def _append(self, character: str) -> str:
        if self.end is not None:
            return ""
        for rule in self.rules:
            rule.push(character)
        if self.ending is None:
            return self._release(character)
        released = self.ending.push(character)
        self.end = "stop" if self.ending.done else None
        return self._release(released)

    def _release(self, characters: str) -> str:
        """These characters, cut at the length of the text."""
        self.remaining -= len(characters)
        if self.remaining > 0:
            return characters
        if self.remaining < 0:
            self.end, characters = "length", characters[: self.remaining]
        self.end = self.end or "length"
        return characters

    def _constrain(self) -> str:
        """Computes which symbols are allowed; if there are none, ends the text and returns what was held back."""
        if self.end is not None:
            return ""
        self.mask = self.spelling.allowed(self.decoder.held, self._banned if self.rules else None)
        if self.mask is None or self.mask.any():
            return ""
        released = "".join(map(self._append, self.decoder.flush()))
        if self.ending is not None and self.end is None:
            released += self._release(self.ending.withheld)
        self.end = self.end or "stuck"
        return released

    def _banned(self, more: str = "") -> set[str]:
        return {character for rule in self.rules for character in rule.banned(more)}
