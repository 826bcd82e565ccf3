"""A model as one HTML file that runs it in a browser, without network access.

The files in `web/` are put into one page: the script, the style, and the model as JSON. The Content-Security-Policy of
the page allows this script and this style, by their hashes, and nothing else.
"""

import base64
import hashlib
import json
import re
from html import escape
from importlib.resources import files
from typing import Any

from charrnn.checkpoint.model import Model

SCRIPTS = ("network.js", "random.js", "page.js")  # in this order, as one script


def web_page(model: Model, title: str, dtype: str = "float32") -> bytes:
    """The page of a model, with weights of this type."""
    script = "".join(map(part, SCRIPTS))
    style = part("page.css")
    content = {
        "title": escape(title),
        "policy": f"default-src 'none'; script-src '{hashed(script)}'; style-src '{hashed(style)}'; "
        "base-uri 'none'; form-action 'none'",
        "style": style,
        "script": script,
        "model": data_block(model_data(model, title, dtype)),
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


def model_data(model: Model, title: str, dtype: str) -> dict[str, Any]:
    """All that the script needs to know of a model."""
    config, vocab, task = model.config, model.vocab, model.task
    weights = model.params.flat.astype(f"<{'f4' if dtype == 'float32' else 'f2'}")
    return {
        "title": title,
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
        "type": dtype,
        "weights": base64.b64encode(weights.tobytes()).decode(),
    }
