"""Curves as figures of a web page: inline SVG in the colours of the page."""

from collections.abc import Sequence
from html import escape

from charrnn.display.panels import Curve, Panel, heights, x_tick

WIDTH, HEIGHT, LEFT, BELOW, MARGIN = 640, 220, 76, 44, 8  # of the axes, and the space around them
SAMPLES = WIDTH // 2 + 1  # points of a curve
EVERY = 40  # points from one marker to the next
MARKERS = (  # one per curve, as outlines around 0,0
    "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z",
    "M-4,-4h8v8h-8z",
    "M0,-5l5,9h-10z",
    "M0,-6l5,6l-5,6l-5,-6z",
    "M-4,-4l8,8m-8,0l8,-8",
    "M-5,0h10m-5,-5v10",
)
LIGHT = {"cyan": "#0077bb", "magenta": "#aa3377", "yellow": "#a67c00", "green": "#228833", "red": "#cc3311"}
DARK = {"cyan": "#4db4f0", "magenta": "#ee88bb", "yellow": "#ddbb44", "green": "#66cc77", "red": "#ff7755"}
LIGHT["blue"], DARK["blue"] = "#332288", "#a89aff"
STYLE = """figure { margin: 1.5rem 0; max-width: 48rem; }
figcaption { font-weight: 600; }
svg { display: block; width: 100%; font-size: 13px; fill: var(--quiet); }
.rule { stroke: var(--quiet); stroke-opacity: 0.25; }
.axis { stroke: var(--quiet); }
.curve { fill: none; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.dashed { stroke-width: 1.2; stroke-dasharray: 5 3; }
.marker { stroke-width: 1.5; }
.key { display: inline-block; margin-right: 1.5em; color: var(--text); overflow-wrap: anywhere; }
.key svg { display: inline; width: 36px; height: 14px; vertical-align: middle; }
.key small { color: var(--quiet); font-size: inherit; }
"""


def css() -> str:
    """The rules for the figures, in light and dark mode."""

    def colours(shades: dict[str, str]) -> str:
        return "".join(f".{name} {{ stroke: {shade}; fill: {shade}; }}\n" for name, shade in shades.items())

    return f"{colours(LIGHT)}@media (prefers-color-scheme: dark) {{\n{colours(DARK)}}}\n{STYLE}"


def figures(panels: Sequence[Panel]) -> str:
    return "".join(map(figure, panels))


def figure(panel: Panel) -> str:
    """A caption, the axes with their labels and curves, and a legend."""
    x_axis, y_axis = panel.axes()
    parts = [f'<path class="axis" fill="none" d="M0,0V{HEIGHT}H{WIDTH}"/>']
    for y in y_axis.ticks(5):
        place = (1.0 - y_axis.place(y)) * HEIGHT
        parts.append(f'<path class="rule" d="M0,{place:.1f}H{WIDTH}"/>')
        parts.append(f'<text x="-8" y="{place + 4:.1f}" text-anchor="end">{panel.tick(y)}</text>')
    free = -MARGIN * 1.0
    for x in panel.xticks or x_axis.ticks(6):
        place, text = x_axis.place(x) * WIDTH, x_tick(x)
        parts.append(f'<path class="axis" d="M{place:.1f},{HEIGHT}v5"/>')
        if place - 4 * len(text) >= free:
            parts.append(f'<text x="{place:.1f}" y="{HEIGHT + 20}" text-anchor="middle">{text}</text>')
            free = place + 4 * len(text) + MARGIN
    parts.append(f'<text x="{WIDTH}" y="{HEIGHT + 38}" text-anchor="end">{escape(panel.x_label)}</text>')
    parts.append(f'<svg width="{WIDTH}" height="{HEIGHT}">')  # a nested <svg> cuts off what is outside the axes
    markers, keys = ["</svg>"], []
    for number, curve in enumerate(panel.curves):
        places = heights(curve, x_axis, y_axis, SAMPLES)
        points = {k: (2 * k, (1.0 - y) * HEIGHT) for k, y in enumerate(places) if y is not None}
        if points:
            steps = " ".join(f"{x},{y:.1f}" for x, y in points.values())
            parts.append(f'<path class="{line_class(curve)}" d="M{steps}h0"/>')
        inside = [k for k, (_, y) in points.items() if 0.0 <= y <= HEIGHT]
        first = (EVERY // 2 + 8 * number) % EVERY  # markers of different curves are side by side
        marked = [k for k in inside if k % EVERY == first] or inside[-1:]
        markers += [marker(curve, number, *points[k]) for k in marked]
        keys.append(key(curve, number))
    parts += markers
    box = f"{-LEFT} {-MARGIN} {LEFT + WIDTH + 2 * MARGIN} {HEIGHT + BELOW + MARGIN}"
    title = escape(panel.title)
    axes = f'<svg viewBox="{box}" role="img" aria-label="{title}">{"".join(parts)}</svg>'
    return f"<figure><figcaption>{title}</figcaption>\n{axes}\n{''.join(keys)}</figure>\n"


def line_class(curve: Curve) -> str:
    return f"{curve.colour} curve{' dashed' if curve.quiet else ''}"


def marker(curve: Curve, number: int, x: float, y: float) -> str:
    outline = MARKERS[number % len(MARKERS)]
    return f'<path class="{curve.colour} marker" transform="translate({x},{y:.1f})" d="{outline}"/>'


def key(curve: Curve, number: int) -> str:
    """The line and the marker of a curve, with its name and note."""
    sample = (
        f'<svg viewBox="0 0 36 14"><path class="{line_class(curve)}" d="M2,7H34"/>{marker(curve, number, 18, 7)}</svg>'
    )
    note = f" <small>{escape(curve.note)}</small>" if curve.note else ""
    return f'<span class="key">{sample} {escape(curve.name)}{note}</span>'
