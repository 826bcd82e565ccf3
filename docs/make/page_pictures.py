"""Draws the pictures of an exported page, and measures it: python -m docs.make.page_pictures MODEL (needs Chromium)."""

import json
import sys
import tempfile
from pathlib import Path

from charrnn.__main__ import pin_threads

pin_threads()

import charrnn  # noqa: E402
from charrnn.display.web_page import web_page  # noqa: E402
from tests.browser.chromium import Browser  # noqa: E402

DOCS = Path(__file__).parents[1]
DONE = "document.getElementById('status').textContent.includes('characters in')"
SEEDS, LENGTH, LONG = 20, 1000, 10_000
TEXTS = """(() => {{
  const model = new Model(JSON.parse(document.getElementById("model").textContent));
  const options = {{ prompt: "", temperature: 0.8, topP: 1, length: {length} }};
  const text = (seed) => Array.from(model.generate({{ ...options, seed }}), (one) => one.text).join("");
  return Array.from({{ length: {seeds} }}, (_, seed) => text(seed));
}})()"""


def main() -> None:
    model = charrnn.load(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(Path(folder, "profile"))
        pages = {dtype: Path(folder, f"{dtype}.html") for dtype in ("float16", "float32")}
        for dtype, path in pages.items():
            path.write_bytes(web_page(model, Path(sys.argv[1]).stem, dtype))
            print(f"{dtype}: {path.stat().st_size / 1000:,.0f} kB")
        for dark, width, view in (
            (False, 1280, "probability"),
            (True, 390, "unit"),
            (True, 1280, "unit"),
            (False, 390, "probability"),
        ):
            browser.open(pages["float16"], width, dark)
            for name, value in {"view": view, "seed": "1", "prompt": "Once upon a time", "length": "250"}.items():
                browser.fill(name, value)
            browser.click("#generate")
            browser.wait(DONE)
            browser.click("#output span:nth-child(24)")
            browser.value("scrollTo(0, 0)")
            name = f"page-{'dark' if dark else 'light'}-{width}.png"
            (DOCS / name).write_bytes(browser.picture())
        browser.open(pages["float32"])
        browser.fill("length", str(LONG))
        browser.click("#generate")
        browser.wait(DONE)
        print(browser.value("document.getElementById('status').textContent"))
        found = browser.value(TEXTS.format(seeds=SEEDS, length=LENGTH))
        same = sum(text == "".join(charrnn.sample(model, LENGTH, seed=seed)) for seed, text in enumerate(found))
        print(json.dumps({"seeds": SEEDS, "characters": LENGTH, "same text as charrnn sample": same}))
        browser.close()


if __name__ == "__main__":
    main()
