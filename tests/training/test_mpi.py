"""Ranks of MPI against worker processes, under MPICH from the development dependencies."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import charrnn
from charrnn.cli.main import run
from charrnn.errors import WorkerError
from charrnn.evaluation import scan
from charrnn.options import LINEAR_CELLS
from charrnn.training.group import MPIGroup, start_group
from tests.optional import lacking

MPIEXEC = Path(sys.executable).parent / "mpiexec"
MISSING = importlib.util.find_spec("mpi4py") is None or not MPIEXEC.exists()
needs_mpi = pytest.mark.usefixtures("mpi")
TEXT = "the quick brown fox jumps over the lazy dog. " * 80
SIZES: dict[str, Any] = {"cell": "gru", "layers": 1, "hidden_size": 12, "batch_size": 7, "seq_length": 10}
SIZES |= {"dropout": 0.3, "activation_regularisation": 0.1, "lr": 0.01, "weight_decay": 0.01, "eval_every": 10}
BOUND = 10  # seconds
# the process number of each rank, and a hook for each test, before the command line
START = """
import os, sys
rank = int(os.environ["PMI_RANK"])
with open(f"rank{rank}", "w") as file:
    file.write(str(os.getpid()))
from charrnn.__main__ import main
%s
main()
"""
IN_STEP = """
from charrnn.training.learner import Learner
apply = Learner.apply
def hooked(self, lr, step, *rest):
    %s
    return apply(self, lr, step, *rest)
Learner.apply = hooked
"""
FAILING = IN_STEP % "if rank == 1 and step == 5: raise %s"
RECORDING = IN_STEP % "if rank == 0 and step == 1: self.grads.flat.tofile('gradient')"
FULL_DISK = f"import resource{IN_STEP}" % "if rank == 0 and step > 6: resource.setrlimit(resource.RLIMIT_FSIZE, (9, 9))"
# groups of streams for all ranks; ranks other than 0 have no text
SCORING = """
from charrnn.evaluation import scan
from charrnn.training.scoring import RankScorer
scan.SHORTEST, scan.LONGEST, score = 1, 2, RankScorer.score
def counted(self, *values):
    with open(f"../rank{rank}", "a") as file:
        file.write(" scored")
    score(self, *values)
RankScorer.score = counted
if rank:
    os.mkdir("empty")
    os.chdir("empty")
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


@contextmanager
def started(options: str = "") -> Iterator["subprocess.Popen[str]"]:
    """A run of two ranks that has made some steps, and would go on for hours."""
    line = command(2, f"text.txt --json -q {options}", steps=10**6, workers=1)
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(line, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            for _ in range(8):
                process.stdout.readline()
            yield process
        finally:
            process.kill()


def rank_process(rank: int) -> int:
    return int(Path(f"rank{rank}").read_text())


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def saved_step() -> int:
    run_saved = charrnn.load("model.npz").run
    assert run_saved is not None
    return run_saved.step


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
@pytest.mark.parametrize("cell", ["lstm", *LINEAR_CELLS])
def test_two_ranks_are_two_workers(cell: str) -> None:
    done = launch(2, "text.txt", cell=cell, steps=50)
    assert done.returncode == 0, done.stderr
    assert "2 ranks x 1 worker" in done.stderr
    assert "mpiexec -n 2 charrnn train text.txt" in done.stderr
    wanted = local("text.txt", cell=cell, steps=50, workers=2)
    assert bits(charrnn.load("model.npz")) == bits(wanted)


@needs_mpi
@pytest.mark.parametrize(("cell", "task"), [("mingru", "classify"), ("lru", "classify"), ("mingru", "pairs")])
def test_two_ranks_learn_examples_with_a_linear_recurrence(cell: str, task: str) -> None:
    Path("rows.tsv").write_text("".join(f"{'odd' if n % 2 else 'even'}\t{n} {'x' * (n % 5)}\n" for n in range(80)))
    options = "--pairs" if task == "pairs" else "--labelled --task classify"
    done = launch(2, f"rows.tsv {options} -q", cell=cell, steps=20)
    assert done.returncode == 0, done.stderr
    assert bits(charrnn.load("model.npz")) == bits(local("rows.tsv", cell=cell, steps=20, workers=2, task=task))


@needs_mpi
@pytest.mark.parametrize("labelled", [False, True])
def test_two_ranks_share_the_evaluation(labelled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for label in ("dog", "fox"):
        Path(f"{label}.txt").write_text("".join(f"{label} {n} {'x' * (n % 5)}\n" for n in range(80)))
    texts, options = (["dog.txt", "fox.txt"], "--labelled") if labelled else (["text.txt"], "")
    done = launch(2, f"{' '.join(texts)} {options} -q", SCORING, steps=20)
    assert done.returncode == 0, done.stderr
    assert Path("rank1").read_text().count("scored") >= 2
    wanted = {"task": "generate"} if labelled else {}
    monkeypatch.setattr(scan, "SHORTEST", 1)
    monkeypatch.setattr(scan, "LONGEST", 2)
    assert bits(charrnn.load("model.npz")) == bits(local(texts, steps=20, workers=2, **wanted))


@needs_mpi
@pytest.mark.parametrize(("ranks", "workers"), [(3, 1), (2, 2)])
def test_ranks_are_nearly_as_many_workers_and_read_standard_input_once(ranks: int, workers: int) -> None:
    found = []
    for _ in range(2 if ranks == 3 else 1):
        assert launch(ranks, "- -q --force", RECORDING, steps=50, workers=workers).returncode == 0
        found.append(charrnn.load("model.npz"))
    assert bits(found[0]) == bits(found[-1])
    training = charrnn.train("text.txt", **SIZES, steps=50, workers=ranks * workers)
    training.learner.gradient(training.streams.batch(1), 1, reset=True)
    gradient, norm = training.learner.grads.flat.copy(), training.learner.norm
    list(training)
    assert np.linalg.norm(np.fromfile("gradient", np.float32) - gradient) <= 1e-6 * norm
    ranked = found[0].run
    assert ranked is not None
    assert ranked.history.train[-1] == pytest.approx(training.run.history.train[-1], abs=1e-5)
    assert ranked.best_loss == pytest.approx(training.run.best_loss, abs=1e-5)


@needs_mpi
def test_a_run_of_two_ranks_is_resumed_by_any_number() -> None:
    assert launch(2, "text.txt -q", epochs=2, steps=20).returncode == 0
    saved, half = Path("model.npz").read_bytes(), charrnn.load("model.npz")
    wanted = local("text.txt", epochs=2, steps=50, workers=2)
    assert wanted.run is not None
    for ranks in (2, 3):
        Path("model.npz").write_bytes(saved)
        assert launch(ranks, "--resume -q", steps=50).returncode == 0
        found = charrnn.load("model.npz")
        assert found.run is not None
        assert found.run.best_loss == pytest.approx(wanted.run.best_loss, abs=1e-5)
        assert (bits(found) == bits(wanted)) or ranks == 3
    for workers in (1, 2, 3):
        alone = charrnn.train("text.txt", model=half, steps=50, workers=workers)
        assert "ranks: 1 instead of 2, so rounding may differ." in alone.notes
        list(alone)
        assert alone.run.best_loss == pytest.approx(wanted.run.best_loss, abs=1e-5)
        assert (bits(alone.model) == bits(wanted)) or workers != 2


@needs_mpi
@pytest.mark.parametrize(
    ("target", "number", "code"),
    [
        ("mpiexec", signal.SIGINT, 130),
        ("mpiexec", signal.SIGTERM, 143),
        ("1", signal.SIGTERM, 143),
        ("0", signal.SIGUSR1, 138),
    ],
)
def test_a_signal_stops_and_saves(target: str, number: int, code: int) -> None:
    with started() as process:
        os.kill(process.pid if target == "mpiexec" else rank_process(int(target)), number)
        _, errors = process.communicate(timeout=BOUND)
        assert process.returncode == code
        assert errors == ""
    assert saved_step() >= 8


@needs_mpi
@pytest.mark.parametrize("victim", ["rank 0", "rank 1", "parent of the ranks"])
def test_a_process_that_is_killed_ends_all_and_leaves_the_last_save(victim: str) -> None:
    with started("--save-every 5") as process:
        ranks = [rank_process(rank) for rank in range(2)]
        os.kill(parent_of(ranks[0]) if victim == "parent of the ranks" else ranks[int(victim[-1])], signal.SIGKILL)
        deadline = time.monotonic() + BOUND
        _, errors = process.communicate(timeout=BOUND)
        assert process.returncode != 0
        assert errors.count("error: ") <= 1  # a rank may be ended before it notices
        assert "warning" not in errors
        while any(map(is_running, ranks)):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert saved_step() % 5 == 0


@needs_mpi
@pytest.mark.parametrize(
    ("problem", "message"), [("MemoryError", "error: out of memory.\n"), ("ValueError", "ValueError\n")]
)
def test_an_error_on_one_rank_is_printed_once_and_ends_all(problem: str, message: str) -> None:
    done = launch(3, "text.txt -q --save-every 1", FAILING % problem, steps=50)
    assert done.returncode in (1, 9)  # mpiexec sometimes reports the signal by which it ended the other ranks
    assert done.stderr.endswith(message)
    assert done.stderr.count(problem) <= 1
    assert "warning" not in done.stderr
    assert saved_step() == 4


@needs_mpi
def test_a_full_disk_at_rank_0_ends_all_after_the_run() -> None:
    done = launch(2, "text.txt -q --save-every 5", FULL_DISK, steps=12)
    assert done.returncode == 1
    assert done.stderr.count("warning: ") == 1
    assert done.stderr.count("error: ") == 1
    assert done.stderr.endswith("Progress since the last save is lost. model.npz contains step 5.\n")
    assert saved_step() == 5


@needs_mpi
def test_an_error_that_only_rank_0_can_have_ends_all() -> None:
    Path("model.npz").write_text("")
    done = launch(2, "text.txt", "if rank:\n    os.mkdir('empty')\n    os.chdir('empty')", steps=5)
    assert done.returncode == 2
    assert "model.npz already exists" in done.stderr
    assert done.stderr.count("error:") == 1


@needs_mpi
@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ("nothing.txt", 1, "error: there is no file nothing.txt.\n"),
        ("text.txt --nonsense", 2, "error: No such option '--nonsense'."),
        ("text.txt --batch-size=1", 2, "a batch of 1 streams cannot be divided among 2 ranks"),
    ],
)
def test_an_error_of_all_ranks_is_printed_once(options: str, code: int, message: str) -> None:
    line = [str(MPIEXEC), "-n", "2", sys.executable, "-m", "charrnn", "train", *options.split(), "--steps=5"]
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


def test_a_training_in_the_shell_of_a_job_needs_no_mpi4py(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"NTASKS": "8", "PROCID": "0", "LOCALID": "0"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    assert start_group().size == 1
    assert run(["train", "text.txt", "--steps", "2", "--hidden-size", "4", "-q"]) == 0


@pytest.mark.parametrize("rank", ["0", "1"])
def test_ranks_without_mpi4py(rank: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in {"RANK": rank, "SIZE": "2", "LOCAL_RANK": rank}.items():
        monkeypatch.setenv(f"OMPI_COMM_WORLD_{name}", value)
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    assert run(["train", "text.txt", "--steps", "2"]) == 2
    error = capsys.readouterr().err
    assert error == "" if rank == "1" else "pip install 'charrnn[mpi]'" in error
    assert run(["eval", "text.txt", "-m", "nothing.npz"]) == 1  # not a command of all ranks together
    assert "there is no model file nothing.npz" in capsys.readouterr().err
