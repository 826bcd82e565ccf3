"""HTML for notebooks: paragraphs, tables, coloured texts, and curves as inline SVG. All text is escaped."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, LINE = 480, 160, 64, 16  # of the plot, its left margin, and a line of text, in pixels
COLOURS = ("#3264dc", "#cd3c32", "#1e8c3c", "#aa7800")  # readable on white and on black

CONTROLS = dict.fromkeys(
    [*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\ufffd"
)


def escaped(value: object) -> str:
    """A text for HTML; control characters are replaced, and what UTF-8 cannot express becomes a question mark."""
    return escape(str(value).translate(CONTROLS).encode("utf-8", "replace").decode())


def text(value: object, tag: str = "p") -> str:
    return f"<{tag}>{escaped(value)}</{tag}>"


def table(rows: Iterable[Sequence[object]], header: Sequence[str] = ()) -> str:
    """A table of texts; without a header, the first cell of a row is its heading."""
    lines = ["".join(text(name, "th") for name in header)] if header else []
    for first, *rest in rows:
        lines.append(text(first, "td" if header else "th") + "".join(text(value, "td") for value in rest))
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def shaded(characters: Iterable[tuple[str, float, str]]) -> str:
    """A text; each character with the strength of its colour, 0 to 1, and a hint that the pointer shows."""
    spans = (
        f'<span style="background: rgba(205, 60, 50, {min(strength, 1.0):.2f})" title="{escaped(hint)}">'
        f"{escaped(character)}</span>"
        for character, strength, hint in characters
    )
    return f'<pre style="white-space: pre-wrap">{"".join(spans)}</pre>'


def plot(curves: Mapping[str, tuple[Iterable[float], Iterable[float]]], x_label: str, log_y: bool = False) -> str:
    """Curves as an SVG, by name: the x and y of their points. It is empty if no point can be drawn.

    Points that are not finite are left out, and if the y-axis is logarithmic, those that are not positive.
    """
    drawn = {
        name: [(x, y) for x, y in zip(xs, ys, strict=True) if math.isfinite(y) and (y > 0.0 or not log_y)]
        for name, (xs, ys) in curves.items()
    }
    points = [point for line in drawn.values() for point in line]
    if not points:
        return ""
    (start, end), (low, high) = ((min(values), max(values)) for values in zip(*points, strict=True))
    position = math.log if log_y else float
    bottom, height = position(low), position(high) - position(low) or 1.0

    def pixels(x: float, y: float) -> str:
        right, up = (x - start) / (end - start or 1.0), (position(y) - bottom) / height
        return f"{LEFT + right * WIDTH:.1f},{LINE + (1.0 - up) * HEIGHT:.1f}"

    def label(x: float, y: float, anchor: str, content: str, colour: str = "currentColor") -> str:
        return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{escaped(content)}</text>'

    base = LINE + HEIGHT
    parts = [
        f'<path d="M{LEFT},{LINE} V{base} H{LEFT + WIDTH}" fill="none" stroke="currentColor"/>',
        label(LEFT - 4, LINE + 8, "end", f"{high:.3g}"),
        label(LEFT - 4, base, "end", f"{low:.3g}"),
        label(LEFT, base + LINE, "start", f"{start:,.6g}"),
        label(LEFT + WIDTH / 2, base + LINE, "middle", x_label),
        label(LEFT + WIDTH, base + LINE, "end", f"{end:,.6g}"),
    ]
    for k, (name, line) in enumerate(drawn.items()):
        colour = COLOURS[k % len(COLOURS)]
        places = " ".join(pixels(x, y) for x, y in (line * 2 if len(line) == 1 else line))  # a single point is a dot
        parts.append(
            f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2" stroke-linecap="round"/>'
        )
        parts.append(label(LEFT + WIDTH, LINE * (k + 1), "end", name, colour))
    size = f'width="{LEFT + WIDTH + 8}" height="{base + 2 * LINE}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-size="11">{"".join(parts)}</svg>'
