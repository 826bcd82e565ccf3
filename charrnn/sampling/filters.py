"""How the next symbol is chosen: filters on the logits, then a draw from the probabilities that are left.

Logits are (K, V), one row per text, or (V,). A filter sets the logits of the symbols that it removes to -inf; it never
removes all of them.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Array, Mask
from charrnn.nn.loss import softmax

Logits = NDArray[np.float64]
Filter = Callable[[Logits], Logits]
TINY = 1e-250  # a temperature below it gives the same probabilities, but overflows


def temperature(t: float) -> Filter:
    """Divides the logits by t; t = 0 keeps only the largest logit (argmax, the first if several are equal)."""
    divisor = max(t, TINY)

    def apply(logits: Logits) -> Logits:
        if t:
            # for one row, argmax is many times as fast as a maximum
            largest = logits[logits.argmax()] if logits.ndim == 1 else np.maximum.reduce(logits, axis=-1, keepdims=True)
            scaled: Logits = logits - largest
            return np.divide(scaled, divisor, out=scaled)
        return np.where(np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True), 0.0, -np.inf)

    return apply


def top_k(k: int) -> Filter:
    """Keeps the k largest logits, and those equal to the k-th."""

    def apply(logits: Logits) -> Logits:
        if k >= logits.shape[-1]:
            return logits
        return np.where(logits >= np.partition(logits, -k)[..., -k, None], logits, -np.inf)

    return apply


def top_p(p: float) -> Filter:
    """Keeps the smallest set of most likely symbols whose probabilities sum to at least p (Holtzman et al. 2020)."""

    def apply(logits: Logits) -> Logits:
        probabilities = softmax(logits)
        order = np.argsort(-probabilities, axis=-1, kind="stable")
        ordered = np.take_along_axis(probabilities, order, axis=-1)
        kept = np.empty(logits.shape, dtype=bool)
        np.put_along_axis(kept, order, np.cumsum(ordered, axis=-1) - ordered < p, axis=-1)
        return np.where(kept, logits, -np.inf)

    return apply


def min_p(p: float) -> Filter:
    """Keeps the symbols at least p times as likely as the most likely one (Nguyen et al. 2024)."""
    least = float(np.log(p))

    def apply(logits: Logits) -> Logits:
        return np.where(logits - logits.max(axis=-1, keepdims=True) >= least, logits, -np.inf)

    return apply


def filters(temp: float, k: int = 0, p: float = 1.0, least: float = 0.0) -> list[Filter]:
    """Temperature, top-k, top-p and min-p, in this order; k = 0, p = 1 and least = 0 disable the last three."""
    chosen = [temperature(temp)]
    if k:
        chosen.append(top_k(k))
    if p < 1.0:
        chosen.append(top_p(p))
    if least:
        chosen.append(min_p(least))
    return chosen


def mask_logits(logits: Array, masks: Sequence[Mask | None]) -> Logits:
    """A copy of logits (K, V) in float64, with -inf where the mask (V,) of a row is False; None allows all symbols."""
    masked = logits.astype(np.float64)
    for k, mask in enumerate(masks):
        if mask is not None:
            masked[k, ~mask] = -np.inf
    return masked


def probabilities(logits: Logits, filters: Sequence[Filter]) -> NDArray[np.float64]:
    """The distributions (K, V) that are left of logits (K, V) after the filters."""
    for apply in filters:
        logits = apply(logits)
    return softmax(logits).astype(np.float64, copy=False)


def sample_ids(logits: Logits, filters: Sequence[Filter], uniforms: Sequence[float]) -> list[int]:
    """Draws one symbol per row of logits (K, V) from the filtered distribution, by uniforms (K) in [0, 1).

    The first filter is a temperature, after which the largest logit is 0.
    """
    if len(logits) == 1:
        return [sample_id(logits[0], filters, uniforms[0])]
    for apply in filters:
        logits = apply(logits)
    cumulative = np.add.accumulate(np.exp(logits), axis=-1)
    total = cumulative[:, -1]
    # rounding must not step beyond the last symbol that has any probability
    threshold = np.minimum(total * uniforms, np.nextafter(total, 0.0))
    ids: list[int] = (cumulative > threshold[:, None]).argmax(axis=-1).tolist()
    return ids


def sample_id(logits: Logits, filters: Sequence[Filter], uniform: float) -> int:
    """`sample_ids` for one row of logits (V,), with fewer and quicker calls."""
    for apply in filters:
        logits = apply(logits)
    cumulative = np.add.accumulate(np.exp(logits))
    total = cumulative.item(-1)
    threshold = min(total * uniform, math.nextafter(total, 0.0))
    return int((cumulative > threshold).argmax())
