"""What a person sees: harmless text, small curves, and the live display at several widths."""

import io
import json
import re
import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import charrnn
from charrnn.display.charts import duration, spark, speed
from charrnn.display.console import svg
from charrnn.display.evaluation import scores
from charrnn.display.terminal import JOINERS, SIGNS, SPACE, UNSEEN, Answer, is_terminal, safe
from charrnn.display.training import Screen, headline
from charrnn.evaluation.score import Score
from tests.training.test_loop import begin


@given(st.text(st.characters()))
def test_safe_text_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    shown = safe(text)
    unseen = {c for c in shown if unicodedata.category(c) in UNSEEN}
    assert unseen <= set("\n\t" + JOINERS + SPACE + SIGNS) | set(map(chr, range(0xE0030, 0xE0080)))
    assert safe(shown) == shown
    shown.encode("utf-8")


@given(st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126)))
def test_safe_leaves_plain_text(text: str) -> None:
    assert safe(text) == text


def test_safe_by_example() -> None:
    assert safe("a\x1b[31m\x07\x7f\u202e\n\t한") == "a\u241b[31m\u2407\u2421\\u{202e}\n\t한"


@pytest.mark.parametrize(
    "text",
    [
        "\u0646\u0645\u06cc\u200c\u062f\u0627\u0646\u0645 \u06f5\u200c\u0627\u0645",  # Persian: a letter, a digit
        "\u0915\u094d\u200d\u0937",  # Devanagari, after a virama
        "\U0001f469\u200d\U0001f52c \U0001f9d1\U0001f3fe\u200d\U0001f33e \U0001f3f3\ufe0f\u200d\U0001f308",
        "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
        "\U0001f1ef\U0001f1f5 7\ufe0f\u20e3 \u2764\ufe0e",
        "\u1781\u17d2\u1798\u17c2\u179a\u200b\u179a\u17c0\u1793",  # Khmer
        "\u06dd\u0661",
    ],
)
def test_spelling_and_emoji_are_written_as_they_are(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert safe(text) == text
    assert safe(text[3:], text[:3]) == text[3:]
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    monkeypatch.setattr("sys.stdout", out)
    answer = Answer()
    answer.terminal = True
    for character in text + "\u202e":
        answer.write(character)
    assert out.buffer.getvalue().decode() == text + "\\u{202e}"


def test_what_stands_alone_or_hides_is_seen() -> None:
    assert safe("\u200d \u200c.\u200c") == "\\u{200d} \\u{200c}.\\u{200c}"
    assert safe("a\u200d\u200d\u200b") == "a\u200d\\u{200d}\\u{200b}"
    assert safe("a\U000e0068\U000e0069") == "a\\u{e0068}\\u{e0069}"
    hidden = "\U0001f3f4" + "\U000e0061" * 9
    assert safe(hidden) == hidden[:8] + "\\u{e0061}" * 2
    marks = "\xad\u061c\u200e\u200f\u2028\u2029\u202a\u2060\u2066\u2069\ufeff\ufff9\U000e0001\x9b"
    assert safe(marks) == "".join(f"\\u{{{ord(c):x}}}" for c in marks)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
@pytest.mark.parametrize("terminal", [True, False])
def test_json_is_readable_and_exact(encoding: str, terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "t": "é한 می\u200cخ \U0001f469\u200d\U0001f4bb",
        "hidden": "\u202e\u2028\x85\x9b\x7f\x1b\n\udcff\U000e0001",
    }
    out = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr("sys.stdout", out)
    answer = Answer()
    answer.terminal = terminal
    answer.json(values)
    written = out.buffer.getvalue().decode("utf-8")
    assert json.loads(written) == values
    assert (values["t"] in written) == (encoding == "utf-8")
    assert written.isascii() == (encoding != "utf-8")
    assert len(written.splitlines()) == 1
    assert safe(written) == written


def test_spark() -> None:
    assert spark([3.0, 2.0, 1.0], 10) == "█▅▁"
    assert spark([1.0] * 5, 3) == "▁▁▁"
    assert spark([], 5) == ""
    assert len(spark(list(range(1000)), 30)) == 30
    assert spark([2.0, 1.0], 5, ascii_only=True) == "#_"


def test_durations_and_speeds() -> None:
    assert [duration(s) for s in (0, 59.6, 61, 3661)] == ["0:00", "1:00", "1:01", "1:01:01"]
    assert [speed(s) for s in (950.4, 168_400.0)] == ["950", "168k"]


def test_a_closed_stream_is_no_terminal() -> None:
    stream = io.StringIO()
    stream.close()
    assert not is_terminal(stream)
    assert not is_terminal(None)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_the_live_display_fits_and_shows_model_text_as_it_is(width: int) -> None:
    training = begin(steps=20)
    written = iter(["[red]x[/red]", "a", "[/]\x1b[2J", ":skull:"])
    console = Console(file=io.StringIO(), width=width, force_terminal=True, markup=False, emoji=False)
    screen = Screen(training, lambda step: next(written), console)
    with screen:
        for record in training:
            screen.show(record)
        shown = Console(file=io.StringIO(), width=width, markup=False, highlight=False, emoji=False)
        shown.print(screen.picture())
    text = shown.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= width
    if width >= 60:
        assert "[red]x[/red]" in text
        assert "[/]\u241b[2J" in text
        assert "step 20/20" in text
        assert re.search(r"best +\d\.\d{3} nats", text)


def test_the_lines_keep_the_first_and_the_latest() -> None:
    training = begin(steps=20)
    screen = Screen(training, lambda step: f"text {step}")
    for step in range(0, 3300, 100):
        screen.add_line(step)
    assert [step for step, _ in screen.lines] == [0, 100, 200, 700, 2400, 3200]


def test_the_headline_says_what_is_trained_on_what() -> None:
    training = charrnn.train(charrnn.Corpus.from_text("한글 " * 50, "jamo"), unit="jamo", steps=3, hidden_size=16)
    first, second, third = headline(training)
    assert first.startswith("GRU 2 x 16, ")
    assert "350 symbols, 7 distinct (unit jamo)" in second
    assert "dropout 0.2, seed 0" in third
    settings = headline(begin(steps=2, recurrent_dropout=0.1, activation_regularisation=2.0))[2]
    assert "dropout 0, recurrent dropout 0.1, activation regularisation 2, seed 0" in settings


@pytest.mark.parametrize("width", [25, 40, 60])
def test_the_bar_leaves_room_for_the_step_and_the_time(width: int) -> None:
    training = begin(steps=20)
    screen = Screen(training, lambda step: "", Console(file=io.StringIO(), width=width, force_terminal=True))
    for screen.record in training:
        pass
    shown = Console(file=io.StringIO(), width=width, color_system=None)
    shown.print(*screen.bar(width))
    lines = shown.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= width
    assert any("━" in line for line in lines)
    assert "step 20/20" in lines[-1]
    assert "0:00 left" in lines[-1]


def table(width: int, names: Sequence[str], splits: Sequence[str] = (), encoding: str = "utf-8") -> str:
    model = begin().model
    score = Score(total=123_456.7, symbols=111_540, correct=70_000, chars=111_540, bytes=111_550)
    data = io.BytesIO()
    paper = io.TextIOWrapper(data, encoding)
    out = Console(file=paper, width=width, markup=False, color_system=None)
    scores(out, [(name, model, score) for name in names], splits)
    paper.flush()
    return data.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 95, 120])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("splits", [(), ("validation", "all")])
def test_scores_drop_columns_and_cut_no_figure(width: int, encoding: str, splits: Sequence[str]) -> None:
    shown = table(width, ["a long name [red] of a model.npz", "b.npz"], splits, encoding)
    assert max(map(len, shown.splitlines())) <= width
    assert "…" not in shown
    assert shown.count("1.5968") == 2
    if width >= 60:
        assert "[red]" in shown
        assert shown.count("1.1068") == 2
        assert len(re.findall(r"111,540\b", shown)) == 2
        assert ("validation" in shown) == bool(splits)
    if width == 120:
        assert "62.8%" in shown
        assert "GRU 2 x 12, char" in shown


def test_wide_characters_keep_their_width_in_an_svg() -> None:
    picture = svg("t", lambda out: out.print("ab한글c"))
    cell = float(re.search(r'textLength="([\d.]+)"[^>]*>ab한글c<', picture)[1]) / 7  # type: ignore[index]
    plain = svg("t", lambda out: out.print("abcdefg"))
    assert cell == pytest.approx(float(re.search(r'textLength="([\d.]+)"[^>]*>abcdefg<', plain)[1]) / 7)  # type: ignore[index]
