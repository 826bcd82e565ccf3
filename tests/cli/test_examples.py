"""The command line of examples: three tasks trained, used and graded; what is refused, and in which words."""

import json
from pathlib import Path

import pytest

from tests.cli.test_train import Command, charrnn
from tests.training.test_examples import COPIES, WORDS

__all__ = ["charrnn"]  # the fixture

SMALL = ("--hidden-size", "16", "--layers", "1", "--batch-size", "4", "--seq-length", "6", "--dropout", "0")
SIZES = (*SMALL, "--lr", "0.01", "--workers", "1", "--steps", "120", "--eval-every", "60")


def tables() -> None:
    Path("pairs.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in COPIES))
    Path("words.tsv").write_text("".join(f"{label}\t{text}\n" for label, text in WORDS))
    Path("words").mkdir()
    for name in ("other", "vowel"):
        Path(f"words/{name}.txt").write_text("".join(f"{text}\n" for label, text in WORDS if label == name))


def test_label_to_text(charrnn: Command) -> None:
    tables()
    code, _, err = charrnn("train", "words", "--labelled", *SIZES)
    assert (code, "charrnn sample --label other" in err) == (0, True)
    code, out, err = charrnn("sample", "--label", "vowel", "--lines", "4", "--seed", "1", "--temp", "0.3")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 4
    assert set(out) <= set("aeiou\n")
    _, one, _ = charrnn("sample", "--label", "vowel", "--seed", "2", "--temp", "0.3")
    assert one == out.splitlines(keepends=True)[1]
    assert charrnn("sample", "--label", "vowel:0.5", "--label", "other:0.5", "--seed", "1")[0] == 0
    _, whole, _ = charrnn("sample", "--label", "vowel", "--lines", "6", "--seed", "1")
    _, out, _ = charrnn("sample", "--label", "vowel", "--lines", "6", "--seed", "1", "--stop", "i")
    assert [line.partition("i")[0] for line in whole.splitlines()] == out.split("\n")[:6]
    _, out, _ = charrnn("sample", "--label", "vowel", "--lines", "2", "--seed", "1", "--json")
    assert [json.loads(line)["seed"] for line in out.splitlines()] == [1, 2]
    _, out, _ = charrnn("classify", "aei", "--json")
    assert json.loads(out)["labels"]["vowel"] > 0.5
    code, out, err = charrnn("sample")
    assert (code, out) == (2, "")
    assert "charrnn sample --label other" in err
    Path("my names.npz").write_bytes(Path("model.npz").read_bytes())
    for line in ("sample", "sample --source a", "see memory"):
        err = charrnn(*line.split(), "-m", "my names.npz")[2]
        assert err.endswith(": charrnn sample --label other -m 'my names.npz'.\n")
    for options, words in (
        (("--label", "ko"), "no label 'ko'. It has other, vowel."),
        (("--label", "Vowels"), "no label 'Vowels'. Did you mean 'vowel'? It has other, vowel."),
        (("--label", "other", "--ban", "\\n"), "an example ends with a newline, which --ban excludes"),
        (("--source", ""), "generates text for a label"),
        (("--label", "other", "--count", "2"), "use it instead of --count"),
        (("--source", "ab"), "generates text for a label"),
        (("--beam", "2"), "--beam works with --source only"),
    ):
        code, out, err = charrnn("sample", *options)
        assert (code, out) == (2, "")
        assert words in err


def test_text_to_label(charrnn: Command) -> None:
    tables()
    code, _, err = charrnn("train", "words.tsv", "--labelled", "--task", "classify", *SIZES, "--val-fraction", "0.3")
    assert (code, "bits per label" in err) == (0, True)
    code, out, err = charrnn("classify", "aei", "bcZ", "--best", "1")
    assert code == 0
    assert [line.split(" ")[0] for line in out.splitlines()] == ["aei\tvowel", "bcZ\tother"]
    assert "'Z'" in err
    _, out, _ = charrnn("classify", "-", stdin=b"aei\nbcd\n")
    assert [line.split("\t")[0] for line in out.splitlines()] == ["aei", "bcd"]
    odd = ["a\u2028e", "b\x85", "\x0cc", "", "d\x1ce\x0bi", "\ra"]  # LF alone ends a line
    for text in ("\n".join(odd), "\r\n".join([*odd, ""])):
        _, out, _ = charrnn("classify", "-", "--json", stdin=text.encode())
        assert [json.loads(line)["text"] for line in out.splitlines()] == odd
    _, out, _ = charrnn("classify", "ae\nio")
    assert out.startswith("ae\u240aio\tvowel")
    _, out, err = charrnn("classify", "-", stdin="aei\rb\ufeffcd\r".encode())
    assert [line.split("\t")[0] for line in out.splitlines()] == ["aei", "bcd"]
    assert ["CR" in err, "U+FEFF" in err] == [True, True]
    code, out, err = charrnn("classify", "-", stdin="aei".encode("utf-16"))
    assert (code, out) == (1, "")
    assert "standard input looks like UTF-16: convert it first with iconv -f utf-16 -t utf-8." in err
    code, out, err = charrnn("eval", "--json")
    found = json.loads(out)
    assert (code, found["part"], found["examples"]) == (0, "validation", 3)
    assert sum(map(sum, found["confusion"])) == 3
    code, out, err = charrnn("eval", "words.tsv", "--all")
    assert (code, "of 9 correct" in out) == (0, True)
    Path("more.tsv").write_text("other\tbb\nko\tkim\n")
    code, out, err = charrnn("eval", "more.tsv")
    assert (code, "has the label 'ko'" in err) == (2, True)
    assert "classifies texts: other 4, vowel 5" in charrnn("info")[1]
    assert json.loads(charrnn("info", "--json")[1])["task"]["counts"] == [4, 5]
    for command in (("sample",), ("novelty",), ("see", "surprise"), ("eval", "--baselines"), ("eval", "--dynamic")):
        code, out, err = charrnn(*command)
        assert (code, out, err.startswith("error: ")) == (2, "", True)


def test_tables_and_folders(charrnn: Command) -> None:
    """The columns that a training used are those of eval, --resume and --no-copy, and the text counts as unchanged."""
    Path("words.csv").write_text("id,kind,word\n" + "".join(f'{k},{a},"{b}"\n' for k, (a, b) in enumerate(WORDS * 3)))
    command = ("train", "words.csv", "--labelled", "--task", "classify", "--columns", "kind,word", "--header")
    code, _, err = charrnn(*command, "--minutes", "0.02", "--workers", "1")
    assert (code, "2 labels, with their numbers of examples: other 12, vowel 15" in err) == (0, True)
    assert "--columns kind,word --header" in next(line for line in err.splitlines() if "To repeat" in line)
    code, out, err = charrnn("eval", "--json")
    assert (code, json.loads(out)["part"], "changed" in err) == (0, "validation", False)
    Path("words").mkdir()
    for k, (label, text) in enumerate(WORDS):
        Path("words", label).mkdir(exist_ok=True)
        Path("words", label, f"{k}.txt").write_text(f"{text}\n")
    Path("words", "README").write_text("The words of the tests.")
    for text in ("words.csv --columns 2,3", "words"):
        assert charrnn("train", *text.split(), "--labelled", *SIZES, "--force", "-q")[0] == 0
        assert charrnn("train", "--resume", "--steps", "125", "-q")[0] == 0
        code, _, err = charrnn("sample", "--label", "vowel", "--no-copy", "9")
        assert (code, "changed" in err) == (0, False)


def test_what_is_copied_from_quoted_fields(charrnn: Command) -> None:
    """--no-copy compares with the texts of the examples, not with the file."""
    Path("q.csv").write_text("".join(f'{label},"""x"" and\n""x"""\n' for label in "abab"))
    assert charrnn("train", "q.csv", "--labelled", *SIZES, "-q")[0] == 0
    seen = '"x" and "x"\n'
    for n in (4, 8):
        code, out, err = charrnn("sample", "--label", "a", "--no-copy", str(n), "--lines", "3", "--seed", "1")
        assert (code, "changed" in err) == (0, False)
        assert not any(seen[k : k + n] in out for k in range(len(seen) - n))


def test_text_to_text(charrnn: Command) -> None:
    tables()
    code, _, err = charrnn("train", "pairs.tsv", "--pairs", *SIZES, "--lr", "0.1")
    assert (code, "charrnn sample --source TEXT" in err) == (0, True)
    code, out, err = charrnn("sample", "--source", "ab", "--source", "cab")
    assert (code, len(out.splitlines()), err) == (0, 2, "")
    _, best, _ = charrnn("sample", "--source", "ab", "--beam", "3")
    assert len(best.splitlines()) == 3
    _, found, _ = charrnn("sample", "--source", "ab", "--beam", "1", "--json")
    assert json.loads(found)["target"] == best.splitlines()[0].split("  ")[-1] == out.splitlines()[0]
    code, _, err = charrnn("sample", "--source", "ab", "--temp", "0.5")
    assert (code, "--temp" in err) == (2, True)
    code, found, _ = charrnn("eval", "--all", "--json")
    assert (code, json.loads(found)["examples"]) == (0, 10)
    assert "exact" in charrnn("eval", "--all")[1]
    assert charrnn("train", "--resume", "--steps", "130", "-q")[0] == 0
    assert charrnn("train", "--resume", "pairs.tsv", "--pairs", "--steps", "140", "-q")[0] == 0
    code, _, err = charrnn("train", "--resume", "--labelled", "--task", "classify")
    assert (code, "contradicts" in err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--pairs", "--labelled"), 2, "--pairs and --labelled are different tasks"),
        (("--task", "classify"), 2, "add --labelled"),
        (("--pairs", "--min-count", "3"), 2, "--min-count applies to plain text only"),
        (("--labelled",), 1, "t.tsv has only one label"),
        (("--pairs",), 1, "t.tsv, line 2: the target is empty"),
    ],
)
def test_what_is_refused(charrnn: Command, arguments: tuple[str, ...], code: int, words: str) -> None:
    Path("t.tsv").write_text("a\tb\na\t\n" if code == 1 and "--pairs" in arguments else "a\tb\na\tc\n")
    found, out, err = charrnn("train", "t.tsv", *arguments, "--steps", "1")
    assert (found, out) == (code, "")
    assert words in err
    assert not Path("model.npz").exists()


def test_the_plan_is_repeated_as_a_command(charrnn: Command) -> None:
    tables()
    _, _, err = charrnn("train", "pairs.tsv", "--pairs", "--minutes", "0.02", "--workers", "1")
    command = next(line for line in err.splitlines() if "To repeat this run exactly" in line)
    assert "charrnn train pairs.tsv --pairs " in command


def test_what_cannot_be_read_gets_no_answer(charrnn: Command) -> None:
    tables()
    assert charrnn("train", "words.tsv", "--labelled", "--task", "classify", *SIZES, "-q")[0] == 0
    assert charrnn("train", "pairs.tsv", "--pairs", "-m", "pairs.npz", *SIZES, "-q")[0] == 0
    lines = "aei\n\nЖЖ\nЖb\n".encode()
    code, out, err = charrnn("classify", "-", stdin=lines)
    first, empty, foreign, part = out.splitlines()
    assert (code, empty, foreign) == (0, "\tno known symbol", "ЖЖ\tno known symbol")
    assert "%" in first
    assert "%" in part
    assert err == (
        "note: symbols that are not in the vocabulary of model.npz are skipped: 'Ж' (1 distinct, 3 in total).\n"
        "note: no label for 1 of 4 texts: an empty line.\n"
        "note: no label for 1 of 4 texts: no symbol that model.npz knows.\n"
    )
    code, out, err = charrnn("classify", "ЖЖ", "Жb", "--json")
    foreign, part = map(json.loads, out.splitlines())
    assert foreign == {"text": "ЖЖ", "labels": None, "unknown": 2}
    assert (part["unknown"], sum(part["labels"].values())) == (1, pytest.approx(1.0))
    code, out, err = charrnn("sample", "-m", "pairs.npz", "--source", "-", stdin="ab\n\nЖ\ncab\n".encode())
    assert (code, [bool(line) for line in out.split("\n")[:4]]) == (0, [True, False, False, True])
    assert "note: no target for 1 of 4 sources: no symbol that pairs.npz knows." in err
    code, out, _ = charrnn("sample", "-m", "pairs.npz", "--source", "Ж", "--json")
    assert json.loads(out) == {"source": "Ж", "target": None, "logprob": None, "unknown": 1}
    for command in (("classify", "a", ""), ("sample", "-m", "pairs.npz", "--source", "")):
        code, out, err = charrnn(*command)
        assert (code, out, "is empty: type a" in err) == (2, "", True)
    code, out, err = charrnn("classify", "-", stdin=b"")
    assert (code, out, err) == (1, "", "error: standard input is empty: write one text per line.\n")


def test_duplicates_are_noted_once(charrnn: Command) -> None:
    Path("same.tsv").write_text("a\tx\nb\ty\n" * 40)
    code, _, err = charrnn("train", "same.tsv", "--labelled", "--minutes", "0.02", "--workers", "1")
    assert (code, err.count("also occur in the training split")) == (0, 1)


def test_examples_in_another_normal_form(charrnn: Command) -> None:
    rows = [("schön", "élan"), ("schön", "mélo"), ("brav", "elan"), ("brav", "melo")] * 6
    Path("accents.tsv").write_text("".join(f"{label}\t{text}\n" for label, text in rows), encoding="utf-8")
    for task in ("classify", "generate"):
        assert charrnn("train", "accents.tsv", "--labelled", "--task", task, "-m", f"{task}.npz", *SIZES, "-q")[0] == 0
        composed = charrnn("classify", "-m", f"{task}.npz", "élan", "--json")
        decomposed = charrnn("classify", "-m", f"{task}.npz", "e\u0301lan", "--json")
        assert json.loads(composed[1])["labels"] == json.loads(decomposed[1])["labels"]
        assert json.loads(composed[1])["labels"]["schön"] > 0.6
        assert composed[2] == ""
        assert decomposed[2].startswith("note: the text was converted to composed (NFC) characters")
    composed = charrnn("sample", "-m", "generate.npz", "--label", "schön", "--seed", "1")
    assert composed == charrnn("sample", "-m", "generate.npz", "--label", "scho\u0308n", "--seed", "1")
    Path("pairs.tsv").write_text("".join(f"{text}\t{text[::-1]}\n" for _, text in rows), encoding="utf-8")
    assert charrnn("train", "pairs.tsv", "--pairs", *SIZES, "-q")[0] == 0
    composed = charrnn("sample", "--source", "élan")
    code, out, err = charrnn("sample", "--source", "e\u0301lan")
    assert (code, out) == composed[:2]
    assert err.startswith("note: the source was converted")
