"""What a unit might follow: built-in questions, each answered for every character of a text as a number.

Answers are about the text up to and with the character, which is what a network has read when it answers.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.see.text_window import Passage
from charrnn.text.units import SYLLABLES

Answers = NDArray[np.float64]
TAB = 8
PYTHON_LINE = re.compile(r"^(def |class |import |from \w+ import |    (return|if|for|self)\b)", re.MULTILINE)
PYTHON_SHARE = 0.02  # of the lines, from which on a text counts as Python
CLOSES = {"“": "”", "「": "」", "『": "』", "«": "»", "„": "“"}


@dataclass(frozen=True)
class Question:
    """`lasting` are those whose answer cannot be read off the last characters: something has to be remembered."""

    name: str
    lasting: bool
    answer: Callable[[str], Sequence[float]]


def inside_quotes(text: str) -> list[float]:
    """1 between quotation marks, the opening one included; a blank line ends what was never closed."""
    found, close, last = [], "", ""
    for c in text:
        if c == "\n" == last:
            close = ""
        if close and c == close:
            close = ""
        elif not close:
            close = '"' if c == '"' else CLOSES.get(c, "")
        found.append(float(bool(close)))
        last = c
    return found


def bracket_depth(text: str) -> list[float]:
    """How many brackets ( [ { are open; a blank line closes them all."""
    found, depth, last = [], 0, ""
    for c in text:
        if c == "\n" == last:
            depth = 0
        depth = depth + 1 if c in "([{" else max(0, depth - 1) if c in ")]}" else depth
        found.append(float(depth))
        last = c
    return found


def line_position(text: str) -> list[float]:
    """Characters since the newline, which is 0 itself."""
    found, place = [], 0
    for c in text:
        place = 0 if c == "\n" else place + 1
        found.append(float(place))
    return found


def indentation(text: str) -> list[float]:
    """Columns of white space at the begin of the line, as far as they have been read."""
    found, columns, counting = [], 0, True
    for c in text:
        if c == "\n":
            columns, counting = 0, True
        elif counting and c == " ":
            columns += 1
        elif counting and c == "\t":
            columns = (columns // TAB + 1) * TAB
        else:
            counting = False
        found.append(float(columns))
    return found


def after_capital(text: str) -> list[float]:
    """1 at a letter whose neighbour before is a capital."""
    before = "\n" + text
    return [float(c.isalpha() and b.isupper()) for b, c in zip(before, text, strict=False)]


def inside_number(text: str) -> list[float]:
    """1 at digits, and at a point, comma or underscore after a digit."""
    found, inside = [], False
    for c in text:
        inside = c.isdigit() or (inside and c in ".,_")
        found.append(float(inside))
    return found


def word_boundary(text: str) -> list[float]:
    """1 at the first character after a word."""
    before = "\n" + text
    return [float(b.isalnum() and not c.isalnum()) for b, c in zip(before, text, strict=False)]


def python_comment_or_string(text: str) -> list[float]:
    """1 in a comment or a string of Python, its quotation marks included."""
    found: list[float] = []
    quote, place = "", 0
    while place < len(text):
        c, size = text[place], 1
        if not quote:
            triple = text[place : place + 3]
            if triple in ('"""', "'''"):
                quote, size = triple, 3
            elif c in "\"'#":
                quote = c
            inside = bool(quote)
        else:
            inside = True
            if c == "\\" and quote != "#":
                size = 2
            elif (c == "\n" and len(quote) == 1) or (quote != "#" and text.startswith(quote, place)):
                size, inside = (1, False) if c == "\n" else (len(quote), True)
                quote = ""
        found += [float(inside)] * min(size, len(text) - place)
        place += size
    return found


def final_consonant(text: str) -> list[float]:
    """1 at a Hangul syllable that ends in a consonant."""
    first, count = SYLLABLES
    return [float(0 <= ord(c) - first < count and (ord(c) - first) % 28 > 0) for c in text]


QUESTIONS = (
    Question("inside quotes", True, inside_quotes),
    Question("depth of brackets", True, bracket_depth),
    Question("position in the line", True, line_position),
    Question("indentation", True, indentation),
    Question("letter after a capital", False, after_capital),
    Question("inside a number", False, inside_number),
    Question("at a word boundary", False, word_boundary),
    Question("comment or string of Python", True, python_comment_or_string),
    Question("final consonant in Hangul", False, final_consonant),
)


def is_python(text: str) -> bool:
    return len(PYTHON_LINE.findall(text)) > PYTHON_SHARE * (text.count("\n") + 1)


def answers(passage: Passage) -> dict[Question, Answers]:
    """The answers (n,) at every symbol, to those questions that the text does not answer alike everywhere."""
    text, python = passage.text, is_python(passage.text)
    found = {}
    for question in QUESTIONS:
        if question.answer is python_comment_or_string and not python:
            continue
        values = np.array(question.answer(text), dtype=np.float64)[passage.owner]
        if question.answer is final_consonant and passage.vocab.unit == "jamo":
            codes = passage.vocab.codes[passage.ids]  # known at the letter itself, and not before
            values = ((codes >= 0x11A8) & (codes <= 0x11C2)).astype(np.float64)
        if values.min() < values.max():
            found[question] = values
    return found
