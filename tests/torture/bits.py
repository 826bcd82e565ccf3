"""Flip every bit of a small model file, and truncate it at every length."""

import io

from charrnn.checkpoint.model import Model, read
from charrnn.checkpoint.npz import pack, refusing
from charrnn.errors import ModelFileError
from tests.torture.common import Outcome, Tally, dice, digest, tiny

COUNT = 65_000


def small_file(cell: str = "gru", steps: int = 50) -> bytes:
    """A small file of a trained model whose best and last weights differ."""
    training = tiny(cell=cell, hidden_size=2, steps=steps, epochs=100, eval_every=3, lr=0.3)
    list(training)
    file = io.BytesIO()
    pack(file, training.model.arrays())
    return file.getvalue()


def parsed(data: bytes) -> Model | None:
    """The model in these bytes; None if they are refused with the expected error."""
    try:
        with refusing("m.npz"):
            return read(io.BytesIO(data))
    except ModelFileError:
        return None


def run(count: int, seed: int) -> Outcome:
    data, tally, same = small_file(), Tally(), 0
    good = parsed(data)
    assert good is not None
    wanted = (good.vocab, good.config, digest(good))
    flips = range(8 * len(data))
    cuts = range(len(data))
    if count < len(flips):
        rng = dice(seed, "bits")
        flips, cuts = (sorted(rng.sample(places, min(count, len(places)))) for places in (flips, cuts))  # type: ignore[assignment]
    for bit in flips:
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        found, tally.count = parsed(bytes(flipped)), tally.count + 1
        if found is not None:
            same += 1
            tally.check((found.vocab, found.config, digest(found)) == wanted, f"bit {bit}: a different model")
    for end in cuts:
        tally.count += 1
        tally.check(parsed(data[:end]) is None, f"truncated at {end}: not refused")
    return tally.outcome(
        f"flipped bits and truncations of {len(data):,} bytes; {same:,} load the same arrays, all others are refused"
    )
