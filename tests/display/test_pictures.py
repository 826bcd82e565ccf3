"""The picture in the README shows what the command in its title chooses now."""

import html
import re
from pathlib import Path

import pytest

from charrnn.display.training import headline
from charrnn.options import Options
from charrnn.text.dataset import read_dataset
from charrnn.training.plan import plan_training

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "train.svg"
TITLE = re.compile(r"charrnn train (\S+) --steps (\d+)")


def shown() -> list[str]:
    """The texts of the picture."""
    texts = re.findall(r"<text[^>]*>([^<]*)<", PICTURE.read_text("utf-8"))
    return [html.unescape(text).replace("\xa0", " ").strip() for text in texts]


def test_the_picture_of_a_training_shows_the_plan_of_its_title(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    texts = shown()
    (title,) = filter(None, map(TITLE.fullmatch, texts))
    path, options = title[1], Options(steps=int(title[2]))
    training, _ = plan_training(read_dataset(path, options), options, {"steps": options.steps}, None, 0.0, None)
    training.close()
    network, text, settings = headline(training)
    assert network in texts
    assert text in texts
    by_core = re.compile(r", \d+ workers?$")  # depends on the machine
    assert by_core.sub("", settings) in " ".join(filter(None, texts))  # it is wrapped
    assert any(f"/{training.end:,}, epoch" in line for line in texts)
