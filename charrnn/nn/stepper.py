"""Reads symbol by symbol, as sampling does, on any network."""

import numpy as np

from charrnn.arrays import Array
from charrnn.nn.interface import RecurrentNetwork, State


class NetworkStepper:
    """Several streams, which share the products; the interface is `Stepper` in `interface.py`.

    `network` has windows of one step and as many streams.
    """

    def __init__(self, network: RecurrentNetwork, streams: int) -> None:
        self.network, self.streams = network, streams
        self.logits: Array = np.tile(network.first, (streams, 1))

    def step(self, ids: list[int]) -> None:
        self.logits = self.network.forward(np.array([ids]))[0]
        self.network.carry()

    def step_all(self, ids: list[int]) -> None:
        for i in ids:
            self.step([i] * self.streams)

    def state(self, stream: int = 0) -> State:
        state = {name: values[:, stream] for name, values in self.network.state().items()}
        return state, self.logits[stream].copy()

    def set_state(self, state: State, stream: int = 0) -> None:
        states = self.network.state()
        own, self.logits[stream] = state
        for name, values in states.items():
            values[:, stream] = own[name]
        self.network.set_state(states)
