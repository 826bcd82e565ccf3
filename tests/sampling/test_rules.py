"""No repeats, no copies, and where a text ends."""

from collections.abc import Collection
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.sampling.rules import Ending, NoCopy, NoRepeat


@settings(deadline=None)
@given(text=st.text("ab", max_size=30), n=st.integers(1, 5))
def test_no_repeat_bans_what_repeats(text: str, n: int) -> None:
    rule = NoRepeat(n, text[:3])
    for character in text[3:]:
        rule.push(character)
    seen = {text[i : i + n] for i in range(len(text) - n + 1)}
    for more in ("", "a", "b"):
        whole = text + more
        grams = seen | {whole[i : i + n] for i in range(len(whole) - n + 1)}
        wanted = {c for c in "ab" if len(whole) >= n - 1 and (whole + c)[-n:] in grams}
        assert set(rule.banned(more)) == wanted
        assert text.endswith(rule.context)  # asking changes nothing
        assert len(rule.context) == min(n - 1, len(text))


class Runs:
    """Every run of n characters of a text."""

    def __init__(self, text: str, n: int) -> None:
        self.n, self.text = n, text

    def completing(self, context: str) -> Collection[str]:
        assert len(context) == self.n - 1
        return {c for c in self.text if context + c in self.text}


def test_no_copy_bans_what_completes_a_run() -> None:
    rule = NoCopy(Runs("abcabd", 3))
    assert rule.banned() == ()
    for character in "ab":
        rule.push(character)
    assert set(rule.banned()) == {"c", "d"}
    assert set(rule.banned("c")) == {"a"}
    assert set(NoCopy(Runs("abca", 1)).banned()) == {"a", "b", "c"}


@given(text=st.text("aé\udce9", max_size=12), n=st.integers(1, 4), held=st.text("\udcc3\udca9", max_size=3))
def test_raw_no_repeat_bans_bytes(text: str, n: int, held: str) -> None:
    rule = NoRepeat(n, text[:3], raw=True)
    for character in text[3:]:
        rule.push(character)
    whole = text.encode("utf-8", "surrogateescape") + held.encode("utf-8", "surrogateescape")
    grams = {whole[i : i + n] for i in range(len(whole) - n + 1)}
    wanted = {c for c in "a\udcc3\udca9\udce9" if (whole + c.encode("utf-8", "surrogateescape"))[-n:] in grams}
    assert set(rule.banned(held)) == wanted


def ended(text: str, stop: list[str], lines: int | None = None, *more: Any) -> tuple[str, str, bool]:
    """What comes out, what is withheld at the end, and whether it is done."""
    ending, out = Ending(stop, lines, *more), ""
    for character in text:
        if ending.done:
            break
        out += ending.push(character)
    return out, ending.withheld, ending.done


def test_a_text_ends_before_a_stop() -> None:
    assert ended("one. two", ["."]) == ("one", "", True)
    assert ended("one. two", ["two", "ne"]) == ("o", "", True)
    assert ended("aab", ["aab"]) == ("", "", True)
    assert ended("aaab", ["aab"]) == ("a", "", True)
    assert ended("xabc", ["abc", "b"]) == ("xa", "", True)  # what is complete first ends it
    assert ended("xabc", ["c", "abc"]) == ("x", "", True)  # of those complete at once the longest


def test_what_may_begin_a_stop_is_withheld() -> None:
    assert ended("hello EN", ["END"]) == ("hello ", "EN", False)
    assert ended("hello ENd", ["END"]) == ("hello ENd", "", False)
    assert ended("ababab", ["ababac"]) == ("ab", "abab", False)


@settings(deadline=None)
@given(text=st.text("ab.", max_size=40), stop=st.lists(st.text("ab.", min_size=1, max_size=4), max_size=3))
def test_nothing_but_the_rest_is_lost(text: str, stop: list[str]) -> None:
    out, withheld, done = ended(text, stop)
    # the stop that is complete first, and of those the one that begins first
    first = min(((text.index(s) + len(s), text.index(s)) for s in stop if s in text), default=None)
    assert done == (first is not None)
    assert out + withheld == (text if first is None else text[: first[1]])
    assert any(s.startswith(withheld) for s in stop) or not withheld


def test_lines_are_whole() -> None:
    assert ended("a\nb\nc", [], 2) == ("a\nb\n", "", True)
    assert ended("a\n", [], 2) == ("a\n", "", False)
    assert ended("a\n\nb\n", ["\n\n"], 2) == ("a", "", True)
    assert ended("a\nb\nc", ["b\nc"], 2) == ("a\nb\n", "", True)


def test_blank_lines_count_if_requested() -> None:
    assert ended("\n \t\na\n\n b\nc", [], 2) == ("\n \t\na\n\n b\n", "", True)
    assert ended("\n \nc", [], 2, "", True) == ("\n \n", "", True)
    assert ended("\na\nb", [], 2, "Once", False) == ("\na\n", "", True)  # the first line starts in the prompt
    assert ended("\na\nb", [], 1, "Once\n ", False) == ("\na\n", "", True)
