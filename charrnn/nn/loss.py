"""softmax, log_softmax, cross entropy and its gradient."""

import numpy as np

from charrnn.arrays import Array, Ids, Mask


def softmax(logits: Array) -> Array:
    """Probabilities along the last axis, as a new array of the same dtype; a logit of -inf has probability 0.

    In float32, many thousands of probabilities do not sum to 1 exactly: pass float64 logits where they must.
    """
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: Array = weights / weights.sum(axis=-1, keepdims=True)
    return probabilities


def log_softmax(logits: Array) -> Array:
    """ln softmax along the last axis, as a new array of the same dtype; a logit of -inf stays -inf."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_probabilities: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return log_probabilities


def softmax_nats(logits: Array, targets: Ids) -> Array:
    """-ln p(target) (T, B) in nats. Overwrites `logits` (T, B, V) with the probabilities."""
    logits -= logits.max(axis=-1, keepdims=True)
    picked = np.take_along_axis(logits, targets[..., None].astype(np.intp), axis=-1)[..., 0]
    np.exp(logits, out=logits)
    total = logits.sum(axis=-1)
    logits /= total[..., None]
    nats: Array = np.log(total) - picked
    return nats


def cross_entropy(logits: Array, targets: Ids, total: int | None = None, loss_mask: Mask | None = None) -> float:
    """The mean of -ln p(target) over `total` symbols (default: T·B), in nats; targets (T, B).

    Overwrites `logits` (T, B, V) with the gradient of that mean, (softmax - one-hot) / total. With `loss_mask` (T, B),
    only the steps that it marks have a target.
    """
    nats = softmax_nats(logits, targets)
    rows = logits.reshape(-1, logits.shape[-1])
    total = total or len(rows)
    rows[np.arange(len(rows)), targets.reshape(-1)] -= 1.0
    if loss_mask is None:
        logits *= 1.0 / total
    else:
        nats *= loss_mask
        logits *= (loss_mask / total).astype(logits.dtype)[..., None]
    return float(nats.sum(dtype=np.float64)) / total
