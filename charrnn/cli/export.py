"""`charrnn export`: a model as another kind of file, chosen by the ending of its name."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from charrnn.cli.inputs import refuse_overwriting, split
from charrnn.cli.options import MODEL, command, complete_files, model_option, option, weights_option
from charrnn.display.terminal import remark
from charrnn.errors import UsageError
from charrnn.options import BUILT_IN

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model

MOST_NATS = 0.001  # that float16 weights may cost


@dataclass(frozen=True)
class Request:
    """What an export is made of: the model, the path that it was loaded from, and the option --float32."""

    model: "Model"
    path: str
    float32: bool


@dataclass(frozen=True)
class Exported:
    """The contents of a file, and a remark on them, such as the type of the weights."""

    data: bytes
    remark: str


def export_page(request: Request) -> Exported:
    from charrnn.display.web_page import check_page, web_page
    from charrnn.evaluation.rounding import float16_cost

    model, kept = request.model, "float32" if request.float32 else "float16"
    check_page(model, kept)
    remark = "float32 weights"
    if not request.float32:
        cost = float16_cost(model)
        remark = f"float16 weights, which cost {cost:.4f} nats per symbol"
        if cost > MOST_NATS:
            check_page(model, kept := "float32", or_float16=False)
            why = f"float16 would cost {cost:.4f} nats per symbol"
            remark = f"float32 weights, because {why if math.isfinite(cost) else 'float16 lacks the range'}"
    return Exported(web_page(model, title(request.path), kept), remark)


def title(path: str) -> str:
    """The title of a page: the name of the model file. Bytes in it that are not UTF-8 become replacement characters."""
    return os.fsencode(Path(path).stem.removeprefix(BUILT_IN)).decode("utf-8", "replace")


def export_safetensors(request: Request) -> Exported:
    from charrnn.checkpoint.safetensors import encode

    names = "the model file" if request.model.config.linear else "PyTorch"
    return Exported(encode(request.model), f"the tensors of {names}")


def export_onnx(request: Request) -> Exported:
    from charrnn.checkpoint.onnx import encode

    return Exported(encode(request.model), "one step from ids and states to logits and states")


# the endings of files, and what makes their contents
FORMATS: dict[str, Callable[[Request], Exported]] = {
    ".html": export_page,
    ".onnx": export_onnx,
    ".safetensors": export_safetensors,
}


@command()
@click.argument("output", metavar="FILE", type=str, shell_complete=complete_files)
@model_option("models", multiple=True, default=[MODEL], help="Model file to export.")
@weights_option()
@option("--float32", is_flag=True, help="Store the weights of a page as float32, which doubles its size.")
@option("--force", is_flag=True, help="Replace FILE if it exists.")
def export(output: str, models: tuple[str, ...], weights: str, float32: bool, force: bool) -> None:
    """Write a model as a web page, or as a file for another program.

    FILE.html is a page that generates text in any browser, without a server or network access. Its weights are
    float16, unless that costs more than 0.001 nats per symbol. FILE.safetensors has the weights as tensors for
    PyTorch, FILE.onnx computes one step of the network in an ONNX runtime (docs/export.md shows both); they need the
    packages safetensors and onnx: pip install 'charrnn[safetensors,onnx]'.
    """
    make = check_output(output, force)
    if float32 and make is not export_page:
        raise UsageError("--float32 is for web pages, the weights in other files are always float32: remove it.")
    if len(models) > 1:
        raise UsageError("export writes one model, not a mixture: name one -m.")
    [path] = models
    if not os.path.exists(path) and split(path)[0] != path:
        raise UsageError(f"export writes one model, without a weight: name it as -m {split(path)[0]}.")
    from charrnn.checkpoint.model import load
    from charrnn.display.console import write_file

    refuse_overwriting(output, path, "the model itself: choose another FILE")
    model = load(path, weights)
    exported = make(Request(model.of_network(), path, float32))
    write_file(output, exported.data)
    if model.ngram:
        remark(f"note: {output} has the network alone, without the n-gram model of {path}.")
    remark(f"Saved {output}: {len(exported.data) / 1000:,.1f} kB, {exported.remark}.")


def check_output(output: str, force: bool) -> Callable[[Request], Exported]:
    """What makes the contents of this file. Raises UsageError for an unknown ending, and for a file that exists."""
    from charrnn.system.atomic import target

    make = FORMATS.get(Path(output).suffix.lower())
    if make is None:
        *names, last = FORMATS
        endings = f"{', '.join(names)} or {last}"
        raise UsageError(f"the ending of {output} names no format: FILE ends in {endings}.")
    if target(output, "export", "FILE").exists() and not force:
        raise UsageError(f"{output} already exists: use --force to replace it, or choose another name.")
    return make
