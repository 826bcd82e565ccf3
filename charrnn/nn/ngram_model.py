"""`NgramModel`: the counts of n-grams by level, from which the complete distribution after any context follows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import zip_longest

import numpy as np

from charrnn.arrays import Ids
from charrnn.errors import UsageError
from charrnn.nn.ngram import UNSEEN, Floats, Grams, Ints, Level, continuation_counts, count_grams

ROWS = 1 << 20  # probabilities computed in one call
NONE: Ints = np.zeros(0, np.int32)
Path = tuple[int, ...]  # the ranks of the last 0, 1, 2, ... symbols, as long as they occur in the text


def count_levels(ids: Ids, vocab_size: int, order: int) -> list[tuple[Ints, Ints]]:
    """The keys (U,) and counts (U,) of each level of a text (n,), up to the order, or to n."""
    shorter = Grams(np.zeros(1, np.int64), np.zeros(len(ids) + 1, np.int32), 0)
    levels, counts = list[tuple[Ints, Ints]](), NONE
    for k in range(1, min(order, len(ids)) + 1):
        grams, counts, places = count_grams(shorter, ids[k - 1 :], vocab_size)
        if k > 1:
            levels.append((shorter.keys, continuation_counts(shorter, places)))
        shorter = grams
    return [*levels, (shorter.keys, counts)]


class CompleteLevel:
    """A level with the symbols seen after each context: those of the k-grams begins[context]..begins[context + 1].

    `shares` (U,) are (count - discount) / total of the k-grams, `left` (contexts,) the factors of the level below.
    """

    def __init__(self, grams: Grams, counts: Ints, vocab_size: int) -> None:
        self.keys, self.counts, self.contexts, self.vocab_size = grams.keys, counts, grams.contexts, vocab_size
        level, context = Level(grams, counts, vocab_size), grams.keys // vocab_size
        self.symbols = (grams.keys % vocab_size).astype(np.min_scalar_type(vocab_size))
        self.begins = np.searchsorted(context, np.arange(grams.contexts + 1))
        self.shares: Floats = (counts - level.discounts[np.minimum(counts, 3)]) / level.total[context]
        ended = level.total == 0.0  # contexts at the end of the text
        self.left: Floats = np.where(ended, 1.0, level.left / np.where(ended, 1.0, level.total))

    def ranks(self, context: Ints, ids: Ids) -> Ints:
        """The ranks (n,) of contexts and the symbols after them, UNSEEN for those not in the text."""
        return Grams(self.keys, NONE, self.contexts).rank(context, ids, self.vocab_size)

    def child(self, context: int, symbol: int) -> int:
        """The rank of one context and the symbol after it, UNSEEN if that is not in the text."""
        wanted = context * self.vocab_size + symbol
        rank = int(self.keys.searchsorted(wanted))
        return rank if rank < len(self.keys) and self.keys[rank] == wanted else UNSEEN

    def after(self, context: int, lower: Floats) -> Floats:
        """p (V,) after one context of the text, given `lower`, that after the shorter one."""
        seen = slice(self.begins[context], self.begins[context + 1])
        p: Floats = lower * self.left[context]
        p[self.symbols[seen]] += self.shares[seen]
        return p

    def raise_order(self, context: Ints, p: Floats) -> None:
        """Turns p (n, V) after the shorter contexts into that after these contexts (n,)."""
        rows = np.flatnonzero(context != UNSEEN)
        known = context[rows]
        sizes = self.begins[known + 1] - self.begins[known]
        seen = np.arange(sizes.sum()) + np.repeat(self.begins[known] - (np.cumsum(sizes) - sizes), sizes)
        p[rows] *= self.left[known, None]
        p[np.repeat(rows, sizes), self.symbols[seen]] += self.shares[seen]


@dataclass(frozen=True, eq=False)
class NgramModel:
    """Interpolated modified Kneser-Ney: p (V,) of the next symbol after the last `order` - 1 symbols.

    `levels[k - 1]` holds the k-grams. Examples of several labels have one root per label: the empty context is the rank
    `root`, and an id V + label stands for the symbol `start` after that root.
    """

    vocab_size: int
    levels: tuple[CompleteLevel, ...]
    start: int = 0
    root: int = 0

    @classmethod
    def count(cls, texts: Sequence[Ids], vocab_size: int, order: int, start: int = 0) -> "NgramModel":
        """The model of texts, one per label, each of the symbols (n,), n > 0; the order is at most the largest n."""
        counted = [count_levels(ids, vocab_size, order) for ids in texts]
        levels, contexts = list[CompleteLevel](), [1] * len(texts)
        for level in zip_longest(*counted, fillvalue=(NONE, NONE)):
            firsts = np.cumsum([0, *contexts[:-1]])  # the rank of the first context of each text
            keys = np.concatenate([keys + first * vocab_size for (keys, _), first in zip(level, firsts, strict=True)])
            counts = np.concatenate([counts for _, counts in level])
            levels.append(CompleteLevel(Grams(keys, NONE, sum(contexts)), counts, vocab_size))
            contexts = [len(counts) for _, counts in level]
        return cls(vocab_size, tuple(levels), start)

    @property
    def order(self) -> int:
        return len(self.levels)

    @property
    def sizes(self) -> list[int]:
        """The number of k-grams by k, from 1 on."""
        return [len(level.counts) for level in self.levels]

    @property
    def name(self) -> str:
        return f"{self.order}-gram"

    @cached_property
    def unigrams(self) -> Floats:
        """p (roots, V) after the empty context."""
        level = self.levels[0]
        uniform = np.full(self.vocab_size, 1.0 / self.vocab_size)
        return np.stack([level.after(root, uniform) for root in range(level.contexts)])

    @property
    def empty(self) -> Path:
        """The path before the first symbol."""
        return (self.root,)

    def follow(self, path: Path, symbol: int) -> Path:
        """The path after one more symbol."""
        if symbol >= self.vocab_size:
            path, symbol = (symbol - self.vocab_size,), self.start
        ranks = [path[0]]
        for level, context in zip(self.levels[:-1], path, strict=False):
            rank = level.child(context, symbol)
            if rank == UNSEEN:  # nor do the longer ones occur
                break
            ranks.append(rank)
        return tuple(ranks)

    def after(self, path: Path, shorter: Callable[[Path], Floats] | None = None) -> Floats:
        """p (V,) after a path; `shorter` may know that after a shorter one."""
        if len(path) == 1:
            p: Floats = self.unigrams[path[0]]
            return p
        return self.levels[len(path) - 1].after(path[-1], (shorter or self.after)(path[:-1]))

    def log_probs(self, contexts: Sequence[Sequence[int] | Ids]) -> Floats:
        """ln p (n, V) of the next symbol after each context, of any length; an empty one starts a text.

        Raises UsageError for an id that is not one of the vocabulary, such as that of an unknown symbol.
        """
        most = self.vocab_size + self.levels[0].contexts
        if wrong := next((i for context in contexts for i in context if not 0 <= i < most), None):
            raise UsageError(f"{wrong} is not the id of a symbol: remove unknown symbols from the context.")
        paths = [reduce(self.follow, map(int, context), self.empty) for context in contexts]
        log_p: Floats = np.log(np.array([self.after(path) for path in paths]))
        return log_p

    def distributions(self, ranks: Sequence[Ints]) -> Floats:
        """p (n, V) after contexts; ranks[k] (n,) are those of their last k symbols, UNSEEN if they do not occur."""
        p = self.unigrams[ranks[0]]
        step = max(1, ROWS // self.vocab_size)
        for begin in range(0, len(p), step):
            part = slice(begin, begin + step)
            for level, context in zip(self.levels[1:], ranks[1:], strict=True):
                level.raise_order(context[part], p[part])
        return p
