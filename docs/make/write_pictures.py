"""Makes the pictures of `charrnn write` in the README: python docs/make/write_pictures.py (about three minutes).

It trains on the tales and on the Korean tales, types a few keys, and exports the screen as SVG.
"""

import asyncio
import os
import tempfile
from pathlib import Path

from charrnn.__main__ import pin_threads

pin_threads()

import charrnn  # noqa: E402
from charrnn.display.console import local_font  # noqa: E402
from charrnn.editor.app import Editor  # noqa: E402
from charrnn.editor.text_file import TextFile  # noqa: E402

DOCS = Path(__file__).parents[1]
ENGLISH = ("story.txt", [*"The fox said ", "tab", "tab", "tab", "ctrl+l", "ctrl+n"])
KOREAN = ("이야기.txt", ["옛날에 호랑이가 ", "tab", "tab", "ctrl+l"])


async def picture(editor: Editor, keys: list[str], size: tuple[int, int]) -> str:
    async with editor.run_test(size=size) as pilot:
        for key in keys:
            if len(key) > 1 and not key.isascii():  # as an input method hands it over
                editor.page.put(key)
            else:
                await pilot.press(key)
            await pilot.pause()
            while editor.busy:
                await pilot.pause(0.05)
        await pilot.pause()
        return editor.export_screenshot(title="charrnn write")


def draw(model: charrnn.Model, name: str, text: str, keys: list[str], size: tuple[int, int], goal: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = TextFile(os.path.join(folder, text))
        svg = asyncio.run(picture(Editor(model, name, file, 0.7, 1), keys, size))
        file.close()
    (DOCS / goal).write_text(local_font(svg), "utf-8")


def trained(text: str, unit: str) -> charrnn.Model:
    training = charrnn.train(text, unit=unit)
    for _ in training:
        pass
    return training.model


def main() -> None:
    os.chdir(DOCS.parent)
    draw(trained("corpora/tales.txt", "char"), "tales.npz", *ENGLISH, (80, 24), "write.svg")
    draw(trained("corpora/iyagi.txt", "jamo"), "jamo.npz", *KOREAN, (100, 30), "write-korean.svg")


if __name__ == "__main__":
    main()
