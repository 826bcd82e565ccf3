"""One window for a network: what goes in, what is to come out, which steps carry a target, and which start afresh."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from charrnn.arrays import Ids, Mask
from charrnn.errors import TextError
from charrnn.text.ids import Symbols, gather


class Batch(NamedTuple):
    """`inputs` and `targets` (T, B). `scored` (T, B) marks the steps that carry a target, `fresh` (T, B) those before
    which the state is cleared; None: all of them, and none.
    """

    inputs: Ids
    targets: Ids
    scored: Mask | None = None
    fresh: Mask | None = None

    @property
    def symbols(self) -> int:
        """How many targets there are; 1 where there are none, so that it can be divided by."""
        return self.targets.size if self.scored is None else max(1, int(np.count_nonzero(self.scored)))

    @property
    def scores(self) -> bool:
        """Whether any step carries a target: without one there is no loss."""
        return self.scored is None or bool(self.scored.any())

    def of(self, streams: slice) -> "Batch":
        """The part of these streams."""
        return Batch(*(None if part is None else part[:, streams] for part in self))  # type: ignore[arg-type]


class Streams:
    """The training text as `batch_size` streams side by side, each read in windows of `seq_length` steps.

    The streams are spread evenly over the text and overlap by a few characters where it does not divide,
    so that windows are always full and every character is read (a single stream leaves out fewer than it has
    windows). A short text gets fewer streams, or a shorter window; `notes` says so. Raises TextError where
    there is no character to predict.
    """

    def __init__(self, ids: Symbols, batch_size: int, seq_length: int) -> None:
        targets = len(ids) - 1
        if targets < 1:
            raise TextError(
                f"the text leaves {len(ids)} character to train on, and at least 2 are needed: "
                "give more text, or --val-fraction 0."
            )
        self.ids = ids
        self.seq_length = min(seq_length, targets)
        self.batch_size = min(batch_size, targets // self.seq_length)
        self.windows = -(-targets // (self.batch_size * self.seq_length))
        if self.windows * self.seq_length > targets:  # one stream, which cannot overlap with another
            self.seq_length = targets // self.windows
        spare = targets - self.windows * self.seq_length
        self.begins = np.array([b * spare // max(self.batch_size - 1, 1) for b in range(self.batch_size)])
        self.notes = [
            f"the text is short: {what} {now} instead of {wanted}."
            for what, now, wanted in (
                ("windows of", self.seq_length, seq_length),
                ("streams:", self.batch_size, batch_size),
            )
            if now < wanted
        ]

    def window(self, index: int) -> Ids:
        """Symbols (T+1, B) of the window of this index in the epoch: row t is the target of row t-1."""
        return gather(self.ids, self.begins + index * self.seq_length, self.seq_length + 1)

    def batch(self, step: int) -> Batch:
        """What the training reads at this step, counted from 1."""
        window = self.window((step - 1) % self.windows)
        return Batch(window[:-1], window[1:])


PURPOSE = 4  # of the random numbers: the order of the examples, by epoch
FEW_TARGETS = 8  # a step of the training with fewer is an unsteady one


@dataclass(frozen=True)
class Rows:
    """The steps of some examples, one example after another: example k has those from begins[k] to begins[k+1]."""

    inputs: Ids
    targets: Ids
    scored: Mask
    begins: NDArray[np.intp]

    @classmethod
    def of(cls, examples: Sequence[tuple[Ids, Ids, int]]) -> "Rows":
        """From (inputs, targets, first step that is scored) of each."""
        lengths = np.array([len(inputs) for inputs, _, _ in examples], dtype=np.intp)
        begins = np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp)
        none = [np.zeros(0, np.int32)]
        inputs, targets = (
            np.concatenate(none + [example[part] for example in examples]).astype(np.int32) for part in (0, 1)
        )
        firsts = np.array([first for _, _, first in examples], dtype=np.intp)
        scored = np.arange(begins[-1]) >= np.repeat(begins[:-1] + firsts, lengths)
        return cls(inputs, targets, scored, begins)

    def __len__(self) -> int:
        return len(self.begins) - 1

    @property
    def steps(self) -> int:
        return len(self.inputs)

    @property
    def lengths(self) -> NDArray[np.intp]:
        return np.diff(self.begins)

    @cached_property
    def fresh(self) -> Mask:
        """Which steps begin an example."""
        fresh = np.zeros(self.steps, dtype=bool)
        fresh[self.begins[:-1]] = True
        return fresh

    def ordered(self, order: NDArray[np.intp]) -> "Rows":
        """These examples, in this order."""
        lengths = self.lengths[order]
        begins = np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp)
        where = np.repeat(self.begins[order] - begins[:-1], lengths) + np.arange(begins[-1])
        return Rows(self.inputs[where], self.targets[where], self.scored[where], begins)

    def spread(self, streams: int) -> NDArray[np.intp]:
        """Where each of the streams begins that share the examples out, as evenly as whole examples allow."""
        return self.begins[np.searchsorted(self.begins[:-1], np.arange(streams) * self.steps / streams)]

    def window(self, places: NDArray[np.intp]) -> Batch:
        """The steps at these places (T, B); after the last example comes the first again."""
        places = places % self.steps
        return Batch(self.inputs[places], self.targets[places], self.scored[places], self.fresh[places])


class Packed:
    """Training examples in `batch_size` streams, shuffled each epoch by the seed, in windows of `seq_length` steps.

    A stream goes on from window to window, so that an example longer than a window is read whole. In an epoch every
    example is read at least once, and some are begun again, so that all windows are full.
    """

    def __init__(self, rows: Rows, batch_size: int, seq_length: int, seed: int) -> None:
        self.rows, self.seed, self.seq_length = rows, seed, seq_length
        self.batch_size = min(batch_size, len(rows))
        longest = int(rows.lengths.max())
        self.windows = -(-(-(-rows.steps // self.batch_size) + longest) // seq_length)
        self.notes = []
        if self.batch_size < batch_size:
            self.notes.append(f"there are few examples: streams: {self.batch_size} instead of {batch_size}.")
        targets = self.batch_size * seq_length * int(np.count_nonzero(rows.scored)) / rows.steps
        if targets < FEW_TARGETS:
            self.notes.append(
                f"a step of {self.batch_size} x {seq_length} symbols has {targets:.1f} targets on average: "
                "a larger --seq-length or --batch-size makes it steadier."
            )
        self.epoch, self.shuffled, self.starts = -1, rows, rows.begins[:0]

    def batch(self, step: int) -> Batch:
        """What the training reads at this step, counted from 1."""
        epoch, index = divmod(step - 1, self.windows)
        if epoch != self.epoch:
            rng = np.random.Generator(np.random.PCG64([self.seed, PURPOSE, epoch]))
            self.shuffled = self.rows.ordered(rng.permutation(len(self.rows)))
            self.starts, self.epoch = self.shuffled.spread(self.batch_size), epoch
        steps = np.arange(index * self.seq_length, (index + 1) * self.seq_length)
        return self.shuffled.window(self.starts + steps[:, None])
