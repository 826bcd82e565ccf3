"""What a training shows of its model at the end: samples, answers, the temperature, and the order of the lines."""

import math
import re
from pathlib import Path

import pytest

from charrnn.sampling.options import temp_for_loss
from tests.cli.test_train import TINY, Command, charrnn

__all__ = ["charrnn"]

RUN = (*TINY, "--steps", "8", "--workers", "1")
END = "{}Now: charrnn {}\nTo repeat this run exactly: charrnn train "


@pytest.mark.parametrize(
    ("share", "symbols", "temp"),
    [(0.0, 60, 0.8), (0.2, 60, 0.8), (0.29, 60, 0.7), (0.41, 700, 0.6), (0.6, 60, 0.4), (1.0, 60, 0.3), (2.0, 2, 0.3)],
)
def test_a_worse_network_samples_at_a_lower_temperature(share: float, symbols: int, temp: float) -> None:
    assert temp_for_loss(share * math.log(symbols), symbols) == temp
    assert temp_for_loss(share, 1) > 0.0


def test_the_order_of_the_last_lines(charrnn: Command) -> None:
    _, out, err = charrnn("train", "corpus.txt", *RUN)
    lines = r"Trained in .*\nBits per character: .*\n.*\nSamples \(--temp (0\.\d)\):\n(  .+\n){3}"
    found = re.search(END.format(lines, r"sample --temp (0\.\d)"), err)
    assert found is not None
    assert found[1] == found[3]
    assert out == ""
    assert charrnn("train", "corpus.txt", *RUN, "--force", "--quiet")[1:] == ("", "")


def test_samples_need_no_validation_split_and_no_whole_character(charrnn: Command) -> None:
    err = charrnn("train", "corpus.txt", *RUN, "--val-fraction", "0")[2]
    assert re.search(r"Samples \(--temp 0\.\d\):\n(  .+\n){3}Now", err)
    Path("bytes").write_bytes(bytes(range(0x80, 0xC0)) * 20)
    code, _, err = charrnn("train", "bytes", "--unit", "byte", "-m", "bytes.npz", *RUN)
    assert code == 0
    assert "Samples" not in err
    assert "Now: charrnn sample -m bytes.npz --temp 0.3" in err


def test_samples_are_safe_for_the_terminal(charrnn: Command) -> None:
    Path("escapes.txt").write_text("\x1b[2J\x07" * 200)
    err = charrnn("train", "escapes.txt", *RUN)[2]  # which asserts that there is no escape
    assert re.search(r"Samples .*\n  .*\u241b", err)


def table(rows: list[tuple[str, str]]) -> None:
    Path("t.tsv").write_text("".join(f"{one}\t{other}\n" for one, other in rows))


def test_held_out_pairs_are_answered(charrnn: Command) -> None:
    table([(f"{a}{b}", f"{b}{a}") for a in "abcdefg" for b in "hijklm"])
    err = charrnn("train", "t.tsv", "--pairs", *RUN)[2]
    lines = r"Answers for held-out examples:\n(  (\w)(\w) > .*( \(right: \3\2\))?\n){3}"
    assert re.search(END.format(lines, "sample --source TEXT"), err)
    err = charrnn("train", "t.tsv", "--pairs", *RUN, "--val-fraction", "0", "--force")[2]
    assert "\nAnswers for examples:\n" in err


def test_a_right_answer_needs_no_correction(charrnn: Command) -> None:
    table([(label, f"{label * 4} {number:03}") for label in "ab" for number in range(40)])
    options = ("--labelled", *TINY, "--steps", "150", "--lr", "0.05", "--workers", "1")
    err = charrnn("train", "t.tsv", "--task", "classify", *options)[2]
    lines = r"Answers for held-out examples:\n(  (a|b)\2{3} \d+ > \2\n){3}"
    assert re.search(END.format(lines, "classify TEXT"), err)
    err = charrnn("train", "t.tsv", "--task", "generate", *options, "--force")[2]
    lines = r"Samples \(--temp (0\.\d)\):\n(  [ab] > .*\n){3}"
    assert re.search(END.format(lines, r"sample --label a --temp \1"), err)
