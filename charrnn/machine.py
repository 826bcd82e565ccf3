"""What a network costs to train, and what this machine's multipliers can do."""

import statistics
import time

import numpy as np

from charrnn.arrays import empty
from charrnn.nn.params import Config


def flops_per_char(config: Config) -> int:
    """The floating-point operations that a training step cannot avoid: three products a weight.

    Layer 0 looks rows up, so its input product is free.
    """
    recurrent = len(config.gates) * config.hidden_size**2
    return 3 * 2 * ((2 * config.layers - 1) * recurrent + config.hidden_size * config.vocab_size)


def multiply_rate(size: int = 1024, repeats: int = 9) -> float:
    """Operations per second of one large float32 product, on one thread as the command line pins it."""
    rng = np.random.default_rng(0)
    a, b, out = (empty((size, size)) for _ in range(3))
    a[:], b[:] = rng.standard_normal((2, size, size), dtype=np.float32)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        np.matmul(a, b, out=out)
        times.append(time.perf_counter() - start)
    return 2 * size**3 / statistics.median(times[1:])
