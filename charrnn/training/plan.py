"""Hyperparameters from the text and the time: options that the user does not give are chosen here, with a reason.

The rules were fitted to measurements, see docs/learning.md: the network is the largest that reads `TOKENS` symbols per
recurrent weight in the given time, or a text `ENOUGH_EPOCHS` times, and has at most `WEIGHTS` recurrent weights per
symbol of the text.
"""

import math
import time
from dataclasses import dataclass, field, replace
from typing import Any

from charrnn.checkpoint.model import Model
from charrnn.evaluation.score import symbols_of
from charrnn.nn.params import Config
from charrnn.options import LINEAR_CELLS, MINUTES, Options
from charrnn.text.dataset import Dataset
from charrnn.training.cost import flops_per_char, multiply_rate, recurrent_weights
from charrnn.training.group import Group
from charrnn.training.loop import EVAL_EVERY, EVAL_SHARE, Training
from charrnn.training.ngram import seconds_to_mix
from charrnn.training.rates import TIMES, dropout, pair_dropout, rate_for, weight_decay
from charrnn.training.schedule import TimeLimit

WIDTHS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
ONE_LAYER = 512  # up to this width one layer learns more in the same time than two
DEEPER = f"one up to {ONE_LAYER} units, two above"
LINEAR_LAYERS = 3  # of a linear recurrence: the gates of one layer do not read its own state
TOKENS = 13.0
ENOUGH_EPOCHS = 24.0
WEIGHTS = 15.0
MOST_EPOCHS = 80.0
LOADED, LOADED_EPOCHS = 30.0, 28.0  # with this many weights per symbol, further epochs only overfit
FEWEST_UPDATES = 400
REFERENCE = 2.4e11  # operations per second of the machine that is assumed for runs without a time limit
SHARE = 0.75  # of the machine's rate that the products of a step reach
CALL_SECONDS = 60e-6  # per step and layer, in addition to the products
SHORT, LONG, LONGEST = 32, 64, 512  # steps of a window
FEW_TARGETS = 32  # in a batch; with fewer, windows are longer
WHOLE = 6  # pairs in a window, so that most of them are not cut
PAIR_WEIGHTS, FEWEST_PAIR_WEIGHTS = 0.9, 270_000  # recurrent weights per symbol, and at least: an LSTM 1 x 256
PAIR_RATE = 0.004
PAIR_UPDATES = 6000  # a rule is often found late, after a long plateau of the validation loss
PAIR_WINDOWS = 24  # in an epoch; with fewer, there are fewer streams
PAIR_EPOCHS, PAIR_PATIENCE = 40.0, 20
MANY_UPDATES = 5000
STREAMS = 32
FEWEST_WINDOWS = 30  # in an epoch; with fewer, there are fewer streams
PATIENCE, STALE_SHARE = 10, 0.2  # evaluations without improvement, and their share of the run, until the decay begins
EVALUATIONS = 20  # of a short run
ACTIVATIONS, TASK_WEIGHT_DECAY = 2.0, 0.05  # of an LSTM, if every step has a target; of pairs and classifiers
RESERVE = 0.4  # seconds for the start and the last save
FEW_SYMBOLS = 200
LARGEST_ERROR = 1.5  # of the expected speed; sizes are chosen again if the measured speed differs by more


@dataclass
class Plan:
    """The `options` of a run: those `given` by the user, and those chosen in addition, each with its reason; the
    expected `speed` in symbols per second; and the limits of its length, see `most_steps`.
    """

    given: dict[str, Any]
    options: Options
    reasons: dict[str, str] = field(default_factory=dict)
    speed: float = 0.0
    load: float = 0.0  # weights per symbol
    most_epochs: float = 0.0
    fewest_steps: int = FEWEST_UPDATES

    def most_steps(self, windows: float) -> int:
        """The largest number of steps, with this number of windows per epoch."""
        return max(math.ceil(self.most_epochs * windows), self.fewest_steps)

    def explain(self, training: Training) -> None:
        """Gives the reason for the dropout, with the epochs that the run really has; notes that a text is too short."""
        if training.source.symbols < FEW_SYMBOLS:
            training.notes.append(
                f"{training.source.label} has only {training.source.symbols:,} symbols, too few to learn from: "
                "use at least several thousand."
            )
        for name in ("dropout", "recurrent_dropout"):
            if name in self.reasons:
                epochs = training.end / training.streams.windows
                self.reasons[name] = f"{epochs:.1f} epochs, {self.load:.1f} weights per symbol"

    def choose(self, name: str, value: Any, reason: str) -> None:
        """Chooses an option, unless the user gave it."""
        if name not in self.given:
            self.options, self.reasons[name] = replace(self.options, **{name: value}), reason


def expected_speed(config: Config, streams: int, rate: float) -> float:
    """Symbols per second of a training of these sizes, on cores that do `rate` operations per second in total."""
    return 1.0 / (flops_per_char(config) / (SHARE * rate) + config.layers * CALL_SECONDS / streams)


def weights(config: Config) -> int:
    return sum(math.prod(shape) for shape in config.shapes.values())


def choose(
    given: dict[str, Any],
    symbols: int,
    vocab_size: int,
    rate: float | None,
    seconds: float,
    share: float = 1.0,
    example: float = 0.0,
) -> Plan:
    """The plan for a text of `symbols`, of which a `share` are targets, with the options `given` by the user.

    `example` is the mean number of symbols per example. `rate` is that of the machine in operations per second, for a
    run of `seconds`; None for a run without a time limit.
    """
    plan = Plan(given, Options(**given))
    pairs, machine = plan.options.task == "pairs", REFERENCE if rate is None else rate
    config = choose_network(plan, symbols, vocab_size, machine, seconds)
    pair = min(LONGEST, max(LONG, 32 * math.ceil(WHOLE * example / 32))) if pairs else 0
    streams, fewest = given.get("batch_size", STREAMS), (PAIR_WINDOWS if pairs else FEWEST_WINDOWS)
    least = max(4, 2 * FEW_TARGETS / (LONG * share))  # streams, so that windows with enough targets are short
    while "batch_size" not in given and streams > least and symbols < fewest * streams * (pair or SHORT):
        streams //= 2
    plan.choose("batch_size", streams, "few streams, many updates" if streams == STREAMS else "the text is short")
    plan.speed, plan.load = expected_speed(config, streams, machine), weights(config) / symbols
    if pairs:
        plan.most_epochs, plan.fewest_steps = PAIR_EPOCHS, PAIR_UPDATES
    else:
        plan.most_epochs = most_epochs(plan.load)
    steps = symbols_read(plan, symbols, streams, LONG, seconds) / streams
    plan.choose("seq_length", *window(steps, streams, share, pair))
    epochs = symbols_read(plan, symbols, streams, plan.options.seq_length, seconds) / symbols
    times, everywhere = TIMES[plan.options.optimizer], share == 1.0  # whether every step has a target
    if pairs:
        plan.choose("dropout", pair_dropout(plan.load), "")  # `explain` gives the reason
        plan.choose("lr", float(f"{times * PAIR_RATE:g}"), "suits pairs")
    else:
        between, recurrent = dropout(epochs * plan.load, config.hidden_size, config.linear)
        plan.choose("dropout", between, "")
        if not config.linear:
            plan.choose("recurrent_dropout", recurrent, "")
        if config.cell == "lstm" and everywhere:
            plan.choose("activation_regularisation", ACTIVATIONS, "keeps the outputs of an LSTM small")
        lr = rate_for(config, plan.options.optimizer)
        plan.choose("lr", lr, "smaller for wider and deeper networks, and for large vocabularies")
    decay = weight_decay(config, plan.load) if everywhere else TASK_WEIGHT_DECAY
    plan.choose("weight_decay", round(decay / times, 5), "keeps weights small")  # a step shrinks them by decay times lr
    if rate is not None and plan.options.val_fraction:
        patience = PAIR_PATIENCE if pairs else PATIENCE
        plan.choose("patience", patience, "early stopping after this many evaluations without improvement")
    return plan


def choose_network(plan: Plan, symbols: int, vocab_size: int, rate: float, seconds: float) -> Config:
    """Chooses the cell and the sizes."""
    pairs, given = plan.options.task == "pairs", plan.given
    most = max(PAIR_WEIGHTS * symbols, FEWEST_PAIR_WEIGHTS) if pairs else WEIGHTS * symbols
    enough = 0.0 if pairs else ENOUGH_EPOCHS * symbols
    config, reason = network(given, given.get("cell", "lstm"), most, enough, vocab_size, rate, seconds)
    reads = plan.options.task in ("pairs", "classify")  # a source, before the first target
    why = "remembers a source best" if reads else "learns more than a GRU in the same time"
    plan.choose("cell", config.cell, why)
    plan.choose("layers", config.layers, reason)
    plan.choose("hidden_size", config.hidden_size, reason)
    return config


def network(
    given: dict[str, Any], cell: str, most: float, enough: float, vocab_size: int, rate: float, seconds: float
) -> tuple[Config, str]:
    """The sizes with at most `most` recurrent weights that suit the time, and the reason; a network that reads `enough`
    symbols reads them often enough.
    """
    widths = [given["hidden_size"]] if "hidden_size" in given else WIDTHS
    usual, why = (LINEAR_LAYERS, "three of a linear recurrence") if cell in LINEAR_CELLS else (1, DEEPER)
    sizes = [(given.get("layers", max(usual, 1 + (width > ONE_LAYER))), width) for width in widths]
    if given.keys().isdisjoint(("layers", "hidden_size")) and usual == 1:
        sizes.append((2, ONE_LAYER))
    configs = sorted((Config(cell, *size, vocab_size) for size in sizes), key=recurrent_weights)
    for_text = [c for c in configs if recurrent_weights(c) <= most] or configs[:1]
    symbols = [seconds * expected_speed(c, STREAMS, rate) for c in for_text]
    wanted = [min(TOKENS * recurrent_weights(c), enough or math.inf) for c in for_text]
    for_time = [c for c, read, least in zip(for_text, symbols, wanted, strict=True) if read >= least]
    for_time = for_time or for_text[:1]
    if "hidden_size" in given:
        return for_time[-1], why
    if for_time[-1] is not for_text[-1]:
        return for_time[-1], "largest network trainable in the given time"
    return for_text[-1], "largest of all" if for_text[-1] is configs[-1] else "largest network suitable for the text"


def window(steps: float, streams: int, share: float, pair: int) -> tuple[int, str]:
    """The length of a window, with the reason, for `steps` symbols per stream; `pair` is that for pairs."""
    length, why = (LONG, "enough updates") if steps >= MANY_UPDATES * LONG else (SHORT, "more updates")
    if pair:
        length, why = pair, "several whole pairs"
    if streams * length * share < FEW_TARGETS:
        length, why = 32 * math.ceil(FEW_TARGETS / (32 * streams * share)), "few steps have a target"
    return min(LONGEST, length), why


def most_epochs(load: float) -> float:
    """The largest number of epochs for `load` weights per symbol."""
    return MOST_EPOCHS if load < LOADED else LOADED_EPOCHS


def symbols_read(plan: Plan, symbols: int, streams: int, length: int, seconds: float) -> float:
    """The number of symbols that the run reads, with windows of this length."""
    options, size = plan.options, streams * length
    if options.epochs is not None:  # a limit in steps may stop the run early, to be resumed
        return float(options.epochs * symbols)
    if options.steps is not None:
        return float(options.steps * size)
    return min(plan.speed * seconds, float(plan.most_steps(symbols / size) * size))


def settle_length(training: Training, plan: Plan, seconds: float) -> tuple[float, float]:
    """Measures the speed of a run and sets its number of steps to what fits into `seconds`.

    Returns the speed divided by that of the plan, and the seconds that an evaluation takes.
    """
    step = training.probe(min(1.0, 0.05 * seconds))
    options, symbols = training.options, training.streams.batch_size * training.streams.seq_length
    # a third of the work of training on the same symbols, by one process
    scoring = symbols_of(training.held_out) / 3 * training.processes * step / symbols
    room = max(seconds - 0.06 * seconds - RESERVE - scoring, step)
    steps = max(1, int(room / (step + scoring / options.eval_every)))
    steps = min(plan.most_steps(training.streams.windows), steps)
    interval = max(min(EVAL_EVERY, math.ceil(steps / EVALUATIONS)), math.ceil(scoring / step / EVAL_SHARE))
    interval = plan.options.eval_every or interval
    patience = plan.options.patience
    if "patience" in plan.reasons:
        patience = max(patience, math.ceil(STALE_SHARE * steps / interval))
    training.set_length(steps, eval_every=interval, patience=patience)
    return symbols / step / plan.speed, scoring


def plan_training(
    data: Dataset,
    options: Options,
    given: dict[str, Any],
    seconds: float | None,
    start: float,
    init_from: Model | None = None,
    group: Group | None = None,
) -> tuple[Training, Plan]:
    """A training for which the options that are not `given` are chosen, and its plan.

    With a time limit of `seconds` from `start` (by `time.monotonic`), the length is set from the measured speed, and so
    are the sizes if the estimate was far off. The training starts from the weights of `init_from`, if given.
    """
    symbols = max(1, int(data.symbols * (1.0 - options.val_fraction)))
    sizes = {"share": data.share, "example": data.example}
    if seconds is None:
        plan = choose(given, symbols, data.alphabet, None, 60.0 * MINUTES, **sizes)
        training = Training.new(data, plan.options, init_from, group)
        plan.explain(training)
        return training, plan
    group = group or Group()
    seconds -= min(0.5 * seconds, seconds_to_mix(data, options))
    rate, corrected = multiply_rate(512, 20) * (options.workers or group.cores) * group.size, False
    while True:
        plan = choose(given, symbols, data.alphabet, rate, seconds, **sizes)
        training = Training.new(data, plan.options, init_from, group)
        ratio, scoring = settle_length(training, plan, start + seconds - time.monotonic())
        if corrected or 1 / LARGEST_ERROR < ratio < LARGEST_ERROR:
            plan.explain(training)
            most = plan.most_steps(training.streams.windows)
            if plan.options.schedule == "cosine":
                training.notes.append(
                    f"schedule {plan.options.schedule} fixes the number of steps now: a slower run ends late."
                )
            scorings = 2 if plan.options.with_ngram else 1
            training.limit = TimeLimit(start, seconds - scorings * scoring - RESERVE, most)
            return training, plan
        training.close()
        rate, corrected = rate * ratio, True
