"""Self-contained HTML pages in light and dark mode: a coloured text, or what the terminal would show."""

from collections.abc import Iterator, Sequence
from html import escape

from charrnn.display.heatmap import LEVELS, NEWLINE, Colour, Scale, blend, rows, runs
from charrnn.display.terminal import safe

WHITE, DARK = (255, 255, 255), (22, 24, 29)  # backgrounds
ON_DARK = 0.55  # opacity of the strongest colour: the contrast of light text on it is at least 4.5
UNLIMITED = 1 << 30  # columns
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
  white-space: {wrap}; overflow-x: auto; overflow-wrap: anywhere; }}
{style}</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def page(title: str, body: str, style: str = "", wrap: str = "pre-wrap") -> str:
    return PAGE.format(title=escape(title), body=body, style=style, wrap=wrap)


def palette(scale: Scale, within: str = "") -> str:
    """CSS: a class for each level that has a colour, in light and dark mode; `within` precedes its selector."""

    def rules(background: Colour, opacity: float) -> str:
        return "".join(
            f"{within}.v{level} {{ background: {blend(background, strength[0], opacity * strength[1])}; }}\n"
            for level in range(LEVELS)
            if (strength := scale.strength(level))
        )

    without = [f"{within}.v{level}" for level in range(LEVELS) if not scale.strength(level)]
    faint = "".join(f"{name} {{ color: var(--quiet); }}\n" for name in without)
    return f"{faint}{rules(WHITE, 1.0)}@media (prefers-color-scheme: dark) {{\n{rules(DARK, ON_DARK)}}}\n"


def legend(scale: Scale) -> str:
    """The colours from low to high."""
    swatches = "".join(f'<span class="v{level}">&nbsp;&nbsp;</span>' for level in range(LEVELS))
    return f"<p>{scale.low:g} {swatches} {scale.high:g}{escape(scale.suffix)}</p>"


def coloured(
    title: str,
    parts: Sequence[tuple[str, int, Sequence[str]]],
    values: Sequence[float],
    scale: Scale,
    hints: Sequence[str] = (),
    summary: str = "",
) -> str:
    """A page of coloured texts. A part is a heading, the place of its first character, and its characters.

    `hints` are shown when the pointer rests on a character; empty ones are not.
    """
    body = [legend(scale)]
    for heading, start, characters in parts:
        if heading:
            body.append(f"<p>{escape(heading)}</p>")
        body.append("<pre>" + "".join(spans(characters, values, scale, start, hints)) + "</pre>")
    if summary:
        body.append(f"<p>{escape(safe(summary))}</p>")
    return page(title, "\n".join(body), palette(scale))


def spans(
    characters: Sequence[str], values: Sequence[float], scale: Scale, start: int, hints: Sequence[str]
) -> Iterator[str]:
    """The text as one span per run of a level, or with hints, per character."""
    for row in rows(characters, UNLIMITED, NEWLINE, start):
        levels = [scale.level(values[tile.place]) for tile in row]
        if not hints:
            yield from (span(text, level, "") for text, level in runs(row, levels))
        else:
            yield from (span(tile.text, level, hints[tile.place]) for tile, level in zip(row, levels, strict=True))
        yield "\n"


def span(text: str, level: int, hint: str) -> str:
    title = f' title="{escape(hint)}"' if hint else ""
    return f'<span class="v{level}"{title}>{escape(text)}</span>'
