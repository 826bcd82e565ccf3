"""Tables and folders of examples: quotes, headers, columns, labels, and what is said about each."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.errors import TextError, UsageError
from charrnn.options import Options
from charrnn.text.corpus import Corpus
from charrnn.text.dataset import read_dataset
from charrnn.text.examples import Examples
from charrnn.text.tables import read_table

LABELLED, PAIRS = ("label", "text"), ("source", "target")


def rows_of(
    text: str, path: str = "a.csv", roles: tuple[str, str] = LABELLED, columns: str = "", header: bool = False
) -> tuple[list[tuple[str, str]], list[str]]:
    notes: list[str] = []
    return list(read_table(text, path, path, roles, columns, header, notes)), notes


@pytest.mark.parametrize(
    ("path", "text", "rows", "noted"),
    [
        ("a.csv", 'a,"x, ""y"""\nb, "z"\n', [("a", 'x, "y"'), ("b", "z")], ""),
        ("a.csv", 'a,"one\ntwo"\nb,three\n', [("a", "one\ntwo"), ("b", "three")], ""),
        ("a.CSV", "a;x, y\nb;z\n", [("a", "x, y"), ("b", "z")], ""),
        ("a.csv", "a\tx, y\nb\tz\n", [("a", "x, y"), ("b", "z")], ""),
        ("a.csv", "a,x\u2028y\x0cz\n,\n\nb,w\x85\n", [("a", "x\u2028y\x0cz"), ("b", "w\x85")], ""),
        ("a.tsv", 'a\t"one\ntwo ""x"""\nb\tthree\n', [("a", 'one\ntwo "x"'), ("b", "three")], "quotes around fields"),
        ("a.tsv", 'a\tnail of 5"\nb\tx\n', [("a", 'nail of 5"'), ("b", "x")], ""),
        ("a.tsv", 'a\t"Hi," he said.\nb\t"Bye."\n', [("a", '"Hi," he said.'), ("b", '"Bye."')], ""),
        ("a.tsv", 'a\t"open\nb\tx\n', [("a", '"open'), ("b", "x")], ""),
        ("a.tsv", 'a\t"open\nb\tclose"\n', [("a", '"open'), ("b", 'close"')], ""),
        ("a.tsv", 'a\t"\nb\t"\n', [("a", '"'), ("b", '"')], ""),
        ("a.tsv", "a\tx\ty\nb\tz\n", [("a", "x\ty"), ("b", "z")], ""),
        ("a.tsv", " a \tx \nb\t z\n", [("a", "x "), ("b", " z")], ""),
        ("a.tsv", "cafe\u0301\tx\ncaf\u00e9\ty\n", [("caf\u00e9", "x"), ("caf\u00e9", "y")], ""),
        ("-", "a,x\nb,y\n", [("a", "x"), ("b", "y")], ""),
        ("-", "a\tx, y\nb\tz\n", [("a", "x, y"), ("b", "z")], ""),
    ],
)
def test_quotes_and_delimiters(path: str, text: str, rows: list[tuple[str, str]], noted: str) -> None:
    found, notes = rows_of(text, path)
    assert found == rows
    assert [noted in note for note in notes] == [True] * bool(noted)


@given(st.lists(st.tuples(st.text("ab\"' ,;\n\x85", min_size=1), st.text("ab\"' ,;\n\x85", min_size=1)), min_size=1))
def test_what_the_csv_module_writes_is_read(rows: list[tuple[str, str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([("x", "y"), *rows])
    assert rows_of(out.getvalue(), roles=PAIRS)[0][1:] == rows


@pytest.mark.parametrize(
    ("roles", "columns", "header", "text", "rows", "noted"),
    [
        (LABELLED, "", False, "label,text\na,x\nb,y", [("a", "x"), ("b", "y")], "label, text"),
        (LABELLED, "", False, "Review,Sentiment\nx,a\ny,b", [("a", "x"), ("b", "y")], "Review, Sentiment"),
        (LABELLED, "", False, "id,text,label\n1,x,a\n2,y,b", [("a", "x"), ("b", "y")], "id, text, label"),
        (LABELLED, "", False, "class,utterance\na,x\nb,y", [("a", "x"), ("b", "y")], "class, utterance"),
        (LABELLED, "", False, "type,x\ntype,y\nb,z", [("type", "x"), ("type", "y"), ("b", "z")], ""),
        (LABELLED, "", True, "genus,utterance\na,x\nb,y", [("a", "x"), ("b", "y")], "genus, utterance"),
        (LABELLED, "3,1", False, "x,1,a\ny,2,b", [("a", "x"), ("b", "y")], ""),
        (LABELLED, "3,1", False, "text,id,label\nx,1,a", [("a", "x")], "text, id, label"),
        (LABELLED, "Kind, said", False, "id,said,kind\n1,x,a", [("a", "x")], "id, said, kind"),
        (PAIRS, "", False, "source,target\nx,y", [("x", "y")], "source, target"),
        (PAIRS, "", False, "source,y\nx,z", [("source", "y"), ("x", "z")], ""),
    ],
)
def test_headers_and_columns(
    roles: tuple[str, str], columns: str, header: bool, text: str, rows: list[tuple[str, str]], noted: str
) -> None:
    found, notes = rows_of(text, "a.csv", roles, columns, header)
    assert found == rows
    assert [f"is read as a header: {noted}." in note for note in notes] == [True] * bool(noted)
    assert rows_of(text.replace(",", "\t"), "a.tsv", roles, columns, header)[0] == rows


@pytest.mark.parametrize(
    ("path", "columns", "text", "wanted"),
    [
        ("a.csv", "", "a,x\nb,y,z\n", r"line 2: there are 3 columns: choose two with `columns=1,2`, or put quotes"),
        ("a.tsv", "", "a\tx\t1\nb\ty\t2\n", r"line 1: there are 3 columns: choose two with `columns=1,2`\."),
        ("a.csv", "", "a,x\nb\n", r"line 2: there is no comma between label and text\."),
        (
            "a.csv",
            "",
            'a,"x\ny" z\n',
            r"line 1: a quoted field ends with a quote, and the quotes inside it are doubled",
        ),
        ("a.csv", "", 'a,x\nb,"y\n', r"line 2: a quoted field ends with a quote"),
        ("a.csv", "", 'a,"x\ny"\nb,\n', r"line 3: the text is empty"),
        ("a.csv", "", "a,x\rb,y\nc,z\n", r"line 1: there is a CR inside a field without quotes"),
        ("a.tsv", "", "a\tx\n \ty\n", r"line 2: the label is empty"),
        ("a.tsv", "", "a\tx\rb\ty\nc\tz\t1\n", r"line 1, which contains CRs that end no line: there are 3 columns"),
        ("a.csv", "1,4", "a,x\n", r"line 1: there is no column 4"),
        ("a.csv", "label,words", "label,text\na,x\n", r"a.csv has no column 'words': its columns are label, text"),
    ],
)
def test_bad_rows(path: str, columns: str, text: str, wanted: str) -> None:
    with pytest.raises(TextError, match=wanted):
        rows_of(text, path, columns=columns)


def test_columns_are_checked_and_belong_to_tables() -> None:
    for columns in ("1", "1,2,3", "0,1", "1,0", "2,2", "a,", ","):
        with pytest.raises(UsageError, match="^columns are two numbers or names"):
            Options(task="pairs", columns=columns)
    for values in ({"columns": "1,2"}, {"header": True}):
        with pytest.raises(UsageError, match="is for tables"):
            Options(**values)
    assert Options(task="generate", columns="10,2", header=True).columns == "10,2"


def folder(here: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text)
    return here


CLASSES = {"neg/1.txt": "bad\nvery\n", "neg/2.txt": "poor\n", "pos/1.txt": "good\n\nfine", "pos/deep/3.txt": "nice\n"}
ONES = [("neg", "bad\nvery"), ("neg", "poor"), ("pos", "good\n\nfine"), ("pos", "nice")]


def test_a_folder_of_folders(tmp_path: Path) -> None:
    root = folder(tmp_path / "r", CLASSES | {"README.md": "about", "pos/readme": "about", "pos/empty.txt": "\n"})
    examples = Examples.read([root], "classify")
    assert examples.rows == ONES
    assert examples.summary == "2 labels, with their numbers of examples: neg 2, pos 2"
    assert [note.partition(" was skipped")[0] for note in examples.notes] == [f"{root}/README.md", f"{root}/pos/readme"]
    assert Examples.read([root / "neg", root / "pos"], "classify").rows == ONES
    spaces = Examples.read([root], "generate")
    assert spaces.rows == [(label, text.replace("\n", " ")) for label, text in ONES]
    assert "2 of 4 texts contain newlines, which are read as spaces: a newline ends a text." in spaces.notes
    (root / "more.tsv").write_text("neg\tawful\n")
    assert sorted(Examples.read([root], "classify").rows) == sorted([*ONES, ("neg", "awful")])
    (root / "other.txt").write_text("x\n")
    with pytest.raises(TextError, match=r"contains folders, whose names are labels, and the file .*other.txt: name"):
        Examples.read([root], "classify")


def test_the_splits_of_a_data_set_are_not_labels(tmp_path: Path) -> None:
    root = folder(tmp_path, {"train/a/1.txt": "x", "train/b/2.txt": "y", "test/a/3.txt": "z"})
    with pytest.raises(TextError, match=f"contains the splits test, train: name one of them, {root}/train."):
        Examples.read([root], "classify")
    assert Examples.read([root / "train"], "classify").rows == [("a", "x"), ("b", "y")]


def test_labels_that_look_wrong_are_noted(tmp_path: Path) -> None:
    root = folder(tmp_path, {f"{k}.txt": "one line\n" for k in range(5)} | {"5.txt": "two\nlines\n"})
    notes = Examples.read([root], "classify").notes
    assert notes == [
        "5 of 6 labels have a single example: if the label of a file is its folder, name the folder above it."
    ]
    twice = folder(tmp_path / "x", {"a/it.txt": "x\n", "b/it.txt": "y\n", "b/ko.txt": "z\nw\n"})
    examples = Examples.read([twice / "a/it.txt", twice / "b/it.txt", twice / "b/ko.txt"], "classify")
    assert examples.rows == [("it", "x"), ("it", "y"), ("ko", "z"), ("ko", "w")]
    assert [note.endswith("have the same label, 'it': their examples are combined.") for note in examples.notes] == [
        True
    ]


def test_many_labels_are_shortened() -> None:
    rows = [(f"l{k:02}", str(n)) for k in range(30) for n in range(1 + (k >= 10))]
    summary = Examples.of(rows, "classify").summary
    assert summary.startswith("30 labels, with their numbers of examples: l10 2, l11 2")
    assert summary.endswith("l29 2 and 10 others")


def test_a_bad_table_in_a_folder_is_not_skipped(tmp_path: Path) -> None:
    folder(tmp_path, {"a.csv": "a,x\n", "b.csv": "b\n"})
    with pytest.raises(TextError, match="b.csv, line 1: there is no comma"):
        Examples.read([tmp_path], "classify")


@pytest.mark.parametrize(
    "files", [{"a.tsv": "a\tx\nb\ty\n"}, {"a.csv": "a,x\n", "b.txt": "x\n", "README": "-"}, CLASSES]
)
def test_one_fingerprint(tmp_path: Path, files: dict[str, str]) -> None:
    root = folder(tmp_path / "r", files)
    examples = Examples.read([root], "generate")
    assert examples.sha256 == read_dataset([root], Options(task="classify", unit="byte")).sha256
    if "README" not in files:
        assert examples.sha256 == Corpus.read([root]).sha256
    (root / next(iter(files))).write_text("a\tx\nb\tz\n")
    assert examples.sha256 != Examples.read([root], "generate").sha256
