"""Ranks of MPI against worker processes, under MPICH from the development dependencies."""

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import charrnn
from charrnn.cli.main import run
from charrnn.errors import WorkerError
from charrnn.training.group import MPIGroup, start_group
from tests.optional import lacking

MPIEXEC = Path(sys.executable).parent / "mpiexec"
MISSING = importlib.util.find_spec("mpi4py") is None or not MPIEXEC.exists()
needs_mpi = pytest.mark.usefixtures("mpi")
TEXT = "the quick brown fox jumps over the lazy dog. " * 80
SIZES: dict[str, Any] = {"cell": "gru", "layers": 1, "hidden_size": 12, "batch_size": 7, "seq_length": 10}
SIZES |= {"dropout": 0.3, "lr": 0.01, "weight_decay": 0.01, "eval_every": 10}
# the process number of each rank, and a hook for each test, before the command line
START = """
import os, sys
rank = int(os.environ["PMI_RANK"])
open(f"rank{rank}", "w").write(str(os.getpid()))
from charrnn.__main__ import main
%s
main()
"""
FAILING = """
from charrnn.training.learner import Learner
apply = Learner.apply
def fail(self, lr, step, *rest):
    if rank == 1 and step == 5:
        raise MemoryError
    return apply(self, lr, step, *rest)
Learner.apply = fail
"""


@pytest.fixture
def mpi() -> None:
    if MISSING:
        lacking("mpi", "mpi4py and mpich are not installed in this environment")


def command(ranks: int, options: str, hook: str = "", **values: Any) -> list[str]:
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in {**SIZES, **values}.items()]
    start = [str(MPIEXEC), "-n", str(ranks), sys.executable, "-c", START % hook]
    return [*start, "train", *options.split(), *flags, "--no-baselines"]


def launch(ranks: int, options: str, hook: str = "", **values: Any) -> "subprocess.CompletedProcess[str]":
    line = command(ranks, options, hook, **{"workers": 1, **values})
    return subprocess.run(line, input=TEXT, capture_output=True, text=True, timeout=60)


def local(texts: Any, **values: Any) -> charrnn.Model:
    training = charrnn.train(texts, **{**SIZES, **values})
    list(training)
    return training.model


def bits(model: charrnn.Model) -> tuple[Any, ...]:
    assert model.run is not None
    arrays = [model.params.flat, model.run.last.flat, *model.run.optimizer.values(), *model.run.state.values()]
    return *(values.tobytes() for values in arrays), model.run.best_loss


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(TEXT)


@needs_mpi
def test_two_ranks_are_two_workers() -> None:
    done = launch(2, "text.txt", cell="lstm", steps=30)
    assert done.returncode == 0, done.stderr
    assert "2 ranks x 1 worker" in done.stderr
    assert "mpiexec -n 2 charrnn train text.txt" in done.stderr
    wanted = local("text.txt", cell="lstm", steps=30, workers=2)
    assert bits(charrnn.load("model.npz")) == bits(wanted)


@needs_mpi
def test_two_ranks_are_two_workers_on_labelled_examples() -> None:
    for label in ("dog", "fox"):
        Path(f"{label}.txt").write_text("".join(f"{label} {n} {'x' * (n % 5)}\n" for n in range(80)))
    assert launch(2, "dog.txt fox.txt --labelled -q", steps=20).returncode == 0
    wanted = local(["dog.txt", "fox.txt"], task="generate", steps=20, workers=2)
    assert bits(charrnn.load("model.npz")) == bits(wanted)


@needs_mpi
@pytest.mark.parametrize(("ranks", "workers"), [(3, 1), (2, 2)])
def test_ranks_are_nearly_as_many_workers_and_read_standard_input_once(ranks: int, workers: int) -> None:
    assert launch(ranks, "- -q", steps=50, workers=workers).returncode == 0
    model, wanted = charrnn.load("model.npz"), local("text.txt", steps=50, workers=ranks * workers)
    assert bits(model)[-1] == pytest.approx(bits(wanted)[-1], abs=1e-5)


@needs_mpi
def test_a_run_of_two_ranks_is_resumed_by_any_number() -> None:
    assert launch(2, "text.txt -q", steps=20).returncode == 0
    saved = Path("model.npz").read_bytes()
    assert launch(2, "--resume -q", steps=40).returncode == 0
    wanted = bits(local("text.txt", steps=20, workers=2))
    assert bits(charrnn.load("model.npz"))[0] != wanted[0]
    twice = charrnn.load("model.npz")
    Path("model.npz").write_bytes(saved)
    assert bits(charrnn.load("model.npz")) == wanted
    alone = charrnn.train("text.txt", model=charrnn.load("model.npz"), steps=40, workers=2)
    assert "ranks: 1 instead of 2, so rounding may differ." in alone.notes
    list(alone)
    assert bits(alone.model) == bits(twice)


@needs_mpi
@pytest.mark.parametrize(("rank", "number", "code"), [(1, signal.SIGTERM, 143), (0, signal.SIGUSR1, 138)])
def test_a_signal_to_a_rank_stops_and_saves(rank: int, number: int, code: int) -> None:
    line = command(2, "text.txt --json -q", steps=10**6)
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for _ in range(5):
            process.stdout.readline()
        os.kill(int(Path(f"rank{rank}").read_text()), number)
        process.stdout.read()
        assert process.wait(timeout=30) == code
    run_saved = charrnn.load("model.npz").run
    assert run_saved is not None
    assert run_saved.step >= 5


@needs_mpi
def test_a_rank_that_is_killed_ends_all_and_leaves_the_last_save() -> None:
    line = command(2, "text.txt --json --save-every 5 -q", steps=10**6)
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for _ in range(8):
            process.stdout.readline()
        assert process.stderr is not None
        os.kill(int(Path("rank1").read_text()), signal.SIGKILL)
        process.stdout.read()
        errors = process.stderr.read().decode()
        assert errors.count("error:") <= 1  # rank 0 may be ended before it notices
        assert "warning" not in errors
        assert process.wait(timeout=30) != 0
    run_saved = charrnn.load("model.npz").run
    assert run_saved is not None
    assert run_saved.step % 5 == 0


@needs_mpi
def test_an_error_on_one_rank_is_printed_once_and_ends_all() -> None:
    done = launch(3, "text.txt -q --save-every 1", FAILING, steps=50)
    assert done.returncode == 1
    assert done.stderr == "error: out of memory.\n"
    run_saved = charrnn.load("model.npz").run
    assert run_saved is not None
    assert run_saved.step == 4


@needs_mpi
@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ("nothing.txt", 1, "error: there is no file nothing.txt.\n"),
        ("text.txt --nonsense", 2, "error: No such option '--nonsense'."),
        ("text.txt --batch-size=2", 2, "a batch of 2 streams cannot be divided among 3 ranks"),
    ],
)
def test_an_error_of_all_ranks_is_printed_once(options: str, code: int, message: str) -> None:
    line = [str(MPIEXEC), "-n", "3", sys.executable, "-m", "charrnn", "train", *options.split(), "--steps=5"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == code
    assert message in done.stderr
    assert done.stderr.count("error:") == 1


def test_a_lost_connection_ends_the_group() -> None:
    def lost(_: object) -> bool:
        raise ConnectionError

    group = object.__new__(MPIGroup)
    group.mpi = SimpleNamespace(Exception=ConnectionError, Request=SimpleNamespace(Testall=lost))
    with pytest.raises(WorkerError, match="rank 0 has lost its connection"):
        group.wait()
    assert group.failed
    with pytest.raises(WorkerError, match="can no longer be reached"):  # without a wait of ten minutes
        group.order("collect")


def test_a_job_of_several_tasks_is_no_group_of_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_NTASKS", "8")
    monkeypatch.setenv("SLURM_PROCID", "0")
    assert start_group().size == 1
    assert "mpi4py" not in sys.modules


@pytest.mark.parametrize("rank", ["0", "1"])
def test_ranks_without_mpi4py(rank: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in {"RANK": rank, "SIZE": "2", "LOCAL_RANK": rank}.items():
        monkeypatch.setenv(f"OMPI_COMM_WORLD_{name}", value)
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    assert run(["train", "text.txt", "--steps", "2"]) == 2
    error = capsys.readouterr().err
    assert error == "" if rank == "1" else "pip install 'charrnn[mpi]'" in error
