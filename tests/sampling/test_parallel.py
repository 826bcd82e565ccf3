"""One text that several processes compute: the same text, and no process that outlives it."""

import errno
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pytest

import charrnn.sampling.sample
from charrnn.checkpoint.model import Model
from charrnn.cli.main import run
from charrnn.errors import UsageError, WorkerError
from charrnn.nn.fast import parallel_stepper
from charrnn.nn.fast.parallel_stepper import SUPPORTED, ParallelStepper
from charrnn.nn.fast.stepper import Stepper
from charrnn.nn.params import Config, fresh_params
from charrnn.sampling.mixture import Mixture, mix
from charrnn.sampling.parallel import in_turn
from charrnn.sampling.sample import sample, sample_many
from charrnn.system.resources import cores
from tests.sampling.test_sample import model_of

supported = pytest.mark.skipif(not SUPPORTED, reason="needs Linux on x86-64")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
two_cores = pytest.mark.skipif(not SUPPORTED or cores() < 2, reason="needs two cores of Linux on x86-64")
RNN = Config("rnn", 1, 48, 3)


def wide(cell: str, units: int = 48) -> Model:
    """A model with enough units for several workers."""
    model = model_of("abcdefgh .\n", cell=cell)
    config = replace(model.config, hidden_size=units)
    params = fresh_params(config, 0)
    params.flat *= 2.0
    return Model(config, model.vocab, params)


@supported
@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_text_is_that_of_one_process(cell: str, workers: int) -> None:
    model = wide(cell)
    for seed in range(2):
        alone = "".join(sample(model, 50, seed=seed, prompt="ab"))
        assert "".join(sample(model, 50, seed=seed, prompt="ab", workers=workers)) == alone


@supported
@pytest.mark.parametrize(
    ("cell", "layers", "units", "workers"),
    [
        ("lstm", 2, 32, 2),
        ("lstm", 3, 48, 3),
        ("lstm", 1, 100, 2),
        ("gru", 2, 64, 2),
        ("gru", 1, 80, 3),
        ("rnn", 3, 96, 2),
    ],
)
def test_the_state_is_that_of_one_process(cell: str, layers: int, units: int, workers: int) -> None:
    """Bit for bit."""
    config = Config(cell, layers, units, 5)
    params = fresh_params(config, 1)
    one, several = Stepper(config, params), ParallelStepper(config, params, workers)
    for ids in [1, 2, 3], [4], []:
        for stepper in (one, several):
            stepper.step_all(ids)
        (states, logits), (wanted, wanted_logits) = several.state(), one.state()
        assert states.keys() == wanted.keys()
        for name, values in states.items():
            np.testing.assert_array_equal(values, wanted[name])
        np.testing.assert_array_equal(logits, wanted_logits)
    several.step([2])
    after = several.logits.copy()
    several.step([0])
    several.set_state((states, logits))
    np.testing.assert_array_equal(several.logits[0], logits)
    several.step([2])
    np.testing.assert_array_equal(several.logits, after)


@supported
def test_the_units_are_shared_completely() -> None:
    stepper = ParallelStepper.__new__(ParallelStepper)
    for H in (48, 100, 512, 1000):
        for workers in range(2, min(H // 16, 9) + 1):
            for k in (0, 1):
                stepper.workers, owned = workers, []
                for stepper.rank in range(workers):
                    owned.append(range(H)[stepper.units(k, H)])
                assert [unit for units in owned for unit in units] == list(range(H))
                assert all(owned)
            assert len(owned[0]) <= len(owned[1]) + 16
    stepper.workers, stepper.rank = 2, 0
    assert (stepper.units(0, 480), stepper.units(1, 480)) == (slice(0, 160), slice(0, 240))


def test_models_that_several_processes_cannot_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel_stepper, "SUPPORTED", True)
    for model, workers, message in [
        (mix([wide("gru"), wide("gru")], [1, 1]), 2, "a single network, without an n-gram model"),
        (wide("mingru"), 2, "several workers compute gru, lstm, rnn, and not mingru"),
        (wide("gru", 50), 2, "a multiple of 16, and it is 50"),
        (wide("lstm", 50), 2, "a multiple of 4, and it is 50"),
        (wide("lstm"), 4, "at least 16 units, and 4 workers have 48"),
        (wide("lstm"), 0, "workers is a whole number of at least 1, not 0"),
    ]:
        with pytest.raises(UsageError, match=message):
            sample(model, 9, workers=workers)
    monkeypatch.setattr(parallel_stepper, "SUPPORTED", False)
    with pytest.raises(UsageError, match="need Linux on an x86-64 processor"):
        sample(wide("lstm"), 9, workers=2)


def gone(processes: list[int]) -> bool:
    """Whether these children have ended and been waited for."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, 0)
            return False
    return True


@supported
def test_the_processes_end_with_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = list[int]()

    def set_threads(count: int) -> int:
        threads.append(count)
        return 7

    monkeypatch.setattr(parallel_stepper, "set_threads", set_threads)
    stepper = ParallelStepper(RNN, fresh_params(RNN, 0), 3)
    children = list(stepper.children)
    assert (len(children), threads) == (2, [1])
    del stepper
    assert gone(children)
    assert threads == [1, 7]


@supported
def test_a_copy_in_another_process_ends_none() -> None:
    stepper = ParallelStepper(RNN, fresh_params(RNN, 0), 2)
    parallel_stepper.stop(os.getppid(), stepper.children, 0)
    assert not gone(stepper.children)
    stepper.step_all([1, 2])


@supported
@pytest.mark.parametrize("handler", [signal.SIG_DFL, signal.SIG_IGN])  # SIG_IGN: the system reports no ended process
def test_a_process_that_dies_ends_the_text(handler: signal.Handlers) -> None:
    before = signal.signal(signal.SIGCHLD, handler)
    try:
        stepper = ParallelStepper(RNN, fresh_params(RNN, 0), 2)
        stepper.step([1])
        os.kill(stepper.children[0], signal.SIGKILL)
        with pytest.raises(WorkerError, match="a worker died"):
            stepper.step_all([1, 2] * 3)
    finally:
        signal.signal(signal.SIGCHLD, before)


@supported
def test_a_process_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    children, fork = list[int](), os.fork

    def limited() -> int:
        if children:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        children.append(fork())
        return children[0]

    monkeypatch.setattr(os, "fork", limited)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with pytest.raises(WorkerError, match="could not be started"):
        ParallelStepper(RNN, fresh_params(RNN, 0), 3)
    assert gone(children)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == blocked


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """A command that writes a text without end."""
    wide("rnn").save(tmp_path / "wide.npz")
    command = ["sample", "-m", str(tmp_path / "wide.npz"), "-n", str(10**15), "--workers", "2", "--seed", "1"]
    return [sys.executable, "-P", "-m", "charrnn", *command]


@contextmanager
def started(arguments: list[str], stdout: int) -> Iterator[tuple["subprocess.Popen[bytes]", IO[bytes]]]:
    """The process, and its stderr."""
    with subprocess.Popen(arguments, stdout=stdout, stderr=subprocess.PIPE) as process:
        assert process.stderr
        try:
            yield process, process.stderr
        finally:
            process.kill()


@two_cores
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGPIPE])
def test_no_process_outlives_the_command(number: signal.Signals, arguments: list[str]) -> None:
    with started(arguments, subprocess.PIPE) as (writing, errors):
        assert writing.stdout
        writing.stdout.read(50)
        if number == signal.SIGPIPE:
            writing.stdout.close()
        else:
            writing.send_signal(number)
        # each worker holds the pipe, so it is at its end when all have ended
        assert errors.read() == b""
        assert writing.wait(60) == (-number if number == signal.SIGKILL else 128 + number)


@two_cores
def test_the_sentence_for_a_killed_worker(arguments: list[str]) -> None:
    with started(arguments, subprocess.DEVNULL) as (writing, errors):
        while not (workers := children_of(writing.pid)):
            assert writing.poll() is None
            time.sleep(0.01)
        os.kill(workers[0], signal.SIGKILL)
        assert errors.read() == b"error: a worker died, so the text has ended: try --workers 1.\n"
        assert writing.wait(60) == 1


def children_of(process: int) -> list[int]:
    found = list[int]()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == process:
                found.append(int(folder.name))
    return found


@linux
@pytest.mark.parametrize("model", [wide("lstm"), wide("mingru"), mix([wide("gru"), wide("rnn")], [1, 1])], ids=str)
def test_several_texts_are_divided(model: Model | Mixture, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = list(sample_many(model, 7, 30, seed=3, scored=True))
    for size, workers in (64, 2), (2, 3), (2, 9):
        monkeypatch.setattr(charrnn.sampling.sample, "BATCH", size)
        texts = list(sample_many(model, 7, 30, seed=3, scored=True, workers=workers))
        assert [(text.text, text.seed, text.end) for text in texts] == [(t.text, t.seed, t.end) for t in wanted]
        assert [text.logprob for text in texts] == pytest.approx([text.logprob for text in wanted])


@linux
def test_the_processes_end_with_the_texts() -> None:
    long = range(100_000)  # more than a pipe holds, so the processes wait for the reader
    with closing(in_turn([range(2), long, long], iter, 3)) as texts:
        assert next(texts) == 0
        assert len(multiprocessing.active_children()) == 2
    assert not multiprocessing.active_children()
    assert list(in_turn([range(2), range(2, 4), range(4, 5)], iter, 2)) == [0, 1, 2, 3, 4]


@linux
def test_a_process_that_dies_ends_the_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    first = os.getpid()

    def dying(batch: range) -> Iterator[int]:
        if os.getpid() != first:
            os.kill(os.getpid(), signal.SIGKILL)
        yield from batch

    texts = in_turn([range(2), range(2, 4)], dying, 2)
    assert [next(texts), next(texts)] == [0, 1]
    with pytest.raises(WorkerError, match="a worker died, so the texts have ended"):
        next(texts)

    def refused() -> int:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", refused)
    with pytest.raises(WorkerError, match="could not be started"):
        next(in_turn([range(2), range(2, 4)], iter, 2))


def test_several_texts_need_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(UsageError, match="several workers need Linux"):
        sample_many(wide("lstm"), 2, 9, workers=2)


@two_cores
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_a_command_of_several_texts(number: signal.Signals, arguments: list[str]) -> None:
    with started([*arguments, "--count", "2"], subprocess.DEVNULL) as (writing, errors):
        while not children_of(writing.pid):
            assert writing.poll() is None
            time.sleep(0.01)
        writing.send_signal(number)
        assert errors.read() == b""
        assert writing.wait(60) == (-number if number == signal.SIGKILL else 128 + number)


@two_cores
@pytest.mark.parametrize("options", ["--count 3", "--best-of 3", "--json", "--json --count 2", "--lines 2 --count 2"])
def test_options_with_several_workers(options: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wide("rnn").save(tmp_path / "wide.npz")
    written = []
    for workers in "1", "2":
        command = ["sample", "-m", str(tmp_path / "wide.npz"), "-n", "20", "--seed", "1", *options.split()]
        assert run([*command, "--workers", workers]) == 0
        written.append(re.sub(r"logprob.*", "", capsys.readouterr().out))  # whose last digits depend on the batch
    assert written[0] == written[1] != ""
