"""Texts that the user types or pipes: prompts, sources, and texts to classify."""

import re
import sys
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from charrnn.cli.inputs import report_unknown
from charrnn.cli.options import notes
from charrnn.display.terminal import remark
from charrnn.errors import TextError, UsageError
from charrnn.options import STDIN
from charrnn.text.builtin import located

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.text.vocab import Vocab

LONGEST_PROMPT = 10_000_000  # bytes


class Typed(NamedTuple):
    """A text as it was typed, whether the model knows any of its symbols, and how many it does not know."""

    text: str
    known: bool
    unknown: int


def typed_texts(path: str, model: "Model", texts: tuple[str, ...], name: str, result: str) -> list[Typed]:
    """The texts themselves; for `-`, the lines of standard input. Notes say what the model cannot read.

    `name` is what one of them is, `result` what a text without known symbols does not get. Raises UsageError for an
    empty text, and TextError for an empty standard input.
    """
    from charrnn.text.units import UNITS
    from charrnn.text.vocab import UNKNOWN

    if "" in texts:
        raise UsageError(f"a {name} is empty: type a {name}, or - for the lines of standard input.")
    lines = [line for text in texts for line in (standard_lines() if text == STDIN else [text])]
    if not lines:
        raise TextError(f"standard input is empty: write one {name} per line.")
    typed, unknown = list[Typed](), Counter[str]()
    for line, form in zip(lines, known_forms(model.vocab, lines, name), strict=True):
        codes = UNITS[model.vocab.unit].codes(form)
        skipped = codes[model.vocab.ids_of(codes) == UNKNOWN].tolist()
        unknown.update(map(model.vocab.symbol, skipped))
        typed.append(Typed(line, len(skipped) < len(codes), len(skipped)))
    report_unknown(path, unknown)
    for reason, count in {
        "an empty line": sum(not line for line in lines),
        f"no symbol that {path} knows": sum(bool(line) and not known for line, known, _ in typed),
    }.items():
        if count:
            which = f"the {name}" if len(lines) == 1 else f"{count:,} of {len(lines):,} {name}s"
            remark(f"note: no {result} for {which}: {reason}.")
    return typed


def known_forms(vocab: "Vocab", texts: list[str], name: str) -> list[str]:
    """The texts in the Unicode normal forms that a vocabulary knows, with a note on those that differ.

    `name` is what one of them is. Raises UsageError for a lone surrogate.
    """
    from unicodedata import is_normalized

    from charrnn.text.forms import known_form

    try:
        found = [known_form(vocab, text) for text in texts]
    except UnicodeEncodeError:
        raise UsageError(f"the {name} contains a lone surrogate, which is not valid text: remove it.") from None
    if changed := [form for form, text in zip(found, texts, strict=True) if form != text]:
        form = "composed (NFC)" if all(is_normalized("NFC", text) for text in changed) else "decomposed (NFD)"
        which = f"the {name} was" if len(texts) == 1 else f"{len(changed):,} of {len(texts):,} {name}s were"
        remark(f"note: {which} converted to {form} characters, as in the text that the model was trained on.")
    return found


def read_prompt(path: str) -> str:
    """The text of a file or of standard input, without the final newline."""
    try:
        if path == STDIN:
            data = standard_input(LONGEST_PROMPT + 1)
        else:
            with open(located(path), "rb") as file:
                data = file.read(LONGEST_PROMPT + 1)
    except (OSError, ValueError) as error:
        raise TextError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if len(data) > LONGEST_PROMPT:
        raise TextError(f"{path} is too long for a prompt: more than {LONGEST_PROMPT / 1e6:.0f} MB.")
    return noted_text(path, data).removesuffix("\n")


def standard_lines() -> list[str]:
    text = noted_text("standard input", standard_input())
    return text.removesuffix("\n").split("\n") if text else []


def standard_input(limit: int = -1) -> bytes:
    if sys.stdin is None:
        raise TextError("standard input is closed: name a file or a text.")
    return sys.stdin.buffer.read(limit)


def noted_text(name: str, data: bytes) -> str:
    """The text in UTF-8, in the same form as that of a corpus; what was changed is noted."""
    from charrnn.text.decode import text_of

    changes: list[str] = []
    text = text_of(data, name, changes)
    notes(changes)
    return text


ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|(.?))", re.DOTALL)
ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


def unescaped(name: str, text: str) -> str:
    """The text of an option with its escapes replaced by characters."""

    def character(match: re.Match[str]) -> str:
        code = int(match[1] or match[2] or "110000", 16)
        if code >= 0x110000 and match[3] not in ESCAPED:
            known = "\\n, \\t, \\r, \\u{HEX}, and \\\\ for a backslash"
            raise UsageError(f"{name} contains {match[0]}, which is not an escape: there are {known}.")
        return ESCAPED.get(match[3]) or chr(code)

    return ESCAPE.sub(character, text)
