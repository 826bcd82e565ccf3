"""Which engine computes: the fast one, or the plain one if asked for, or if the cell has no class in `cells.py`.

An engine is imported when it is used, so that `charrnn sample` starts sooner.
"""

from charrnn.nn.fast import cells
from charrnn.nn.fast.weights import PackedWeights
from charrnn.nn.interface import Predictor, Reader, RecurrentNetwork, Stepper
from charrnn.nn.params import Config, Params

ENGINES = ("fast", "plain")


def is_fast(config: Config, engine: str = "fast") -> bool:
    """Whether a network of this cell is computed by the fast engine."""
    return engine == "fast" and (config.linear or config.cell in cells.CELLS)


def network(
    config: Config,
    params: Params,
    steps: int,
    streams: int,
    training: bool = False,
    engine: str = "fast",
    packed: PackedWeights | None = None,
) -> RecurrentNetwork:
    """A network for windows of up to `steps` steps of `streams` streams; `backward` needs `training`.

    `packed` are the copies of the weights that a fast network shares with other processes.
    """
    if not is_fast(config, engine):
        from charrnn.nn.linear import plain_network

        return plain_network(config, params, steps, streams)
    if config.linear:
        from charrnn.nn.fast.linear import LinearNetwork

        return LinearNetwork(config, params, steps, streams, training)
    from charrnn.nn.fast.network import Network

    return Network(config, params, steps, streams, training, packed)


def reader(model: Predictor, steps: int, streams: int) -> Reader:
    """What reads windows with a model: its network, its n-gram model, or both, mixed."""
    if model.ngram is None:
        return network(model.config, model.params, steps, streams)
    from charrnn.nn.ngram_network import MixedNetwork, NgramNetwork

    ngram = NgramNetwork(model.ngram, steps, streams)
    if not model.config.layers:
        return ngram
    return MixedNetwork(network(model.config, model.params, steps, streams), ngram, model.ngram_weight)


def stepper(config: Config, params: Params, streams: int = 1, engine: str = "fast", workers: int = 1) -> Stepper:
    """What reads `streams` texts symbol by symbol, from an empty state; `workers` processes read one with a cell of
    `cells.py`.
    """
    if streams == 1 and is_fast(config, engine) and config.linear:
        from charrnn.nn.fast.linear_stepper import LinearStepper

        return LinearStepper(config, params)
    if streams == 1 and is_fast(config, engine) and workers > 1:
        from charrnn.nn.fast.parallel_stepper import ParallelStepper

        return ParallelStepper(config, params, workers)
    if streams == 1 and is_fast(config, engine):
        from charrnn.nn.fast.stepper import Stepper as FastStepper

        return FastStepper(config, params)
    from charrnn.nn.stepper import NetworkStepper

    return NetworkStepper(network(config, params, 1, streams, engine=engine), streams)
