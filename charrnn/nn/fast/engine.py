"""Which engine computes: the fast one, or the plain one if asked for, or if the cell has no class in `cells.py`."""

from charrnn.nn.fast import cells
from charrnn.nn.fast.network import Network as FastNetwork
from charrnn.nn.fast.stepper import Stepper as FastStepper
from charrnn.nn.interface import RecurrentNetwork, Stepper
from charrnn.nn.network import Network as PlainNetwork
from charrnn.nn.params import Config, Params
from charrnn.nn.stepper import NetworkStepper

ENGINES = ("fast", "plain")


def is_fast(config: Config, engine: str = "fast") -> bool:
    """Whether a network of this cell is computed by the fast engine."""
    return engine == "fast" and config.cell in cells.CELLS


def network(
    config: Config, params: Params, steps: int, streams: int, training: bool = False, engine: str = "fast"
) -> RecurrentNetwork:
    """A network for windows of up to `steps` steps of `streams` streams; `backward` needs `training`."""
    kind = FastNetwork if is_fast(config, engine) else PlainNetwork
    return kind(config, params, steps, streams, training)


def stepper(config: Config, params: Params, streams: int = 1, engine: str = "fast") -> Stepper:
    """What reads `streams` texts symbol by symbol, from an empty state."""
    if streams == 1 and is_fast(config, engine):
        return FastStepper(config, params)
    return NetworkStepper(network(config, params, 1, streams, engine=engine), params, streams)
