"""A text in colours: columns hold for wide characters, tabs and control characters, on a terminal and in a page."""

import html.parser
import io
import re
from html import unescape
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from charrnn.display.heatmap import BLUE, GREEN, RED, Scale, draw_text, legend, rows, runs
from charrnn.display.html import coloured, page
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
    assert bare == "".join(safe(c) for c in text if c not in " \n\t")
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
    assert first.startswith("aa\x1b[30;") or first.startswith("aa\x1b[38;2;0;0;0;48;2;240;90;60m")
    assert re.sub("\x1b\\[[0-9;]*m", "", first) == "aab↵"
    assert second == "c"


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
    assert ONE.style(0) == ""
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
