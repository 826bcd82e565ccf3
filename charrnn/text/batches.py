"""Windows of a text or of examples: `Batch`, and the streams that are read window by window."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Ids, Mask, RandomStream, ceil_div
from charrnn.errors import TextError
from charrnn.text.ids import Symbols, gather, join


class Batch(NamedTuple):
    """One window of B streams: `inputs` and `targets` (T, B).

    `loss_mask` (T, B) marks the steps with a target (None: all), `reset` (T, B) the steps before which the hidden state
    is cleared (None: none).
    """

    inputs: Ids
    targets: Ids
    loss_mask: Mask | None = None
    reset: Mask | None = None

    @property
    def symbols(self) -> int:
        """Number of targets, at least 1, so that one can divide by it."""
        return self.targets.size if self.loss_mask is None else max(1, int(np.count_nonzero(self.loss_mask)))

    @property
    def has_targets(self) -> bool:
        """False if there is no loss."""
        return self.loss_mask is None or bool(self.loss_mask.any())

    def of(self, streams: slice) -> "Batch":
        """The window of some of the streams."""
        return Batch(*(None if part is None else part[:, streams] for part in self))  # type: ignore[arg-type]

    def part(self, begin: int, end: int) -> "Batch":
        """Some of the steps."""
        return Batch(*(None if part is None else part[begin:end] for part in self))  # type: ignore[arg-type]


class Streams:
    """The training text as `batch_size` parallel streams, read in windows of `seq_length` steps.

    The streams start at equal distances and overlap by a few characters if the text is not divisible, so that windows
    are always full and every character is read (a single stream skips fewer characters than it has windows). A short
    text has fewer streams or shorter windows; `notes` says so. Raises TextError if there is no character to predict.
    """

    def __init__(self, ids: Symbols, batch_size: int, seq_length: int) -> None:
        targets = len(ids) - 1
        if targets < 1:
            raise TextError(
                f"the training split has fewer than 2 characters ({len(ids)}): use a longer text, or `val_fraction=0`."
            )
        self.ids = ids
        self.seq_length = min(seq_length, targets)
        self.batch_size = min(batch_size, targets // self.seq_length)
        self.windows = ceil_div(targets, self.batch_size * self.seq_length)
        if self.windows * self.seq_length > targets:  # a single stream has no neighbour to overlap with
            self.seq_length = targets // self.windows
        spare = targets - self.windows * self.seq_length
        self.starts = np.arange(self.batch_size) * spare // max(self.batch_size - 1, 1)
        sizes = ("sequence length", self.seq_length, seq_length), ("batch size", self.batch_size, batch_size)
        self.notes = [f"the text is short: {name} {n} instead of {wanted}." for name, n, wanted in sizes if n < wanted]

    def window(self, index: int) -> Ids:
        """Ids (T+1, B) of a window, by its index in the epoch: row t is the target of row t-1."""
        return gather(self.ids, self.starts + index * self.seq_length, self.seq_length + 1)

    def batch(self, step: int) -> Batch:
        """The window of a training step, counted from 1."""
        window = self.window((step - 1) % self.windows)
        return Batch(window[:-1], window[1:])


class TextStreams(Streams):
    """Several texts, in another order in each epoch, as `Streams` whose state is reset before each text.

    `places` (n, 4) are begin and end of the two parts of each text, the second of which ends with a boundary symbol or
    is empty. Symbol `place` of `ids` is a boundary, which is read first.
    """

    def __init__(
        self, ids: Symbols, places: NDArray[np.int64], place: int, batch_size: int, seq_length: int, seed: int
    ) -> None:
        self.all, self.places, self.first, self.seed = ids, places, [place, place + 1], seed
        self.boundary = int(ids[place : place + 1][0])
        self.shuffle(0)
        super().__init__(self.ids, batch_size, seq_length)

    def shuffle(self, epoch: int) -> None:
        """Sets the ids of an epoch."""
        rng = np.random.Generator(np.random.PCG64([self.seed, RandomStream.EXAMPLE_ORDER, epoch]))
        ranges = self.places[rng.permutation(len(self.places))].reshape(-1, 2)
        ranges = ranges[ranges[:, 0] < ranges[:, 1]]
        self.epoch, self.ids = epoch, join(self.all, np.insert(ranges, 0, self.first, axis=0))

    def batch(self, step: int) -> Batch:
        epoch, index = divmod(step - 1, self.windows)
        if epoch != self.epoch:
            self.shuffle(epoch)
        window = self.window(index)
        inputs, targets = window[:-1], window[1:]
        return Batch(inputs, targets, np.ones(targets.shape, bool), inputs == self.boundary)


FEW_TARGETS = 8  # the gradient of a step with fewer targets is very noisy


@dataclass(frozen=True)
class Rows:
    """The steps of examples, concatenated: example k has the steps starts[k]..starts[k+1].

    `inputs`, `targets`, `loss_mask`, `reset` (n,) are those of `Batch`; `starts` (examples + 1,).
    """

    inputs: Ids
    targets: Ids
    loss_mask: Mask
    starts: NDArray[np.intp]

    @classmethod
    def of(cls, examples: Sequence[tuple[Ids, Ids, int]]) -> "Rows":
        """Rows from (inputs, targets, first step with a target) of each example."""
        lengths = np.array([len(inputs) for inputs, _, _ in examples], np.intp)
        firsts = np.array([first for _, _, first in examples], np.intp)
        none = np.zeros(0, np.int32)
        inputs = np.concatenate([none, *(inputs for inputs, _, _ in examples)], dtype=np.int32)
        targets = np.concatenate([none, *(targets for _, targets, _ in examples)], dtype=np.int32)
        starts = np.append(0, np.cumsum(lengths))
        loss_mask = np.arange(starts[-1]) >= np.repeat(starts[:-1] + firsts, lengths)
        return cls(inputs, targets, loss_mask, starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def steps(self) -> int:
        return len(self.inputs)

    @cached_property
    def reset(self) -> Mask:
        return np.isin(np.arange(self.steps), self.starts)

    def ordered(self, order: NDArray[np.intp]) -> "Rows":
        """The examples in this order."""
        lengths = np.diff(self.starts)[order]
        starts = np.append(0, np.cumsum(lengths))
        places = np.repeat(self.starts[order] - starts[:-1], lengths) + np.arange(starts[-1])
        return Rows(self.inputs[places], self.targets[places], self.loss_mask[places], starts)

    def spread(self, streams: int) -> NDArray[np.intp]:
        """The first step of each of `streams` streams of whole examples, as equally long as possible."""
        return self.starts[np.searchsorted(self.starts[:-1], np.arange(streams) * self.steps / streams)]

    def window(self, places: NDArray[np.intp]) -> Batch:
        """The steps at these places (T, B); the first example follows the last one."""
        places = places % self.steps
        return Batch(self.inputs[places], self.targets[places], self.loss_mask[places], self.reset[places])


class Packed:
    """Training examples in `batch_size` streams, shuffled by the seed in each epoch, in windows of `seq_length` steps.

    A stream continues from window to window, so that examples may be longer than a window. Every epoch reads each
    example at least once; some examples are started again, so that all windows are full.
    """

    def __init__(self, rows: Rows, batch_size: int, seq_length: int, seed: int) -> None:
        self.rows, self.seed, self.seq_length = rows, seed, seq_length
        self.batch_size = min(batch_size, len(rows))
        self.windows = ceil_div(ceil_div(rows.steps, self.batch_size) + int(np.diff(rows.starts).max()), seq_length)
        self.notes = []
        if self.batch_size < batch_size:
            self.notes.append(f"there are few examples: batch size {self.batch_size} instead of {batch_size}.")
        targets = self.batch_size * seq_length * int(np.count_nonzero(rows.loss_mask)) / rows.steps
        if targets < FEW_TARGETS:
            self.notes.append(
                f"a step of {self.batch_size} x {seq_length} symbols has {targets:.1f} targets on average: "
                "a larger `seq_length` or `batch_size` makes training more stable."
            )
        self.epoch, self.shuffled, self.starts = -1, rows, rows.starts[:0]

    def batch(self, step: int) -> Batch:
        """The window of a training step, counted from 1."""
        epoch, index = divmod(step - 1, self.windows)
        if epoch != self.epoch:
            rng = np.random.Generator(np.random.PCG64([self.seed, RandomStream.EXAMPLE_ORDER, epoch]))
            self.shuffled = self.rows.ordered(rng.permutation(len(self.rows)))
            self.starts, self.epoch = self.shuffled.spread(self.batch_size), epoch
        steps = np.arange(index * self.seq_length, (index + 1) * self.seq_length)
        return self.shuffled.window(self.starts + steps[:, None])
