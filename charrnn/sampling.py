"""Writing text: temperature and filters on the logits, and a stream of characters drawn from what is left."""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoint import Model
from charrnn.errors import UsageError
from charrnn.model import Network
from charrnn.options import check_float, check_int
from charrnn.text.vocab import UNITS, UNKNOWN, Vocab

Logits = NDArray[np.float64]
Filter = Callable[[Logits], Logits]

PURPOSE = 2  # of the random numbers: apart from those of weights (0) and dropout (1)
PRIME_STEPS = 64


def temperature(t: float) -> Filter:
    """Logits over t; at 0 all but the largest are masked (argmax, the first of equals)."""

    def apply(logits: Logits) -> Logits:
        if t:
            # the largest is taken away first, so that even 1e-320 only sends the others to -inf
            with np.errstate(over="ignore"):
                scaled: Logits = (logits - logits.max()) / t
            return scaled
        kept = np.full_like(logits, -np.inf)
        kept[logits.argmax()] = 0.0
        return kept

    return apply


def top_k(k: int) -> Filter:
    """Keeps the k largest logits (more where several are equal to the k-th), masks the others."""

    def apply(logits: Logits) -> Logits:
        if k >= len(logits):
            return logits
        return np.where(logits >= np.partition(logits, -k)[-k], logits, -np.inf)

    return apply


def top_p(p: float) -> Filter:
    """Keeps the likeliest symbols whose probabilities first reach p together (Holtzman et al. 2020)."""

    def apply(logits: Logits) -> Logits:
        probabilities = softmax(logits)
        order = np.argsort(-probabilities, kind="stable")
        before = np.cumsum(probabilities[order]) - probabilities[order]
        dropped = order[before >= p]
        kept = logits.copy()
        kept[dropped[dropped != order[0]]] = -np.inf
        return kept

    return apply


def softmax(logits: Logits) -> NDArray[np.float64]:
    """Probabilities; -inf stays at zero. In float64, so that 60,000 of them still sum to 1."""
    weights = np.exp(logits - logits.max())
    probabilities: NDArray[np.float64] = weights / weights.sum()
    return probabilities


def filters(temp: float, k: int, p: float) -> list[Filter]:
    """The filters in the order in which they apply: temperature, top-k, top-p; k = 0 and p = 1 are off.

    Raises UsageError where one is outside its range.
    """
    check_float("temp", temp, at_least=0.0)
    check_int("top_k", k, 0)
    check_float("top_p", p, above=0.0, at_most=1.0)
    chosen = [temperature(temp)]
    if k:
        chosen.append(top_k(k))
    if p < 1.0:
        chosen.append(top_p(p))
    return chosen


def draw(logits: Logits, chosen: list[Filter], uniform: float) -> int:
    """The symbol that `uniform` in [0, 1) picks from the filtered distribution."""
    for apply in chosen:
        logits = apply(logits)
    cumulative = np.cumsum(softmax(logits))
    index = int(np.searchsorted(cumulative, uniform * cumulative[-1], side="right"))
    # rounding may step past the end or onto a masked symbol: the last with any probability
    return min(index, int(np.flatnonzero(logits > -np.inf)[-1]))


class Reader:
    """A network that reads one stream of ids and says what it expects next, as logits (V,)."""

    def __init__(self, model: Model) -> None:
        self.network = Network(model.config, model.params, PRIME_STEPS, 1)
        newline = model.vocab.newline
        # before the first character: as after a newline, or where the text has none, as with an empty state
        self.logits = model.params["by"].astype(np.float64)
        if newline is not None:
            self.read([newline])

    def read(self, ids: list[int]) -> None:
        for begin in range(0, len(ids), PRIME_STEPS):
            window = np.array(ids[begin : begin + PRIME_STEPS], dtype=np.intp)[:, None]
            self.logits = self.network.forward(window)[-1, 0].astype(np.float64)
            self.network.carry()


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


def sample(
    model: Model,
    length: int | None = None,
    *,
    prime: str = "",
    temp: float = 0.8,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
    unknown: str = "error",
) -> Iterator[str]:
    """New text after `prime`, each character as soon as nothing that follows can change it.

    `length` counts the characters of the text as written (None: without end). The same seed gives the same
    text, and a longer one begins with the shorter. Raises UsageError for options outside their ranges and
    for characters in the prime that the model has never seen.
    """
    chosen = filters(temp, top_k, top_p)
    check_int("seed", seed, 0)
    if length is not None:
        check_int("length", length, 0)
    ids = encode_prime(model.vocab, prime, unknown)
    return islice(characters(model, ids, chosen, seed), length)


def characters(model: Model, prime: list[int], chosen: list[Filter], seed: int) -> Iterator[str]:
    """The endless stream of characters behind `sample`."""
    rng = np.random.Generator(np.random.PCG64([seed, PURPOSE]))
    decoder = UNITS[model.vocab.unit].decoder()
    codes = model.vocab.codes
    reader = Reader(model)
    reader.read(prime)
    while True:
        allowed = decoder.allowed(codes)
        logits = reader.logits if allowed is None else np.where(allowed, reader.logits, -np.inf)
        index = draw(logits, chosen, float(rng.random()))
        yield from decoder.push(int(codes[index]))
        reader.read([index])
