"""How the next symbol is chosen: temperature and filters on the logits, and a draw from what is left.

Logits are (K, V), one row a text; a filter sets those it leaves out to -inf, and never all of them.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Array, Mask
from charrnn.checks import check_float, check_int

Logits = NDArray[np.float64]
Filter = Callable[[Logits], Logits]
TINY = 1e-250  # a temperature below it takes the others out of the range of numbers, which is as it should be


def temperature(t: float) -> Filter:
    """Logits over t; at 0 all but the largest are masked (argmax, the first of equals)."""

    def apply(logits: Logits) -> Logits:
        if t:
            # the largest is taken away first, so that even 1e-320 only sends the others to -inf
            scaled: Logits = logits - np.maximum.reduce(logits, axis=-1, keepdims=True)
            if t > TINY:
                return np.divide(scaled, t, out=scaled)
            with np.errstate(over="ignore"):
                return np.divide(scaled, t, out=scaled)
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


def min_p(p: float) -> Filter:
    """Keeps the symbols at least p times as likely as the likeliest (Nguyen et al. 2024)."""
    least = float(np.log(p))

    def apply(logits: Logits) -> Logits:
        return np.where(logits - logits.max(axis=-1, keepdims=True) >= least, logits, -np.inf)

    return apply


def softmax(logits: Logits) -> NDArray[np.float64]:
    """Probabilities along the last axis; -inf stays at zero. In float64, so that 60,000 of them still sum to 1."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float64] = weights / weights.sum(axis=-1, keepdims=True)
    return probabilities


def log_probabilities(logits: Array, chosen: Sequence[int]) -> list[float]:
    """ln p of the symbols `chosen` (K), by the logits (K, V) as the model gave them."""
    wide = logits - logits.max(axis=-1, keepdims=True)
    total = np.log(np.exp(wide).sum(axis=-1, dtype=np.float64))
    logs: list[float] = (wide[np.arange(len(wide)), chosen] - total).tolist()
    return logs


def filters(temp: float, k: int = 0, p: float = 1.0, least: float = 0.0) -> list[Filter]:
    """The filters in the order in which they apply: temperature, top-k, top-p, min-p; k = 0, p = 1, least = 0 are off.

    Raises UsageError where one is outside its range.
    """
    check_float("temp", temp, at_least=0.0)
    check_int("top_k", k, 0)
    check_float("top_p", p, above=0.0, at_most=1.0)
    check_float("min_p", least, at_least=0.0, at_most=1.0)
    chosen = [temperature(temp)]
    if k:
        chosen.append(top_k(k))
    if p < 1.0:
        chosen.append(top_p(p))
    if least:
        chosen.append(min_p(least))
    return chosen


def draw(logits: Logits, chosen: list[Filter], uniforms: list[float]) -> list[int]:
    """The symbols that `uniforms` (K) in [0, 1) pick from the filtered distributions of logits (K, V).

    The first of the filters is a temperature, which leaves the largest logit at 0.
    """
    for apply in chosen:
        logits = apply(logits)
    cumulative = np.add.accumulate(np.exp(logits), axis=-1)
    total = cumulative[:, -1]
    # where rounding would step past the end: the last with any probability
    where = np.minimum(total * uniforms, np.nextafter(total, 0.0))
    drawn: list[int] = (cumulative > where[:, None]).argmax(axis=-1).tolist()
    return drawn


def possible(logits: Array, masks: Sequence[Mask | None]) -> Logits:
    """Logits (K, V) in float64; where there is a mask (V,) for a row, only what it allows."""
    wide = logits.astype(np.float64)
    for row, mask in zip(wide, masks, strict=False):
        if mask is not None:
            row[~mask] = -np.inf
    return wide
