"""The text and its tree: whatever is done, every text that was there can be had again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.editor.document import MODEL, ORIGINAL, TYPED, Document, Operation, common_prefix

Move = tuple[str, Any]

MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.tuples(st.integers(0, 30), st.integers(0, 3), st.text("ab \n한", max_size=3))),
        st.tuples(st.just("take"), st.text("xy ", min_size=1, max_size=4)),
        st.tuples(st.just("undo"), st.none()),
        st.tuples(st.just("redo"), st.none()),
        st.tuples(st.just("stop"), st.none()),
        st.tuples(st.just("go"), st.integers(0, 30)),
    ),
    max_size=40,
)


def do(document: Document, move: Move) -> None:
    name, value = move
    if name == "put":
        begin = min(value[0], len(document.text))
        document.put(begin, min(begin + value[1], len(document.text)), value[2])
    elif name == "take":
        document.put(document.cursor, document.cursor, value, MODEL)
    elif name == "go":
        document.go(value % len(document.nodes))
    else:
        getattr(document, name)()


@given(st.text("ab 한", max_size=5), MOVES)
def test_undo_and_redo_are_the_inverse_of_each_other(text: str, moves: list[Move]) -> None:
    document = Document(text)
    for move in moves:
        do(document, move)
        assert len(document.authors) == len(document.text)
        assert 0 <= document.cursor <= len(document.text)
        state, cursor, node = document.state, document.cursor, document.node
        if document.undo():
            assert document.redo()
            assert (document.state, document.node) == (state, node)
        document.go(0)
        assert document.text == text
        document.go(node.number)
        assert document.state == state
        document.cursor = cursor
    while document.undo():
        pass
    assert (document.text, document.authors) == (text, ORIGINAL * len(text))


@given(st.text("ab 한", max_size=5), MOVES)
def test_no_text_is_ever_lost(text: str, moves: list[Move]) -> None:
    document = Document(text)
    seen = {0: document.state}
    for move in moves:
        before = document.node
        do(document, move)
        if document.node is before or document.node.number in seen:
            assert document.node.number in seen
        if move[0] in ("put", "take"):
            seen[document.node.number] = document.state  # a step may have grown: its end counts
    for number, state in seen.items():
        document.go(number)
        assert document.state == state


@given(st.text("ab 한", max_size=5), MOVES)
def test_a_journal_gives_the_same_document(text: str, moves: list[Move]) -> None:
    journal: list[Operation] = []
    document, again = Document(text, journal.append), Document(text)
    for move in moves:
        do(document, move)
    for operation in journal:
        again.apply(operation)
    assert again.state == document.state
    assert again.branches() == document.branches()
    assert [(n.edit, n.depth) for n in again.nodes] == [(n.edit, n.depth) for n in document.nodes]


@given(st.text("ab 한", max_size=5), MOVES)
def test_branches_are_the_leaves_and_one_is_here(text: str, moves: list[Move]) -> None:
    document = Document(text)
    for move in moves:
        do(document, move)
    branches, state = document.branches(), document.state
    assert sorted(branch.number for branch in branches) == [n.number for n in document.nodes if not n.children]
    assert [branch.here for branch in branches].count(True) == 1
    assert document.state == state
    for branch in branches:
        assert branch.text[: branch.diverges] == state.text[: branch.diverges]
        assert branch.text[branch.diverges : branch.diverges + 1] != state.text[
            branch.diverges : branch.diverges + 1
        ] or (branch.text == state.text)
        document.go(branch.number)
        assert document.text == branch.text
        assert next(b for b in document.branches() if b.here).number == branch.number


def type_in(document: Document, text: str) -> None:
    for character in text:
        document.put(document.cursor, document.cursor, character)


def test_a_word_is_a_step() -> None:
    document = Document()
    type_in(document, "the old fox")
    steps = [document.text]
    while document.undo():
        steps.append(document.text)
    assert steps == ["the old fox", "the old ", "the ", ""]


def test_deletions_side_by_side_are_a_step() -> None:
    document = Document("abcdef")
    for end in (6, 5, 4):
        document.put(end - 1, end, "")
    assert (document.text, document.cursor) == ("abc", 3)
    document.undo()
    assert (document.text, document.cursor) == ("abcdef", 6)
    document.put(1, 2, "")
    document.put(1, 2, "")
    assert document.text == "adef"
    document.undo()
    assert document.text == "abcdef"


def test_to_write_on_from_an_earlier_place_is_another_branch() -> None:
    document = Document("The fox ")
    document.put(8, 8, "said", MODEL)
    document.undo()
    type_in(document, "ran")
    assert document.text == "The fox ran"
    assert document.authors == ORIGINAL * 8 + TYPED * 3
    newest, oldest = document.branches()
    assert (newest.text, newest.here, oldest.text, oldest.here, oldest.diverges) == (
        *("The fox ran", True),
        *("The fox said", False, 8),
    )
    document.go(oldest.number)
    assert document.authors == ORIGINAL * 8 + MODEL * 4
    assert document.redo() is False


def test_a_step_that_was_undone_does_not_grow() -> None:
    document = Document()
    type_in(document, "ab")
    document.undo()
    document.redo()
    type_in(document, "c")
    document.undo()
    assert document.text == "ab"
    document.redo()
    document.stop()
    type_in(document, "d")
    document.undo()
    assert document.text == "abc"


@pytest.mark.parametrize(
    "operation", [("put", 2, 1, "", "h"), ("put", 0, 9, "", "h"), ("go", 5), ("jump",), ("undo", 1)]
)
def test_what_cannot_be_done_is_refused(operation: Operation) -> None:
    document = Document("ab")
    with pytest.raises((ValueError, TypeError)):
        document.apply(operation)
    assert document.text == "ab"


@given(st.text("ab", max_size=8), st.text("ab", max_size=8))
def test_common_prefix(one: str, other: str) -> None:
    n = common_prefix(one, other)
    assert one[:n] == other[:n]
    assert n == min(len(one), len(other)) or one[n] != other[n]
