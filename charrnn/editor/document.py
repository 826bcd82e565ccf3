"""A text and its undo tree, which keeps every earlier version.

Every edit (`put`) adds a node below the current one. `undo` goes to the parent; an edit there starts a new branch.
`redo` follows the branch that was visited last, `go` goes to any node.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import add
from typing import Any, NamedTuple

ORIGINAL, TYPED, MODEL = ".", "h", "m"  # authors of characters: in the file before, typed, accepted from the model
OPERATIONS = ("put", "undo", "redo", "go", "stop")
Operation = tuple[Any, ...]  # a method of `Document` and its arguments


class State(NamedTuple):
    """A text, and the author of each of its characters."""

    text: str
    authors: str


@dataclass(frozen=True)
class Edit:
    """Replaces `before` by `after` at index `at`."""

    at: int
    before: State
    after: State

    def apply(self, state: State) -> State:
        end = self.at + len(self.before.text)
        return State(*(text[: self.at] + new + text[end:] for text, new in zip(state, self.after, strict=True)))

    def revert(self, state: State) -> State:
        return Edit(self.at, self.after, self.before).apply(state)


@dataclass(eq=False)
class Node:
    """A node of the tree; `edit` leads to it from its parent. `last` is the child that was visited last."""

    number: int
    parent: "Node | None"
    edit: Edit
    depth: int
    children: list["Node"] = field(default_factory=list)
    last: "Node | None" = None


class Branch(NamedTuple):
    """A leaf: its number, its text, where that diverges from the current text, whether `redo` leads there."""

    number: int
    text: str
    diverges: int
    here: bool


class Document:
    """The text, the cursor (an index from 0 to the length), and the tree.

    `journal` is called with each operation before it takes effect.
    """

    def __init__(self, text: str = "", journal: Callable[[Operation], None] | None = None) -> None:
        self.state = State(text, ORIGINAL * len(text))
        self.cursor = len(text)
        self.node = Node(0, None, Edit(0, State("", ""), State("", "")), 0)
        self.nodes = [self.node]
        self.growing = False  # whether the next key may join the last edit
        self.journal = journal

    @property
    def text(self) -> str:
        return self.state.text

    @property
    def authors(self) -> str:
        return self.state.authors

    def put(self, start: int, end: int, new: str, author: str = TYPED) -> None:
        """Replaces text[start:end] by `new`, and places the cursor after it.

        The keys of a word are one edit, and so are consecutive deletions. Raises ValueError outside the text.
        """
        if not 0 <= start <= end <= len(self.text) or author not in (ORIGINAL, TYPED, MODEL):
            raise ValueError("put")
        if start == end and not new:
            return
        self.log("put", start, end, new, author)
        edit = Edit(start, State(self.text[start:end], self.authors[start:end]), State(new, author * len(new)))
        self.state = edit.apply(self.state)
        merged = merge(self.node.edit, edit) if self.growing and not self.node.children else None
        if merged is not None:
            self.node.edit = merged
        else:
            node = Node(len(self.nodes), self.node, edit, self.node.depth + 1)
            self.nodes.append(node)
            self.node.children.append(node)
            self.node.last = self.node = node
        self.cursor, self.growing = start + len(new), author == TYPED

    def undo(self) -> bool:
        """Goes back by one edit; False at the root."""
        edit, parent = self.node.edit, self.node.parent
        if parent is None:
            return False
        self.log("undo")
        self.visit(parent)
        self.cursor = edit.at + len(edit.before.text)
        return True

    def redo(self) -> bool:
        """Goes forward by one edit, along the branch that was visited last; False at its end."""
        if self.node.last is None:
            return False
        self.log("redo")
        self.visit(self.node.last)
        return True

    def go(self, number: int) -> None:
        """Goes to the node of this number. Raises ValueError if there is none."""
        if not 0 <= number < len(self.nodes):
            raise ValueError("go")
        node = self.nodes[number]
        if node is self.node:
            return
        self.log("go", number)
        self.visit(node)
        while node.parent is not None:
            node.parent.last, node = node, node.parent

    def visit(self, node: Node) -> None:
        """Goes to a node, and places the cursor after its edit."""
        self.state = moved(self.state, self.node, node)
        self.node, self.growing = node, False
        self.cursor = node.edit.at + len(node.edit.after.text)

    def stop(self) -> None:
        """Makes the next key start a new edit."""
        if self.growing:
            self.log("stop")
            self.growing = False

    def branches(self) -> list[Branch]:
        """The leaves, the newest first; `here` is the one to which `redo` leads."""
        end = self.node
        while end.last is not None:
            end = end.last
        branches, state, node = [], self.state, self.node
        for leaf in reversed(self.nodes):
            if not leaf.children:  # from leaf to leaf: neighbours share most of their path
                state, node = moved(state, node, leaf), leaf
                branches.append(Branch(leaf.number, state.text, common_prefix(state.text, self.text), leaf is end))
        return branches

    def apply(self, operation: Operation) -> None:
        """Repeats an operation from a journal. Raises ValueError or TypeError if that is not possible."""
        name, *arguments = operation
        if name not in OPERATIONS:
            raise ValueError(name)
        getattr(self, name)(*arguments)

    def log(self, *operation: Any) -> None:
        if self.journal is not None:
            self.journal(operation)


def moved(state: State, node: Node, goal: Node) -> State:
    """The state at `goal`, given that at `node`: back to their common ancestor, then forward."""
    forward: list[Edit] = []
    while node is not goal:
        if node.parent is not None and node.depth >= goal.depth:
            state, node = node.edit.revert(state), node.parent
        elif goal.parent is not None:
            forward.append(goal.edit)
            goal = goal.parent
    for edit in reversed(forward):
        state = edit.apply(state)
    return state


def merge(first: Edit, then: Edit) -> Edit | None:
    """Both as one edit, if they are keys of one word or adjacent deletions; else None."""
    inserted, deleted, new = first.after.text, then.before.text, then.after.text
    if not deleted and len(new) == 1 and inserted and then.at == first.at + len(inserted):
        same_word = new.isspace() or not inserted[-1].isspace()
        return Edit(first.at, first.before, joined(first.after, then.after)) if same_word else None
    if inserted or new:
        return None
    if then.at + len(deleted) == first.at:  # backspace
        return Edit(then.at, joined(then.before, first.before), first.after)
    return Edit(first.at, joined(first.before, then.before), first.after) if then.at == first.at else None  # delete


def joined(first: State, second: State) -> State:
    return State(*map(add, first, second))


def common_prefix(a: Sequence[Any], b: Sequence[Any]) -> int:
    """The length of the longest common prefix; by bisection, because slices are compared fast."""
    return bisect_left(range(min(len(a), len(b))), True, key=lambda n: a[: n + 1] != b[: n + 1])
