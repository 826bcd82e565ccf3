"""`check_int`, `check_float`, `flag`, `shown`: range checks that raise UsageError."""

import math

from charrnn.errors import UsageError

LARGEST = 2**63 - 1
MOST_LAYERS = 1000


def flag(name: str) -> str:
    """The option's name as a user types it."""
    return "--" + name.replace("_", "-")


def check_int(name: str, value: object, low: int, high: int = LARGEST) -> None:
    """Raises UsageError unless `value` is a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        too_large = isinstance(value, int) and value > high
        limits = f"of at least {low}" if high == LARGEST and not too_large else f"from {low} to {high:,}"
        raise UsageError(f"{flag(name)} is a whole number {limits}, not {shown(value)}.")


def check_float(
    name: str,
    value: object,
    *,
    at_least: float = -math.inf,
    above: float = -math.inf,
    at_most: float = math.inf,
    below: float = math.inf,
) -> None:
    """Raises UsageError unless `value` is a finite number inside the limits."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if math.isfinite(number) and at_least <= number <= at_most and above < number < below:
        return
    limits = [
        f"{word} {limit:g}"
        for word, limit in (("at least", at_least), ("above", above), ("at most", at_most), ("below", below))
        if math.isfinite(limit)
    ]
    raise UsageError(f"{flag(name)} is a number {' and '.join(limits)}, not {shown(value)}.")


def shown(value: object) -> str:
    """A rejected value, short enough for a sentence."""
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "..."
