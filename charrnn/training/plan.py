"""Settings from the text and the clock: what the user leaves open is chosen here, each choice with its reason.

The rules were fitted by measurement, see docs/learning.md: the network is the largest that reads `TOKENS` symbols a
recurrent weight in the time there is, and that has no more than `WEIGHTS` recurrent weights a symbol of the text.
"""

import math
import time
from dataclasses import dataclass, replace
from typing import Any

from charrnn.evaluation.score import symbols_of
from charrnn.nn.params import Config
from charrnn.options import Options
from charrnn.training.cost import flops_per_char
from charrnn.training.loop import Training

WIDTHS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
ONE_LAYER = 512  # up to this width one layer learns more in the same time than two
TOKENS = 7.0
LSTM_WIDTH, LSTM_LOAD = 512, 0.5  # so wide, and with so many weights a symbol, an LSTM is the better choice
WEIGHTS = 6.0
MOST_EPOCHS = 40.0
LOADED_EPOCHS = 16.0  # with a weight for each symbol or more: what is read more often is learned by heart
FEWEST_UPDATES = 300
REFERENCE = 2.4e11  # operations a second: sizes for where no clock runs are chosen as for such a machine
SHARE = 0.75  # of the multipliers' rate that the products of a step reach
CALL_SECONDS = 60e-6  # what a step takes in a layer beside its products
SHORT, LONG, LONGEST = 32, 64, 512  # steps of a window; the last where few of them carry a target:
FEW_TARGETS = 32
WHOLE = 6  # pairs in a window, so that most of them are not cut
PAIR_WEIGHTS = 0.9  # recurrent weights a symbol of pairs: there is a rule to find in them
PAIR_DROPOUT = 0.2
MANY_UPDATES = 2500
STREAMS = 32
FEWEST_WINDOWS = 4  # of an epoch, before streams are given up
EVALUATIONS = 40
PATIENCE = 10
WEIGHT_DECAY = 0.05
RESERVE = 0.4  # seconds for starting and for the last save


@dataclass(frozen=True)
class Plan:
    """`options` for a run, the reason for each that was chosen here, and the `speed` expected, in symbols a second.

    `most` is how many epochs the run has at most.
    """

    options: Options
    reasons: dict[str, str]
    speed: float
    most: float


def expected_speed(config: Config, streams: int, rate: float) -> float:
    """Symbols a second that a training of these sizes may reach, on cores that do `rate` operations in all."""
    return 1.0 / (flops_per_char(config) / (SHARE * rate) + config.layers * CALL_SECONDS / streams)


def recurrent_weights(config: Config) -> int:
    """The weights that are multiplied with at every step but those of the output."""
    return len(config.gates) * config.hidden_size**2 * (2 * config.layers - 1)


def rate_for(hidden_size: int) -> float:
    """The learning rate: wide layers want a smaller one."""
    if hidden_size > ONE_LAYER:
        return 0.003
    return round(min(0.008, max(0.004, 0.004 * math.sqrt(256 / hidden_size))), 4)


def choose(
    given: dict[str, Any],
    symbols: int,
    vocab_size: int,
    rate: float | None,
    seconds: float,
    share: float = 1.0,
    example: float = 0.0,
) -> Plan:
    """The plan for `symbols` to train on, of which a `share` are targets; `given` are the options that stand already.

    `example` is how many symbols an example has, on average.
    `rate` is the machine's, operations a second, for a run of so many `seconds`; None where no clock runs.
    """
    fixed = Options(**given)
    pairs, machine = fixed.task == "pairs", REFERENCE if rate is None else rate
    config, found = sized(given, fixed, symbols, vocab_size, machine, seconds)
    streams = given.get("batch_size", STREAMS)
    while "batch_size" not in given and streams > 4 and symbols < FEWEST_WINDOWS * streams * SHORT:
        streams //= 2
    found["batch_size"] = streams, "few streams, many updates" if streams == STREAMS else "the text is short"
    speed = expected_speed(config, streams, machine)
    load = recurrent_weights(config) / symbols
    most = max(MOST_EPOCHS if pairs else most_epochs(load), FEWEST_UPDATES * streams * SHORT / symbols)
    epochs = epochs_read(fixed, symbols, streams, speed * seconds, most)
    found["seq_length"] = window(epochs * symbols / streams, streams, share, example if pairs else 0.0)
    found["dropout"] = dropout(epochs * load, config.hidden_size), f"{epochs:.1f} epochs, {load:.1f} weights a symbol"
    if pairs:
        found["dropout"] = PAIR_DROPOUT, "a little: a target has one right form"
    found["lr"] = rate_for(config.hidden_size), "smaller for wider layers"
    found["weight_decay"] = WEIGHT_DECAY, "keeps weights small in a long run"
    if rate is not None and fixed.val_fraction:
        found["patience"] = PATIENCE, "evaluations without a better one end the run"
    chosen = {name: pair for name, pair in found.items() if name not in given}
    options = replace(fixed, **{name: value for name, (value, _) in chosen.items()})
    return Plan(options, {name: why for name, (_, why) in chosen.items()}, speed, most)


def sized(
    given: dict[str, Any], fixed: Options, symbols: int, vocab_size: int, rate: float, seconds: float
) -> tuple[Config, dict[str, tuple[Any, str]]]:
    """The network, and what of it was chosen, with the reasons."""
    most = (PAIR_WEIGHTS if fixed.task == "pairs" else WEIGHTS) * symbols
    config, reason = network(given, fixed.cell, most, vocab_size, rate, seconds)
    found: dict[str, tuple[Any, str]] = {}
    if "cell" not in given:
        lstm, why = network(given, "lstm", most, vocab_size, rate, seconds)
        often = lstm.hidden_size >= LSTM_WIDTH and recurrent_weights(lstm) >= LSTM_LOAD * symbols
        if fixed.task == "pairs" or often:
            config, reason = lstm, why
            found["cell"] = "lstm", "it learns less by heart than a GRU" if often else "it keeps a source in mind best"
    return config, found | {"layers": (config.layers, reason), "hidden_size": (config.hidden_size, reason)}


def network(
    given: dict[str, Any], cell: str, most: float, vocab_size: int, rate: float, seconds: float
) -> tuple[Config, str]:
    """The sizes with at most so many recurrent weights that suit the time, and why."""
    sizes = [(1, width) for width in WIDTHS if width <= ONE_LAYER] + [
        (2, width) for width in WIDTHS if width >= ONE_LAYER
    ]
    if "layers" in given:
        sizes = [(given["layers"], width) for width in WIDTHS]
    if "hidden_size" in given:
        layers = given.get("layers", 1 if given["hidden_size"] <= ONE_LAYER else 2)
        sizes = [(layers, given["hidden_size"])]
    configs = sorted((Config(cell, *size, vocab_size) for size in sizes), key=recurrent_weights)

    def read(config: Config) -> float:
        return seconds * expected_speed(config, STREAMS, rate)

    for_text = [c for c in configs if recurrent_weights(c) <= most] or configs[:1]
    for_time = [c for c in for_text if read(c) >= TOKENS * recurrent_weights(c)] or for_text[:1]
    if for_time[-1] is not for_text[-1]:
        return for_time[-1], "the largest that the time is enough for"
    return for_text[-1], "the largest that the text is enough for" if for_text[-1] is not configs[-1] else "the largest"


def window(steps: float, streams: int, share: float, pair: float) -> tuple[int, str]:
    """The length of a window, and why, for so many steps of each stream; a `pair` has so many of them."""
    length, why = (LONG, "there are updates enough") if steps >= MANY_UPDATES * LONG else (SHORT, "for more updates")
    if pair:
        length, why = max(LONG, 32 * math.ceil(WHOLE * pair / 32)), "several whole pairs"
    if streams * length * share < FEW_TARGETS:
        length, why = 32 * math.ceil(FEW_TARGETS / (32 * streams * share)), "few steps carry a target"
    return min(LONGEST, length), why


def most_epochs(load: float) -> float:
    """How often a text is read at most, with so many recurrent weights for each of its symbols."""
    return min(MOST_EPOCHS, LOADED_EPOCHS / min(load, 1.0))


def epochs_read(options: Options, symbols: int, streams: int, in_time: float, most: float) -> float:
    """How often the text will be read."""
    if options.epochs is not None:
        return float(options.epochs)
    read = in_time if options.steps is None else float(options.steps * streams * options.seq_length)
    return min(read / symbols, most)


def dropout(pressure: float, hidden_size: int) -> float:
    """More of it the more often the weights see the text; less in narrow layers, which need all they have."""
    rate = 0.2 + 0.1 * math.log2(max(pressure, 1e-3))
    return round(20 * min(0.5, 0.2 + hidden_size / 800, max(0.0, rate))) / 20


def settle_length(training: Training, plan: Plan, seconds: float) -> tuple[float, float]:
    """Gives the run the number of steps that fit into `seconds`, after a try.

    Returns its speed as a ratio to what the plan expected, and the seconds that scoring the held-out text takes.
    """
    step = training.probe(min(1.0, 0.05 * seconds))
    symbols = training.streams.batch_size * training.streams.seq_length
    held_out = symbols_of(training.held_out)
    scoring = held_out / 3 * training.options.workers * step / symbols  # a third of the work, by one process
    room = max(seconds - 0.06 * seconds - RESERVE - scoring, step)
    most = math.ceil(plan.most * training.streams.windows)
    asked = training.options.eval_every
    steps = min(most, max(1, int(room / step)))
    for _ in range(2):  # evaluations cost steps, and their number depends on it
        every = asked or max(training.eval_every, steps // EVALUATIONS)
        steps = min(most, max(1, int(room / (step + scoring / every))))
    training.set_length(steps, asked or max(training.eval_every, steps // EVALUATIONS))
    return symbols / step / plan.speed, scoring


class Deadline:
    """When a run of `seconds` has to end; says once to how many steps it has to be shortened, if at all."""

    def __init__(self, begin: float, seconds: float) -> None:
        self.begin, self.seconds = begin, seconds
        self.first: tuple[int, float] | None = None

    def shortened(self, training: Training) -> int | None:
        """The step to end at, where the run would be late; `time.monotonic` is the clock."""
        step, now = training.run.step, time.monotonic()
        if self.first is None:
            self.first = step, now
        done, took = step - self.first[0], now - self.first[1]
        if training.options.cut or done < 10 or step >= training.end:
            return None
        left = self.begin + self.seconds - RESERVE - now
        late = took / done * (training.end - step) - left
        settled = step > 0.75 * training.end
        if late < (0.01 if settled else 0.1) * self.seconds or step < 0.25 * training.end:
            return None
        total = max(step + 1, step + int(max(left, 0.0) * done / took))
        return total if total < training.end else None
