"""Curves drawn with characters, and by matplotlib: on the axes they belong on, at any width, in any alphabet."""

import io
import math
import re
import sys
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from charrnn.display import matplotlib_plot as plot_file
from charrnn.display import panels
from charrnn.display.panels import LARGEST, Axis, Curve, Panel, heights, share_tick
from charrnn.display.terminal_plot import HEIGHT, draw_panel
from charrnn.errors import UsageError
from charrnn.see.gradients import GradientNorms
from charrnn.see.memory import Memory, Truncation


def drawn(panel: Panel, width: int = 80, encoding: str = "utf-8", colour: bool = False) -> str:
    data = io.BytesIO()
    paper = io.TextIOWrapper(data, encoding, errors="strict", newline="")
    system: Literal["truecolor"] | None = "truecolor" if colour else None
    draw_panel(Console(file=paper, width=width, color_system=system, force_terminal=colour, markup=False), panel)
    paper.flush()
    return data.getvalue().decode(encoding)


def place_of(shown: str, glyph: str) -> dict[int, int]:
    """The row of a glyph in every column, from the upper left of the axes."""
    rows = [re.split("[│┤]", row, maxsplit=1)[1] for row in shown.splitlines() if re.search("[│┤]", row)]
    return {column: row for row, line in enumerate(rows) for column, c in enumerate(line) if c == glyph}


def test_a_line_goes_from_corner_to_corner() -> None:
    found = place_of(drawn(Panel("a line", "x", [Curve("a", [0, 1, 2], [0.0, 1.0, 2.0], "cyan")])), "*")
    assert (found[min(found)], found[max(found)]) == (11, 0)
    assert sorted(found.values(), reverse=True) == [found[column] for column in sorted(found)]
    assert len(found) == max(found) - min(found) + 1


def test_an_exponential_is_a_line_on_a_logarithmic_axis() -> None:
    shares = [0.8**k for k in range(50)]
    panel = Panel("gone", "k", [Curve("a", range(50), shares, "cyan")], log_y=True, tick=share_tick)
    found = place_of(drawn(panel), "*")
    steps = [found[column + 8] - found[column] for column in sorted(found) if column + 8 in found]
    assert max(steps) - min(steps) <= 1
    assert "100 % ┤" in drawn(panel)


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("colour", [False, True])
def test_no_line_is_wider_than_the_terminal(width: int, encoding: str, colour: bool) -> None:
    curves = [
        Curve("a name that is longer than the terminal is wide.npz", range(1, 501), [2.0] * 500, "cyan", note="note"),
        Curve("b", [1, 10, 500], [3.0, 1.0, 2.5], "magenta", quiet=True),
    ]
    shown = drawn(
        Panel("a title that is long" * 3, "steps", curves, log_x=True, xticks=(1, 10, 500)), width, encoding, colour
    )
    plain = re.sub("\x1b\\[[0-9;]*m", "", shown)
    assert max(map(cell_len, plain.splitlines())) <= width
    assert colour == ("\x1b" in shown)
    assert (max(plain) >= "\u2800") == (colour and encoding == "utf-8")


def test_curves_differ_by_letter_in_colour_too() -> None:
    curves = [
        Curve("a", [0, 1], [0.0, 1.0], "cyan"),
        Curve("b", [0, 1], [1.0, 0.0], "red"),
        Curve("c", [1], [0.5], "blue"),
    ]
    plain = re.sub("\x1b\\[[0-9;]*m", "", drawn(Panel("three", "x", curves), colour=True))
    marks = [place_of(plain, letter) for letter in "*+o"]
    assert min(map(len, marks[:2])) > 3
    assert len(marks[2]) == 1
    for number, name in enumerate("abc"):
        assert f"━{'*+o'[number]}━ {name}" in plain
    single = re.sub("\x1b\\[[0-9;]*m", "", drawn(Panel("one", "x", curves[:1]), colour=True))
    assert "*" not in single
    assert "━━ a" in single


@settings(deadline=None)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=40),
    st.booleans(),
    st.booleans(),
)
def test_any_values_are_drawn(values: list[float], log: bool, colour: bool) -> None:
    curve = Curve("a", range(len(values)), values, "cyan")
    shown = drawn(Panel("any", "x", [curve], log_y=log), 40, colour=colour)
    plain = re.sub("\x1b\\[[0-9;]*m", "", shown)
    title, *axes = plain.splitlines()
    assert (title, len(axes)) == ("any", HEIGHT + 3 + 1)
    margin = re.split("[│┤]", axes[0])[0]
    columns = 40 - len(margin) - 1
    x_axis, y_axis = Axis(curve.xs, False), Axis(values, log)
    points: dict[int, list[float]] = {}
    for k, value in enumerate(values):
        if abs(value) < LARGEST:
            x = x_axis.place(k) * (columns - 1)
            column = next(c for c in range(columns) if c - 0.5 <= x < c + 0.5)
            points.setdefault(column, []).append(y_axis.place(value))
    means = {column: sum(places) / len(places) for column, places in points.items()}
    wanted = {column: round((1.0 - y) * (HEIGHT - 1)) for column, y in means.items() if 0.0 <= y <= 1.0}
    if colour:
        assert not wanted or re.search("[\u2801-\u28ff]", plain)
    else:
        found = place_of(plain, "*")
        assert {column: row for column, row in found.items() if column in points} == wanted


@settings(deadline=None)
@given(st.floats(1e-9, 1e9), st.floats(1.001, 1e6), st.booleans())
def test_ticks_are_on_the_axis_and_few(low: float, factor: float, log: bool) -> None:
    axis = Axis([low, low * factor], log)
    ticks = axis.ticks(5)
    assert len(ticks) <= 6
    assert len(ticks) >= 1
    assert all(-0.01 <= axis.place(tick) <= 1.01 for tick in ticks)


def test_many_points_in_a_column_are_averaged() -> None:
    curve = Curve("a", range(1000), [0.0, 2.0] * 500, "cyan")
    found = heights(curve, Axis(curve.xs, False), Axis([0.0, 2.0], False), 50)
    assert all(height is not None and abs(height - 0.5) < 0.06 for height in found)


def test_panels_say_what_was_found() -> None:
    left = GradientNorms(9, {}, {"h": numbers(1.0, 0.5, 0.001), "c": numbers(2.0, 1.0, 0.2)}, [{"i": 1.0}])
    more = GradientNorms(9, {}, {"h": numbers(1.0, 0.5, 0.4)}, [{"h": 1.0}])
    panel = panels.gradient_panels([("l\x1b.npz", left), ("r.npz", more)])[0]
    assert [(c.name, c.note) for c in panel.curves] == [
        ("l␛.npz, c", ""),
        ("l␛.npz, h", "falls to 1 % after 2 characters"),
        ("r.npz", "is still 40 % after 2 characters"),
    ]
    assert list(panel.curves[0].ys) == [1.0, 0.5, 0.1]
    cuts = [Truncation(5, 0.9, 0.8)]
    rows = [("m.npz", Memory([(1, 3.0), (5, 2.0)], 1.5, cuts)), ("n.npz", Memory([(1, 3.0)], 1.2, []))]
    first, second = panels.memory_panels(rows)
    assert [curve.note for curve in first.curves] == ["never: 1.500", "never: 1.200"]
    assert [(list(curve.xs), list(curve.ys)) for curve in second.curves] == [([5.0], [0.9])]
    assert len(panels.memory_panels(rows[1:])) == 1


def numbers(*values: float) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.array(values)


@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_matplotlib_draws_the_same_twice(kind: str, start: bytes) -> None:
    pytest.importorskip("matplotlib")
    curves = [Curve("_a $x$ 한.npz", [1, 2, 3], [1.0, 0.1, math.nan], "cyan", note="n"), Curve("b", [1], [0.0], "red")]
    panel = Panel("one", "k", curves, log_x=True, log_y=True, tick=share_tick, xticks=(1, 2, 3))
    first = plot_file.plot([panel], kind)
    assert first.startswith(start)
    assert first == plot_file.plot([panel], kind)


def test_without_matplotlib_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"pip install 'charrnn\[plot\]'"):
        plot_file.plot([], "png")
