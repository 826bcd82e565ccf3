"""Steppers that have read the newline and the prime; prime to ids."""

from typing import Any, Protocol

from charrnn.arrays import Array
from charrnn.errors import UsageError
from charrnn.text.vocab import UNKNOWN, Vocab


class Streams(Protocol):
    """What reads a text, or several side by side: `logits` (K, V) are what comes next."""

    logits: Array

    def step(self, ids: list[int]) -> None:
        """Goes on by one id a stream."""

    def step_all(self, ids: list[int]) -> None:
        """All streams go on by these ids."""

    def state(self, row: int = 0) -> Any:
        """A copy of the state of one stream."""

    def set_state(self, state: Any, row: int = 0) -> None:
        """One stream goes back to where `state` was taken."""


def encode_prime(vocab: Vocab, prime: str, unknown: str) -> list[int]:
    """Ids of the prime, as given or in the composed or decomposed form that the vocabulary knows.

    `unknown` is 'error' (raises UsageError) or 'skip'.
    """
    import unicodedata

    if unknown not in ("error", "skip"):
        raise UsageError(f"--unknown is error or skip, not {unknown!r}.")
    try:
        for form in (prime, unicodedata.normalize("NFC", prime), unicodedata.normalize("NFD", prime)):
            ids = vocab.encode(form)
            if UNKNOWN not in ids:
                return [int(i) for i in ids]
        ids = vocab.encode(prime)
        missing = vocab.unknown(prime)
    except UnicodeEncodeError:
        raise UsageError("the prime holds a lone surrogate, which no text can hold: leave it out.") from None
    if unknown == "error":
        names = ", ".join(f"{symbol!r} ({' '.join(f'U+{ord(c):04X}' for c in symbol)})" for symbol in missing[:3])
        raise UsageError(
            f"the model has never seen {names} in the prime. Leave it out, or use --unknown skip. "
            f"It knows {len(vocab)} symbols: see charrnn info."
        )
    return [int(i) for i in ids if i != UNKNOWN]
