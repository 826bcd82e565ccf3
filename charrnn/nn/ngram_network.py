"""What reads texts with an n-gram model: symbol by symbol, or window by window, alone or mixed with a network."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from charrnn.arrays import Array, Ids, Mask, Masks
from charrnn.nn.interface import Reader, State
from charrnn.nn.loss import log_softmax
from charrnn.nn.ngram import UNSEEN, Floats
from charrnn.nn.ngram_model import NgramModel, Path

CACHED = 1 << 23  # probabilities that a stepper keeps


class NgramStepper:
    """Reads texts symbol by symbol; the interface is `Stepper` in `interface.py`. `logits` are ln p in float64."""

    def __init__(self, ngram: NgramModel, streams: int) -> None:
        self.ngram, self.paths = ngram, [ngram.empty] * streams
        self.follow = lru_cache(1 << 16)(ngram.follow)
        kept = lru_cache(max(1024, CACHED // ngram.vocab_size))
        self.after: Callable[[Path], Floats] = kept(lambda path: ngram.after(path, self.after))
        self.predict()

    def predict(self) -> None:
        self.logits: Array = np.log(np.array([self.after(path) for path in self.paths]))

    def step(self, ids: list[int]) -> None:
        self.paths = [self.follow(path, i) for path, i in zip(self.paths, ids, strict=True)]
        self.predict()

    def step_all(self, ids: list[int]) -> None:
        for i in ids:
            self.paths = [self.follow(path, i) for path in self.paths]
        self.predict()

    def state(self, stream: int = 0) -> State:
        return {"ranks": np.array(self.paths[stream], np.float64)}, self.logits[stream].copy()

    def set_state(self, state: State, stream: int = 0) -> None:
        self.paths[stream] = tuple(map(int, state[0]["ranks"]))
        self.logits[stream] = state[1]


class NgramNetwork:
    """Reads windows of B streams; the interface is `Reader` in `interface.py`. Logits are ln p in float64.

    `before` (order, B) are the ranks of the last 0, 1, 2, ... symbols before the window, `ranks` (order, T, B) those
    after each of its steps.
    """

    def __init__(self, ngram: NgramModel, steps: int, streams: int) -> None:
        self.ngram, self.steps, self.streams = ngram, steps, streams
        self.reset()

    def pack(self) -> None:
        """Nothing to do: the counts never change."""

    @property
    def first(self) -> Array:
        """ln p (V,) before the first symbol."""
        log_p: Array = self.ngram.log_probs([[]])[0]
        return log_p

    def reset(self) -> None:
        self.before = np.full((self.ngram.order, self.streams), UNSEEN, np.int32)
        self.before[0] = self.ngram.root

    def forward(self, ids: Ids, masks: Masks = None, reset: Mask | None = None) -> Array:
        V, levels = self.ngram.vocab_size, self.ngram.levels
        labels = ids >= V
        start = labels if reset is None else reset | labels
        latest = np.maximum.accumulate(np.where(labels, np.arange(len(ids))[:, None], UNSEEN), axis=0)
        root = np.take_along_axis(ids, np.maximum(latest, 0), axis=0).astype(np.int32) - V
        self.ranks = [np.where(latest < 0, self.before[0], root)]
        symbols = np.where(labels, self.ngram.start, ids)
        for k, level in enumerate(levels[:-1]):
            context = self.ranks[0] if k == 0 else np.concatenate([self.before[k : k + 1], self.ranks[k][:-1]])
            if k:
                context[start] = UNSEEN
            self.ranks.append(level.ranks(context.reshape(-1), symbols.reshape(-1)).reshape(ids.shape))
        p = self.ngram.distributions([ranks.reshape(-1) for ranks in self.ranks])
        log_p: Array = np.log(p, out=p).reshape(*ids.shape, V)
        return log_p

    def carry(self) -> None:
        self.before = np.stack([ranks[-1] for ranks in self.ranks])


class MixedNetwork:
    """A network and an n-gram model that read the same windows: logits are ln((1 - w) p_network + w p_ngram)."""

    def __init__(self, network: Reader, ngram: NgramNetwork, weight: float) -> None:
        self.network, self.ngram, self.weight = network, ngram, weight
        self.steps, self.streams = network.steps, network.streams

    def mix(self, logits: Array, log_p: Array) -> Array:
        mixed: Array = log_softmax(logits.astype(np.float64)) + np.log1p(-self.weight)
        np.logaddexp(mixed, log_p + np.log(self.weight), out=mixed)
        return mixed

    @property
    def first(self) -> Array:
        """ln p (V,) before the first symbol."""
        return self.mix(self.network.first, self.ngram.first)

    def pack(self) -> None:
        self.network.pack()

    def reset(self) -> None:
        self.network.reset()
        self.ngram.reset()

    def forward(self, ids: Ids, masks: Masks = None, reset: Mask | None = None) -> Array:
        return self.mix(self.network.forward(ids, masks, reset), self.ngram.forward(ids, masks, reset))

    def carry(self) -> None:
        self.network.carry()
        self.ngram.carry()
