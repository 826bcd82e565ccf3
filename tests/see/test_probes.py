"""The probes: their targets by hand on short texts."""

import io
import tokenize

import pytest

from charrnn.see import probes
from charrnn.see.probes import PROBES, is_python, probe_targets
from charrnn.see.text_window import text_window
from charrnn.text.corpus import Corpus

CASES = [
    (probes.inside_quotes, 'a "b" c', "0011000"),
    (probes.inside_quotes, '"a\n\nb', "11100"),
    (probes.inside_quotes, "“가 나”다「라」", "111100110"),
    (probes.inside_quotes, "don't", "00000"),
    (probes.bracket_depth, "f(a[1])b)(", "0112210001"),
    (probes.bracket_depth, "((\n\n(", "12201"),
    (probes.line_position, "ab\nc\n\nd", "1201001"),
    (probes.indentation, "  a b\n\tc\n \td", "122220880188"),
    (probes.after_capital, "Ab CDe 1Fg", "0100110001"),
    (probes.inside_number, "a 1,234.5, b_2", "00111111110001"),
    (probes.word_boundary, "ab, cd e\n", "001000101"),
    (probes.python_comment_or_string, "a='b\\'c'#d\ne", "001111111100"),
    (probes.python_comment_or_string, '"""a"b\n"""c', "1" * 10 + "0"),
    (probes.python_comment_or_string, "'a\nb", "1100"),
    (probes.final_consonant, "한그 a", "1000"),
]


@pytest.mark.parametrize(("targets", "text", "wanted"), CASES)
def test_by_hand(targets: object, text: str, wanted: str) -> None:
    assert callable(targets)
    assert targets(text) == [float(digit) for digit in wanted]


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_one_target_per_character(probe: probes.Probe) -> None:
    for text in ("", "a", "\\", "'\\", '"""', 'x = """a\\"""', "\n\n"):
        assert len(probe.targets(text)) == len(text)


def test_comments_and_strings_agree_with_the_tokenizer() -> None:
    with open(probes.__file__, encoding="utf-8") as file:
        text = file.read()
    inside = [0.0] * len(text)
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.STRING, tokenize.COMMENT):
            begin, end = (starts[row - 1] + column for row, column in (token.start, token.end))
            prefix = len(token.string) - len(token.string.lstrip("rbfuRBFU"))
            inside[begin + prefix : end] = [1.0] * (end - begin - prefix)
    assert probes.python_comment_or_string(text) == inside
    assert is_python(text)
    assert not is_python("To be, or not to be.\n" * 50)


def test_probes_with_constant_targets_are_left_out() -> None:
    corpus = Corpus.from_text('He said "no" (once).\n')
    names = [probe.name for probe in probe_targets(text_window(corpus, corpus.segments, 99))]
    wanted = ["inside quotes", "bracket depth", "position in the line", "letter after a capital"]
    assert names == [*wanted, "word boundary"]


def test_jamo_targets_are_at_the_letter_itself() -> None:
    corpus = Corpus.from_text("한가\n", "jamo")
    found = {
        probe.name: values.tolist() for probe, values in probe_targets(text_window(corpus, corpus.segments, 9)).items()
    }
    assert found["Hangul final consonant"] == [0, 0, 1, 0, 0, 0]
    assert found["position in the line"] == [1, 1, 1, 2, 2, 0]
