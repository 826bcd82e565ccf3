"""What training, sampling and `see` may ask of a network and of a stepper, whichever engine computes them."""

from typing import Protocol

from charrnn.arrays import Array, Ids, Mask, Masks
from charrnn.nn.ngram_model import NgramModel
from charrnn.nn.params import Config, Params

State = tuple[dict[str, Array], Array]  # of one stream: h and c (layers, H), and the logits (V,)


class Predictor(Protocol):
    """The parts of a model that predict: a network, an n-gram model of a share `ngram_weight`, or both."""

    @property
    def config(self) -> Config: ...

    @property
    def params(self) -> Params: ...

    @property
    def ngram(self) -> NgramModel | None: ...

    @property
    def ngram_weight(self) -> float: ...


class Reader(Protocol):
    """Predicts texts in windows of up to T steps of B streams: a network, an n-gram model, or both."""

    steps: int  # T
    streams: int  # B

    @property
    def first(self) -> Array:
        """Logits (V,) before the first symbol of a text."""

    def pack(self) -> None:
        """See `RecurrentNetwork`, as for all methods."""

    def forward(self, ids: Ids, masks: Masks = None, reset: Mask | None = None) -> Array: ...

    def carry(self) -> None: ...

    def reset(self) -> None: ...


class RecurrentNetwork(Protocol):
    """Layers of cells over windows of up to T steps of B streams, with a state that is carried from window to window.

    `nn/network.py` is the plain implementation, `nn/fast/network.py` the optimised one.
    """

    config: Config
    params: Params
    steps: int  # T
    streams: int  # B

    @property
    def first(self) -> Array:
        """Logits (V,) before the first symbol: those of an empty state."""

    def pack(self) -> None:
        """Takes over the weights as they are now; needed before `forward` whenever they have changed."""

    def forward(self, ids: Ids, masks: Masks = None, reset: Mask | None = None, recurrent_masks: Masks = None) -> Array:
        """Logits (T, B, V) for ids (T, B), from the carried state; valid until the next call.

        `masks` are one (T, B, H) array per layer, by which its output is multiplied (inverted dropout, Zaremba et al.
        2014). `reset` (T, B) marks the steps before which the state of a stream is set to zero. `recurrent_masks` are
        one (1, B, H) array per layer, by which h_{t-1} is multiplied before the product with Wh, at every step.
        """

    def backward(self, ids: Ids, dlogits: Array, grads: Params, alpha: float = 0.0) -> None:
        """Writes the gradients of all weights to `grads`, given the gradient of the logits of the last `forward`.

        With `alpha`, they are those of the loss + alpha / 2 · Σ y², for the outputs y of the last layer after dropout
        (activation regularisation, Merity et al. 2017).
        Truncated backpropagation through time (Williams & Peng 1990): no gradient enters from after the window.
        """

    def carry(self) -> None:
        """Makes the state after the window the state before the next one."""

    def reset(self) -> None:
        """Sets the carried state to zero."""

    def state(self) -> dict[str, Array]:
        """A copy of the carried state by name (h, c), each (layers, B, H)."""

    def store_state(self, out: dict[str, Array]) -> None:
        """Writes the carried state to arrays like those of `state`."""

    def set_state(self, state: dict[str, Array]) -> None:
        """Copies `state` to the carried state."""


class Stepper(Protocol):
    """Reads B streams symbol by symbol, from an empty state; `logits` (B, V) predict the next symbol of each."""

    logits: Array

    def step(self, ids: list[int]) -> None:
        """Reads one symbol per stream."""

    def step_all(self, ids: list[int]) -> None:
        """Reads a sequence of symbols, the same in all streams."""

    def state(self, stream: int = 0) -> State:
        """A copy of the state of one stream, its logits included."""

    def set_state(self, state: State, stream: int = 0) -> None:
        """Returns one stream to a state, its own or that of another stream."""
