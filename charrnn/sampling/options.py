"""`SamplingOptions`: how symbols are chosen, what is never generated, and where a text ends; without NumPy."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from charrnn.checks import setting, shown, validate
from charrnn.errors import UsageError
from charrnn.sampling.rules import Copies

SAMPLING, CONSTRAINTS, MAIN = "Sampling", "Constraints", "Main options"
ESCAPES = "Escapes: \\n, \\t, \\r, \\\\ and \\u{HEX}"  # of the command line
NOT_TEXT, NOT_BYTES = re.compile("[\ud800-\udfff]"), re.compile("[\ud800-\udc7f\udd00-\udfff]")  # with raw


@dataclass(frozen=True)
class SamplingOptions:
    """The options of `sample` and of `charrnn sample`, apart from length, prompt and seed.

    `copies` are character n-grams that must not be generated, such as `text.rolling_hash.Runs` of a corpus. Raises
    UsageError if a value is outside its range.
    """

    temp: float = setting(
        0.8,
        "Temperature: below 1 more predictable, above 1 more surprising; 0 always takes the most likely symbol.",
        SAMPLING,
        flags=("-t", "--temp", "--temperature"),
        metavar="T",
        at_least=0.0,
    )
    top_k: int = setting(
        0, "Sample from the K most likely symbols only; 0 disables it.", SAMPLING, metavar="K", at_least=0
    )
    top_p: float = setting(
        1.0,
        "Sample from the most likely symbols that make up probability P; 1 disables it.",
        SAMPLING,
        metavar="P",
        above=0.0,
        at_most=1.0,
    )
    min_p: float = setting(
        0.0,
        "Sample from symbols at least P times as likely as the most likely one; 0 disables it.",
        SAMPLING,
        metavar="P",
        at_least=0.0,
        at_most=1.0,
    )
    ban: str = setting(
        "", f"Never generate these characters. {ESCAPES}.", CONSTRAINTS, metavar="CHARS", show_default=False
    )
    no_repeat: int = setting(
        0,
        "Never repeat a sequence of N characters (prompt included); 0 disables it.",
        CONSTRAINTS,
        metavar="N",
        at_least=0,
        show_default=False,
    )
    raw: bool = setting(False, "Allow byte models to generate invalid UTF-8.", CONSTRAINTS)
    stop: tuple[str, ...] = setting(
        (), f"End before this string; can be given several times. {ESCAPES}.", MAIN, metavar="TEXT", show_default=False
    )
    lines: int | None = setting(
        None, "End after N whole lines, not counting blank ones.", MAIN, metavar="N", at_least=1, show_default=False
    )
    blank_lines: bool = setting(False, "Count blank lines, too.", MAIN)
    texts: int | None = setting(
        None,
        "Write N whole texts, with a model of several files or of lines (--by-line).",
        MAIN,
        metavar="N",
        at_least=1,
        show_default=False,
    )
    copies: Copies | None = None

    def __post_init__(self) -> None:
        stop: object = self.stop
        if isinstance(stop, str | bytes) or not isinstance(stop, Iterable):
            raise UsageError(f"stop is a list of strings, not {shown(repr(stop))}.", "stop")
        object.__setattr__(self, "stop", tuple(stop))
        validate(self)
        if not all(self.stop):
            raise UsageError("stop is a list of strings of at least one character.", "stop")
        for name, text in (("ban", self.ban), *(("stop", one) for one in self.stop)):
            if found := (NOT_BYTES if self.raw else NOT_TEXT).search(text):
                why = "" if NOT_BYTES.match(found[0]) else ": a byte that is not UTF-8 occurs with raw only"
                raise UsageError(f"{name} contains {found[0]!r}, which is not text{why}.", name)

    @property
    def random(self) -> bool:
        """Whether symbols are drawn; otherwise the most likely one is taken."""
        return self.temp > 0.0 and self.top_k != 1 and self.min_p < 1.0


def temp_for_loss(nats: float, symbols: int) -> float:
    """A temperature that suits a loss in nats per character, for a model of N = `symbols` symbols.

    It is 1 minus the ratio of the loss to that of a uniform guess, ln N, between 0.3 and 0.8: the worse a
    network predicts, the more of its improbable symbols are errors.
    """
    return min(0.8, max(0.3, round(1.0 - nats / math.log(max(symbols, 2)), 1)))
