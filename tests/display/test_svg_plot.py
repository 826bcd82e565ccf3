"""Curves in a web page: lines on axes, told apart without colours, in light and dark mode."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.display.panels import Curve, Panel
from charrnn.display.svg_plot import HEIGHT, LIGHT, WIDTH, css, figure, figures

TWO = [Curve("a<b>.npz", [0, 1, 2], [0.0, 1.0, 2.0], "cyan"), Curve("c", [0, 2], [2.0, 0.0], "red", True, "note")]


def parts(panel: Panel) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(figure(panel)).iter())


def with_class(panel: Panel, name: str) -> list[dict[str, str]]:
    return [dict(part.attrib) for part in parts(panel) if name in part.get("class", "").split()]


def test_a_curve_is_a_path_from_corner_to_corner() -> None:
    drawn, sample = with_class(Panel("a line", "x", TWO[:1]), "curve")
    points = [tuple(map(float, point.split(","))) for point in re.findall(r"[\d.]+,[\d.]+", drawn["d"])]
    assert (points[0], points[-1]) == ((0.0, HEIGHT), (WIDTH, 0.0))
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)
    assert sample["d"] == "M2,7H34"


def test_axes_have_labels_and_the_legend_names() -> None:
    panel = Panel("share <of> all", "k & more", TWO, tick="{:.1f}".format)
    texts = [part.text for part in parts(panel) if part.text]
    for text in ("share <of> all", "k & more", "0.0", "2.0", "0", "1", "2", "note"):
        assert text in texts
    names = " ".join(ElementTree.fromstring(figure(panel)).itertext())
    assert "a<b>.npz" in names
    assert not re.search("[\u2800-\u28ff]", figure(panel))


def test_curves_differ_by_marker_and_line() -> None:
    panel = Panel("two", "x", TWO)
    outlines = [
        {mark["d"] for mark in with_class(panel, "marker") if name in mark["class"]} for name in ("cyan", "red")
    ]
    assert [len(outline) for outline in outlines] == [1, 1]
    assert outlines[0] != outlines[1]
    assert all("red" in curve["class"] for curve in with_class(panel, "dashed"))
    assert with_class(panel, "dashed")


def test_a_single_point_has_a_marker() -> None:
    panel = Panel("two", "x", [TWO[0], Curve("end", [2], [1.0], "red")])
    assert any(f"({WIDTH},{HEIGHT / 2:.1f})" in mark["transform"] for mark in with_class(panel, "marker"))


def test_colours_for_light_and_dark() -> None:
    light, dark = css().split("@media (prefers-color-scheme: dark)")
    for name in LIGHT:
        assert f".{name} {{ stroke: {LIGHT[name]}" in light
        assert f".{name} {{ stroke:" in dark
        assert f".{name} {{ stroke: {LIGHT[name]}" not in dark


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=20), st.booleans())
@pytest.mark.parametrize("curves", [1, 7])
def test_any_values_are_drawn(curves: int, values: list[float], log: bool) -> None:
    drawn = [Curve(str(k), range(len(values)), values, "cyan") for k in range(curves)]
    panel = Panel("any", "x", drawn, log_y=log)
    ElementTree.fromstring(f"<body>{figures([panel, panel])}</body>")
    assert not re.search(r"[\d, ](nan|inf)", "".join(part.get("d", "") for part in parts(panel)))
