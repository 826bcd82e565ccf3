"""`Task`: the inputs and targets of an example.

| kind     | inputs                             | targets                                   |
|----------|------------------------------------|-------------------------------------------|
| generate | the label, then the text           | the text and a newline                    |
| classify | the text and a newline             | the label, at the newline only            |
| pairs    | the source, a tab, then the target | from the tab on, the target and a newline |

Labels are symbols with the ids after those of the vocabulary. A newline ends what a model generates, so that only a
source, or a text to classify, can contain one.
"""

import shlex
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from charrnn.arrays import Ids
from charrnn.checks import require
from charrnn.text.vocab import NEWLINE, Vocab

Example = tuple[str, str]  # label and text, or source and target
KINDS = ("generate", "classify", "pairs")
END, TAB = NEWLINE, 9
DOES = {
    "generate": "generates text for a label",
    "classify": "classifies texts",
    "pairs": "generates a target for a source",
}
REVERSED = True  # sources are read backwards, so that their beginning is close to the target: see docs/tasks.md


@dataclass(frozen=True)
class Task:
    """`labels` with the number of examples of each (`counts`); `reverse`: sources are read backwards."""

    kind: str
    labels: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    reverse: bool = False

    def __post_init__(self) -> None:
        require(self.kind in KINDS and (self.kind == "pairs") != bool(self.labels), "task")
        require(len(self.labels) == len(self.counts), "task")

    @property
    def needs(self) -> set[int]:
        """The codes that the vocabulary must contain."""
        return {END, TAB} if self.kind == "pairs" else {END}

    def instead(self, path: str) -> str:
        """What the model in this file does instead of generating or scoring plain text, with a command."""
        option = f" -m {shlex.quote(path)}" if path else ""
        return f"the model {DOES[self.kind]}: {self.command()}{option}."

    def command(self, model: str = "") -> str:
        """The command that uses a model of this task; `model` is its option, with a space before it."""
        if self.kind == "generate":
            return f"charrnn sample{model} --label {shlex.quote(self.labels[0])}"
        return f"charrnn classify{model} TEXT" if self.kind == "classify" else f"charrnn sample{model} --source TEXT"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Task":
        """The task in a model file. Raises ValueError, TypeError or KeyError if it is not valid."""
        labels, counts = values["labels"], values["counts"]
        require(set(values) == {"kind", "labels", "counts", "reverse"}, "task")
        require(isinstance(values["reverse"], bool) and isinstance(values["kind"], str), "task")
        require(all(isinstance(label, str) for label in labels) and len(set(labels)) == len(labels), "task")
        require(all(type(count) is int and count > 0 for count in counts), "task")
        return cls(values["kind"], tuple(labels), tuple(counts), values["reverse"])

    def source(self, vocab: Vocab, ids: Ids) -> Ids:
        """The input before a target: the source (n,) and a tab, (n+1,)."""
        return np.append(ids[::-1] if self.reverse else ids, vocab.id_of(TAB))

    def steps(self, vocab: Vocab, ids: Ids, other: Ids | int) -> tuple[Ids, Ids, int]:
        """Inputs (n,), targets (n,) and the first step with a target, for a text and its label (a number) or target."""
        end, nothing = vocab.id_of(END), np.zeros_like(ids)
        if not isinstance(other, int):
            return np.append(self.source(vocab, ids), other), np.append(nothing, [*other, end]), len(ids)
        label = len(vocab) + other
        if self.kind == "generate":
            return np.append(label, ids), np.append(ids, end), 0
        return np.append(ids, end), np.append(nothing, label), len(ids)
