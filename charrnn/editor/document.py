"""A text that is being written, and the tree of all the texts that it has been: nothing in it is ever lost.

Every step (`put`) is a branch from where the text stood. `undo` goes back one step; to write on from there starts
another branch beside the one that is left. `redo` follows the branch that was left last, `go` leads to any of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

GIVEN, HAND, MODEL = ".", "h", "m"  # who a character is from: it was there before, typed, or taken from the model
AUTHORS = (GIVEN, HAND, MODEL)
Operation = tuple[
    Any, ...
]  # what a journal keeps: ("put", begin, end, new, author), ("undo",), ("redo",), ("go", number)


class State(NamedTuple):
    """A text, and who each of its characters is from (as long as the text)."""

    text: str
    authors: str


@dataclass(frozen=True)
class Edit:
    """At index `at`, `before` gave way to `after`."""

    at: int
    before: State
    after: State

    def apply(self, state: State) -> State:
        return spliced(state, self.at, self.at + len(self.before.text), self.after)

    def revert(self, state: State) -> State:
        return spliced(state, self.at, self.at + len(self.after.text), self.before)


@dataclass(eq=False)
class Node:
    """A place in the tree; `edit` leads to it from its parent. `last` is the child that was visited last."""

    number: int
    parent: "Node | None"
    edit: Edit
    depth: int
    children: list["Node"] = field(default_factory=list)
    last: "Node | None" = None


class Branch(NamedTuple):
    """The end of a branch: its node's number, its text, and the index where it parts from the text as it is now."""

    number: int
    text: str
    parts: int
    here: bool


class Document:
    """The text, the cursor (an index, 0 to the length), and the tree.

    `journal` is told each operation before it is done.
    """

    def __init__(self, text: str = "", journal: Callable[[Operation], None] | None = None) -> None:
        self.state = State(text, GIVEN * len(text))
        self.cursor = len(text)
        nothing = State("", "")
        self.node = Node(0, None, Edit(0, nothing, nothing), 0)
        self.nodes = [self.node]
        self.growing = False  # whether the next key may join the last step
        self.journal = journal

    @property
    def text(self) -> str:
        return self.state.text

    @property
    def authors(self) -> str:
        return self.state.authors

    def put(self, begin: int, end: int, new: str, author: str = HAND) -> None:
        """Puts `new` in the place of text[begin:end]; the cursor goes behind it.

        Keys of one word, and deletions one after another, are one step. Raises ValueError outside the text.
        """
        if not 0 <= begin <= end <= len(self.text) or author not in AUTHORS:
            raise ValueError("put")
        if begin == end and not new:
            return
        self.tell("put", begin, end, new, author)
        before = State(self.text[begin:end], self.authors[begin:end])
        edit = Edit(begin, before, State(new, author * len(new)))
        self.state = edit.apply(self.state)
        joined = joint(self.node.edit, edit) if self.growing and not self.node.children else None
        if joined is not None:
            self.node.edit = joined
        else:
            node = Node(len(self.nodes), self.node, edit, self.node.depth + 1)
            self.nodes.append(node)
            self.node.children.append(node)
            self.node.last = self.node = node
        self.cursor, self.growing = begin + len(new), author == HAND

    def undo(self) -> bool:
        """Back by one step; False at the beginning."""
        node = self.node
        if node.parent is None:
            return False
        self.tell("undo")
        self.state = node.edit.revert(self.state)
        self.node, node.parent.last, self.growing = node.parent, node, False
        self.cursor = node.edit.at + len(node.edit.before.text)
        return True

    def redo(self) -> bool:
        """Forward by one step, along the branch that was left last; False at its end."""
        node = self.node.last
        if node is None:
            return False
        self.tell("redo")
        self.state = node.edit.apply(self.state)
        self.node, self.growing = node, False
        self.cursor = node.edit.at + len(node.edit.after.text)
        return True

    def go(self, number: int) -> None:
        """To the node of this number. Raises ValueError where there is none."""
        if not 0 <= number < len(self.nodes):
            raise ValueError("go")
        goal = self.nodes[number]
        if goal is self.node:
            return
        self.tell("go", number)
        self.state = moved(self.state, self.node, goal)
        self.node, self.growing = goal, False
        self.cursor = goal.edit.at + len(goal.edit.after.text)
        while goal.parent is not None:
            goal.parent.last, goal = goal, goal.parent

    def stop(self) -> None:
        """The next key begins a new step."""
        if self.growing:
            self.tell("stop")
            self.growing = False

    def branches(self) -> list[Branch]:
        """The ends of all branches, the newest first; `here` is the one on which the text stands."""
        end = self.node
        while end.last is not None:
            end = end.last
        found, state, node = [], self.state, self.node
        for leaf in reversed(self.nodes):
            if not leaf.children:  # from leaf to leaf: neighbours share most of their way
                state, node = moved(state, node, leaf), leaf
                found.append(Branch(leaf.number, state.text, shared(state.text, self.text), leaf is end))
        return found

    def apply(self, operation: Operation) -> None:
        """Does what a journal says. Raises ValueError or TypeError where it says nothing that can be done."""
        name, *arguments = operation
        doing: dict[str, Callable[..., Any]] = {
            "put": self.put, "undo": self.undo, "redo": self.redo, "go": self.go, "stop": self.stop
        }  # fmt: skip
        if name not in doing:
            raise ValueError(name)
        doing[name](*arguments)

    def tell(self, *operation: Any) -> None:
        if self.journal is not None:
            self.journal(operation)


def moved(state: State, node: Node, goal: Node) -> State:
    """The state at `goal`, given that at `node`: back to where both ways part, then forward."""
    forward: list[Edit] = []
    while node is not goal:
        if node.depth >= goal.depth:
            assert node.parent is not None
            state, node = node.edit.revert(state), node.parent
        else:
            assert goal.parent is not None
            forward.append(goal.edit)
            goal = goal.parent
    for edit in reversed(forward):
        state = edit.apply(state)
    return state


def spliced(state: State, begin: int, end: int, new: State) -> State:
    return State(
        state.text[:begin] + new.text + state.text[end:], state.authors[:begin] + new.authors + state.authors[end:]
    )


def joint(first: Edit, then: Edit) -> Edit | None:
    """Both as one step, where they are keys of one word, or deletions side by side; else None."""
    a, b = first.after.text, then.before.text
    if not b and len(then.after.text) == 1 and a and then.at == first.at + len(a):
        if a[-1].isspace() and not then.after.text.isspace():
            return None
        return Edit(first.at, first.before, added(first.after, then.after))
    if a or then.after.text:
        return None
    if then.at + len(b) == first.at:  # backspace
        return Edit(then.at, added(then.before, first.before), first.after)
    if then.at == first.at:  # delete
        return Edit(first.at, added(first.before, then.before), first.after)
    return None


def added(one: State, other: State) -> State:
    return State(one.text + other.text, one.authors + other.authors)


def shared(one: Sequence[Any], other: Sequence[Any]) -> int:
    """The length of what both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
