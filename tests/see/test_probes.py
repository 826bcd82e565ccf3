"""The built-in questions, answered by hand on short texts."""

import io
import tokenize

import pytest

from charrnn.see import probes as questions
from charrnn.see.probes import QUESTIONS, answers, is_python
from charrnn.see.text_window import passage
from charrnn.text.corpus import Corpus

CASES = [
    (questions.inside_quotes, 'a "b" c', "0011000"),
    (questions.inside_quotes, '"a\n\nb', "11100"),
    (questions.inside_quotes, "“가 나”다「라」", "111100110"),
    (questions.inside_quotes, "don't", "00000"),
    (questions.bracket_depth, "f(a[1])b)(", "0112210001"),
    (questions.bracket_depth, "((\n\n(", "12201"),
    (questions.line_position, "ab\nc\n\nd", "1201001"),
    (questions.indentation, "  a b\n\tc\n \td", "122220880188"),
    (questions.after_capital, "Ab CDe 1Fg", "0100110001"),
    (questions.inside_number, "a 1,234.5, b_2", "00111111110001"),
    (questions.word_boundary, "ab, cd e\n", "001000101"),
    (questions.python_comment_or_string, "a='b\\'c'#d\ne", "001111111100"),
    (questions.python_comment_or_string, '"""a"b\n"""c', "1" * 10 + "0"),
    (questions.python_comment_or_string, "'a\nb", "1100"),
    (questions.final_consonant, "한그 a", "1000"),
]


@pytest.mark.parametrize(("question", "text", "wanted"), CASES)
def test_by_hand(question: object, text: str, wanted: str) -> None:
    assert callable(question)
    assert question(text) == [float(digit) for digit in wanted]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_one_answer_a_character(question: questions.Question) -> None:
    for text in ("", "a", "\\", "'\\", '"""', 'x = """a\\"""', "\n\n"):
        assert len(question.answer(text)) == len(text)


def test_comments_and_strings_are_those_of_python_itself() -> None:
    with open(questions.__file__, encoding="utf-8") as file:
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
    assert questions.python_comment_or_string(text) == inside
    assert is_python(text)
    assert not is_python("To be, or not to be.\n" * 50)


def test_only_what_changes_is_asked() -> None:
    corpus = Corpus.from_text('He said "no" (once).\n')
    names = [question.name for question in answers(passage(corpus, corpus.segments, 99))]
    wanted = ["inside quotes", "depth of brackets", "position in the line", "letter after a capital"]
    assert names == [*wanted, "at a word boundary"]


def test_jamo_answers_at_the_letter_itself() -> None:
    corpus = Corpus.from_text("한가\n", "jamo")
    found = {
        question.name: values.tolist() for question, values in answers(passage(corpus, corpus.segments, 9)).items()
    }
    assert found["final consonant in Hangul"] == [0, 0, 1, 0, 0, 0]
    assert found["position in the line"] == [1, 1, 1, 2, 2, 0]
