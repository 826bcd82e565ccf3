"""`SamplingOptions`: how symbols are chosen, what is never generated, and where a text ends; without NumPy."""

import math
from dataclasses import dataclass

from charrnn.checks import setting, validate
from charrnn.errors import UsageError
from charrnn.sampling.rules import Copies

SAMPLING, CONSTRAINTS, MAIN = "Sampling", "Constraints", "Main options"


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
    ban: str = setting("", "Never generate these characters.", CONSTRAINTS, metavar="CHARS", show_default=False)
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
        (), "End before this string; can be given several times.", MAIN, metavar="TEXT", show_default=False
    )
    lines: int | None = setting(None, "End after N whole lines.", MAIN, metavar="N", at_least=1, show_default=False)
    copies: Copies | None = None

    def __post_init__(self) -> None:
        validate(self)
        stop: object = self.stop
        if isinstance(stop, str) or not all(self.stop):
            raise UsageError("stop is a list of strings of at least one character.", "stop")


def temp_for_loss(nats: float, symbols: int) -> float:
    """A temperature that suits a loss in nats per character, for a model of N = `symbols` symbols.

    It is 1 minus the ratio of the loss to that of a uniform guess, ln N, between 0.3 and 0.8: the worse a
    network predicts, the more of its improbable symbols are errors.
    """
    return min(0.8, max(0.3, round(1.0 - nats / math.log(max(symbols, 2)), 1)))
