"""Unicode normal forms: a text in the form that a vocabulary knows, and characters that are composed."""

import unicodedata

from charrnn.text.units import UNITS
from charrnn.text.vocab import UNKNOWN, Vocab


def forms(text: str, unit: str = "char") -> list[str]:
    """A text as it is, composed (NFC) and decomposed (NFD), as a model of this unit writes them; without repetition."""
    spelled = (text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text))
    return list(dict.fromkeys(UNITS[unit].text(UNITS[unit].codes(form)) for form in spelled))


def known_form(vocab: Vocab, text: str) -> str:
    """The form of a text with the fewest unknown symbols; the text as it is if no other form has fewer.

    Raises UnicodeEncodeError for a lone surrogate in a text of bytes.
    """
    return text if text.isascii() else min(forms(text, vocab.unit), key=lambda form: unknown_count(vocab, form))


def unknown_count(vocab: Vocab, text: str) -> int:
    """How many symbols of a text are not in the vocabulary."""
    return int((vocab.encode(text) == UNKNOWN).sum())


def composed(text: str) -> str:
    """The text with combining characters composed with the character before them where that gives one character.

    Unlike NFC, this changes no character that stands for itself.
    """
    characters = [""]
    for character in text:
        pair = unicodedata.normalize("NFC", characters[-1] + character)
        if characters[-1] and len(pair) == 1:
            characters[-1] = pair
        else:
            characters.append(character)
    return "".join(characters)
