"""Learning rate, dropout rates and weight decay, by the sizes of the network and the length of the run.

They were fitted to measurements, see docs/search.md.
"""

import math

from charrnn.nn.params import Config

RATE, MOST_RATE = 0.016, 0.025  # of one layer of 256 units; the largest
LINEAR = 0.28  # a linear recurrence learns at this multiple of the rate
TIMES = {"adam": 1.0, "rmsprop": 1.0, "adagrad": 8.0, "sgd": 60.0}  # multiples of the rate of Adam
WEIGHT_DECAY, MOST_WEIGHT_DECAY = 0.02, 0.15
DECAY_LOAD = 6.0  # weights per symbol; with more, weight decay grows in proportion
PAIR_DROPOUT = 0.2


def rate_for(config: Config, optimizer: str = "adam") -> float:
    """The learning rate of an optimizer, smaller for wider and deeper networks and for large vocabularies."""
    rare, units = max(1.0, config.vocab_size / 100), config.hidden_size * config.layers
    rate = min(MOST_RATE, RATE * math.sqrt(256 / units / math.sqrt(rare)))
    return float(f"{TIMES[optimizer] * (LINEAR if config.linear else 1.0) * rate:.3g}")


def weight_decay(config: Config, load: float) -> float:
    """The weight decay of a network with `load` weights per symbol of the text, for Adam."""
    growing = MOST_WEIGHT_DECAY if config.linear else WEIGHT_DECAY * max(1.0, load / DECAY_LOAD)
    return round(min(MOST_WEIGHT_DECAY, growing), 2)


def dropout(pressure: float, hidden_size: int, linear: bool = False) -> tuple[float, float]:
    """The rates of dropout and of recurrent dropout, for a `pressure` of epochs times weights per symbol; smaller for
    narrow layers, and for short runs of linear recurrences.
    """
    bits, narrow = math.log2(max(pressure, 1e-3)), 0.2 + hidden_size / 600
    between = min(0.6, 0.008 * bits * abs(bits)) if linear else min(0.6, 0.07 + 0.06 * bits, 0.12 + 0.046 * bits)
    recurrent = min(0.5, max(0.04 * (bits - 1.5), 0.004 * bits * abs(bits)))
    return twentieths(min(narrow, between)), twentieths(min(narrow, recurrent))


def pair_dropout(load: float) -> float:
    """The dropout rate for pairs, each of which has one correct target: larger for more weights per symbol."""
    return twentieths(min(0.4, PAIR_DROPOUT + 0.1 * math.log2(max(load, 1.0))))


def twentieths(rate: float) -> float:
    return max(0.0, round(20 * rate) / 20)
