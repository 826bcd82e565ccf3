"""The command line: stdout and stderr, exit codes, signals, and files that must not change."""

import contextlib
import dataclasses
import io
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pytest

from charrnn.checkpoint.model import load
from charrnn.cli.main import run
from charrnn.cli.signals import Stop, stopping
from charrnn.errors import WorkerError
from charrnn.nn.optim import Status
from charrnn.training.step import ParamShard
from charrnn.training.train import train as train_library
from tests.training.test_loop import timeless_curves

TEXT = "the cat sat on the mat.\nthe dog sat on the cat.\n" * 12
TINY = ["--hidden-size", "8", "--layers", "1", "--batch-size", "4", "--seq-length", "8", "--eval-every", "4"]

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def charrnn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs a command line in an empty folder that holds only corpus.txt."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus.txt").write_text(TEXT)

    def command(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run(list(arguments))
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        assert "\x1b" not in out + err
        return code, out, err

    return command


def train(charrnn: Command, *more: str) -> None:
    code, _, err = charrnn("train", "corpus.txt", *TINY, "--steps", "12", *more)
    assert code == 0, err


def process(arguments: Sequence[str], folder: Path, **more: Any) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # unbuffered, so that nothing read ahead is lost to communicate()
        [sys.executable, "-m", "charrnn", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        **more,
    )


def test_train_then_sample_as_in_the_readme(charrnn: Command) -> None:
    code, out, err = charrnn("train", "corpus.txt", *TINY, "--steps", "12")
    assert (code, out) == (0, "")
    assert "LSTM 1 x 8" in err
    assert "step 12/12" in err
    assert re.search(r"\nSamples \(--temp 0\.3\):\n(  .*\n){3}Now: charrnn sample --temp 0\.3\nTo repeat this run", err)
    code, out, err = charrnn("sample", "--temp", "0.8", "--seed", "1", "-n", "50")
    assert (code, len(out), err) == (0, 50, "")


def test_a_drawn_seed_is_shown_and_repeats_the_text(charrnn: Command) -> None:
    train(charrnn)
    _, first, err = charrnn("sample", "-n", "40")
    assert err.startswith("seed ")
    assert charrnn("sample", "-n", "40", "--seed", err.split()[1])[1] == first


def test_prompt_echo_and_files(charrnn: Command, tmp_path: Path) -> None:
    train(charrnn)
    options = ("-n", "30", "--seed", "2")
    _, plain, _ = charrnn("sample", *options, "-p", "the cat")
    assert plain.startswith("the cat")
    assert len(plain) == 37
    assert charrnn("sample", *options, "-p", "the cat", "--no-echo")[1] == plain[7:]
    (tmp_path / "prompt.txt").write_text("the cat\n")
    assert charrnn("sample", *options, "--prompt-file", "prompt.txt")[1] == plain
    assert charrnn("sample", *options, "--prime-file", "-", stdin=b"the cat")[1] == plain
    assert charrnn("sample", *options, "--prime", "the cat")[1] == plain
    assert "--prime" not in charrnn("sample", "--help")[1]
    answer = json.loads(charrnn("sample", *options, "-p", "the cat", "--json")[1])
    assert answer.pop("logprob_per_char") < 0
    assert answer == {"text": plain, "prompt": "the cat", "seed": 2}
    assert charrnn("sample", "-n", "0", "--seed", "1")[:2] == (0, "")


def test_many_texts_at_once(charrnn: Command) -> None:
    train(charrnn)
    _, out, _ = charrnn("sample", "--count", "3", "-n", "20", "--seed", "4", "-p", "the")
    wanted = [charrnn("sample", "-n", "20", "--seed", str(4 + i), "-p", "the")[1] for i in range(3)]
    assert out.split("\n---\n") == wanted
    lines = charrnn("sample", "--count", "3", "-n", "20", "--seed", "4", "-p", "the", "--json")[1].splitlines()
    assert [json.loads(line)["text"] for line in lines] == wanted
    assert [json.loads(line)["seed"] for line in lines] == [4, 5, 6]
    assert charrnn("sample", "--count", "0")[0] == 2


def test_json_records(charrnn: Command) -> None:
    code, out, err = charrnn("train", "corpus.txt", *TINY, "--steps", "12", "--json", "--log-every", "3", "-q")
    assert (code, err) == (0, "")
    *records, result = [json.loads(line) for line in out.splitlines()]
    assert [r["step"] for r in records] == [3, 4, 6, 8, 9, 12]
    assert list(records[0]) == [
        "step",
        "epoch",
        "loss",
        "val_loss",
        "lr",
        "grad_norm",
        "chars_per_second",
        "seconds",
        "setback",
        "note",
        "saved_step",
    ]
    assert [r["step"] for r in records if r["val_loss"] is not None] == [4, 8, 12]
    assert list(result) == ["step", "best_step", "val_loss", "bits_per_char", "baselines", "verdict"]
    assert result["val_loss"] == min(r["val_loss"] for r in records if r["val_loss"] is not None)


def test_eval_scores_the_held_out_part_and_agrees_with_the_training(charrnn: Command, tmp_path: Path) -> None:
    _, out, _ = charrnn("train", "corpus.txt", *TINY, "--steps", "12", "--json")
    best = min(r["val_loss"] for r in map(json.loads, out.splitlines()) if r["val_loss"] is not None)
    code, out, err = charrnn("eval", "--json")
    held_out = json.loads(out)
    assert (code, held_out["nats"], held_out["part"]) == (0, best, "validation")
    assert held_out["chars"] == int(len(TEXT) * 0.1)
    assert "validation split" in err
    assert charrnn("eval", "corpus.txt", "--json")[1] == out
    assert json.loads(charrnn("eval", "--all", "--json")[1])["chars"] == len(TEXT)
    (tmp_path / "other.txt").write_text("the cat sat éé on Z")
    code, out, err = charrnn("eval", "other.txt", "--json")
    assert json.loads(out)["chars"] == len("the cat sat  on ")
    assert "'Z', 'é' (2 distinct, 3 in total)" in err


def test_dynamic_eval_adapts_a_copy_of_the_weights(charrnn: Command, tmp_path: Path) -> None:
    train(charrnn)
    file = (tmp_path / "model.npz").read_bytes()
    (tmp_path / "other.txt").write_text("the mat sat on the dog.\n" * 100)
    for text in ((), ("other.txt",)):
        static = json.loads(charrnn("eval", "--json", *text)[1])
        code, out, err = charrnn("eval", "--json", "--dynamic", *text)
        dynamic = json.loads(out)
        assert (code, "Adapting" in err, list(dynamic)) == (0, False, [*static, "dynamic"])
        assert (dynamic["dynamic"], dynamic["chars"]) == (True, static["chars"])
        assert dynamic["nats"] < static["nats"]
    assert "bits/char" in charrnn("eval", "--dynamic")[1]
    assert (tmp_path / "model.npz").read_bytes() == file


def test_eval_of_several_models_is_a_table_best_first(charrnn: Command) -> None:
    train(charrnn, "-m", "worse.npz", "--lr", "0.000001")
    train(charrnn, "-m", "better.npz", "--lr", "0.05")
    code, out, _ = charrnn("eval", "-m", "worse.npz", "-m", "better.npz")
    assert code == 0
    rows = [line.split()[0] for line in out.splitlines() if "npz" in line]
    assert rows == ["better.npz", "worse.npz"]
    lines = charrnn("eval", "-m", "worse.npz", "-m", "better.npz", "--json")[1].splitlines()
    assert [json.loads(line)["model"] for line in lines] == rows


def test_eval_without_held_out_text_says_so(charrnn: Command) -> None:
    train(charrnn, "--val-fraction", "0")
    code, out, err = charrnn("eval", "--json")
    assert (code, json.loads(out)["part"]) == (0, "all")
    assert "trained on all of corpus.txt" in err


def test_info(charrnn: Command) -> None:
    train(charrnn)
    code, out, _ = charrnn("info")
    assert code == 0
    assert "LSTM 1 x 8" in out
    assert "l0.Wx" in out
    facts = json.loads(charrnn("info", "--json")[1])
    assert facts["config"] == {"cell": "lstm", "layers": 1, "hidden_size": 8, "vocab_size": len(set(TEXT))}
    assert facts["run"]["step"] == 12
    assert facts["parameters"] == sum(math.prod(shape) for shape in facts["arrays"].values())


def test_an_existing_model_is_not_overwritten(charrnn: Command, tmp_path: Path) -> None:
    train(charrnn)
    before = (tmp_path / "model.npz").read_bytes()
    code, _, err = charrnn("train", "corpus.txt", *TINY, "--steps", "3")
    assert code == 2
    assert "already exists: use --resume to continue its run, --force to replace it, or -m for another file." in err
    assert (tmp_path / "model.npz").read_bytes() == before
    train(charrnn, "--force")


def test_resume(charrnn: Command, tmp_path: Path) -> None:
    whole = ("train", "corpus.txt", *TINY, "--epochs", "2")
    assert charrnn(*whole, "-m", "whole.npz")[0] == 0
    code, _, err = charrnn(*whole, "-m", "parts.npz", "--steps", "13")
    assert code == 0
    assert "that the schedule spans" in err
    before = (tmp_path / "parts.npz").read_bytes()
    code, _, err = charrnn("train", "--resume", "-m", "parts.npz")
    assert code == 0
    assert (
        "parts.npz has already finished its 13 steps. To continue: charrnn train --resume -m parts.npz --epochs 2\n"
        in err
    )
    assert (tmp_path / "parts.npz").read_bytes() == before
    code, _, err = charrnn("train", "--resume", "-m", "parts.npz", "--layers", "3")
    assert code == 2
    assert "contradicts" in err
    assert charrnn("train", "--resume", "-m", "parts.npz", "--epochs", "2", "--hidden-size", "8")[0] == 0
    one, two = load("whole.npz"), load("parts.npz")
    assert one.params.flat.tobytes() == two.params.flat.tobytes()
    assert one.run is not None
    assert two.run is not None
    assert one.run.last.flat.tobytes() == two.run.last.flat.tobytes()
    assert timeless_curves(one.run.history) == timeless_curves(two.run.history)


def test_korean_in_every_unit(charrnn: Command, tmp_path: Path) -> None:
    text = "나는 강가에 앉아 달을 보았다.\n달은 말이 없었다.\n" * 15
    (tmp_path / "korean.txt").write_text(text, encoding="utf-8")
    for unit in ("char", "byte", "jamo"):
        model = f"{unit}.npz"
        assert charrnn("train", "korean.txt", "-m", model, "--unit", unit, *TINY, "--steps", "20")[0] == 0
        code, out, _ = charrnn("sample", "-m", model, "-p", "나는", "-n", "20", "--seed", "1")
        assert (code, out[:2], len(out)) == (0, "나는", 22)
        score = json.loads(charrnn("eval", "-m", model, "--json")[1])
        assert score["chars"] == int(len(text) * 0.1)
        assert score["bits_per_char"] > 0


def test_bytes_come_out_as_they_went_in(tmp_path: Path) -> None:
    data = bytes(range(128, 256)) * 4
    (tmp_path / "raw").write_bytes(data)
    arguments = ["train", "raw", "--unit", "byte", *TINY, "--steps", "2", "-q"]
    assert process(arguments, tmp_path).communicate() == (b"", b"")
    out, _ = process(["sample", "-n", "300", "--seed", "1"], tmp_path).communicate()
    assert len(out) >= 300
    assert set(out) <= set(data)


BAD_USAGE = [
    ["train"],
    ["train", "corpus.txt", "--cell", "cnn"],
    ["train", "corpus.txt", "--layers", "0"],
    ["train", "corpus.txt", "--hidden-size", "-3"],
    ["train", "corpus.txt", "--hidden-size", "1e3"],
    ["train", "corpus.txt", "--hidden-size", "1000000"],
    ["train", "corpus.txt", "--seq-length", "0"],
    ["train", "corpus.txt", "--batch-size", "0"],
    ["train", "corpus.txt", "--epochs", "0"],
    ["train", "corpus.txt", "--steps", "0"],
    ["train", "corpus.txt", "--lr", "nan"],
    ["train", "corpus.txt", "--lr", "0"],
    ["train", "corpus.txt", "--lr", "1e999"],
    ["train", "corpus.txt", "--clip", "-1"],
    ["train", "corpus.txt", "--clip", "inf"],
    ["train", "corpus.txt", "--dropout", "1"],
    ["train", "corpus.txt", "--val-fraction", "1"],
    ["train", "corpus.txt", "--seed", "-1"],
    ["train", "corpus.txt", "--encoding", "klingon"],
    ["train", "corpus.txt", "--log-every", "0"],
    ["train", "corpus.txt", "--save-every", "-1"],
    ["train", "corpus.txt", "-m", "corpus.txt", "--force"],
    ["train", "--resume", "--force"],
    ["train", "corpus.txt", "--nonsense"],
    ["sample", "--temp", "-1"],
    ["sample", "--temp", "nan"],
    ["sample", "--top-k", "-1"],
    ["sample", "--top-p", "0"],
    ["sample", "-n", "-1"],
    ["sample", "--seed", "-1"],
    ["sample", "-p", "a", "--prime-file", "b"],
    ["sample", "-p", "\u00e9"],
    ["dance"],
]

FAILURES = [
    ["train", "missing.txt"],
    ["train", "empty.txt", "-m", "x.npz"],
    ["train", "latin.txt", "-m", "x.npz"],
    ["train", "one.txt", "-m", "x.npz"],
    ["train", "folder", "-m", "x.npz"],
    ["train", "a\0b", "-m", "x.npz"],
    ["train", "corpus.txt", "-m", "missing/x.npz"],
    ["train", "corpus.txt", "-m", "folder"],
    ["train", "--resume", "-m", "missing.npz"],
    ["train", "--resume", "-m", "corpus.txt"],
    ["sample", "-m", "missing.npz"],
    ["sample", "-m", "corpus.txt"],
    ["sample", "-m", "cut.npz"],
    ["sample", "--prime-file", "missing.txt"],
    ["sample", "--prime-file", "latin.txt"],
    ["eval", "-m", "cut.npz"],
    ["eval", "missing.txt"],
    ["eval", "foreign.txt"],
    ["info", "-m", "cut.npz"],
    ["info", "-m", "folder"],
]


@pytest.mark.parametrize(("code", "arguments"), [(2, a) for a in BAD_USAGE] + [(1, a) for a in FAILURES], ids=str)
def test_an_error_is_one_sentence_and_an_exit_code(
    code: int, arguments: list[str], charrnn: Command, tmp_path: Path
) -> None:
    train(charrnn)
    model = (tmp_path / "model.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(model[:-300])
    for name, data in {"empty.txt": b"", "latin.txt": b"caf\xe9", "one.txt": b"a", "foreign.txt": b"\xc3\xa9"}.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "folder").mkdir()
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    if arguments[0] == "train" and not {"-m", "--resume"} & set(arguments):
        arguments = [*arguments, "-m", "new.npz"]
    found, out, err = charrnn(*arguments)
    assert (found, out) == (code, "")
    lines = [line for line in err.splitlines() if not line.startswith(("note: ", "seed "))]
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert lines[0].endswith((".", "info."))
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_a_text_of_one_character_trains_with_a_note(charrnn: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a" * 100)
    code, _, err = charrnn("train", "a.txt", *TINY, "--steps", "3")
    assert code == 0
    assert "only one distinct character" in err


def test_help_and_version_need_neither_numpy_nor_a_live_display() -> None:
    script = (
        "import sys, charrnn.cli.main as m; code = m.run(sys.argv[1:]);"
        "bad = {'numpy', 'rich.live', 'rich.console'} & set(sys.modules); assert not bad, bad; sys.exit(code)"
    )
    for arguments in (["--help"], ["-h"], ["--version"], ["train", "--help"], ["sample", "-h"], []):
        done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b""), done.stderr
        assert done.stdout


def test_environment_variables_are_options(charrnn: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARRNN_TRAIN_CELL", "lstm")
    train(charrnn)
    assert "LSTM 1 x 8" in charrnn("info")[1]
    monkeypatch.setenv("CHARRNN_TRAIN_CELL", "rnn")
    assert charrnn("train", "--resume")[0] == 2


def test_force_color_puts_no_escapes_into_files(charrnn: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"):
        monkeypatch.setenv(name, "1")
    train(charrnn)
    for arguments in (["info"], ["eval"], ["sample", "-n", "20"], ["--help"]):
        charrnn(*arguments)  # asserts it


def test_a_closed_pipe_ends_sampling(charrnn: Command, tmp_path: Path) -> None:
    train(charrnn)
    sampling = process(["sample", "-n", "1000000", "--seed", "1"], tmp_path)
    assert sampling.stdout is not None
    assert sampling.stderr is not None
    sampling.stdout.read(10)
    sampling.stdout.close()
    assert sampling.wait(timeout=30) == 128 + signal.SIGPIPE
    assert sampling.stderr.read() == b""
    sampling.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_step_saves_and_says_how_to_resume(number: int, tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text(TEXT)
    training = process(["train", "corpus.txt", *TINY, "--steps", "1000000", "--json"], tmp_path)
    assert training.stdout is not None
    assert training.stderr is not None
    lines = [training.stdout.readline() for _ in range(5)]
    training.send_signal(number)
    out, err = training.communicate(timeout=30)
    assert training.returncode == 128 + number
    last = json.loads([*lines, *out.splitlines()][-1])["step"]
    assert f"Stopped at step {last:,}, saved in model.npz. To continue: charrnn train --resume" in err.decode()
    run = load(tmp_path / "model.npz").run
    assert run is not None
    assert run.step == last
    assert sorted(os.listdir(tmp_path)) == ["corpus.txt", "model.npz"]


LOOP = """
from charrnn.cli.signals import *
with stopping() as stop:
    stop.loss = lambda: "all steps after step 5"
    print(flush=True)
    while True: pass
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])  # Windows, which lacks the last, imports this file
def test_only_a_third_interrupt_ends_a_pending_save(name: str) -> None:
    first = signal.Signals[name]
    looping = subprocess.Popen([sys.executable, "-c", LOOP], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert looping.stdout is not None
    looping.stdout.readline()
    interrupts = 3 - (first == signal.SIGINT)
    for number in (first, *[signal.SIGHUP, signal.SIGTERM] * 3, *[signal.SIGINT] * interrupts):
        assert looping.poll() is None
        looping.send_signal(number)
        time.sleep(0.03)
    _, err = looping.communicate(timeout=10)
    assert looping.returncode == 128 + signal.SIGINT
    warning = (
        b"Finishing the step and saving. A third Ctrl-C ends the process at once and loses all steps after step 5.\n"
    )
    assert err == warning * (interrupts - 1)


def test_signals_after_the_save_end_at_once_or_change_nothing() -> None:
    script = LOOP.replace("while True: pass", "stop.saved = True; os.kill(os.getpid(), {0}); os.kill(os.getpid(), {1})")
    done = subprocess.run([sys.executable, "-c", script.format(15, 1)], capture_output=True, check=False)
    assert done.returncode == 128 + signal.SIGTERM
    early = script.replace("stop.saved = True;", "os.kill(os.getpid(), 2); stop.saved = True;")
    done = subprocess.run([sys.executable, "-c", early.format(15, 1)], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_signal_handlers_are_restored_and_ignored_signals_stay_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        handler = signal.getsignal(signal.SIGINT)
        with stopping() as stop:
            assert isinstance(stop, Stop)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGINT) == stop.receive
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGHUP, before)


def test_standard_input_as_text(charrnn: Command) -> None:
    assert charrnn("train", "-", *TINY, "--steps", "3", stdin=TEXT.encode())[0] == 0
    code, _, err = charrnn("eval")
    assert code == 1
    assert "name the text to score" in err


def test_saving_by_steps(charrnn: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from charrnn.checkpoint.model import Model

    steps: list[int] = []
    right = Model.save

    def save(self: Model, path: str) -> None:
        assert self.run is not None
        steps.append(self.run.step)
        right(self, path)

    monkeypatch.setattr(Model, "save", save)
    train(charrnn, "--save-every", "5")
    assert steps == [5, 10, 12]


def test_a_save_that_fails_before_the_end_does_not_end_the_training(
    charrnn: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from charrnn.checkpoint import npz

    right, calls = npz.pack, [0]

    def pack(file: IO[bytes], arrays: Mapping[str, Any]) -> None:
        calls[0] += 1
        if calls[0] == 1:
            raise OSError(28, "No space left on device")
        right(file, arrays)

    monkeypatch.setattr(npz, "pack", pack)
    code, _, err = charrnn("train", "corpus.txt", *TINY, "--steps", "12", "--save-every", "5")
    assert code == 0
    assert "warning: model.npz could not be written: No space left on device. The training continues." in err


def test_signals_at_the_very_end_change_nothing() -> None:
    """Python gives its handlers back while it shuts down; the exit code was decided before."""
    script = (
        "import atexit, os, signal, sys\n"
        "from charrnn.__main__ import main\n"
        "atexit.register(os.kill, os.getpid(), signal.SIGTERM)\n"
        "sys.argv = ['charrnn', '--version']\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_weights_of_an_interrupted_update_are_never_saved(
    charrnn: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    update = ParamShard.update

    def dying(shard: ParamShard, lr: float, step: int, *rest: float) -> Status:
        if step < 8:
            return update(shard, lr, step, *rest)
        shard.params[::2] += 1.0  # some weights are updated, the others are not
        raise WorkerError("worker 1 died (signal 9), so the training has ended.")

    line = ("train", "corpus.txt", *TINY, "--steps", "12", "--save-every", "5", "--workers", "1")
    with monkeypatch.context() as patch:
        patch.setattr(ParamShard, "update", dying)
        code, _, err = charrnn(*line)
    assert code == 1
    assert err.endswith(
        "error: worker 1 died (signal 9), so the training has ended. The last step is incomplete. "
        "model.npz contains step 5.\n"
    )
    saved = load(tmp_path / "model.npz")
    assert saved.run is not None
    assert saved.run.step == 5
    training = train_library("corpus.txt", **dataclasses.asdict(saved.run.options))
    for _ in range(5):
        next(training)
    assert saved.run.last.flat.tobytes() == training.params.flat.tobytes()
    training.learner.broken = True
    with pytest.raises(WorkerError, match="the update of step 6 failed halfway"):
        _ = training.model


def test_the_text_on_standard_input_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "self.txt"
    path.write_text(TEXT)
    with path.open("rb") as text:
        done = process(["train", "-", "-m", "self.txt", "--force", *TINY], tmp_path, stdin=text)
        _, err = done.communicate(timeout=30)
    assert done.returncode == 2
    assert b"self.txt is the text itself" in err
    assert path.read_text() == TEXT


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_records_that_cannot_be_written_do_not_end_the_training(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text(TEXT)
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "charrnn", "train", "corpus.txt", *TINY, "--steps", "9", "--json"]
        done = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, check=False)
    assert b"warning: the JSON records cannot be written: No space left on device" in done.stderr
    run = load(tmp_path / "model.npz").run
    assert run is not None
    assert run.step == 9


def test_the_new_place_of_a_moved_text_is_recorded_and_a_missing_text_is_named(
    charrnn: Command, tmp_path: Path
) -> None:
    train(charrnn)
    (tmp_path / "corpus.txt").rename(tmp_path / "moved.txt")
    code, _, err = charrnn("train", "--resume", "--steps", "14")
    assert code == 1
    assert (
        "model.npz was trained on corpus.txt, which is not found here: name the text, charrnn train --resume TEXT."
        in err
    )
    assert charrnn("train", "--resume", "--steps", "14", "moved.txt")[0] == 0
    assert charrnn("train", "--resume", "--steps", "16")[0] == 0


def test_a_run_from_standard_input_is_resumed_with_it(charrnn: Command) -> None:
    assert charrnn("train", "-", *TINY, "--steps", "3", stdin=TEXT.encode())[0] == 0
    code, _, err = charrnn("train", "--resume", "--steps", "5")
    assert code == 2
    assert "pass the text again, charrnn train --resume - < TEXT." in err
    assert charrnn("train", "--resume", "--steps", "5", "-", stdin=TEXT.encode())[0] == 0


def test_a_closed_terminal_does_not_end_the_training(tmp_path: Path) -> None:
    import pty

    (tmp_path / "corpus.txt").write_text(TEXT)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "charrnn", "train", "corpus.txt", *TINY, "--eval-every", "1000", "--steps", "3000"]
    training = subprocess.Popen(
        command, cwd=tmp_path, stdin=theirs, stderr=theirs, stdout=theirs, start_new_session=True
    )
    os.close(theirs)
    os.read(ours, 100)
    os.close(ours)
    assert training.wait(timeout=60) == 0
    run = load(tmp_path / "model.npz").run
    assert run is not None
    assert run.step == 3000


def test_suspending_leaves_the_cursor_and_continuing_draws_below(tmp_path: Path) -> None:
    import pty

    (tmp_path / "corpus.txt").write_text(TEXT)
    ours, theirs = pty.openpty()
    options = [*TINY, "--steps", "1000000", "--eval-every", "1000000"]
    command = [sys.executable, "-m", "charrnn", "train", "corpus.txt", *options]
    training = subprocess.Popen(command, cwd=tmp_path, stdin=theirs, stderr=theirs, stdout=theirs, process_group=0)
    os.close(theirs)
    shown = b""
    while shown.count(b"training loss") < 2:
        shown += os.read(ours, 65536)
    training.send_signal(signal.SIGTSTP)
    assert os.WIFSTOPPED(os.waitpid(training.pid, os.WUNTRACED)[1])
    os.set_blocking(ours, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            shown += os.read(ours, 65536)
    os.set_blocking(ours, True)
    assert b"\x1b[?25l" not in shown
    assert shown.endswith(b"\r\n\x1b[?7h")  # a whole display, with the cursor below
    training.send_signal(signal.SIGCONT)
    shown = b""
    while b"training loss" not in shown:
        shown += os.read(ours, 65536)
    assert b"\x1b[A" not in shown.partition(b"training loss")[0]
    training.send_signal(signal.SIGTERM)
    with contextlib.suppress(OSError):
        while b"To continue" not in shown:
            shown += os.read(ours, 65536)
    assert training.wait(timeout=30) == 128 + signal.SIGTERM
    os.close(ours)


def test_bench(charrnn: Command) -> None:
    sizes = ("--hidden-size", "16", "--layers", "1", "--batch-size", "4", "--seq-length", "8")
    code, out, _ = charrnn("bench", *sizes, "--seconds", "0.2", "--json")
    machine, result = map(json.loads, out.splitlines())
    assert code == 0
    assert machine["gflops_per_core"] > 0
    assert result["workers"] == 1
    assert result["train_chars_per_second"] > 0
    assert result["share_of_limit"] == pytest.approx(
        result["train_chars_per_second"] / result["limit_chars_per_second"], abs=0.01
    )
    code, out, _ = charrnn("bench", *sizes, "--cell", "lstm", "--seconds", "0.2")
    assert code == 0
    assert "LSTM 1 x 16" in out
    assert charrnn("bench", "--seconds", "0")[0] == 2
    assert charrnn("bench", "--layers", "0")[0] == 2


def test_bench_warns_of_settings_that_slow_products_down(charrnn: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    sizes = ("--hidden-size", "8", "--layers", "1", "--batch-size", "2", "--seq-length", "4")
    _, _, err = charrnn("bench", *sizes, "--seconds", "0.1", "--json")
    assert "warning: OPENBLAS_CORETYPE=Haswell is set" in err
    assert "OMP_NUM_THREADS=4: BLAS threads compete with the workers" in err


def test_a_file_of_last_weights_can_be_resumed(charrnn: Command) -> None:
    train(charrnn, "--epochs", "9")  # the schedule does not end at 13, so that step is not scored
    load("model.npz", "last").save("last.npz")
    code, _, err = charrnn("train", "--resume", "-m", "last.npz", "--steps", "13")
    assert code == 0
    assert "step 13/13" in err
    assert charrnn("info", "-m", "last.npz")[0] == 0
