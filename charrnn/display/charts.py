"""Sparklines, bars, counts, durations and speeds as text."""

import math
from collections.abc import Sequence
from itertools import pairwise

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = "_.-~=+*#"
EIGHTHS = ("", *"▏▎▍▌▋▊▉")  # of a character cell


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def spark(values: Sequence[float], width: int, ascii_only: bool = False) -> str:
    """A sparkline of at most `width` characters; each is the mean of an equal part of the values."""
    if not values or width < 1:
        return ""
    parts = min(width, len(values))
    cuts = [k * len(values) // parts for k in range(parts + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(cuts)]
    low, high = min(means), max(means)
    ramp = ASCII if ascii_only else BLOCKS
    scale = (len(ramp) - 1) / ((high - low) or math.inf)
    return "".join(ramp[round((mean - low) * scale)] for mean in means)


def bar(share: float, width: int, ascii_only: bool = False) -> str:
    """A bar over this share of `width` columns, in steps of an eighth of a column."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    return "#" * round(eighths / 8) if ascii_only else "█" * (eighths // 8) + EIGHTHS[eighths % 8]


def duration(seconds: float) -> str:
    """m:ss, or h:mm:ss from an hour on."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def speed(chars_per_second: float) -> str:
    return f"{chars_per_second:,.0f}" if chars_per_second < 1e4 else f"{chars_per_second / 1e3:,.0f}k"
