"""What a network is trained to do with examples: which symbols go in, and which steps carry a target.

| kind     | goes in                                   | targets                                      |
|----------|-------------------------------------------|----------------------------------------------|
| generate | the label, then the text                  | the text and a newline, one step ahead       |
| classify | the text and a newline                    | the label, at the newline alone              |
| pairs    | the source, a tab, then the target        | from the tab on, the target and a newline    |

A label is a symbol of its own: labels stand after the symbols of the vocabulary. No example holds a newline.
"""

import shlex
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from charrnn.arrays import Ids
from charrnn.text.vocab import Vocab

KINDS = ("generate", "classify", "pairs")
END, TAB = 10, 9
DOES = {"generate": "writes by label", "classify": "tells labels", "pairs": "writes targets for sources"}
REVERSED = True  # sources are read backwards, so that their beginning is the nearest: see docs/shapes.md


@dataclass(frozen=True)
class Task:
    """`labels`, with how many examples each of them has (`counts`); `reverse`: sources are read backwards."""

    kind: str
    labels: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    reverse: bool = False

    def __post_init__(self) -> None:
        if (
            self.kind not in KINDS
            or len(self.labels) != len(self.counts)
            or (self.kind == "pairs") == bool(self.labels)
        ):
            raise ValueError("task")

    @property
    def needs(self) -> set[int]:
        """The codes that the vocabulary must have."""
        return {END, TAB} if self.kind == "pairs" else {END}

    @property
    def instead(self) -> str:
        """What a user can do with a model of this task, for where no text can be written or scored."""
        return f"the model {DOES[self.kind]}: {self.command()}."

    def command(self, model: str = "") -> str:
        """How a model of this task is used; `model` names it on the command line."""
        if self.kind == "generate":
            return f"charrnn sample{model} --label {shlex.quote(self.labels[0])}"
        return f"charrnn classify{model} TEXT" if self.kind == "classify" else f"charrnn sample{model} --source TEXT"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Task":
        """The task from a model file; raises ValueError or TypeError where it is none."""
        labels, counts = values["labels"], values["counts"]
        sound = isinstance(values["reverse"], bool) and isinstance(values["kind"], str)
        sound &= all(isinstance(label, str) for label in labels) and len(set(labels)) == len(labels)
        sound &= all(type(count) is int and count > 0 for count in counts)
        if not sound or set(values) != {"kind", "labels", "counts", "reverse"}:
            raise ValueError("task")
        return cls(values["kind"], tuple(labels), tuple(counts), values["reverse"])

    def source(self, vocab: Vocab, ids: Ids) -> Ids:
        """What is read of a source (n,) before its target is written: (n+1,), with the tab."""
        tab = vocab.ids_of(np.array([TAB], np.uint32))
        return np.concatenate([ids[::-1] if self.reverse else ids, tab])

    def steps(self, vocab: Vocab, ids: Ids, other: Ids | int) -> tuple[Ids, Ids, int]:
        """Inputs (n,), targets (n,) and the first step that is scored, for a text and its label or target."""
        end = vocab.ids_of(np.array([END], np.uint32))
        if isinstance(other, int):
            mark = np.array([len(vocab) + other])
            if self.kind == "generate":
                return np.concatenate([mark, ids]), np.concatenate([ids, end]), 0
            return np.concatenate([ids, end]), np.concatenate([np.zeros_like(ids), mark]), len(ids)
        inputs = np.concatenate([self.source(vocab, ids), other])
        return inputs, np.concatenate([np.zeros_like(ids), other, end]), len(ids)
