"""A text in colours: columns hold for wide characters, tabs and control characters, on a terminal and in a page."""

import html.parser
import io
import re
from html import unescape
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from charrnn.display.heatmap import BLUE, GREEN, LEVELS, RED, Scale, draw_text, legend, rows, runs
from charrnn.display.html import coloured, page, palette
from charrnn.display.terminal import safe

ONE, TWO = Scale(0.0, 10.0, (RED,), " bits"), Scale(-1.0, 1.0, (BLUE, RED), "")
ALPHABET = st.sampled_from(list("ab \t\n한글👍é\x1b\x07\x7f\u202e\u0301\u200d\ud800[]"))


def drawn(text: str, values: list[float], width: int, colour: bool = False, scale: Scale = ONE) -> list[str]:
    paper = io.StringIO()
    system: Literal["truecolor"] | None = "truecolor" if colour else None
    draw_text(
        Console(file=paper, width=width, color_system=system, force_terminal=colour, markup=False), text, values, scale
    )
    return paper.getvalue().splitlines()


@settings(deadline=None)
@given(st.text(ALPHABET, max_size=60), st.integers(1, 30))
def test_every_character_is_on_a_tile_and_no_row_is_too_wide(text: str, room: int) -> None:
    found = list(rows(text, room))
    bare = re.sub("[◌↵ ]", "", "".join(tile.text for row in found for tile in row))
    assert bare == "".join(safe(c, text[:at]) for at, c in enumerate(text) if c not in " \n\t")
    for row in found:
        assert sum(tile.width for tile in row) <= room or len(row) == 1  # what is wider by itself stands alone
        for tile in row:
            base = "".join(c for c in tile.text if cell_len(c))
            assert cell_len(base) == tile.width or text[tile.place] == "\t"


def test_tabs_go_to_columns_of_eight() -> None:
    (row,) = rows("a\t한\tb", 80)
    assert [(tile.text, tile.width) for tile in row] == [
        ("a", 1),
        (" " * 7, 7),
        ("한", 2),
        (" " * 6, 6),
        ("b", 1),
    ]


def test_marks_stand_below_what_they_belong_to() -> None:
    text = "a한\tb\x1b\n👍c"
    values = [1.0, 5.0, 0.0, 9.5, 3.0, 2.0, 7.0, 11.0]
    lines = drawn(text, values, 40)
    assert lines == ["a한     b␛↵", "15      932", "👍c", "7 9"]
    for shown, marks in (lines[:2], lines[2:]):
        assert cell_len(shown) == len(marks)


def test_long_lines_go_on_in_the_next_row() -> None:
    assert drawn("abcde한f\ng", [0.0] * 9, 6)[::2] == ["abcde", "한f↵", "g"]


def test_colours_change_where_levels_do() -> None:
    first, second = drawn("aab\nc", [0.0, 0.0, 9.9, 5.0, 0.0], 20, colour=True)
    assert first.startswith("\x1b[2maa\x1b[0m\x1b[38;2;0;0;0;48;2;240;90;60mb\x1b[0m\x1b[")
    assert re.sub("\x1b\\[[0-9;]*m", "", first) == "aab↵"
    assert second == "\x1b[2mc\x1b[0m"


def test_text_is_never_obeyed() -> None:
    text = "[red]\x1b[2J\x9b[link=x]:skull:"
    for colour in (False, True):
        shown = "\n".join(drawn(text, [0.0] * len(text), 200, colour))
        assert "[red]␛[2J\\u{9b}[link=x]:skull:" in re.sub("\x1b\\[[0-9;]*m", "", shown)
        assert "\x1b[2J" not in shown


def test_levels_and_strengths() -> None:
    assert [ONE.level(value) for value in (-1.0, 0.0, 0.99, 1.0, 9.99, 10.0, 99.0, float("inf"))] == [
        *(0, 0, 0, 1, 9, 9, 9, 9),
    ]
    assert ONE.style(0) == "dim"
    assert TWO.style(4) == TWO.style(5) == "dim"
    assert ONE.style(1).startswith("underline #")
    assert ONE.style(9) == "#000000 on #f05a3c"
    assert TWO.strength(4) is None
    assert TWO.strength(5) is None
    assert TWO.strength(0) == (BLUE, 1.0)
    assert TWO.strength(9) == (RED, 1.0)
    assert Scale(0.0, 1.0, (GREEN,), "").level(0.55) == 5


def test_the_legend_is_one_line() -> None:
    paper = io.StringIO()
    legend(Console(file=paper, width=60, color_system=None, markup=False), ONE, "m.npz: 2.0 bits")
    assert paper.getvalue() == "m.npz: 2.0 bits  0 0123456789 10 bits\n"


def luminance(colour: str) -> float:
    shares = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scale", [ONE, TWO, Scale(0.0, 1.0, (GREEN,), "")])
def test_the_least_surprising_characters_are_the_least_prominent(scale: Scale) -> None:
    light, dark = palette(scale).split("@media (prefers-color-scheme: dark)")
    middle = next(level for level in range(LEVELS) if not scale.strength(level))
    for rules, ground in ((light, "#ffffff"), (dark, "#16181d")):
        found = {int(level): colour for level, colour in re.findall(r"\.v(\d) { background: (#\w+)", rules)}
        assert middle not in found
        for side in ([level for level in found if level > middle], [level for level in found if level < middle][::-1]):
            prominence = [contrast(found[level], ground) for level in side]
            assert prominence == sorted(prominence)
            assert not prominence or 1.0 < prominence[0] < 2.0
    assert f".v{middle} {{ color: var(--quiet); }}" in light
    # on a terminal of either kind: dim, then coloured and underlined, then on a colour
    kinds = [
        next(k for k, word in enumerate(("dim", "underline", "#000000 on")) if scale.style(level).startswith(word))
        for level in range(middle, LEVELS)
    ]
    assert kinds == sorted(kinds)
    assert set(kinds) == {0, 1, 2}


class Reader(html.parser.HTMLParser):
    """Collects the text of <pre>, the hints, and the balance of tags."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.text = False, ""
        self.open: list[str] = []
        self.hints: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "meta":
            return
        self.open.append(tag)
        self.inside = self.inside or tag == "pre"
        self.hints += [value or "" for name, value in attrs if name == "title"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.inside = self.inside and tag != "pre"

    def handle_data(self, data: str) -> None:
        self.text += data if self.inside else ""


@settings(deadline=None)
@given(st.text(ALPHABET | st.sampled_from("<>&\"'"), max_size=60), st.booleans())
def test_a_page_says_the_text_and_nothing_else(text: str, hinted: bool) -> None:
    values = [float(k % 12) for k in range(len(text))]
    hints = [f"<{k}> {safe(c)}" for k, c in enumerate(text)] if hinted else []
    reader = Reader()
    reader.feed(coloured("<title>", [("", 0, text)], values, ONE, hints))
    assert reader.open == []
    plain = re.sub("\n$", "", reader.text)
    wanted = "".join(tile.text + "\n" * (text[tile.place] == "\n") for row in rows(text, 10**9) for tile in row)
    assert plain.rstrip("\n") == wanted.rstrip("\n")
    assert set(reader.hints) <= set(hints)


def test_a_page_has_colours_for_light_and_dark() -> None:
    found = coloured("t", [("first", 1, "bc")], [0.0, 5.0, 9.0], ONE)
    light, dark = (
        found.split("@media (prefers-color-scheme: dark)")[1:3][0],
        found.split("prefers-color-scheme: dark")[2],
    )
    assert ".v5 { background:" in light
    assert ".v5 { background:" in dark
    assert "color-scheme: light dark" in found
    assert '<span class="v5">b</span><span class="v9">c</span>' in found
    assert unescape(page("a <b>", "")).count("a <b>") == 2


def test_runs_join_neighbours_of_one_level() -> None:
    (row,) = rows("aabb", 9)
    assert list(runs(row, [1, 1, 2, 1])) == [("aa", 1), ("b", 2), ("b", 1)]
    assert list(runs([], [])) == []
