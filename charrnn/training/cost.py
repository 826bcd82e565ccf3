"""The cost of training a network, in operations and memory, and the speed of matrix products on this machine."""

import math
import time
from dataclasses import replace

import numpy as np

from charrnn.arrays import empty
from charrnn.errors import UsageError
from charrnn.nn.params import Config
from charrnn.system.resources import free_memory


def recurrent_weights(config: Config) -> int:
    """The weights of all products of a step but that of the output layer.

    The input of layer 0 is a table lookup, which costs no operations.
    """
    gates, layers = len(config.gates), config.layers
    blocks = (layers - 1) * gates + 2 * layers * len(config.states) if config.linear else (2 * layers - 1) * gates
    return blocks * config.hidden_size**2


def flops_per_char(config: Config) -> int:
    """The floating-point operations of a training step per character: three products per weight."""
    return 3 * 2 * (recurrent_weights(config) + config.hidden_size * config.vocab_size)


def multiply_rate(size: int = 1024, repeats: int = 9) -> float:
    """Operations per second of one large float32 product, with one BLAS thread as set by the command line, on an
    undisturbed machine.
    """
    rng = np.random.default_rng(0)
    a, b, out = (empty((size, size)) for _ in range(3))
    a[:], b[:] = rng.standard_normal((2, size, size), dtype=np.float32)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        np.matmul(a, b, out=out)
        times.append(time.perf_counter() - start)
    return 2 * size**3 / float(np.percentile(times[1:], 20))


WORKER = 40_000_000  # bytes of a Python process with NumPy
EVALUATED = 64 * 64  # symbols that are evaluated together


def check_memory(config: Config, steps: int, streams: int, workers: int) -> None:
    """Raises UsageError if the network, with windows of `steps` by `streams`, does not fit into memory."""
    have, need = free_memory(), needed_memory(config, steps, streams, workers)
    if have is None or need <= have:
        return
    fits = config.hidden_size
    while fits > 1 and needed_memory(replace(config, hidden_size=fits), steps, streams, workers) > have:
        fits //= 2
    advice = (
        f"try `hidden_size={fits}`." if fits > 16 else "try fewer `layers` or `workers`, or a smaller `batch_size`."
    )
    raise UsageError(
        f"`hidden_size={config.hidden_size}` with `layers={config.layers}` needs {need / 1e9:,.1f} GB of "
        f"memory, and {have / 1e9:,.1f} GB is free: {advice}"
    )


def needed_memory(config: Config, steps: int, streams: int, workers: int) -> int:
    """Approximate memory in bytes: weights (current, best, packed, being saved), gradients, vectors of the optimizer;
    activations and logits of a window and of an evaluation; workers. Measured networks took 0.8 to 1.0 of it.
    """
    G, L, H, V = len(config.gates), config.layers, config.hidden_size, config.vocab_size
    weights = sum(math.prod(shape) for shape in config.shapes.values())
    tape = L * (steps + 1) * streams * H * 8 + steps * streams * H * (G + 2)
    scoring = EVALUATED * (V + (L + 2) * H)
    return 4 * (11 * weights + tape + 3 * steps * streams * V + scoring) + (workers - 1) * (WORKER + 4 * weights)
