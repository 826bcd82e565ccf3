"""Probes: properties of a text that a unit may follow, each a number per character.

The target at a character depends only on the text up to and including it: on what a network has read by then.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from charrnn.see.text_window import TextWindow
from charrnn.text.units import SYLLABLES

Targets = NDArray[np.float64]
TAB_WIDTH = 8
FINAL_CONSONANTS = 0x11A8, 0x11C2  # the conjoining jamo
PYTHON_LINE = re.compile(r"^(def |class |import |from \w+ import |    (return|if|for|self)\b)", re.MULTILINE)
PYTHON_SHARE = 0.02  # a text counts as Python if more of its lines match
COMMENT_OR_STRING = re.compile(
    r"""("{3}|'{3})(?:\\.?|[^\\])*?(?:\1|\Z)"""  # a backslash belongs to the character after it
    r"""|(["'])(?:\\.?|[^\\\n])*?(?:\2|(?=\n)|\Z)|#[^\n]*""",
    re.DOTALL,
)
CLOSING_QUOTES = {'"': '"', "“": "”", "「": "」", "『": "』", "«": "»", "„": "“"}


@dataclass(frozen=True)
class Probe:
    """`targets` gives one number per character. `needs_memory`: the last few characters do not determine it."""

    name: str
    needs_memory: bool
    targets: Callable[[str], Sequence[float]]


def inside_quotes(text: str) -> list[float]:
    """1 from an opening quotation mark to before the closing one; a blank line closes it too."""
    targets, close = [], ""
    for last, c in pairwise("\n" + text):
        close = "" if c == close or c == "\n" == last else close or CLOSING_QUOTES.get(c, "")
        targets.append(float(bool(close)))
    return targets


def bracket_depth(text: str) -> list[float]:
    """The number of open brackets ( [ {; a blank line closes all of them."""
    targets, depth = [], 0
    for last, c in pairwise("\n" + text):
        depth = 0 if c == "\n" == last else max(0, depth + (c in "([{") - (c in ")]}"))
        targets.append(float(depth))
    return targets


def line_position(text: str) -> list[float]:
    """The number of characters since the newline, itself 0."""
    return [float(column) for line in text.split("\n") for column in (*range(1, len(line) + 1), 0)][:-1]


def indentation(text: str) -> list[float]:
    """The columns of white space read so far at the start of the line."""
    targets, columns, counting = [], 0, True
    for c in text:
        counting = c == "\n" or (counting and c in " \t")
        if counting:
            columns = 0 if c == "\n" else columns + 1 if c == " " else (columns // TAB_WIDTH + 1) * TAB_WIDTH
        targets.append(float(columns))
    return targets


def after_capital(text: str) -> list[float]:
    """1 at a letter that follows a capital letter."""
    return [float(c.isalpha() and b.isupper()) for b, c in pairwise("\n" + text)]


def inside_number(text: str) -> list[float]:
    """1 at digits, and at points, commas and underscores that follow them."""
    inside = accumulate(text, lambda inside, c: c.isdigit() or (inside and c in ".,_"), initial=False)
    return [float(value) for value in inside][1:]


def word_boundary(text: str) -> list[float]:
    """1 at the first character after a word."""
    return [float(b.isalnum() and not c.isalnum()) for b, c in pairwise("\n" + text)]


def python_comment_or_string(text: str) -> list[float]:
    """1 in a Python comment or string, quotation marks included."""
    targets = [0.0] * len(text)
    for match in COMMENT_OR_STRING.finditer(text):
        targets[match.start() : match.end()] = [1.0] * len(match[0])
    return targets


def final_consonant(text: str) -> list[float]:
    """1 at a Hangul syllable that ends in a consonant."""
    first, count = SYLLABLES
    return [float(0 <= ord(c) - first < count and (ord(c) - first) % 28 > 0) for c in text]


PROBES = (
    Probe("inside quotes", True, inside_quotes),
    Probe("bracket depth", True, bracket_depth),
    Probe("position in the line", True, line_position),
    Probe("indentation", True, indentation),
    Probe("letter after a capital", False, after_capital),
    Probe("inside a number", False, inside_number),
    Probe("word boundary", False, word_boundary),
    Probe("Python comment or string", True, python_comment_or_string),
    Probe("Hangul final consonant", False, final_consonant),
)


def is_python(text: str) -> bool:
    return len(PYTHON_LINE.findall(text)) > PYTHON_SHARE * (text.count("\n") + 1)


def probe_targets(window: TextWindow) -> dict[Probe, Targets]:
    """The targets (n,) at all symbols of the window, of those probes whose targets vary in it."""
    python, found = is_python(window.text), {}
    for probe in PROBES:
        if probe.targets is python_comment_or_string and not python:
            continue
        targets = np.array(probe.targets(window.text), dtype=np.float64)[window.owner]
        if probe.targets is final_consonant and window.vocab.unit == "jamo":
            codes = window.vocab.codes[window.ids]  # at the letter itself: it is not known before
            targets = ((codes >= FINAL_CONSONANTS[0]) & (codes <= FINAL_CONSONANTS[1])).astype(np.float64)
        if targets.min() < targets.max():
            found[probe] = targets
    return found
