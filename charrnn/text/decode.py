"""Bytes as text: line ends, byte-order marks, and what is wrong with bytes that are not text in an encoding.

A line ends with LF; CRLF is read as LF, and so is CR in a text whose only line ends are CRs. No other character ends a
line. U+FEFF is dropped. The unit byte reads the bytes as they are.
"""

import codecs
import re
from collections.abc import Iterable, Iterator

from charrnn.errors import TextError
from charrnn.text.file_types import is_html, not_text
from charrnn.text.units import INCOMPLETE, compose

BOM = "\ufeff"
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# encodings of other scripts than Latin, and which share of what is not ASCII are which letters in such a text
SCRIPTS = (
    ("cp932", "[\u3040-\u30ff]", 0.3),
    ("cp949", "[\uac00-\ud7a3]", 0.9),
    ("cp1251", "[\u0430-\u044f]", 0.75),
    ("koi8-r", "[\u0430-\u044f]", 0.75),
    ("euc-jp", "[\u3040-\u30ff]", 0.3),
    ("gb18030", "[\u4e00-\u9fff]", 0.6),
)


def is_wide(encoding: str) -> bool:
    """Whether NUL bytes are a regular part of text in this encoding."""
    return codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))


def problem(start: bytes, encoding: str, name: str, option: bool = True) -> str:
    """Why bytes that begin like this are not text in the encoding, as the end of a sentence; empty if they may be.

    `option`: the advice is --encoding; otherwise, to convert the text.
    """
    if is_wide(encoding):
        text = start.decode("utf-8", "ignore")
        if start.startswith(tuple(mark for mark, _ in MARKS)) or 0 in start or len(text.encode()) < len(start) - 3:
            return ""
        return f"is not valid {encoding.upper()}: it looks like UTF-8, which needs no `encoding`." if text else ""
    for mark, wide in MARKS:
        if start.startswith(mark):
            return f"looks like {wide.upper()}: {remedy(wide, option)}."
    if wrong := not_text(start, name):
        return wrong
    if start.count(0) <= len(start) // 10:
        return ""
    why, unit = "more than a tenth of its bytes are NUL", "`unit=byte` to train on bytes" if option else ""
    if not (wide := nul_encoding(start)):
        return f"is not text: {why}{f' ({unit})' if unit else ''}."
    unit = f", or {unit}" if unit else ""
    return f"is not text, or it is {wide[:6].upper()}: {why}. {remedy(wide, option).capitalize()}{unit}."


def nul_encoding(start: bytes) -> str:
    """The encoding of mostly ASCII text that has NUL bytes in these places, or an empty string."""
    places = [start[k::4].count(0) for k in range(4)]
    if 0.6 < sum(places) / len(start) < 0.9:
        return "utf-32-le" if places[3] > places[0] else "utf-32-be"
    odd = (places[1] + places[3]) / sum(places)
    return "utf-16-le" if odd > 0.8 else "utf-16-be" if odd < 0.2 else ""


def remedy(encoding: str, option: bool) -> str:
    return f"try `encoding={encoding}`" if option else f"convert it first with iconv -f {encoding} -t utf-8"


def checked(
    blocks: Iterator[bytes], encoding: str, name: str, notes: list[str], option: bool = True
) -> Iterator[bytes]:
    """The same blocks. Raises TextError if the first one is clearly not text in this encoding."""
    first = next(blocks, b"")
    if wrong := problem(first, encoding, name, option):
        raise TextError(f"{name} {wrong}")
    if is_html(first):
        notes.append(f"{name} is HTML: its tags are part of the text. To leave them out, save the page as plain text.")
    if first:
        yield first
    yield from blocks


def decoded(blocks: Iterator[bytes], encoding: str, name: str, notes: list[str], option: bool = True) -> Iterator[str]:
    """The text, block by block, without byte-order marks, with LF as the only line end; `notes` says what changed."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    offset, carry, first, marks, mac, last = 0, "", True, 0, None, b""
    while True:
        block = next(blocks, b"")
        pending = len(decoder.getstate()[0])
        try:
            text = carry + decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            before = last[: max(len(last) - pending, 0)]
            raise undecodable(error, offset - pending, before, encoding, name, option) from None
        except UnicodeError as error:
            raise TextError(f"{name} is not valid {encoding.upper()}: {error}.") from None
        if first and text:
            text, first = text.removeprefix(BOM), False
        if BOM in text:
            marks += text.count(BOM)
            text = text.replace(BOM, "")
        carry = "\r" if block and text.endswith("\r") else ""
        text = text.removesuffix(carry)
        if "\r" in text:  # searching for one is 10 times as fast as replacing
            text = text.replace("\r\n", "\n")
        if mac is None and ("\n" in text or "\r" in text):
            mac = "\n" not in text
        if mac:
            text = text.replace("\r", "\n")
        if text:
            yield text
        if not block:
            break
        offset, last = offset + len(block), block
    if marks:
        notes.append(f"U+FEFF, a byte-order mark, was dropped {f'{marks:,} times' if marks > 1 else 'once'} in {name}.")
    if mac:
        notes.append(f"the lines of {name} end with CR, as on old Macintosh computers: each is read as a newline.")


def composed(chunks: Iterable[str], name: str, notes: list[str]) -> Iterator[str]:
    """The text with decomposed Hangul syllables composed."""
    carry, total = "", 0
    for chunk in chunks:
        text = carry + chunk
        carry = ""
        if not text.isascii():
            rest = INCOMPLETE.search(text, max(len(text) - 2, 0))  # the next chunk may extend the last syllable
            carry = rest[0] if rest else ""
            text, count = compose(text.removesuffix(carry))
            total += count
        yield text
    text, count = compose(carry)
    if text:
        yield text
    if total + count:
        notes.append(f"decomposed Hangul syllables of {name} were composed: {total + count:,}.")


def undecodable(
    error: UnicodeDecodeError, base: int, before: bytes, encoding: str, name: str, option: bool
) -> TextError:
    """The error with advice; `base` is the offset of the bytes that were decoded, `before` some of those before it."""
    where = f"byte 0x{error.object[error.start]:02X} at offset {base + error.start:,}"
    advice = remedy(guess(before + error.object, len(before) + error.start), option).capitalize()
    unit = ", or `unit=byte` to train on bytes" if option else ""
    return TextError(f"{name} is not valid {encoding.upper()} ({where}). {advice} or the actual encoding{unit}.")


def guess(data: bytes, start: int) -> str:
    """The most likely encoding of bytes that are not UTF-8 from `start` on."""
    escaped = data[start:].decode("utf-8", "surrogateescape")
    wrong = {ord(character) - 0xDC00 for character in escaped if "\udc80" <= character <= "\udcff"}
    if not wrong:
        return "utf-8"
    ascii_letters = len(re.findall(rb"[A-Za-z]", data))
    if sum(byte > 127 for byte in data) > ascii_letters:
        for encoding, letters, least in SCRIPTS:
            others = [c for c in data.decode(encoding, "replace") if c > "\x7f"]
            if sum(re.match(letters, c) is not None for c in others) > least * len(others):
                return encoding
    return "cp1252" if wrong & set(range(0x80, 0xA0)) and not wrong & {0x81, 0x8D, 0x8F, 0x90, 0x9D} else "latin-1"


def text_of(data: bytes, name: str, notes: list[str]) -> str:
    """Text that is not read from a file of a corpus, such as a prompt. Raises TextError if it is not UTF-8."""
    return "".join(
        decoded(checked(iter([data]), "utf-8", name, notes, option=False), "utf-8", name, notes, option=False)
    )
