"""Built-in corpora and models: `:tales`, `:names/italian`, `-m :names`, in any folder."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pytest

import charrnn as library
from charrnn import Corpus, Examples, UsageError, classify, load
from charrnn.checkpoint.builtin import MODELS, model_file
from charrnn.cli.inputs import path_and_weight
from charrnn.text import builtin
from charrnn.text.builtin import CORPORA, corpus_file, members
from tests.cli.test_train import TINY, Command, charrnn

__all__ = ["charrnn"]  # the fixture

ROOT = Path(__file__).parent.parent
SMALL = [*TINY, "--workers", "1", "--no-baselines"]


def test_the_wheel_contains_the_corpora_and_nothing_else() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    files = [each.place for each in CORPORA.values() if each.place.endswith(".txt")]
    assert wheel["force-include"] == {f"corpora/{file}": f"charrnn/corpora/{file}" for file in files}
    assert wheel["packages"] == ["charrnn"]
    assert sorted(files) == sorted(
        str(path.relative_to(ROOT / "corpora")) for path in (ROOT / "corpora").rglob("*.txt") if tracked(path)
    )
    models = [f"charrnn/checkpoint/models/{file}" for file in MODELS.values()]
    assert all(tracked(ROOT / model) for model in models)


def tracked(path: Path) -> bool:
    """Whether git keeps a file; outside of a checkout, whether it is there and is not built or fetched."""
    if shutil.which("git") and (ROOT / ".git").exists():
        return bool(subprocess.run(["git", "ls-files", path], cwd=ROOT, capture_output=True, check=True).stdout)
    return path.is_file() and not path.stem.startswith(("python-", "tinyshakespeare"))


def test_the_corpora_are_in_an_installed_package_or_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "__file__", str(tmp_path / "charrnn" / "text" / "builtin.py"))
    (tmp_path / "corpora").mkdir()
    assert builtin.home() == tmp_path / "corpora"
    (tmp_path / "charrnn" / "corpora").mkdir(parents=True)
    assert corpus_file(":tales") == tmp_path / "charrnn" / "corpora" / "tales.txt"


@pytest.mark.parametrize("name", CORPORA)
def test_a_name_is_the_same_as_the_path(name: str) -> None:
    path = ROOT / "corpora" / CORPORA[name].place
    by_name, by_path = Corpus.read(f":{name}"), Corpus.read(path)
    assert by_name.names == (f":{name}",)
    assert by_name.sha256 == by_path.sha256
    np.testing.assert_array_equal(by_name.ids[:], by_path.ids[:])
    assert list(by_name.files) == members(f":{name}")


@pytest.mark.parametrize("names", [["names"], ["tales", "names/irish"]])
def test_the_names_are_labels(names: list[str]) -> None:
    by_name = Examples.read([f":{name}" for name in names], "generate")
    by_path = Examples.read([ROOT / "corpora" / CORPORA[name].place for name in names], "generate")
    assert (by_name.rows, by_name.sha256) == (by_path.rows, by_path.sha256)


def test_a_path_is_never_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (":tales", ":other"):
        Path(name).write_text("own text\n")
    for path in ("./:tales", Path(":tales"), tmp_path / ":tales", ["./:other"]):
        assert Corpus.read(path).symbols == 9
    assert Corpus.read(".").symbols == 2 * (9 + 1)
    with pytest.raises(library.TextError, match="there is no built-in corpus :other"):
        Corpus.read(":other")


def test_a_run_finds_its_corpus_from_any_folder(charrnn: Command, tmp_path: Path) -> None:
    names = (":names/czech", ":names/dutch")
    code, _, err = charrnn("train", ":names/italian", "corpus.txt", *SMALL, "--steps", "2", "-m", "both.npz")
    assert code == 0, err
    code, _, err = charrnn("train", *names, "--labelled", *SMALL, "--steps", "2", "-m", "model.npz")
    assert "To repeat this run exactly: charrnn train :names/czech :names/dutch --labelled" in err
    run = load("model.npz").run
    assert run
    assert (run.texts, run.folder) == (names, "")
    (tmp_path / "elsewhere").mkdir()
    shutil.copy("model.npz", "elsewhere")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir("elsewhere")
        code, _, err = charrnn("train", "--resume", "--steps", "4", "--no-baselines")
        assert code == 0, err
        code, _, err = charrnn("novelty", ":names/italian", "-m", "../both.npz", "--json")
        assert code == 0, err
        assert load("model.npz").run.step == 4  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "line",
    [
        "train :iyagi --steps 1 -m other.npz",
        "eval :names/italian",
        "eval -m model.npz",
        "novelty :tales --corpus :tales",
        "see surprise :tales --chars 20",
        "sample -n 5 --no-copy 9 --corpus :names --seed 1",
        "sample -n 5 --prompt-file :names/italian --no-echo --unknown skip --seed 1",
    ],
)
def test_every_command_reads_a_name(line: str, charrnn: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert charrnn("train", ":names/italian", *SMALL, "--steps", "1")[0] == 0
    code, _, err = charrnn(*line.split(), *(SMALL if "train" in line else []))
    assert code == 0, err


def test_corpora_are_listed_and_written(charrnn: Command) -> None:
    code, out, err = charrnn("corpora")
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines() if line.startswith(" :")]
    assert [row[0] for row in rows] == [f":{name}" for name in CORPORA]
    assert rows[0][1:4] == ["83,471", "English", "MIT"]
    for name in ("iyagi", "names/korean-hangul"):
        code, out, _ = charrnn("corpora", name)
        assert (code, out) == charrnn("corpora", f":{name}")[:2] == (0, corpus_file(f":{name}").read_text("utf-8"))
    assert len(charrnn("corpora", "--json")[1].splitlines()) == len(CORPORA)


def test_nothing_writes_to_a_name(tmp_path: Path) -> None:
    model = load(":names")
    with pytest.raises(UsageError, match=r":names cannot be written, .* choose another -m, such as \./:names\."):
        model.save(":names")
    model.save(tmp_path / ":names")
    assert load(tmp_path / ":names").params.flat.tobytes() == model.params.flat.tobytes()


def test_the_model_of_names(charrnn: Command) -> None:
    assert Path(model_file(":names")).stat().st_size < 500_000
    model = load(":names")
    assert model.task
    assert list(model.task.labels) == sorted(name.removeprefix("names/") for name in CORPORA if "/" in name)
    known = {"Kowalski": "polish", "Yamamoto": "japanese", "Papadopoulos": "greek", "김": "korean-hangul"}
    found = [logs.argmax() for logs in classify(model, list(known))]
    assert [model.task.labels[k] for k in found] == list(known.values())
    code, out, _ = charrnn("sample", "-m", ":names:0.7", "--label", "italian", "--lines", "200", "--seed", "1")
    names = out.splitlines()
    assert (code, len(names)) == (0, 200)
    assert sum(name[0].isupper() and name[-1] in "aeio" for name in names) > 150
    assert charrnn("info", "-m", ":names")[0] == 0


def test_weights_follow_a_name() -> None:
    assert path_and_weight(":names") == (":names", 1.0)
    assert path_and_weight(":names:0.7") == (":names", 0.7)
