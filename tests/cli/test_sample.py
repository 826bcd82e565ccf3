"""The command line of sampling and novelty: what is written where, notes, and what is refused."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from charrnn.cli.inputs import split
from tests.cli.test_train import TEXT, TINY, Command, charrnn, process, train

__all__ = ["charrnn"]  # the fixture


def test_text_ends_before_a_stop(charrnn: Command) -> None:
    train(charrnn)
    _, free, _ = charrnn("sample", "-n", "300", "--seed", "1")
    stop = free[30:32]
    wanted = free[: free.index(stop)]
    assert charrnn("sample", "--seed", "1", "--stop", stop, "--stop", "@@") == (0, wanted, "")
    assert charrnn("sample", "--seed", "1", "--stop", stop, "-n", "5")[1] == free[:5]
    code, out, err = charrnn("sample", "--seed", "1", "--stop", "")
    assert (code, out) == (2, "")
    assert "--stop is a list of strings of at least one character." in err


def test_lines_are_whole_and_a_bound_that_is_reached_is_told(charrnn: Command) -> None:
    train(charrnn)
    _, out, err = charrnn("sample", "--lines", "3", "--seed", "1", "--temp", "1.5")
    assert out.count("\n") == 3
    assert out.endswith("\n")
    assert err == ""
    _, out, err = charrnn("sample", "--lines", "30", "--seed", "1", "-n", "20", "--temp", "1.5")
    assert len(out) == 20
    assert err == "note: the text ended at 20 characters, before line 30.\n"
    _, out, err = charrnn("sample", "--lines", "30", "--count", "2", "--seed", "1", "-n", "20", "--temp", "1.5")
    assert err == "note: 2 of 2 texts ended at 20 characters, before line 30.\n"
    assert charrnn("sample", "--lines", "0")[0] == 2
    _, _, err = charrnn("sample", "--stop", "cat cat cat", "--seed", "1", "-n", "20")
    assert err == "note: the text ended at 20 characters, before a stop string.\n"


def test_a_line_between_texts_that_end_with_their_line(charrnn: Command) -> None:
    train(charrnn)
    options = ("--lines", "1", "--seed", "1", "--temp", "1.5")
    texts = [charrnn("sample", *options[:3], str(seed), *options[4:])[1] for seed in (1, 2)]
    assert charrnn("sample", *options, "--count", "2")[1] == "---\n".join(texts)


def test_nothing_left_is_told(charrnn: Command) -> None:
    train(charrnn)
    code, out, err = charrnn("sample", "--no-repeat", "1", "--seed", "1")
    assert (code, sorted(out)) == (0, sorted(set(TEXT)))
    assert err == "note: the text ended early: the constraints allow no further character.\n"
    code, out, err = charrnn("sample", "--ban", TEXT)
    assert (code, out) == (2, "")
    assert "--ban leaves no character to generate." in err


def test_banned_characters_do_not_come(charrnn: Command) -> None:
    train(charrnn)
    _, out, _ = charrnn("sample", "--ban", "eé", "--seed", "1", "-n", "200", "--temp", "2", "--min-p", "0.01")
    assert len(out) == 200
    assert "e" not in out


def test_bans_and_stops_with_escapes(charrnn: Command) -> None:
    train(charrnn)
    options = ("--seed", "1", "-n", "200", "--temp", "2")
    _, out, _ = charrnn("sample", *options, "--ban", "\\n")
    assert ("\n" in out, "n" in out, len(out)) == (False, True, 200)
    assert charrnn("sample", *options, "--ban", "\\u{6e}\\u0065\\\\t")[1].isascii()
    assert set(charrnn("sample", *options, "--ban", "\\u{6e}\\u0065\\\\t")[1]).isdisjoint("net")
    _, free, _ = charrnn("sample", "--seed", "1", "-n", "500")
    assert charrnn("sample", "--seed", "1", "--stop", "\\n")[1] == free[: free.index("\n")]


def test_thousands_of_lines_and_blank_ones(charrnn: Command, tmp_path: Path) -> None:
    (tmp_path / "blank.txt").write_text("ab\n\n" * 200)
    code, _, err = charrnn("train", "blank.txt", *TINY, "--steps", "60", "--lr", "0.02", "-q")
    assert code == 0, err
    _, out, err = charrnn("sample", "--lines", "5000", "--seed", "1", "--temp", "0.4")
    assert (len(out.split("\n")) > 9000, len(list(filter(str.strip, out.split("\n")))), err) == (True, 5000, "")
    assert len(out) > 10_000
    _, out, err = charrnn("sample", "--lines", "50", "--blank-lines", "--seed", "1", "--temp", "0.4")
    assert (out.count("\n"), err) == (50, "")


def test_no_seed_is_shown_where_none_is_used(charrnn: Command) -> None:
    train(charrnn)
    for options in (("--temp", "0"), ("--top-k", "1"), ("--min-p", "1")):
        code, out, err = charrnn("sample", "-n", "20", *options)
        assert (code, len(out), err) == (0, 20, "")
        assert charrnn("sample", "-n", "20", *options)[1] == out
    line = json.loads(charrnn("sample", "-n", "20", "--temp", "0", "--json")[1])
    assert (line["text"], line["seed"]) == (out, None)


def test_a_prompt_in_another_normal_form_is_converted_with_a_note(charrnn: Command, tmp_path: Path) -> None:
    (tmp_path / "accents.txt").write_text("élève à l'école\n" * 40, encoding="utf-8")
    assert charrnn("train", "accents.txt", *TINY, "--steps", "4", "-q")[0] == 0
    composed = charrnn("sample", "-p", "élève", "-n", "9", "--temp", "0")
    assert composed[2] == ""
    _, out, err = charrnn("sample", "-p", "e\u0301le\u0300ve", "-n", "9", "--temp", "0")
    assert (out, err.count("\n")) == (composed[1], 1)
    assert err.startswith("note: the prompt was converted to composed (NFC) characters")


def test_json_has_the_logprob_and_the_best_come_first(charrnn: Command) -> None:
    train(charrnn)
    options = ("-n", "20", "--seed", "4", "--json")
    lines = [json.loads(line) for line in charrnn("sample", *options, "--count", "6")[1].splitlines()]
    assert [list(line) for line in lines] == [["text", "prompt", "seed", "logprob_per_char"]] * 6
    assert all(line["logprob_per_char"] < 0 for line in lines)
    wanted = sorted(lines, key=lambda line: -line["logprob_per_char"])
    best = charrnn("sample", *options, "--count", "2", "--best-of", "6")[1].splitlines()
    assert [json.loads(line) for line in best] == wanted[:2]
    assert charrnn("sample", "-n", "20", "--seed", "4", "--best-of", "6")[1] == wanted[0]["text"]
    code, _, err = charrnn("sample", "--count", "3", "--best-of", "2")
    assert code == 2
    assert "--best-of is a whole number from 3 to 10,000" in err
    (nothing,) = charrnn("sample", "-n", "0", "--json", "--best-of", "2")[1].splitlines()
    assert json.loads(nothing)["logprob_per_char"] is None


def test_models_are_mixed_by_weight(charrnn: Command, tmp_path: Path) -> None:
    train(charrnn)
    (tmp_path / "other.txt").write_text("zebra zoo\n" * 60)
    code, _, err = charrnn(
        "train", "other.txt", "-m", "b.npz", "--hidden-size", "8", "--layers", "1", "--steps", "30", "--seq-length", "8"
    )
    assert code == 0, err
    alone = charrnn("sample", "-n", "200", "--seed", "1")[1]
    both = charrnn("sample", "-m", "model.npz:1", "-m", "b.npz:1", "-n", "200", "--seed", "1")[1]
    assert "z" in both
    assert "m" in both
    assert charrnn("sample", "-m", "model.npz:1", "-m", "b.npz:1e-30", "-n", "200", "--seed", "1")[1] == alone
    assert charrnn("sample", "-m", "model.npz", "-m", "b.npz:0")[0] == 2
    code, _, err = charrnn(
        "train", "other.txt", "-m", "byte.npz", "--unit", "byte", "--hidden-size", "8", "--steps", "1"
    )
    assert code == 0, err
    code, _, err = charrnn("sample", "-m", "model.npz", "-m", "byte.npz")
    assert code == 2
    assert "only models of one unit can be mixed" in err


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a.npz", ("a.npz", 1.0)),
        ("a.npz:0.7", ("a.npz", 0.7)),
        ("a:b.npz", ("a:b.npz", 1.0)),
        ("a:2:3", ("a:2", 3.0)),
        (":3", (":3", 1.0)),
    ],
)
def test_the_last_number_is_the_weight(name: str, wanted: tuple[str, float]) -> None:
    assert split(name) == wanted


def test_a_file_whose_name_ends_with_a_number(charrnn: Command, tmp_path: Path) -> None:
    code, _, err = charrnn("train", "corpus.txt", *TINY, "--steps", "4", "-m", "v:2")
    assert code == 0
    assert "charrnn sample -m v:2" in err
    for command in (("sample", "-n", "5"), ("info",), ("eval",)):
        assert charrnn(*command, "-m", "v:2")[0] == 0
    assert charrnn("sample", "-n", "5", "-m", "v:2:0.5")[0] == 0
    (tmp_path / "v:2").rename(tmp_path / "v")
    assert charrnn("sample", "-n", "5", "-m", "v:2")[0] == 0
    code, out, err = charrnn("sample", "-m", "w:2")
    assert (code, out) == (1, "")
    assert err.startswith("error: there is no model file w:2, and no w with the weight 2: run charrnn train TEXT")


def test_raw_bytes_come_out_as_they_are(charrnn: Command, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("né à côté\n".encode("latin-1") * 60)
    code, _, err = charrnn(
        "train", "latin.txt", "--unit", "byte", "--hidden-size", "16", "--layers", "1", "--steps", "30"
    )
    assert code == 0, err
    raw, _ = process(["sample", "--raw", "-n", "300", "--seed", "1"], tmp_path).communicate()
    assert len(raw) == 300
    with pytest.raises(UnicodeDecodeError):
        raw.decode()
    text, _ = process(["sample", "-n", "300", "--seed", "1"], tmp_path).communicate()
    assert len(text.decode()) == 300
    train(charrnn, "-m", "char.npz")
    code, _, err = charrnn("sample", "-m", "char.npz", "--raw")
    assert code == 2
    assert "writes chars" in err


def test_no_copy_and_novelty(charrnn: Command, tmp_path: Path) -> None:
    code, _, err = charrnn(
        "train", "corpus.txt", "--hidden-size", "24", "--layers", "1", "--steps", "150", "--seq-length", "16", "-q"
    )
    assert code == 0, err
    options = ("sample", "-n", "400", "--seed", "1", "--temp", "0.5")
    for name, more in (("free.txt", ()), ("new.txt", ("--no-copy", "7"))):
        code, out, err = charrnn(*options, *more)
        assert (code, len(out), err) == (0, 400, "")
        (tmp_path / name).write_text(out)
    free, new = (json.loads(charrnn("novelty", name, "--json")[1]) for name in ("free.txt", "new.txt"))
    assert free["longest"]["chars"] > 20
    assert new["longest"]["chars"] <= 6
    assert new["corpus"] == ["corpus.txt"]
    assert new["validation"]["new"]["4"] == 0.0
    assert list(free) == ["samples", "corpus", "corpus_chars", "chars", "longest", "new", "copied", "validation"]
    at = free["longest"]["offset"]
    assert TEXT[at : at + free["longest"]["chars"]] == free["longest"]["text"]
    code, out, err = charrnn("novelty", "free.txt", "new.txt", "--corpus", "corpus.txt")
    assert code == 0
    assert f"{free['longest']['chars']}" in out
    assert "validation split" in out
    assert "corpus.txt, line" in out
    assert charrnn("novelty", "-", "--json", stdin=TEXT[5:90].encode())[1].count('"chars": 85') == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["novelty", "corpus.txt", "-m", "model.npz", "--corpus", "corpus.txt"], "use one of them"),
        (["novelty", "-", "--corpus", "-"], "read only once"),
        (["novelty"], "name the text to check"),
        (["novelty", "corpus.txt", "--corpus", "corpus.txt", "--encoding", "klingon"], "klingon"),
        (["sample", "--corpus", "corpus.txt"], "--corpus works with --no-copy only"),
        (["sample", "--encoding", "utf-8"], "--encoding works with --no-copy only"),
        (["sample", "--no-copy", "-1"], "--no-copy"),
        (["sample", "--no-repeat", "-1"], "--no-repeat"),
        (["sample", "--min-p", "2"], "--min-p"),
        (["sample", "-m", "model.npz:nan"], "above 0"),
    ],
)
def test_wrong_usage(charrnn: Command, arguments: list[str], message: str) -> None:
    train(charrnn)
    code, out, err = charrnn(*arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_a_corpus_that_is_gone_or_has_changed(charrnn: Command, tmp_path: Path) -> None:
    train(charrnn)
    (tmp_path / "corpus.txt").write_text(TEXT + "more\n")
    code, _, err = charrnn("sample", "--no-copy", "9", "--seed", "1", "-n", "5")
    assert (code, err) == (0, "note: corpus.txt has changed since model.npz was trained on it.\n")
    (tmp_path / "corpus.txt").rename(tmp_path / "sample.txt")
    for arguments in (["sample", "--no-copy", "9"], ["novelty", "sample.txt"]):
        code, out, err = charrnn(*arguments)
        assert (code, out) == (1, "")
        assert "model.npz was trained on corpus.txt, which is not found here: name a corpus with --corpus." in err


def test_on_a_terminal_what_is_copied_is_marked_and_harmless(charrnn: Command, tmp_path: Path) -> None:
    (tmp_path / "sample.txt").write_text("[red]\x1b[31m" + TEXT[:30] + "\a")
    master, slave = pty.openpty()
    arguments = [sys.executable, "-m", "charrnn", "novelty", "sample.txt", "--corpus", "corpus.txt"]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "60"}
    child = subprocess.Popen(arguments, cwd=tmp_path, stdout=slave, stdin=slave, env=environment)
    os.close(slave)
    out = b""
    while True:
        try:
            block = os.read(master, 4096)
        except OSError:
            break
        if not block:
            break
        out += block
    assert child.wait() == 0
    os.close(master)
    shown = out.decode()
    assert "[red]\u241b[31m" in shown
    assert "\x1b[31m" not in shown
    assert "\u2407" in shown
    assert "\x1b[1;30;43mthe cat sat on the mat." in shown
