"""The page that runs a model: its script compared with the library under Node, and what the page allows."""

import base64
import hashlib
import itertools
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoint.model import Model
from charrnn.display import web_page as web
from charrnn.display.heatmap import LEVELS, blend
from charrnn.display.html import DARK, ON_DARK, WHITE
from charrnn.errors import UsageError
from charrnn.evaluation.classification import classify
from charrnn.evaluation.rounding import float16_cost, rounded
from charrnn.nn.fast import engine
from charrnn.nn.linear import plain_network
from charrnn.nn.params import Config, Params, fresh_params
from charrnn.sampling.conditional import answers, for_labels
from charrnn.sampling.generated_text import uniforms
from charrnn.sampling.sample import sample
from charrnn.text.tasks import Task
from charrnn.text.units import UNITS
from charrnn.text.vocab import Vocab
from tests.optional import lacking

TEXT = "한글은 소리다.\nABC é\t"
LABELS = ("</script><script>alert(1)</script>", "{{script}}", "ko")
TASKS = {
    "text": None,
    "generate": Task("generate", LABELS, (1, 2, 3)),
    "classify": Task("classify", LABELS, (1, 2, 3)),
    "pairs": Task("pairs", reverse=True),
}
CASES = list(itertools.product(web.CELLS, UNITS, TASKS))
STEPS, STREAMS = 25, 40  # 1,000 positions
# reads ids and predicts after each of them; then does the task
DRIVER = """
const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
const text = (model, options) => Array.from(model.generate(options), (one) => one.text).join("");
const results = input.models.map((data, k) => {
  const model = new Model(data), ids = input.ids[k], options = input.options[k];
  const read = (id) => (model.network.read(id), [...model.network.predict()]);
  const found = ids.flatMap((stream) => (model.network.reset(), stream.flatMap(read)));
  const logits = Buffer.from(Float64Array.from(found).buffer).toString("base64");
  const texts = data.task === "classify" ? [] : options.map((one) => text(model, one));
  return { logits, texts, labels: data.task === "classify" ? input.texts.map((one) => [...model.classify(one)]) : [] };
});
const random = input.seeds.map((seed) => {
  const stream = new Random(seed);
  return Array.from({ length: 3 }, () => stream.uniform());
});
console.log(JSON.stringify({ results, random }));
"""
SEEDS = (0, 1, 2**32 - 1, 2**32, 2**53 - 1)
BOUNDARIES = list(itertools.product(UNITS, ("newline", "end of text")))


def model_of(cell: str, unit: str, task: Task | None, boundary: int | None = None, hidden_size: int = 8) -> Model:
    """An untrained model with preferences, whose weights are those of float16."""
    vocab = Vocab(unit, UNITS[unit].codes(TEXT).tolist(), (), boundary)
    config = Config(cell, 2, hidden_size, len(vocab) + len(task.labels if task else ()))
    params = fresh_params(config, seed=3)
    params.flat *= 2.0
    return rounded(Model(config, vocab, params, task=task))


def options_of(model: Model) -> list[dict[str, Any]]:
    """Two texts for each model: with and without prompt and top-p."""
    if model.task and model.task.kind == "pairs":
        return [
            {"prompt": "", "source": source, "temperature": 0, "topP": 1, "length": 1000, "seed": 0}
            for source in ("A", "한B")
        ]
    shared = {"label": 2, "length": 200}
    return [
        {"prompt": "", "temperature": 0.8, "topP": 1, "seed": 1, **shared},
        {"prompt": "한A", "temperature": 1.2, "topP": 0.9, "seed": 2, **shared},
    ]


def expected(model: Model, options: dict[str, Any]) -> str:
    """What the library generates."""
    if model.task and model.task.kind == "pairs":
        [target] = answers(model, [options["source"]])
        return target.text
    lines = 1 if model.task else None
    writer = for_labels(model, {LABELS[options["label"]]: 1.0}) if model.task else model
    names = {"temperature": "temp", "topP": "top_p"}
    kept = {names.get(name, name): value for name, value in options.items() if name != "label"}
    return str(options["prompt"]) + "".join(sample(writer, lines=lines, **kept))


MODELS = {case: model_of(case[0], case[1], TASKS[case[2]]) for case in CASES}
SEVERAL = {
    case: model_of("gru", case[0], None, 10 if case[1] == "newline" else UNITS[case[0]].end_of_text)
    for case in BOUNDARIES
}


def comparable(text: str) -> str:
    """A text without bytes that are not UTF-8, which an untrained model writes in a target, up to a limit."""
    return re.sub("[\ufffd\udc80-\udcff]", "", text)[:200]


ALL: dict[tuple[str, ...], Model] = {**dict(MODELS.items()), **dict(SEVERAL.items())}
IDS = {
    case: np.random.default_rng(0).integers(model.config.vocab_size, size=(STEPS, STREAMS))
    for case, model in MODELS.items()
}


@pytest.fixture(scope="module")
def script() -> Any:
    """What the script computes, in one process for all tests."""
    program = shutil.which("node")
    if not program:
        lacking("node", "Node.js is not installed")
    models = [*MODELS.values(), *SEVERAL.values()]
    given = {
        "models": [web.model_data(model, "float16") for model in models],
        "ids": [*(ids.T.tolist() for ids in IDS.values()), *([] for _ in SEVERAL)],
        "options": [options_of(model) for model in models],
        "texts": ["A", "한글 é", ""],
        "seeds": SEEDS,
    }
    source = "".join(map(web.part, web.SCRIPTS)) + DRIVER
    done = subprocess.run([program, "-e", source], input=json.dumps(given), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    return dict(zip([*MODELS, *SEVERAL], found["results"], strict=True)) | {"random": found["random"]}


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_logits_of_the_page_and_the_library(case: tuple[str, str, str], script: Any) -> None:
    model, ids = MODELS[case], IDS[case]
    found = np.frombuffer(base64.b64decode(script[case]["logits"])).reshape(STREAMS, STEPS, -1).swapaxes(0, 1)
    exact = Params(model.config.shapes, np.float64)
    exact.flat[:] = model.params.flat
    for network, most in (
        (engine.network(model.config, model.params, STEPS, STREAMS), 1e-4),
        (plain_network(model.config, exact, STEPS, STREAMS), 1e-9),
    ):
        assert np.abs(found - network.forward(ids)).max() < most


@pytest.mark.parametrize("case", [case for case in [*CASES, *BOUNDARIES] if case[-1] != "classify"], ids="-".join)
def test_texts_of_the_page_and_the_library(case: tuple[str, ...], script: Any) -> None:
    model = ALL[case]
    for text, options in zip(script[case]["texts"], options_of(model), strict=True):
        assert comparable(text) == comparable(expected(model, options))


@pytest.mark.parametrize("case", [case for case in CASES if case[-1] == "classify"], ids="-".join)
def test_labels_of_the_page_and_the_library(case: tuple[str, str, str], script: Any) -> None:
    wanted = np.exp(classify(MODELS[case], ["A", "한글 é", ""]))
    assert np.abs(np.array(script[case]["labels"]) - wanted).max() < 1e-5


def test_random_numbers_of_the_page_and_numpy(script: Any) -> None:
    assert script["random"] == [list(itertools.islice(uniforms(seed), 3)) for seed in SEEDS]


class Elements(HTMLParser):
    """The elements of a page: their names, attributes and texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.found:
            tag, attributes, text = self.found[-1]
            self.found[-1] = tag, attributes, text + data


@pytest.mark.parametrize("task", TASKS)
def test_text_is_data(task: str) -> None:
    title = "<img src=x onerror=alert(1)>{{model}}"
    page = web.web_page(MODELS["gru", "char", task], title, "float16").decode()
    found = Elements(page).found
    data, script = [one for one in found if one[0] == "script"]
    assert data[1] == {"type": "application/json", "id": "model"}
    assert json.loads(data[2])["labels"] == list(getattr(TASKS[task], "labels", ()))
    assert script[1] == {}
    assert {tag for tag, _, _ in found}.isdisjoint({"img", "link", "iframe", "base"})
    assert [text for tag, _, text in found if tag == "h1"] == [f"{title}\n"]
    assert not any(name.startswith("on") or name == "style" for _, attributes, _ in found for name in attributes)
    [policy] = [attributes["content"] for _, attributes, _ in found if "http-equiv" in attributes]
    sources = dict(part.split(" ", 1) for part in str(policy).split("; "))
    assert sources["default-src"] == "'none'"
    inside = {name: re.search(rf"<{name}>(.*?)</{name}>", page, re.DOTALL) for name in ("script", "style")}
    for name, match in inside.items():
        assert match
        digest = base64.b64encode(hashlib.sha256(match[1].encode()).digest()).decode()
        assert sources[f"{name}-src"] == f"'sha256-{digest}'"
    assert "unsafe" not in page.split("</head>")[0]


def test_the_script_is_short() -> None:
    assert sum(len(web.part(name).splitlines()) for name in web.SCRIPTS) <= 700


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrasts_suffice_for_wcag_aa() -> None:
    style = web.part("page.css")
    for mode, ground, opacity in ((0, WHITE, 1.0), (1, DARK, ON_DARK)):
        colours = {
            name: re.findall(rf"--{name}: (#\w+)", style)[mode]
            for name in ("ground", "text", "quiet", "line", "strong")
        }
        assert colours["ground"] == blend(ground, ground, 1.0)
        for name, least in (("text", 4.5), ("quiet", 4.5), ("strong", 4.5), ("line", 3.0)):
            assert contrast(colours[name], colours["ground"]) >= least
        for scale in web.SCALES.values():
            for strength in filter(None, map(scale.strength, range(LEVELS))):
                assert contrast(colours["text"], blend(ground, strength[0], opacity * strength[1])) >= 4.5


def test_the_cost_of_float16() -> None:
    for task in TASKS.values():
        model = model_of("lstm", "char", task)
        assert float16_cost(model) == 0.0
        model.params.flat *= 1.0003
        assert 0.0 < float16_cost(model) < 1e-4
    model.params.flat[0] = 1e6
    assert float16_cost(model) == np.inf


def test_what_is_too_large_or_unknown_for_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of("lstm", "char", None, hidden_size=64)
    monkeypatch.setattr(web, "LARGEST", web.page_size(model, "float16"))
    web.check_page(model, "float16")
    with pytest.raises(UsageError, match=r"the page would have 0\.3 MB, .*: remove --float32\."):
        web.check_page(model, "float32")
    with pytest.raises(UsageError, match=r"train a smaller network; --hidden-size 32 fits\."):
        web.check_page(model, "float32", or_float16=False)
    monkeypatch.setattr(web, "LARGEST", web.page_size(model, "float16") - 1)
    with pytest.raises(UsageError, match=r"train a smaller network; --hidden-size 48 fits\."):
        web.check_page(model, "float16")
    monkeypatch.setattr(web, "CELLS", ("gru", "rnn"))
    with pytest.raises(UsageError, match="a page runs the cells gru, rnn, not lstm"):
        web.check_page(model, "float16")
