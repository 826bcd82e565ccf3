"""Models as PyTorch's tensors: values, round trips, modules of other shapes, and what is refused."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.arrays import Array
from charrnn.checkpoint.exchange import KEY
from charrnn.checkpoint.model import Model, load
from charrnn.checkpoint.pytorch import Tensors, from_pytorch, to_pytorch
from charrnn.checkpoint.safetensors import decode, encode
from charrnn.errors import CharRNNError, ModelFileError, UsageError
from charrnn.nn.equations import sigmoid
from charrnn.nn.params import Config, Params, fresh_params
from charrnn.options import CELLS, LINEAR_CELLS
from charrnn.sampling.readers import open_streams
from charrnn.text.tasks import Task
from charrnn.text.vocab import Vocab
from tests.cli.test_train import Command, charrnn, train
from tests.sampling.test_sample import model_of

__all__ = ["charrnn"]  # the fixture

TORCH_VALUES = np.load(Path(__file__).parents[1] / "data" / "torch_values.npz")


def of_torch(cell: str, tensors: Tensors, x: Array, state: dict[str, Array]) -> Array:
    """Logits (T, B, V) by the equations in the documentation of nn.LSTM, nn.GRU and nn.RNN, for x (T, B, inputs)."""
    outputs = []
    for inputs in x:
        y = inputs
        for k in range(len(state["h"])):
            ih, hh = (tensors[f"rnn.weight_{name}_l{k}"] for name in ("ih", "hh"))
            h = state["h"][k]
            a, u = y @ ih.T + tensors[f"rnn.bias_ih_l{k}"], h @ hh.T + tensors[f"rnn.bias_hh_l{k}"]
            if cell == "rnn":
                h = np.tanh(a + u)
            elif cell == "lstm":
                i, f, g, o = np.split(a + u, 4, axis=-1)
                state["c"][k] = sigmoid(f) * state["c"][k] + sigmoid(i) * np.tanh(g)
                h = sigmoid(o) * np.tanh(state["c"][k])
            else:
                (r, z, n), (r2, z2, n2) = np.split(a, 3, axis=-1), np.split(u, 3, axis=-1)
                n = np.tanh(n + sigmoid(r + r2) * n2)
                h = (1 - sigmoid(z + z2)) * n + sigmoid(z + z2) * h
            state["h"][k] = y = h
        outputs.append(y @ tensors["output.weight"].T + tensors["output.bias"])
    return np.array(outputs)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_the_tensors_give_the_logits_that_pytorch_gave(cell: str, layers: int) -> None:
    prefix = f"{cell}.{layers}/"
    values = {name.removeprefix(prefix): TORCH_VALUES[name] for name in TORCH_VALUES.files if name.startswith(prefix)}
    V, H = values["params.by"].shape[0], values["params.Wy"].shape[0]
    config = Config(cell, layers, H, V)
    params = Params(config.shapes)
    for name in params:
        params[name][:] = values[f"params.{name}"]
    state = {name: values[f"state.{name}"].copy() for name in config.states}
    logits = of_torch(cell, to_pytorch(config, params), np.eye(V)[values["ids"][:-1]], state)
    np.testing.assert_allclose(logits, values["logits"], atol=1e-5)


@settings(max_examples=20)
@given(
    st.sampled_from(CELLS + LINEAR_CELLS), st.integers(1, 3), st.integers(1, 5), st.integers(1, 6), st.integers(0, 9)
)
def test_the_way_to_pytorch_and_back_changes_no_bit(cell: str, layers: int, H: int, V: int, seed: int) -> None:
    config = Config(cell, layers, H, V)
    params = fresh_params(config, seed)
    again, found = from_pytorch(to_pytorch(config, params))
    assert again == config
    np.testing.assert_array_equal(found.flat, params.flat)


MODELS = {
    "char": lambda: model_of("한글은 소리다.\nABC é", cell="lstm"),
    "byte": lambda: model_of("한글 abc\n", "byte"),
    "jamo": lambda: model_of("한글 abc\n", "jamo", "rnn"),
    "rare": lambda: with_vocab(Vocab("char", map(ord, "abc\n"), [0x4E00, 0x4E01], 0x110000)),
    "labels": lambda: with_vocab(Vocab("char", map(ord, "abc\n")), Task("generate", ("korean", "</script>"), (3, 4))),
    "mingru": lambda: model_of("한글 abc\n", "byte", "mingru"),
    "lru": lambda: with_vocab(Vocab("char", map(ord, "abc\n")), Task("classify", ("a", "b"), (3, 4)), "lru"),
}


def with_vocab(vocab: Vocab, task: Task | None = None, cell: str = "gru") -> Model:
    config = Config(cell, 2, 4, len(vocab) + (len(task.labels) if task else 0))
    return Model(config, vocab, fresh_params(config, 1), None, task)


@pytest.mark.parametrize("name", MODELS)
def test_a_file_holds_the_whole_model_except_its_run(name: str, tmp_path: Path) -> None:
    model = MODELS[name]()
    path = tmp_path / "m.safetensors"
    path.write_bytes(encode(model))
    assert encode(model) == path.read_bytes()
    again = decode(str(path))
    assert (again.config, again.vocab, again.task, again.run) == (model.config, model.vocab, model.task, None)
    np.testing.assert_array_equal(again.params.flat, model.params.flat)
    again.save(tmp_path / "m.npz")
    assert load(tmp_path / "m.npz").vocab == model.vocab


def save(path: Path, tensors: dict[str, Any], vocab: object = None) -> None:
    from safetensors.numpy import save_file

    save_file(tensors, path, None if vocab is None else {KEY: json.dumps(vocab)})


def test_a_module_with_an_embedding_other_names_and_another_order_of_characters(tmp_path: Path) -> None:
    """As most programs in PyTorch have it: ids read by nn.Embedding, and two biases in an LSTM."""
    rng = np.random.default_rng(0)
    E, H, V, T = 3, 5, 4, 7
    shapes = {
        **{"encoder.weight": (V, E), "lstm.weight_ih_l0": (4 * H, E), "lstm.weight_hh_l0": (4 * H, H)},
        **{"lstm.bias_ih_l0": (4 * H,), "lstm.bias_hh_l0": (4 * H,), "decoder.weight": (V, H), "decoder.bias": (V,)},
    }
    tensors = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    save(tmp_path / "net.safetensors", tensors)
    (tmp_path / "chars.json").write_text(json.dumps(["b", "\n", "한", "a"]))
    model = decode(str(tmp_path / "net.safetensors"), str(tmp_path / "chars.json"))
    assert model.vocab.symbols == ["\n", "a", "b", "한"]
    ids = np.append(1, rng.integers(0, V, T))  # a newline first, as every text begins
    names = {"lstm": "rnn", "decoder": "output"}
    standard = {f"{names[name.split('.')[0]]}.{name.split('.')[1]}": tensors[name] for name in list(tensors)[1:]}
    state: dict[str, Array] = {name: np.zeros((1, 1, H)) for name in "hc"}
    wanted = of_torch("lstm", standard, tensors["encoder.weight"][ids][:, None], state)[-1, 0]
    reader = open_streams(model, 1)  # has read the newline
    reader.step_all([model.vocab.id_of(ord("b\n한a"[i])) for i in ids[1:]])
    found = [reader.logits[0][model.vocab.id_of(ord(symbol))] for symbol in "b\n한a"]
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", LINEAR_CELLS)
def test_a_linear_recurrence_keeps_its_names_and_is_imported_in_another_order(cell: str, tmp_path: Path) -> None:
    model = model_of("\nab한", cell=cell)
    tensors = to_pytorch(model.config, model.params)
    assert {name: values.shape for name, values in tensors.items()} == model.config.shapes
    order = [2, 0, 3, 1]
    other = tensors | {"E": tensors["E"][order], "by": tensors["by"][order]}
    other["Wy"] = np.ascontiguousarray(tensors["Wy"][:, order])
    save(tmp_path / "m.safetensors", other, {"vocab": [model.vocab.symbols[place] for place in order]})
    again = decode(str(tmp_path / "m.safetensors"))
    assert (again.config, again.vocab) == (model.config, model.vocab)
    np.testing.assert_array_equal(again.params.flat, model.params.flat)


def test_biases_may_be_missing_and_numbers_may_have_another_type(tmp_path: Path) -> None:
    model = MODELS["char"]()
    tensors = {name: v.astype(np.float16) for name, v in to_pytorch(model.config, model.params).items()}
    less = {name: values for name, values in tensors.items() if "bias" not in name}
    save(tmp_path / "m.safetensors", less, {"vocab": "".join(model.vocab.symbols)})
    again = decode(str(tmp_path / "m.safetensors"))
    np.testing.assert_array_equal(again.params["l1.Wh"], model.params["l1.Wh"].astype(np.float16).astype(np.float32))
    assert not again.params["l0.b"].any()


Change = Callable[[dict[str, Any]], object]
BAD: list[tuple[Change, str]] = [
    (lambda t: t.pop("rnn.weight_ih_l0"), "has no tensor weight_ih_l0 or E: one nn.LSTM, nn.GRU or nn.RNN, or one"),
    (lambda t: t.update({"b.weight_ih_l0": t["output.bias"]}), "has more than one tensor weight_ih_l0: one nn.LSTM"),
    (lambda t: t.pop("rnn.weight_hh_l0"), "has no matrix rnn.weight_hh_l0."),
    (lambda t: t.pop("rnn.weight_hh_l1"), "does not fit: rnn.weight_hh_l1 is missing."),
    (lambda t: t.pop("output.weight"), "needs one nn.Linear, with a bias if there is an nn.Embedding; found: none."),
    (lambda t: t.update({"a.weight": t["output.weight"], "b.weight": t["output.weight"]}), "found: output.weight, a."),
    (
        lambda t: t.update({"rnn.bias_ih_l0": t["output.bias"]}),
        "does not fit: rnn.bias_ih_l0 is (11,) instead of (24,)",
    ),
    (
        lambda t: t.update({"rnn.weight_hh_l0": t["rnn.weight_hh_l0"][:, :-1]}),
        "does not fit: rnn.weight_hh_l0 is (24, ",
    ),
    (
        lambda t: t.update({"rnn.weight_hh_l0": t["rnn.weight_hh_l0"][:-2]}),
        "does not fit: rnn.weight_hh_l0 is (22, 8),",
    ),
    (lambda t: t.update({"rnn.weight_ih_l0": t["rnn.weight_hh_l0"]}), "so its input is not one-hot."),
    (lambda t: t.update({"rnn.weight_hr_l0": t["output.weight"]}), "has the tensor rnn.weight_hr_l0, which a model of"),
    (lambda t: t["rnn.bias_hh_l1"].__setitem__(-1, 1e-9), "has a bias in the product with the reset gate (the last"),
    (lambda t: t["output.bias"].__setitem__(0, np.nan), "has numbers that are not finite."),
    (lambda t: t.update({"output.bias": np.full(11, 1e300)}), "has numbers that are not finite."),
    (lambda t: t.update({"rnn.weight_hh_l0": np.zeros((24, 0))}), "has no matrix rnn.weight_hh_l0."),
    (lambda t: t.update({"rnn.weight_ih_l0_reverse": np.zeros(1)}), "has the tensor rnn.weight_ih_l0_reverse, which"),
]


@pytest.mark.parametrize(("change", "part"), BAD, ids=[part[:40] for _, part in BAD])
def test_tensors_that_do_not_fit_are_refused(change: Change, part: str, tmp_path: Path) -> None:
    model = model_of("abcdefghij\n")
    tensors = to_pytorch(model.config, model.params)
    change(tensors)
    save(tmp_path / "m.safetensors", {name: np.ascontiguousarray(values) for name, values in tensors.items()}, "abc")
    with pytest.raises(ModelFileError) as raised:
        decode(str(tmp_path / "m.safetensors"))
    assert str(raised.value).startswith(f"{tmp_path}/m.safetensors ")
    assert part in str(raised.value)


BAD_LINEAR: list[tuple[Change, str]] = [
    (lambda t: t.pop("E"), "has no tensor weight_ih_l0 or E: one nn.LSTM, nn.GRU or nn.RNN, or one linear recurrence,"),
    (lambda t: t.update({"E": t["by"]}), "has no matrix E."),
    (lambda t: t.pop("l1.nu"), "does not fit: l1.nu is missing."),
    (lambda t: t.pop("l0.b"), "does not fit: l0.b is missing."),
    (lambda t: t.pop("l1.Wx"), "does not fit: l1.Wx is missing."),
    (lambda t: [t.pop(name) for name in list(t) if name != "E"], "does not fit: l0.Wx is missing."),
    (lambda t: t.update({"l1.Wo": t["l1.Wx"]}), "does not fit: l1.Wo is (8, 16) instead of (16, 16)."),
    (lambda t: t.update({"l2.nu": t["l1.nu"]}), "does not fit: l2.Wx is missing."),
    (lambda t: t.update({"rnn.weight_ih_l0": t["by"]}), "has the tensor rnn.weight_ih_l0, which a model of"),
    (lambda t: t["l0.theta"].__setitem__(0, np.inf), "has numbers that are not finite."),
]


@pytest.mark.parametrize(("change", "part"), BAD_LINEAR, ids=[part[:40] for _, part in BAD_LINEAR])
def test_tensors_that_do_not_fit_a_linear_recurrence_are_refused(change: Change, part: str, tmp_path: Path) -> None:
    model = model_of("abcdefghij\n", cell="lru")
    tensors = to_pytorch(model.config, model.params)
    change(tensors)
    save(tmp_path / "m.safetensors", tensors, "abc")
    with pytest.raises(ModelFileError) as raised:
        decode(str(tmp_path / "m.safetensors"))
    assert str(raised.value).startswith(f"{tmp_path}/m.safetensors {part}")


NO_VOCAB = ["abc", "abcc", "abcde\ud800", ["ab", "c", "d", "e"], [97, 98, 99, -1], [97, 98, 99, 2**40], 5, {}, None]
NO_VOCAB += [{"vocab": "abcd", "unit": "word"}, {"vocab": "abcd", "task": 1}, {"vocab": [97.5, 98, 99, 100]}, [[], 1]]


@pytest.mark.parametrize("vocab", NO_VOCAB, ids=repr)
def test_a_vocabulary_that_is_not_valid_is_refused(vocab: object, tmp_path: Path) -> None:
    model = model_of("abcd")
    path = tmp_path / "m.safetensors"
    save(path, to_pytorch(model.config, model.params), {} if vocab is None else vocab)
    with pytest.raises(ModelFileError, match=r"is not valid: it is a JSON list of 4 different characters\.$"):
        decode(str(path))


def test_deeply_nested_json_is_no_vocabulary(tmp_path: Path) -> None:
    model = model_of("abcd")
    path, vocab = tmp_path / "m.safetensors", tmp_path / "vocab.json"
    save(path, to_pytorch(model.config, model.params))
    vocab.write_text("[" * 200_000)
    with pytest.raises(ModelFileError, match=r"the vocabulary in .*vocab\.json is not valid"):
        decode(str(path), str(vocab))


def test_missing_packages_cells_and_vocabularies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of("abcd")
    path = str(tmp_path / "m.safetensors")
    save(Path(path), to_pytorch(model.config, model.params))
    with pytest.raises(UsageError, match="has no vocabulary: name a JSON list of its characters with `vocab=FILE`"):
        decode(path)
    with pytest.raises(ModelFileError, match="there is no file gone.json"):
        decode(path, "gone.json")
    with pytest.raises(UsageError, match="PyTorch has the cells lstm, gru, rnn, not mgu"):
        encode(replace(model, config=type("MGU", (), {"cell": "mgu"})()))
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for make in (lambda: decode(path), lambda: encode(model)):
        with pytest.raises(CharRNNError, match=r"need the package safetensors: pip install 'charrnn\[safetensors\]'\."):
            make()


def test_the_command_imports_a_model_that_samples(charrnn: Command) -> None:
    model = model_of("the cat\n")
    Path("net.safetensors").write_bytes(encode(model))
    code, out, err = charrnn("import", "net.safetensors", "-m", "my net.npz")
    next_command = "charrnn sample -m 'my net.npz'"
    assert (code, out, err) == (0, "", f"Saved my net.npz: GRU 2 x 8, 7 symbols. Next: {next_command}\n")
    assert charrnn("sample", "-m", "my net.npz", "-n", "5", "--seed", "1")[0] == 0
    assert charrnn("import", "net.safetensors", "-m", "my net.npz")[0] == 2
    assert charrnn("import", "net.safetensors", "-m", "net.safetensors", "--force")[2] == (
        "error: net.safetensors is the file to import: choose another -m for the model.\n"
    )


@pytest.mark.parametrize("cell", LINEAR_CELLS)
def test_the_commands_export_and_import_a_linear_recurrence(cell: str, charrnn: Command) -> None:
    model = model_of("the cat\n", cell=cell)
    model.save("model.npz")
    assert charrnn("export", "net.safetensors")[2].endswith(" kB, the tensors of the model file.\n")
    saved = f"Saved net.npz: {cell.upper()} 2 x 8, 7 symbols. Next: charrnn sample -m net.npz\n"
    assert charrnn("import", "net.safetensors", "-m", "net.npz") == (0, "", saved)
    assert load("net.npz").params.flat.tobytes() == model.params.flat.tobytes()
    texts = [charrnn("sample", "-m", path, "-n", "20", "--seed", "1")[1] for path in ("model.npz", "net.npz")]
    assert texts[0] == texts[1]


def test_a_network_is_exported_without_its_ngram_model(charrnn: Command) -> None:
    train(charrnn, "--with-ngram", "-q", "--no-baselines")
    code, _, err = charrnn("export", "new.safetensors")
    assert (code, err.splitlines()[0]) == (
        0,
        "note: new.safetensors has the network alone, without the n-gram model of model.npz.",
    )
    exported = decode("new.safetensors")
    assert exported.ngram is None
    np.testing.assert_array_equal(exported.params.flat, load("model.npz").params.flat)
