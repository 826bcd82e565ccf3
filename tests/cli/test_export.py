"""`charrnn export`: what is written and said, and what a failure leaves."""

from pathlib import Path

import pytest

from charrnn.cli.export import title
from tests.cli.test_train import Command, charrnn, train
from tests.optional import package

__all__ = ["charrnn"]  # the fixture


@pytest.mark.parametrize("cell", ["lstm", "mingru", "lru"])
def test_export_writes_a_page(cell: str, charrnn: Command) -> None:
    train(charrnn, "--cell", cell)
    code, out, err = charrnn("export", "page.html")
    assert (code, out) == (0, "")
    size = Path("page.html").stat().st_size
    assert err == f"Saved page.html: {size / 1000:,.1f} kB, float16 weights, which cost 0.0000 nats per symbol.\n"
    assert charrnn("export", "page.html", "--float32", "--force")[2].endswith(" kB, float32 weights.\n")
    assert Path("page.html").stat().st_size > size


def test_export_keeps_float32_where_float16_costs_too_much(charrnn: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    train(charrnn)
    monkeypatch.setattr("charrnn.evaluation.rounding.float16_cost", lambda model: 0.25)
    err = charrnn("export", "page.html")[2]
    assert err.endswith("float32 weights, because float16 would cost 0.2500 nats per symbol.\n")


def test_weights_that_float16_lacks(charrnn: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    train(charrnn)
    monkeypatch.setattr("charrnn.evaluation.rounding.float16_cost", lambda model: float("inf"))
    assert charrnn("export", "page.html")[2].endswith("float32 weights, because float16 lacks the range.\n")


@pytest.mark.parametrize(("path", "name"), [(":names", "names"), ("a\udcff.npz", "a\ufffd"), ("to/a.b.npz", "a.b")])
def test_the_title_of_a_page(path: str, name: str) -> None:
    assert title(path) == name


def test_an_ngram_is_left_out_or_refused(charrnn: Command) -> None:
    train(charrnn, "--with-ngram")
    assert charrnn("export", "page.html")[2].startswith("note: page.html has the network alone, without the n-gram ")
    assert charrnn("train", "corpus.txt", "--cell", "ngram", "-m", "ngram.npz", "-q")[0] == 0
    code, out, err = charrnn("export", "-m", "ngram.npz", "ngram.html")
    refused = "error: ngram.npz is an n-gram model, and this needs a network: train one with charrnn train TEXT.\n"
    assert (code, out, err) == (2, "", refused)
    assert not Path("ngram.html").exists()


@pytest.mark.parametrize(
    "command", ["export page.html", "export new.safetensors", "export new.onnx", "import net.safetensors -m new.npz"]
)
def test_a_full_disk_leaves_no_file(command: str, charrnn: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    if command.endswith(".onnx"):
        package("onnx")
    train(charrnn)
    assert charrnn("export", "net.safetensors")[0] == 0
    before = sorted(Path().iterdir())

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("charrnn.system.atomic.os.fsync", full)
    arguments = command.split()
    wanted = f"error: {arguments[-1]} could not be written: No space left on device.\n"
    assert charrnn(*arguments) == (1, "", wanted)
    assert sorted(Path().iterdir()) == before
