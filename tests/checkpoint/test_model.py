"""The model file: round trips, what it holds, and what is refused."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoint.history import Health
from charrnn.checkpoint.model import VERSION, Model, load
from charrnn.checkpoint.npz import HEADER, header
from charrnn.checkpoint.run import Run
from charrnn.errors import ModelFileError
from charrnn.options import CELLS
from charrnn.system.atomic import claimed
from tests.sampling.test_sample import model_of
from tests.training.test_loop import begin


def trained(cell: str = "lstm", steps: int = 9) -> Model:
    training = begin(cell=cell, steps=steps)
    list(training)
    return training.model


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes the arrays of a model file; `change` gets them by name, the JSON as `meta`. The digest is made to fit."""
    with np.load(path) as file:
        arrays: dict[str, Any] = dict(file)
    arrays["meta"] = json.loads(arrays["meta"].tobytes())
    change(arrays)
    if isinstance(arrays.get("meta"), dict):
        arrays["meta"] = np.frombuffer(json.dumps(arrays["meta"]).encode(), dtype=np.uint8)
    members = {name: npy(values) for name, values in arrays.items() if name != "sha256"}
    if "sha256" in arrays:
        digest = hashlib.sha256(b"".join(name.encode() + data for name, data in members.items())).digest()
        members["sha256"] = npy(np.frombuffer(digest, dtype=np.uint8))
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)


def npy(values: np.ndarray[Any, Any]) -> bytes:
    data = io.BytesIO()
    np.lib.format.write_array(data, values)
    return data.getvalue()


@pytest.mark.parametrize("cell", CELLS)
def test_round_trip(cell: str, tmp_path: Path) -> None:
    model = trained(cell)
    model.save(tmp_path / "m.npz")
    again = load(tmp_path / "m.npz")
    assert again.config == model.config
    assert again.vocab == model.vocab
    assert again.params.keys() == model.params.keys()
    np.testing.assert_array_equal(again.params.flat, model.params.flat)
    assert again.run is not None
    assert model.run is not None
    assert again.run.as_dict() == model.run.as_dict()
    np.testing.assert_array_equal(again.run.last.flat, model.run.last.flat)
    for name, state in model.run.state.items():
        np.testing.assert_array_equal(again.run.state[name], state)
    again.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "m.npz").read_bytes()


def test_any_numpy_opens_it(tmp_path: Path) -> None:
    model = trained()
    model.save(tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz", allow_pickle=False) as file:
        meta = json.loads(file["meta"].tobytes())
        np.testing.assert_array_equal(file["l0.Wx"], model.params["l0.Wx"])
        assert file["optimizer.m"].shape == model.params.flat.shape
        assert file["state.h"].shape == (2, 4, 12)
        assert "".join(map(chr, file["vocab"])) == "".join(model.vocab.symbols)
    assert meta["version"] == VERSION


@pytest.mark.parametrize("dtype", ["<f4", "<u4", "|u1"])
@pytest.mark.parametrize("shape", [(0,), (7,), (12, 36), (1000, 65536, 16384)])
def test_headers_are_those_of_numpy(dtype: str, shape: tuple[int, ...]) -> None:
    data = io.BytesIO()
    wanted = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(data, wanted)
    assert header(np.dtype(dtype), shape) == data.getvalue()
    assert len(data.getvalue()) == HEADER


def test_the_digest_is_that_of_all_arrays_and_their_names(tmp_path: Path) -> None:
    trained().save(tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz") as file:
        wanted = hashlib.sha256(b"".join(name.encode() + npy(file[name]) for name in file.files if name != "sha256"))
        assert file["sha256"].tobytes() == wanted.digest()


def test_arrays_that_were_not_written_together_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    trained().save(path)
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    members["by.npy"] = members["by.npy"][:HEADER] + bytes(len(members["by.npy"]) - HEADER)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(ModelFileError, match="SHA-256"):
        load(path)


def test_a_model_without_a_run(tmp_path: Path) -> None:
    model = model_of("한글 abc\n", "jamo")
    model.save(tmp_path / "m.npz")
    again = load(tmp_path / "m.npz")
    assert again.run is None
    assert again.vocab == model.vocab
    np.testing.assert_array_equal(load(tmp_path / "m.npz", weights="last").params.flat, model.params.flat)


def test_a_name_without_npz_is_kept(tmp_path: Path) -> None:
    model_of("ab").save(tmp_path / "model.bin")
    assert os.listdir(tmp_path) == ["model.bin"]


def test_history_is_thinned(tmp_path: Path) -> None:
    training = begin(steps=2500, hidden_size=2, layers=1, val_fraction=0.0, batch_size=1, seq_length=2)
    losses = [record.loss for record in training]
    history = training.run.history
    assert len(history.train) <= 1000
    assert history.stride == 4
    np.testing.assert_allclose(history.train, np.reshape(losses, (-1, 4)).mean(axis=1), rtol=1e-9)


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.npz"
    model_of("ab").save(path)
    before = path.read_bytes()

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, fail)
            with pytest.raises(ModelFileError, match="No space left"):
                model_of("cd").save(path)
        assert os.listdir(tmp_path) == ["m.npz"]
        assert path.read_bytes() == before


@pytest.mark.parametrize("which", ["best", "last"])
def test_weights_that_are_not_finite_are_not_written(which: str, tmp_path: Path) -> None:
    model, path = trained(), tmp_path / "m.npz"
    model.save(path)
    before = path.read_bytes()
    assert model.run is not None
    weights = model.params if which == "best" else model.run.last
    weights["by"][0] = np.nan
    with pytest.raises(ModelFileError, match="a number that is not finite"):
        model.save(path)
    assert path.read_bytes() == before


def test_links_are_followed_and_modes_kept(tmp_path: Path) -> None:
    real, link = tmp_path / "real.npz", tmp_path / "link.npz"
    model_of("ab").save(real)
    real.chmod(0o640)
    link.symlink_to(real)
    model_of("abc").save(link)
    assert link.is_symlink()
    assert len(load(real).vocab) == 3
    assert real.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("make", [lambda p: p.mkdir(), os.mkfifo], ids=["folder", "fifo"])
def test_only_plain_files_are_written_or_read(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "x"
    make(path)
    for attempt in (claim, model_of("ab").save, load):
        with pytest.raises(ModelFileError):
            attempt(path)
    assert os.listdir(tmp_path) == ["x"]


def claim(path: Path) -> None:
    with claimed(path):
        pass


def test_no_folder_to_write_to(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no folder"):
        claim(tmp_path / "missing" / "m.npz")


def put(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda arrays: arrays.__setitem__(name, value)


def meta(**values: object) -> Callable[[dict[str, Any]], None]:
    return lambda arrays: arrays["meta"].update(values)


def config(**values: object) -> Callable[[dict[str, Any]], None]:
    return lambda arrays: arrays["meta"]["config"].update(values)


def run(**values: object) -> Callable[[dict[str, Any]], None]:
    return lambda arrays: arrays["meta"]["run"].update(values)


DAMAGE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no meta": lambda arrays: arrays.pop("meta"),
    "meta is no json": put("meta", np.frombuffer(b"{", dtype=np.uint8)),
    "meta is a list": put("meta", np.frombuffer(b"[]", dtype=np.uint8)),
    "meta is deep": put("meta", np.frombuffer(b"[" * 100_000, dtype=np.uint8)),
    "no version of the format": meta(version=None),
    "newer": meta(version=VERSION + 1),
    "unknown cell": config(cell="cnn"),
    "more layers": config(layers=3),
    "huge": config(hidden_size=10**9),
    "negative": config(hidden_size=-1),
    "fraction": config(hidden_size=1.5),
    "no config": meta(config=None),
    "unknown unit": meta(unit="word"),
    "short vocabulary": put("vocab", np.array([1, 2], dtype=np.uint32)),
    "unsorted vocabulary": lambda arrays: arrays.__setitem__("vocab", arrays["vocab"][::-1].copy()),
    "repeated symbol": lambda arrays: arrays["vocab"].__setitem__(1, arrays["vocab"][0]),
    "signed vocabulary": lambda arrays: arrays.__setitem__("vocab", arrays["vocab"].astype(np.int32)),
    "code beyond Unicode": lambda arrays: arrays["vocab"].__setitem__(-1, 2**31),
    "surrogate": lambda arrays: arrays["vocab"].__setitem__(-1, 0xD800),
    "missing array": lambda arrays: arrays.pop("l1.Wh"),
    "additional array": put("evil", np.zeros(3)),
    "other shape": put("by", np.zeros(3, dtype=np.float32)),
    "transposed": lambda arrays: arrays.__setitem__("Wy", np.ascontiguousarray(arrays["Wy"].T)),
    "fortran": lambda arrays: arrays.__setitem__("Wy", np.asfortranarray(arrays["Wy"])),
    "float64": lambda arrays: arrays.__setitem__("by", arrays["by"].astype(np.float64)),
    "integers": lambda arrays: arrays.__setitem__("by", arrays["by"].astype(np.int32)),
    "big-endian": lambda arrays: arrays.__setitem__("by", arrays["by"].astype(">f4")),
    "objects": lambda arrays: arrays.__setitem__("by", np.array([{}] * len(arrays["by"]), dtype=object)),
    "nan": lambda arrays: arrays["Wy"].__setitem__(0, np.nan),
    "infinite moment": lambda arrays: arrays["optimizer.m"].__setitem__(0, np.inf),
    "no run options": run(options={}),
    "run of nonsense": meta(run=3),
    "run with other streams": run(streams=7),
    "history of nonsense": run(history={"points": "abc"}),
    "a loss that is not a number": run(history={"points": [["nan", 0, 0, 0, 0]], "val": [], "stride": 1}),
    "half a pair of losses": run(history={"points": [], "val": [[1]], "stride": 1}),
    "losses in an object": run(history={"points": [], "val": {}, "stride": 1}),
    "rates in an object": run(rates={}),
    "more layers than any": config(layers=10**6),
    "texts of numbers": run(texts=[1, 2]),
    "texts of one": run(texts="abc"),
    "versions that are numbers": run(versions={"numpy": 3}),
    "infinite": put("meta", np.frombuffer(b'{"version": 1e999}', dtype=np.uint8)),
    "repeated name": put("meta", np.frombuffer(b'{"version": 1, "version": 1}', dtype=np.uint8)),
    "an empty vocabulary": lambda arrays: arrays.__setitem__("vocab", arrays["vocab"][:0]),
}


@pytest.mark.parametrize(
    "change", [lambda meta: meta.pop("version"), lambda meta: meta.update(format=meta.pop("version") + 1)]
)
def test_files_of_development_versions_are_refused(change: Callable[[dict[str, Any]], Any], tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    trained().save(path)
    rewrite(path, lambda arrays: change(arrays["meta"]))
    with pytest.raises(ModelFileError, match=r"m\.npz was written by a development version of charrnn: train it again"):
        load(path)


@pytest.mark.parametrize(
    "place", [(), ("config",), ("run",), ("run", "options"), ("run", "history"), ("run", "health")]
)
def test_unknown_fields_are_refused_as_those_of_a_newer_version(place: tuple[str, ...], tmp_path: Path) -> None:
    def add(arrays: dict[str, Any]) -> None:
        inner = arrays["meta"]
        for key in place:
            inner = inner[key]
        inner["depth"] = 3

    path = tmp_path / "m.npz"
    trained().save(path)
    rewrite(path, add)
    with pytest.raises(ModelFileError, match=r"m\.npz was written by a newer charrnn: it contains 'depth'"):
        load(path)


def test_missing_fields_have_their_defaults(tmp_path: Path) -> None:
    """As in a file of a version that did not have them yet."""

    def remove(arrays: dict[str, Any]) -> None:
        run = arrays["meta"]["run"]
        for name in ("engine", "patience"):
            del run["options"][name]
        for name in ("health", "before", "versions", "seconds"):
            del run[name]
        del run["history"]["count"]

    path = tmp_path / "m.npz"
    trained().save(path)
    rewrite(path, remove)
    run = load(path).run
    assert run is not None
    assert (run.options.engine, run.options.patience) == ("fast", 0)
    assert (run.health, run.before, run.versions, run.seconds) == (Health(), (), {}, 0.0)
    assert run.history.count == 0


@pytest.mark.parametrize("name", ["step", "sha256", "texts", "options"])
def test_fields_without_a_default_are_missed(name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    trained().save(path)
    rewrite(path, lambda arrays: arrays["meta"]["run"].pop(name))
    with pytest.raises(ModelFileError, match="damaged"):
        load(path)


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    trained().save(path)
    rewrite(path, DAMAGE[name])
    with pytest.raises(ModelFileError, match="m.npz .*(damaged|newer)") as caught:
        load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04", b"\x93NUMPY" + b"\0" * 100, b"\0" * 5000])
def test_other_files_are_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match="not a charrnn model"):
        load(path)


def test_missing_and_foreign_archives(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no model file"):
        load(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    with pytest.raises(ModelFileError, match="not a charrnn model"):
        load(tmp_path / "other.npz")


def test_every_truncation_and_many_flipped_bytes_are_refused_or_harmless(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    trained().save(path)
    data, wanted = path.read_bytes(), load(path)
    rng = np.random.default_rng(0)
    for end in rng.integers(0, len(data), size=60):
        path.write_bytes(data[:end])
        with pytest.raises(ModelFileError):
            load(path)
    for place in rng.integers(0, len(data), size=300):
        flipped = bytearray(data)
        flipped[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        try:
            found = load(path)
        except ModelFileError:
            continue
        np.testing.assert_array_equal(found.params.flat, wanted.params.flat)
        assert found.vocab == wanted.vocab


def test_compressed_and_repeated_members_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    model_of("ab").save(path)
    with np.load(path) as file:
        arrays = dict(file)
    with open(path, "wb") as out:
        np.savez_compressed(out, **arrays)
    with pytest.raises(ModelFileError):
        load(path)
    model_of("ab").save(path)
    extra = io.BytesIO()
    np.lib.format.write_array(extra, arrays["by"] + 1)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("by.npy", extra.getvalue())
    with pytest.raises(ModelFileError):
        load(path)


def other_sizes(run: Run) -> None:
    run.options = replace(run.options, hidden_size=run.options.hidden_size + 1)


def a_loss_without_a_step(run: Run) -> None:
    run.best_step = None


def a_setback_to_come(run: Run) -> None:
    run.health.setbacks = [10**30]


@pytest.mark.parametrize("change", [other_sizes, a_loss_without_a_step, a_setback_to_come])
def test_a_run_that_contradicts_itself_is_refused(change: Callable[[Run], None], tmp_path: Path) -> None:
    training = begin(steps=6, eval_every=3)
    list(training)
    model = training.model
    assert model.run is not None
    change(model.run)
    model.save(tmp_path / "m.npz")  # with a digest that is right
    with pytest.raises(ModelFileError, match="not a charrnn model, or it is damaged"):
        load(tmp_path / "m.npz")
