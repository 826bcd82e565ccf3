"""A model as one HTML file that runs it in a browser, without network access.

The files in `web/` are put into one page: the script, the style, and the model as JSON. The Content-Security-Policy of
the page allows this script and this style, by their hashes, and nothing else.
"""

import base64
import hashlib
import json
import math
import re
from dataclasses import replace
from html import escape
from importlib.resources import files
from typing import Any

from charrnn.checkpoint.model import Model
from charrnn.display.heatmap import BLUE, GREEN, RED, Scale
from charrnn.display.html import palette
from charrnn.errors import UsageError

SCRIPTS = ("network.js", "random.js", "text.js", "sampling.js", "page.js")  # in this order, as one script
CELLS = ("lstm", "gru", "rnn", "mingru", "lru")  # of network.js
BYTES = {"float16": 2, "float32": 4}
LARGEST = 40_000_000  # bytes
# as in `charrnn see surprise` and `see neurons`; the script only uses the levels
SCALES = {
    "bits": Scale(0.0, 10.0, (RED,), ""),
    "positive": Scale(0.0, 1.0, (GREEN,), ""),
    "signed": Scale(-1.0, 1.0, (BLUE, RED), ""),
}


def check_page(model: Model, dtype: str, or_float16: bool = True) -> None:
    """Raises UsageError for a network that the script cannot compute, or that is too large for a page.

    `or_float16` says whether float16 weights are possible in place of float32.
    """
    config = model.config
    if config.cell not in CELLS:
        raise UsageError(f"a page runs the cells {', '.join(CELLS)}, not {config.cell}: export a model of one of them.")
    size = page_size(model, dtype)
    if size <= LARGEST:
        return
    what = f"the page would have {size / 1e6:,.1f} MB, and a page has at most {LARGEST / 1e6:.0f} MB"
    if or_float16 and dtype == "float32" and page_size(model, "float16") <= LARGEST:
        raise UsageError(f"{what}: remove --float32.")
    fits = max(H for H in range(1, config.hidden_size) if page_size(model, dtype, H) <= LARGEST)
    raise UsageError(f"{what}: train a smaller network; --hidden-size {fits // 16 * 16 or fits} fits.")


def page_size(model: Model, dtype: str, hidden_size: int = 0) -> int:
    """Bytes of the weights in a page, in base64, of the model or one like it with this hidden size."""
    config = replace(model.config, hidden_size=hidden_size or model.config.hidden_size)
    return sum(map(math.prod, config.shapes.values())) * BYTES[dtype] * 4 // 3


def web_page(model: Model, title: str, dtype: str) -> bytes:
    """The page of a model, with weights of this type, "float16" or "float32"."""
    script = "".join(map(part, SCRIPTS))
    style = part("page.css") + "".join(palette(scale, f".{name}") for name, scale in SCALES.items())
    content = {
        "title": escape(title),
        "policy": f"default-src 'none'; script-src '{hashed(script)}'; style-src '{hashed(style)}'; "
        "base-uri 'none'; form-action 'none'",
        "style": style,
        "script": script,
        "model": data_block(model_data(model, dtype)),
    }
    # in one pass: no text is searched for the names of others
    return re.sub(r"\{\{(\w+)\}\}", lambda match: content[match[1]], part("page.html")).encode()


def part(name: str) -> str:
    return (files("charrnn.display") / "web" / name).read_text("utf-8")


def hashed(text: str) -> str:
    """The source of a script or style in a Content-Security-Policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def data_block(values: dict[str, Any]) -> str:
    """JSON as the text of a script element: it contains no `<`, so that it can neither end nor start an element."""
    return json.dumps(values, separators=(",", ":")).replace("<", "\\u003c")


def model_data(model: Model, dtype: str) -> dict[str, Any]:
    """All that the script needs to know of a model."""
    config, vocab, task = model.config, model.vocab, model.task
    weights = model.params.flat.astype(f"<f{BYTES[dtype]}")
    return {
        "description": model.description,
        "cell": config.cell,
        "layers": config.layers,
        "hidden": config.hidden_size,
        "inputs": config.vocab_size,
        "unit": vocab.unit,
        "codes": vocab.codes.tolist(),
        "rare": vocab.rare.tolist(),
        "boundary": vocab.boundary_code,
        "task": task.kind if task else "text",
        "labels": task.labels if task else (),
        "reverse": bool(task and task.reverse),
        "sizes": [(name, math.prod(shape)) for name, shape in config.shapes.items()],
        "type": dtype,
        "weights": base64.b64encode(weights.tobytes()).decode(),
    }
