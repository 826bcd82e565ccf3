"""Inverted dropout: masks that depend on seed, step and stream alone, however the streams are shared out."""

import numpy as np

from charrnn.arrays import Array, empty

PURPOSE = 1  # of the random numbers: apart from those of weights (0) and sampling (2)
LEVELS = 1 << 16


class Dropout:
    """Masks for the streams of one worker: 0 where dropped, else 1 / (1 - rate), so that nothing changes without it.

    The random bits of a step lie stream after stream, and a worker skips to those of its share. The rate is rounded to
    1/65536.
    """

    def __init__(self, rate: float, seed: int, layers: int, steps: int, hidden_size: int, streams: slice) -> None:
        self.seed, self.streams = seed, streams
        self.threshold = round(rate * LEVELS)
        self.scale = np.float32(LEVELS / (LEVELS - self.threshold)) if self.threshold < LEVELS else np.float32(0.0)
        self.shape = (layers, steps, hidden_size)
        self.count = streams.stop - streams.start
        self.words = -(-layers * steps * hidden_size // 4)  # of 64 bits, a stream; four draws each
        self.buffers = [empty((steps, self.count, hidden_size)) for _ in range(layers)] if self.threshold else []

    def masks(self, step: int) -> list[Array] | None:
        """A mask (T, B, H) for each layer at this step; None where nothing is dropped."""
        if not self.threshold:
            return None
        bits = np.random.PCG64([self.seed, PURPOSE, step])
        bits.advance(self.streams.start * self.words)
        draws = np.asarray(bits.random_raw(self.count * self.words)).view(np.uint16).reshape(self.count, -1)
        kept = draws[:, : int(np.prod(self.shape))].reshape(self.count, *self.shape) >= self.threshold
        for layer, mask in enumerate(self.buffers):
            np.multiply(kept[:, layer].transpose(1, 0, 2), self.scale, out=mask)
        return self.buffers
