"""Evaluation by all ranks: each reads its share of the batches, with the weights that all of them have."""

from collections.abc import Iterable, Iterator

import numpy as np

from charrnn.evaluation.scan import STREAMS, WINDOW
from charrnn.evaluation.score import Score, total_scores
from charrnn.nn.fast import engine
from charrnn.nn.interface import Reader
from charrnn.nn.params import Config, Params
from charrnn.text.batches import Batch
from charrnn.training.group import MPIGroup


class RankScorer:
    """Scores batches with the weights `params`, in rounds: rank 0 sends one batch to each of the other ranks."""

    def __init__(self, group: MPIGroup, config: Config, params: Params) -> None:
        self.group, self.config, self.params = group, config, params
        self.network: Reader | None = None  # of a rank other than 0

    def scores(self, network: Reader, batches: Iterable[Batch], replacement: int) -> Iterator[Score]:
        """`total_scores` at rank 0, with its packed network: the same values, whatever the number of ranks."""
        rest = iter(batches)
        for own in rest:
            self.group.order("score", replacement)
            with self.group.together():
                used = 1
                for rank in range(1, self.group.size):
                    batch = next(rest, None)
                    used += batch is not None
                    self.send(batch or Batch(*np.empty((2, 0, STREAMS), np.int32)), rank)
                scores = self.exchange(network, own, replacement)
            yield from scores[:used]

    def send(self, batch: Batch, rank: int) -> None:
        table = np.array([values for values in batch if values is not None], np.int32)
        self.group.send(np.array(table.shape), rank)
        self.group.send(table, rank)

    def score(self, replacement: int) -> None:
        """The share of another rank in a round."""
        self.network = self.network or engine.network(self.config, self.params, WINDOW, STREAMS)
        self.network.pack()
        self.group.receive(shape := np.empty(3, int), 0)
        self.group.receive(table := np.empty(shape.tolist(), np.int32), 0)
        inputs, targets, *masks = table
        self.exchange(self.network, Batch(inputs, targets, *(mask.astype(bool) for mask in masks)), replacement)

    def exchange(self, network: Reader, batch: Batch, replacement: int) -> list[Score]:
        """Scores a batch; returns the scores of all ranks."""
        (score,) = total_scores(network, [batch], replacement)
        rows = self.group.add(np.empty(0, np.float32), [score.total, score.symbols, score.correct])
        return [Score(total, int(symbols), int(correct)) for total, symbols, correct in rows]
