"""Model files of every version of the format are loaded, sampled and resumed (tests/data/make_model.py makes them)."""

import json
from pathlib import Path

import numpy as np
import pytest

import charrnn
from charrnn.checkpoint.model import VERSION

MODELS = Path(__file__).parents[1] / "data" / "models"
FILES = sorted(MODELS.glob("*.npz"))


def test_every_version_has_a_file() -> None:
    """Also after a change that keeps the version: such a file has the name of the first new field."""
    assert {path.stem.partition("-")[0] for path in FILES} == {f"version{number}" for number in range(1, VERSION + 1)}
    assert all(path.stat().st_size < 20_000 for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_loaded_sampled_and_resumed(path: Path, tmp_path: Path) -> None:
    expected, model = json.loads(path.with_suffix(".json").read_text("utf-8")), charrnn.load(path)
    assert model.run is not None
    assert "".join(charrnn.sample(model, len(expected["output"]), temp=0.0)) == expected["output"]
    corpus = charrnn.Corpus.from_text(
        expected["text"], min_count=expected["min_count"], by_line=expected.get("by_line", False)
    )
    training = charrnn.train(corpus, model=model, workers=1)
    step = next(training)
    assert step.step == model.run.step + 1
    assert step.loss == pytest.approx(expected["loss"], rel=1e-4)
    training.model.save(tmp_path / "m.npz")
    again = charrnn.load(tmp_path / "m.npz")
    np.testing.assert_array_equal(again.params.flat, training.model.params.flat)
    training.close()
