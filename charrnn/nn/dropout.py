"""Inverted dropout. The masks depend only on seed, step and stream, not on the number of workers."""

import numpy as np

from charrnn.arrays import Masks, RandomStream, ceil_div, empty

LEVELS = 1 << 16


class Dropout:
    """Masks for the streams of one worker: 0 if dropped, else 1 / (1 - rate).

    `steps` is 1 for a mask that all steps of a window share. The random bits of a window are ordered by stream, and a
    worker skips to those of its streams. The rate is rounded to a multiple of 1/65536.
    """

    def __init__(
        self,
        rate: float,
        seed: int,
        layers: int,
        steps: int,
        hidden_size: int,
        streams: slice,
        purpose: RandomStream = RandomStream.DROPOUT,
    ) -> None:
        self.seed, self.streams, self.purpose = seed, streams, purpose
        self.threshold = round(rate * LEVELS)
        self.scale = np.float32(LEVELS / (LEVELS - self.threshold)) if self.threshold < LEVELS else np.float32(0.0)
        self.shape = (layers, steps, hidden_size)
        self.count = streams.stop - streams.start
        self.words = ceil_div(layers * steps * hidden_size, 4)  # random words of 64 bits per stream, four draws each
        self.buffers = [empty((steps, self.count, hidden_size)) for _ in range(layers)] if self.threshold else []

    def masks(self, step: int) -> Masks:
        """One mask (T, B, H) per layer at this step, valid until the next call; None if the rate is 0."""
        if not self.threshold:
            return None
        bits = np.random.PCG64([self.seed, self.purpose, step])
        bits.advance(self.streams.start * self.words)
        draws = np.asarray(bits.random_raw(self.count * self.words)).view(np.uint16).reshape(self.count, -1)
        kept = draws[:, : int(np.prod(self.shape))].reshape(self.count, *self.shape) >= self.threshold
        for layer, mask in enumerate(self.buffers):
            np.multiply(kept[:, layer].transpose(1, 0, 2), self.scale, out=mask)
        return self.buffers
