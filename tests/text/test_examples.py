"""Examples: read from files, divided, numbered, and packed into streams."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.errors import TextError
from charrnn.text.batches import Packed, Rows
from charrnn.text.examples import Examples, duplicates
from charrnn.text.tasks import Task

LABELLED = [("it", "rossi"), ("it", "bruno"), ("ko", "kim"), ("ko", "lee"), ("ko", "pak")]
PAIRS = [("1+2", "3"), ("10+5", "15"), ("7+7", "14")]


def spelled(examples: Examples, rows: Rows) -> list[tuple[str, str, list[int]]]:
    """Each example as inputs, targets (a point where none is scored, labels in capitals), and where it begins."""
    symbols = [*examples.vocab.symbols, *(label.upper() for label in examples.task.labels)]
    found = []
    for begin, end in zip(rows.starts[:-1], rows.starts[1:], strict=True):
        inputs = "".join(symbols[i] for i in rows.inputs[begin:end])
        targets = "".join(
            symbols[i] if scored else "."
            for i, scored in zip(rows.targets[begin:end], rows.loss_mask[begin:end], strict=True)
        )
        found.append((inputs, targets, np.flatnonzero(rows.reset[begin:end]).tolist()))
    return found


def test_each_task_says_what_goes_in_and_what_is_scored() -> None:
    generate = Examples.of(LABELLED, "generate")
    assert spelled(generate, generate.numbered(LABELLED[2:3])) == [("KOkim", "kim\n", [0])]
    classify = Examples.of(LABELLED, "classify")
    assert spelled(classify, classify.numbered(LABELLED[2:3])) == [("kim\n", "...KO", [0])]
    pairs = Examples.of(PAIRS, "pairs", task=Task("pairs"))
    assert spelled(pairs, pairs.numbered(PAIRS[1:2])) == [("10+5\t15", "....15\n", [0])]
    backwards = Examples.of(PAIRS, "pairs", task=Task("pairs", reverse=True))
    assert spelled(backwards, backwards.numbered(PAIRS[1:2])) == [("5+01\t15", "....15\n", [0])]


def test_files_are_labels_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "it.txt").write_text("rossi\n\nbruno\r\n")
    (tmp_path / "ko.txt").write_text("\ufeffkim")
    examples = Examples.read([tmp_path / "it.txt", tmp_path / "ko.txt"], "generate")
    assert examples.rows == [("it", "rossi"), ("it", "bruno"), ("ko", "kim")]
    assert (examples.task.labels, examples.task.counts) == (("it", "ko"), (2, 1))
    assert Examples.read([tmp_path], "classify").rows == examples.rows
    assert examples.sha256 == Examples.read([tmp_path], "classify").sha256
    (tmp_path / "ko.txt").write_text("kam")
    assert examples.sha256 != Examples.read([tmp_path], "classify").sha256


def test_tables_have_two_columns(tmp_path: Path) -> None:
    table = tmp_path / "t.tsv"
    table.write_text("ko\tkim\nit\trossi\ta\n")
    assert Examples.read([table], "classify").rows == [("ko", "kim"), ("it", "rossi\ta")]
    table.write_text("1+1\t2\n")
    examples = Examples.read([table], "pairs")
    assert examples.rows == [("1+1", "2")]
    assert set("1+2\t\n") == set(examples.vocab.symbols)


@pytest.mark.parametrize(
    ("kind", "text", "wanted"),
    [
        ("pairs", "a\tb\n\nab\n", "line 3: there is no tab between source and target"),
        ("classify", "a\tb\nab\n", "line 2: there is no tab between label and text"),
        ("pairs", "a\t\n", "line 1: the target is empty"),
        ("pairs", "\ta\n", "line 1: the source is empty"),
        ("generate", "\ta\n", "line 1: the label is empty"),
        ("pairs", "a\tb\tc\n", "line 1: there are 3 columns: choose two with `columns=1,2`."),
        ("generate", "a\tb\na\tc\n", "only one label, 'a'"),
        ("pairs", "\n\n", "contains no examples"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, kind: str, text: str, wanted: str) -> None:
    table = tmp_path / "t.tsv"
    table.write_text(text)
    with pytest.raises(TextError, match=wanted) as caught:
        Examples.read([table], kind)
    assert "t.tsv" in str(caught.value)


def test_a_label_without_an_example_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "it.txt").write_text("rossi\n")
    (tmp_path / "ko.txt").write_text("\n")
    with pytest.raises(TextError, match="ko.txt contains no examples"):
        Examples.read([tmp_path / "it.txt", tmp_path / "ko.txt"], "generate")


def test_every_label_gives_its_share_and_keeps_one() -> None:
    rows = [("a", f"a{k}") for k in range(40)] + [("b", f"b{k}") for k in range(20)] + [("c", "c")]
    examples = Examples.of(rows, "classify")
    train, held = examples.split(0.1, seed=0)
    assert sorted(train + held) == sorted(rows)
    assert [label for label, _ in held] == ["a"] * 4 + ["b"] * 2
    assert examples.split(0.1, seed=0) == (train, held)
    assert examples.split(0.1, seed=1) != (train, held)
    assert examples.split(0.0, seed=0) == (rows, [])
    assert {label for label, _ in examples.split(0.99, seed=0)[0]} == {"a", "b", "c"}


def test_duplicates_are_counted() -> None:
    assert duplicates([("a", "x"), ("b", "y")], [("a", "x"), ("a", "x"), ("a", "y")]) == 2


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=30),
    streams=st.integers(1, 8),
    steps=st.integers(1, 7),
    epoch=st.integers(0, 3),
)
def test_an_epoch_reads_every_example_whole(lengths: list[int], streams: int, steps: int, epoch: int) -> None:
    # example k is the numbers 100 k, 100 k + 1, ...; the last of them is scored
    examples = [(np.arange(n) + 100 * k, np.arange(n) + 100 * k, n - 1) for k, n in enumerate(lengths)]
    packed = Packed(Rows.of(examples), streams, steps, seed=1)
    batches = [packed.batch(epoch * packed.windows + k + 1) for k in range(packed.windows)]
    inputs = np.concatenate([batch.inputs for batch in batches])
    fresh = np.concatenate([batch.reset for batch in batches if batch.reset is not None])
    scored = np.concatenate([batch.loss_mask for batch in batches if batch.loss_mask is not None])
    assert inputs.shape == fresh.shape == (packed.windows * steps, packed.batch_size)
    np.testing.assert_array_equal(fresh, inputs % 100 == 0)
    assert fresh[0].all()
    np.testing.assert_array_equal(scored, inputs % 100 == np.array(lengths)[inputs // 100] - 1)
    for column in inputs.T:  # within a stream, each step follows the one before or begins an example
        follows = column[1:] == column[:-1] + 1
        assert (follows | (column[1:] % 100 == 0)).all()
        assert (follows | (column[:-1] % 100 == np.array(lengths)[column[:-1] // 100] - 1)).all()
    assert {100 * k + n - 1 for k, n in enumerate(lengths)} <= set(inputs.ravel().tolist())
    np.testing.assert_array_equal(packed.batch(epoch * packed.windows + 1).inputs, batches[0].inputs)


def test_epochs_are_shuffled_by_the_seed() -> None:
    examples = Examples.of([("1", str(k)) for k in range(50)], "pairs")
    rows = examples.numbered(examples.rows)
    one, other = Packed(rows, 4, 8, seed=0), Packed(rows, 4, 8, seed=1)
    assert (one.batch(1).inputs != other.batch(1).inputs).any()
    assert (one.batch(1).inputs != one.batch(1 + one.windows).inputs).any()


def test_what_is_few_is_noted() -> None:
    examples = Examples.of(LABELLED, "classify")
    packed = Packed(examples.numbered(LABELLED), 32, 4, seed=0)
    assert packed.batch_size == 5
    assert ["few examples" in note for note in packed.notes] == [True, False]
    assert "targets on average" in packed.notes[1]
