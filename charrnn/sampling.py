"""Writing text: temperature and filters on the logits, and a stream of characters drawn from what is left."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Array
from charrnn.checkpoint import Model
from charrnn.errors import UsageError
from charrnn.options import MOST_TEXTS, check_float, check_int
from charrnn.reader import Reader, Readers
from charrnn.text.vocab import UNITS, UNKNOWN, Decoder, Vocab

Logits = NDArray[np.float64]
Filter = Callable[[Logits], Logits]

PURPOSE = 2  # of the random numbers: apart from those of weights (0) and dropout (1)


def temperature(t: float) -> Filter:
    """Logits over t; at 0 all but the largest are masked (argmax, the first of equals)."""

    def apply(logits: Logits) -> Logits:
        if t:
            # the largest is taken away first, so that even 1e-320 only sends the others to -inf
            with np.errstate(over="ignore"):
                scaled: Logits = (logits - logits.max(axis=-1, keepdims=True)) / t
            return scaled
        kept = np.full_like(logits, -np.inf)
        np.put_along_axis(kept, logits.argmax(axis=-1, keepdims=True), 0.0, axis=-1)
        return kept

    return apply


def top_k(k: int) -> Filter:
    """Keeps the k largest logits (more where several are equal to the k-th), masks the others."""

    def apply(logits: Logits) -> Logits:
        if k >= logits.shape[-1]:
            return logits
        return np.where(logits >= np.partition(logits, -k)[..., -k, None], logits, -np.inf)

    return apply


def top_p(p: float) -> Filter:
    """Keeps the likeliest symbols whose probabilities first reach p together (Holtzman et al. 2020)."""

    def apply(logits: Logits) -> Logits:
        probabilities = softmax(logits)
        order = np.argsort(-probabilities, axis=-1, kind="stable")
        ordered = np.take_along_axis(probabilities, order, axis=-1)
        dropped = np.cumsum(ordered, axis=-1) - ordered >= p
        dropped[..., 0] = False
        mask = np.empty_like(dropped)
        np.put_along_axis(mask, order, dropped, axis=-1)
        return np.where(mask, -np.inf, logits)

    return apply


def softmax(logits: Logits) -> NDArray[np.float64]:
    """Probabilities along the last axis; -inf stays at zero. In float64, so that 60,000 of them still sum to 1."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float64] = weights / weights.sum(axis=-1, keepdims=True)
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


def draw(logits: Logits, chosen: list[Filter], uniforms: list[float]) -> list[int]:
    """The symbols that `uniforms` (K) in [0, 1) pick from the filtered distributions of logits (K, V)."""
    for apply in chosen:
        logits = apply(logits)
    cumulative = np.exp(logits - logits.max(axis=-1, keepdims=True)).cumsum(axis=-1)
    total = cumulative[:, -1:]
    found = (cumulative <= np.multiply(np.reshape(uniforms, (-1, 1)), total)).sum(axis=-1)
    # rounding may step past the end: the last with any probability
    drawn: list[int] = np.minimum(found, (cumulative < total).sum(axis=-1)).tolist()
    return drawn


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
    rng, decoder, codes = generator(seed), UNITS[model.vocab.unit].decoder(), model.vocab.codes
    reader = Reader(model)
    reader.read(prime)
    while True:
        index = draw(possible(reader.logits, [decoder], model.vocab), chosen, [float(rng.random())])
        yield from decoder.push(int(codes[index[0]]))
        reader.read(index)


def sample_many(
    model: Model,
    count: int,
    length: int,
    *,
    prime: str = "",
    temp: float = 0.8,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
    unknown: str = "error",
) -> list[str]:
    """`count` texts of `length` characters, computed side by side; text i is drawn by seed + i.

    Each is what `sample` gives with that seed, as long as rounding does not tip a draw. Errors as there.
    """
    chosen = filters(temp, top_k, top_p)
    check_int("count", count, 1, MOST_TEXTS)
    for name, value in (("length", length), ("seed", seed)):
        check_int(name, value, 0)
    ids = encode_prime(model.vocab, prime, unknown)
    rngs, codes = [generator(seed + i) for i in range(count)], model.vocab.codes
    decoders = [UNITS[model.vocab.unit].decoder() for _ in range(count)]
    readers, texts, lengths = Readers(model, count), [[""] for _ in range(count)], [0] * count
    readers.read_alike(ids)
    while min(lengths) < length:
        drawn = draw(possible(readers.logits, decoders, model.vocab), chosen, [float(rng.random()) for rng in rngs])
        for i, code in enumerate(codes[drawn].tolist()):
            piece = decoders[i].push(code)
            texts[i].append(piece)
            lengths[i] += len(piece)
        readers.read(drawn)
    return ["".join(pieces)[:length] for pieces in texts]


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, PURPOSE]))


def possible(logits: Array, decoders: Sequence[Decoder], vocab: Vocab) -> Logits:
    """Logits (K, V) in float64, without what the unit does not allow next in each of the texts, nor the replacement."""
    wide = logits.astype(np.float64)
    if vocab.replacement is not None:
        wide[:, vocab.replacement] = -np.inf
    for row, decoder in zip(wide, decoders, strict=True):
        allowed = decoder.allowed(vocab.codes)
        if allowed is not None:
            row[~allowed] = -np.inf
    return wide
