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
    string, or after the last line or text), "length", or "stuck" (the constraints allow no symbol); None before that.

    An end of text is written as a newline, unless the text ends with one or is the last that was requested. No text is
    empty. `silent` counts the ends that were not written.
    """

    def __init__(
        self, spelling: Spelling, options: SamplingOptions, length: int | None, prompt: str, seed: int
    ) -> None:
        self.spelling, self.seed, self.uniform = spelling, seed, uniforms(seed).__next__
        self.decoder = UNITS[spelling.vocab.unit].decoder()
        self.boundary, self.end_of_text = spelling.vocab.boundary, spelling.vocab.end_of_text
        self.texts, self.silent, self.last = options.texts, 0, prompt[-1:]
        # a text starts with the first symbol, or after a prompt that ends a line
        self.fresh = self.boundary is not None and prompt[-1:] in (
            ("",) if self.end_of_text is not None else ("", "\n")
        )
        self.rules = [NoCopy(options.copies)] if options.copies is not None else []
        if options.no_repeat:
            self.rules.append(NoRepeat(options.no_repeat, prompt, options.raw))
        self.ending = None
        if options.stop or options.lines:
            self.ending = Ending(options.stop, options.lines, prompt, options.blank_lines)
        self.free = spelling.free and not self.rules  # every symbol is always allowed
        # every symbol but a boundary is a character that is certain at once
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
        if self.simple and symbol != self.boundary and not self.fresh:  # the most frequent case
            self.last = chr(self.spelling.codes[symbol])
            self.remaining -= 1
            if not self.remaining:
                self.end = "length"
            return self.last
        fresh, self.fresh = self.fresh, symbol == self.boundary
        if symbol == self.end_of_text:
            released = self._end_text()
        else:
            released = "".join(map(self._append, self.decoder.push(self.spelling.codes[symbol])))
        if self.fresh and self.texts is not None and self.end is None:
            self.texts -= 1
            self.end = None if self.texts else "stop"
        return released if self.free and not (fresh or self.fresh) else released + self._constrain()

    def _end_text(self) -> str:
        """Completes the last character; a newline, if the text needs one before the next."""
        released = "".join(map(self._append, self.decoder.flush()))
        if self.texts == 1 and self.ending is not None and self.end is None:
            released += self._release(self.ending.withheld)
        if self.texts == 1 or self.last == "\n":
            self.silent += 1
        else:
            released += self._append("\n")
        return released

    def _append(self, character: str) -> str:
        if self.end is not None:
            return ""
        self.last = character
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
        if self.boundary is not None and not self._may_end():
            mask = self.mask
            self.mask = np.ones(len(self.spelling.codes), bool) if mask is None else mask.copy()
            self.mask[self.boundary] = False
        if self.mask is None or self.mask.any():
            return ""
        released = "".join(map(self._append, self.decoder.flush()))
        if self.ending is not None and self.end is None:
            released += self._release(self.ending.withheld)
        self.end = self.end or "stuck"
        return released

    def _may_end(self) -> bool:
        """Whether the text may end here: it is not empty, and the newline that is written, if any, is not banned."""
        if self.fresh or self.end_of_text is None or self.texts == 1:
            return not self.fresh
        last = self.decoder.held and UNITS[self.spelling.vocab.unit].text(np.array(self.decoder.held, np.uint32))
        written = not last and self.last == "\n"
        return written or "\n" not in self.spelling.ban | self._banned(last or "")

    def _banned(self, more: str = "") -> set[str]:
        return {character for rule in self.rules for character in rule.banned(more)}
