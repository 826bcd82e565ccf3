"""Pages of HTML by themselves, readable on light and dark: a coloured text, or what the terminal drew."""

from collections.abc import Sequence
from html import escape

from charrnn.display.heatmap import NEWLINE, Scale, mixed, rows, runs

LIGHT, DARK = (255, 255, 255), (22, 24, 29)
WIDE = 1 << 30
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ground: #ffffff; --text: #1b1d22; --quiet: #6b7078; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ground: #16181d; --text: #e4e6ea; --quiet: #9aa0a8; }} }}
body {{ margin: 2rem auto; padding: 0 1rem; max-width: 72rem; background: var(--ground); color: var(--text);
  font-family: system-ui, sans-serif; }}
h1 {{ font-size: 1.1rem; }}
p {{ color: var(--quiet); }}
pre {{ font: 0.95rem/1.5 "DejaVu Sans Mono", Menlo, Consolas, "Noto Sans Mono CJK KR", monospace; tab-size: 8;
  white-space: {wrap}; overflow-wrap: anywhere; }}
{style}</style>
</head>
<body>
<h1>{heading}</h1>
{body}
</body>
</html>
"""


def page(title: str, body: str, style: str = "", wrap: str = "pre-wrap") -> str:
    text = escape(title)
    return PAGE.format(title=text, heading=text, body=body, style=style, wrap=wrap)


def palette(scale: Scale) -> str:
    """A class for each level that has a colour, on light and on dark."""
    found = []
    for before, ground, after in (("", LIGHT, ""), ("@media (prefers-color-scheme: dark) {\n", DARK, "}\n")):
        found.append(before)
        for level in range(scale.levels):
            strength = scale.strength(level)
            if strength:
                colour, share = strength
                r, g, b = mixed(ground, colour, share if ground == LIGHT else 0.75 * share)
                found.append(f".v{level} {{ background: #{r:02x}{g:02x}{b:02x}; }}\n")
        found.append(after)
    return "".join(found)


def key(scale: Scale) -> str:
    """The colours from low to high, and what the ends mean."""
    swatches = "".join(f'<span class="v{level}">&nbsp;&nbsp;</span>' for level in range(scale.levels))
    return f"<p>{scale.low:g} {swatches} {scale.high:g}{escape(scale.words)}</p>"


def coloured(
    title: str,
    parts: Sequence[tuple[str, int, Sequence[str]]],
    values: Sequence[float],
    scale: Scale,
    hints: Sequence[str] = (),
) -> str:
    """A page with texts in colour. A part is a heading, the place of its first character, and its characters.

    `hints` say something on each character, shown when the pointer rests on it; empty ones say nothing.
    """
    body = [key(scale)]
    for heading, begin, characters in parts:
        if heading:
            body.append(f"<p>{escape(heading)}</p>")
        body.append("<pre>" + "".join(lines(characters, values, scale, begin, hints)) + "</pre>")
    return page(title, "\n".join(body), palette(scale))


def lines(
    characters: Sequence[str], values: Sequence[float], scale: Scale, begin: int, hints: Sequence[str]
) -> list[str]:
    """The text as spans of one colour, or where there are hints, of one character."""
    found = []
    for row in rows(characters, WIDE, NEWLINE, begin):
        levels = [scale.level(values[tile.place]) for tile in row]
        if not hints:
            found += [span(text, level, "") for text, level in runs(row, levels)]
        else:
            found += [span(tile.text, level, hints[tile.place]) for tile, level in zip(row, levels, strict=True)]
        found.append("\n")
    return found


def span(text: str, level: int, hint: str) -> str:
    title = f' title="{escape(hint)}"' if hint else ""
    return f'<span class="v{level}"{title}>{escape(text)}</span>'
