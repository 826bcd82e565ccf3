"""What a training needs of the machine's memory, said before it is taken."""

import os
from dataclasses import replace

from charrnn.errors import UsageError
from charrnn.model import Config


def check_memory(config: Config, steps: int, streams: int) -> None:
    """Raises UsageError where the network, for windows of `steps` by `streams`, would not fit."""
    have, need = physical_memory(), needed_memory(config, steps, streams)
    if have is None or need <= have:
        return
    fits = config.hidden_size
    while fits > 1 and needed_memory(replace(config, hidden_size=fits), steps, streams) > have:
        fits //= 2
    way_out = f"try --hidden-size {fits}." if fits > 16 else "try fewer --layers, or a smaller --batch-size."
    raise UsageError(
        f"--hidden-size {config.hidden_size} with --layers {config.layers} needs {giga(need)} of memory, "
        f"and this machine has {giga(have)}: {way_out}"
    )


def needed_memory(config: Config, steps: int, streams: int) -> int:
    """Bytes, about: weights, gradients, best weights and two of the optimizer; the tapes; the logits."""
    G, L, H, V = len(config.gates), config.layers, config.hidden_size, config.vocab_size
    weights = G * H * (H + V + 1) + (L - 1) * G * H * (2 * H + 1) + (H + 1) * V
    tape = L * (steps + 1) * streams * H * 8 + steps * streams * H * (G + 2)
    return 4 * (7 * weights + tape + 3 * steps * streams * V)


def physical_memory() -> int | None:
    """Bytes of memory in this machine, where the system says so."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def giga(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"
