"""Exported pages in headless Chromium, opened from disk: what a reader sees, and what the page refuses."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoint.model import Model
from charrnn.display.web_page import web_page
from charrnn.evaluation.classification import classify
from charrnn.nn.linear import plain_network
from charrnn.sampling.conditional import answers
from charrnn.sampling.sample import sample
from charrnn.see.neurons import limits
from charrnn.text.tasks import Task
from tests.browser.chromium import Browser, find
from tests.display.test_web_page import LABELS, TASKS, model_of
from tests.optional import lacking

TEXT = "[...document.querySelectorAll('#output span')].map((one) => one.textContent)"
DONE = "document.getElementById('status').textContent.includes('characters in')"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not find():
        lacking("browser", "Chromium is not installed")
    try:
        started = Browser(tmp_path_factory.mktemp("profile"))
    except (AssertionError, OSError):
        lacking("browser", "Chromium does not start")
    yield started
    started.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Any]:
    """Opens the page of a model; afterwards the browser must have nothing to report."""

    def opening(model: Model, title: str = "model", **how: Any) -> Browser:
        path = tmp_path / "page.html"
        path.write_bytes(web_page(model, title, "float16"))
        browser.open(path, **how)
        return browser

    yield opening
    assert browser.messages == []


def text_model(cell: str = "lstm", unit: str = "char", task: str = "text") -> Model:
    return model_of(cell, unit, TASKS[task])


def shown(browser: Browser, selector: str) -> Any:
    return browser.value(f"document.querySelector('{selector}').textContent")


def generate(browser: Browser, **controls: str) -> list[str]:
    """The characters that are generated with these values of the controls."""
    for name, value in controls.items():
        browser.fill(name, value)
    browser.click("#generate")
    browser.wait(DONE)
    found: list[str] = browser.value(TEXT)
    return found


@pytest.mark.parametrize("unit", ["char", "byte", "jamo"])
def test_a_seed_gives_the_text_of_the_library(unit: str, opened: Any) -> None:
    model = text_model("gru", unit)
    browser = opened(model)
    characters = generate(browser, seed="7", length="300", prompt="한 ", temperature="0.9", topP="0.95")
    assert "".join(characters) == "한 " + "".join(sample(model, 300, prompt="한 ", seed=7, temp=0.9, top_p=0.95))
    assert len(characters) == 302
    assert not any(unicodedata.name(one, "").startswith("HANGUL JUNGSEONG") for one in characters)
    assert ", seed 7." in shown(browser, "#status")


def test_probabilities_and_alternatives(opened: Any) -> None:
    browser = opened(text_model())
    characters = generate(browser, seed="1", length="50", view="probability")
    assert browser.value("document.querySelectorAll('#output .bits').length") == 50
    browser.click("#output span:nth-child(2)")
    assert shown(browser, "#chosen").startswith("Character 2: ")
    assert browser.value("document.querySelectorAll('#alternatives li').length") == 6
    browser.press("ArrowRight")
    assert shown(browser, "#chosen").startswith("Character 3: ")
    browser.press("End", "ArrowRight")
    assert shown(browser, "#chosen").startswith(f"Character {len(characters)}: ")
    browser.press("Home", "ArrowLeft")
    assert shown(browser, "#chosen").startswith("Character 1: ")
    assert shown(browser, "#output .selected") == characters[0]


@pytest.mark.parametrize(
    ("cell", "of"),
    [("lstm", "h"), ("lstm", "f"), ("lstm", "c"), ("mingru", "z"), ("mingru", "n"), ("lru", "h"), ("lru", "c")],
)
def test_the_activation_of_a_unit(cell: str, of: str, opened: Any) -> None:
    model = text_model(cell)
    browser = opened(model)
    text = "".join(generate(browser, seed="1", length="40", view="unit", of=of, layer="0", unit="5"))
    browser.wait("document.querySelector('#output .positive, #output .signed') !== null")
    network = plain_network(model.config, model.params, len(text) + 1, 1)
    network.read(np.array([model.vocab.start, *model.vocab.encode(text)])[:, None])
    values = np.array([float(getattr(step[0], of)[0, 5]) for step in network.values[1:]])
    low, high = limits(model, of, values.tolist())
    levels = np.clip((10 * (values - low) / (high - low)).astype(int), 0, 9)
    found = browser.value("[...document.querySelectorAll('#output span')].map((one) => one.className)")
    assert found == [f"{'signed' if low else 'positive'} v{level}" for level in levels]


def test_labels_sources_and_classes(opened: Any) -> None:
    browser = opened(text_model("gru", task="generate"))
    assert browser.value("[...document.querySelectorAll('#label option')].map((one) => one.textContent)") == list(
        LABELS
    )
    browser.value("document.getElementById('label').selectedIndex = 2")
    assert "".join(generate(browser, count="3", seed="1")).count("\n") == 3

    model = text_model("gru", task="pairs")
    browser = opened(model)
    assert "".join(generate(browser, source="ABC"))[:100] == answers(model, ["ABC"])[0].text[:100]

    model = text_model("gru", task="classify")
    browser = opened(model)
    browser.fill("text", "한글")
    best = int(classify(model, ["한글"])[0].argmax())
    assert shown(browser, "#labels li").startswith(f" {LABELS[best]} ")


def test_text_cannot_run(opened: Any) -> None:
    attack = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
    model = model_of("gru", "char", Task("classify", (attack, "b"), (1, 1)))
    browser = opened(model, attack)
    browser.fill("text", "A")
    assert shown(browser, "h1") == attack
    assert attack in shown(browser, "#labels")
    assert browser.value("document.querySelectorAll('img').length") == 0
    for script in (
        "const s = document.createElement('script'); s.textContent = 'window.hacked = 1'; document.body.append(s)",
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked = 1\">')",
        "document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\" id=styled>')",
    ):
        browser.value(script)
    browser.wait("document.getElementById('styled') !== null")
    assert browser.value("window.hacked ?? null") is None
    assert browser.value("getComputedStyle(document.getElementById('styled')).color") == "rgb(27, 29, 34)"
    refused = " ".join(text for text in browser.messages if "Content Security Policy" in text)
    assert all(name in refused for name in ("script-src", "style-src", "default-src"))
    browser.messages.clear()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("width", [320, 390, 1280])  # 320: WCAG 2, reflow
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_and_has_names(task: str, width: int, dark: bool, opened: Any) -> None:
    browser = opened(text_model(task=task), "a" * 100, width=width, dark=dark)
    if task != "classify":
        generate(browser, view="probability")
        assert browser.value("document.documentElement.scrollWidth") == width
        browser.fill("view", "unit")
    assert browser.value("document.documentElement.scrollWidth") == width
    ground = browser.value("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(22, 24, 29)" if dark else "rgb(255, 255, 255)")
    nodes = browser.send("Accessibility.getFullAXTree")["nodes"]
    for node in nodes:
        focusable = any(each["name"] == "focusable" and each["value"]["value"] for each in node.get("properties", ()))
        if focusable and node["role"]["value"] != "RootWebArea":
            assert node["name"]["value"], node


def test_it_is_used_with_the_keyboard_and_stops(opened: Any) -> None:
    browser = opened(text_model())
    browser.fill("length", "100000")
    browser.value("document.getElementById('generate').focus()")
    browser.press("Enter")
    browser.wait("document.querySelectorAll('#output span').length > 0")
    browser.value("document.getElementById('stop').focus()")
    browser.press("Enter")
    browser.wait(DONE)
    assert browser.value("document.activeElement.id") == "generate"
    assert 0 < browser.value("document.querySelectorAll('#output span').length") < 100_000


def test_a_number_that_is_not_valid_stops_nothing_where_it_is_not_used(opened: Any) -> None:
    browser = opened(text_model())
    browser.fill("view", "unit")
    browser.fill("unit", "999")
    assert len(generate(browser, view="plain", length="10")) == 10
