"""Several processes: the same numbers as one, and nothing left behind."""

import errno
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import charrnn
from charrnn.arrays import LINE, RandomStream
from charrnn.checkpoint.model import load
from charrnn.errors import CharRNNError, WorkerError
from charrnn.nn.dropout import Dropout
from charrnn.nn.params import Config
from charrnn.options import CELLS
from charrnn.system.blas import set_threads
from charrnn.training.loop import Training
from charrnn.training.shared_memory import Block
from charrnn.training.step import Job, Phase, param_shards, stream_shards
from charrnn.training.worker import ANSWER, layout
from charrnn.training.workers import HOME, default_workers
from tests.cli.test_train import TEXT, TINY, process
from tests.training.test_loop import begin, digest, timeless

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


def run(**options: Any) -> tuple[Training, list[dict[str, Any]]]:
    training = begin(**options)
    return training, [timeless(record) for record in training]


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


def gone(pids: list[int]) -> bool:
    """Whether these processes end within a few seconds."""
    deadline = time.monotonic() + 10
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(alive, pids))


@pytest.mark.parametrize("regularisation", [{}, {"recurrent_dropout": 0.3, "activation_regularisation": 2.0}])
@pytest.mark.parametrize("cell", CELLS)
def test_two_and_three_workers_give_the_results_of_one(cell: str, regularisation: dict[str, float]) -> None:
    options: dict[str, Any] = {"cell": cell, "steps": 12, "dropout": 0.4, "eval_every": 6, **regularisation}
    one, records = run(workers=1, **options)
    for workers in (2, 3):
        many, found = run(workers=workers, **options)
        assert many.options.workers == workers
        for wanted, got in zip(records, found, strict=True):
            assert got["loss"] == pytest.approx(wanted["loss"], rel=1e-5)
            assert got["grad_norm"] == pytest.approx(wanted["grad_norm"], rel=1e-4)
            assert got["val_loss"] == wanted["val_loss"] or got["val_loss"] == pytest.approx(
                wanted["val_loss"], rel=1e-5
            )
        np.testing.assert_allclose(many.model.params.flat, one.model.params.flat, atol=1e-4)


def test_the_same_number_of_workers_gives_the_same_bits() -> None:
    (one, first), (two, second) = (run(workers=2, steps=8, dropout=0.3) for _ in range(2))
    assert first == second
    assert digest(one) == digest(two)


def test_resumed_with_workers_as_if_never_stopped(tmp_path: Path) -> None:
    whole, wanted = run(workers=2, epochs=1, dropout=0.3)
    first, _ = run(workers=2, epochs=1, steps=5, dropout=0.3)
    first.model.save(tmp_path / "m.npz")
    again = charrnn.train(charrnn.Corpus.from_text(whole_text()), model=load(tmp_path / "m.npz"), epochs=1)
    assert again.options.workers == 2
    assert [timeless(record) for record in again] == wanted[5:]
    assert digest(again) == digest(whole)


def whole_text() -> str:
    from tests.training.test_loop import TEXT as training_text

    return training_text


def test_workers_share_one_copy_of_the_weights() -> None:
    config = Config("lstm", 2, 64, 60)
    job = Job(config, 10, 16, 1, 0.0, 0.0, 0.0, 0, "adam", masked=False, engine="fast")
    one, sixteen = (layout(replace(job, workers=workers)).size for workers in (1, 16))
    assert one > 4 * 6 * job.weights * 0.9  # weights, gradients, two vectors of Adam, two copies for the products
    assert sixteen - one < 15 * (4 * job.weights + 4 * LINE)  # the gradients of the others


def test_never_more_workers_than_streams() -> None:
    training = begin(workers=9, steps=2)
    assert training.options.workers == 4
    assert any("workers: 4 instead of 9" in note for note in training.notes)
    training.close()


def test_stream_shards_are_whole_and_even() -> None:
    for streams in range(1, 40):
        for workers in range(1, streams + 1):
            shards = stream_shards(streams, workers)
            assert [i for shard in shards for i in range(shard.start, shard.stop)] == list(range(streams))
            assert {shard.stop - shard.start for shard in shards} <= {streams // workers, -(-streams // workers)}


@pytest.mark.parametrize("weights", [1, 15, 16, 17, 100, 12_345])
def test_param_shards_are_whole_cache_lines_and_cover_the_weights(weights: int) -> None:
    for workers in (1, 2, 3, 7):
        shards = param_shards(weights, workers)
        assert [k for shard in shards for k in range(shard.start, shard.stop)] == list(range(weights))
        assert all(shard.start % 16 == 0 or shard.start == weights for shard in shards)


@pytest.mark.parametrize("phase", [Phase.RESET, Phase.ADD, Phase.UPDATE])
def test_nobody_is_left_at_work_on_shared_memory(phase: Phase, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt in this process's part of the work waits for the others to be done with theirs."""
    training = begin(workers=3, steps=3)
    next(training)
    pool = training.learner.pool

    def interrupt(*_: object) -> float:
        raise KeyboardInterrupt

    for shard, method in ((pool.worker.streams, "run"), (pool.worker.params, "add"), (pool.worker.params, "update")):
        monkeypatch.setattr(shard, method, interrupt)
    heard: list[int] = []
    receive = pool.receive

    def hearing(rank: int) -> float:
        heard.append(rank)
        return receive(rank)

    monkeypatch.setattr(pool, "receive", hearing)
    with pytest.raises(KeyboardInterrupt):
        pool.broadcast(phase, 1)
    assert heard == [1, 2]
    training.close()


def test_the_default_is_a_rule_of_sizes_and_cores() -> None:
    small, large = Config("gru", 1, 16, 60), Config("lstm", 2, 128, 60)
    assert default_workers(small, 32, available=2) == 1
    assert default_workers(large, 32, available=2) == 2
    assert default_workers(large, 32, available=16) == 8
    assert default_workers(large, 7, available=16) == 1
    assert default_workers(large, 32, available=1) == 1


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_dropout_masks_are_the_same_however_they_are_shared(rate: float) -> None:
    whole = [np.array(mask) for mask in Dropout(rate, 3, 2, 7, 5, slice(0, 9)).masks(4) or []]
    for part in (slice(0, 4), slice(4, 9), slice(8, 9)):
        for mine, all_of_it in zip(Dropout(rate, 3, 2, 7, 5, part).masks(4) or [], whole, strict=True):
            np.testing.assert_array_equal(mine, all_of_it[:, part])
    recurrent = Dropout(rate, 0, 1, 100, 100, slice(0, 10), RandomStream.RECURRENT_DROPOUT)
    large = Dropout(rate, 0, 1, 100, 100, slice(0, 10)).masks(1)
    assert large is not None
    assert large[0].dtype == np.float32
    assert large[0].mean() == pytest.approx(1.0, abs=0.02)
    assert (large[0] == 0).mean() == pytest.approx(rate, abs=0.01)
    for others in (Dropout(rate, 0, 1, 100, 100, slice(0, 10)).masks(2), recurrent.masks(1)):
        assert others is not None
        assert (others[0] != large[0]).any()
    assert Dropout(0.0, 0, 1, 4, 4, slice(0, 2)).masks(1) is None


@LINUX
def test_workers_end_with_the_training() -> None:
    training = begin(workers=3, steps=3)
    pids = children(os.getpid())
    assert len(pids) == 2
    list(training)
    assert gone(pids)
    assert len("".join(charrnn.sample(training.model, 10))) == 10
    abandoned = begin(workers=2, steps=3)
    pids = children(os.getpid())
    next(abandoned)
    del abandoned
    assert gone(pids)


@LINUX
def test_a_killed_worker_is_a_sentence() -> None:
    training = begin(workers=2, steps=1000)
    next(training)
    os.kill(children(os.getpid())[0], signal.SIGKILL)
    with pytest.raises(WorkerError, match=r"worker 1 died \(signal 9\)"):
        list(training)
    training.close()


@LINUX
def test_a_killed_worker_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text(TEXT)
    command = ["train", "corpus.txt", *TINY, "--workers", "2", "--epochs", "400"]
    training = process([*command, "--json", "--save-every", "1"], tmp_path)
    assert training.stdout is not None
    for _ in range(20):
        training.stdout.readline()
    os.kill(children(training.pid)[0], signal.SIGKILL)
    _, err = training.communicate(timeout=60)
    assert training.returncode == 1
    saved = load(tmp_path / "model.npz").run
    assert saved is not None
    # weights of an interrupted update are not saved: then the file holds the step before
    again = (
        rf"Saved at step {saved.step:,}. To continue: charrnn train --resume|model.npz contains step {saved.step:,}."
    )
    assert re.search(again, err.decode())
    assert b"error: worker 1 died (signal 9)" in err
    end = saved.step + 5
    assert process(["train", "--resume", "--steps", str(end), "-q"], tmp_path).communicate(timeout=60) == (b"", b"")
    whole = [*command, "--steps", str(end), "-m", "whole.npz", "-q"]
    assert process(whole, tmp_path).communicate(timeout=60) == (b"", b"")
    one, two = load(tmp_path / "model.npz", "last"), load(tmp_path / "whole.npz", "last")
    assert one.params.flat.tobytes() == two.params.flat.tobytes()


@pytest.mark.parametrize("workers", [1, 3])
def test_interrupts_anywhere_change_nothing(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, wanted = run(workers=workers, steps=14, dropout=0.3)
    training = begin(workers=workers, steps=14, dropout=0.3)
    pool = training.learner.pool
    places: list[tuple[Any, str]] = [
        (pool.worker.streams.network, "pack"),
        (pool.worker.streams, "run"),
        (pool.worker.streams.network, "backward"),
        (training.learner, "gradient"),
        (pool, "set_batch"),
        (pool, "broadcast"),
        (pool.worker.params, "add"),
    ]
    if workers > 1:
        places += [(pool, "send"), (pool, "receive")]
    found = []
    for target, name in places:
        right, calls = getattr(target, name), [0]

        def interrupting(*args: Any, right: Any = right, calls: list[int] = calls, **more: Any) -> Any:
            calls[0] += 1
            if calls[0] == 1:
                raise KeyboardInterrupt
            result = right(*args, **more)
            if calls[0] == 2:
                raise KeyboardInterrupt
            return result

        with monkeypatch.context() as patch:
            patch.setattr(target, name, interrupting)
            for _ in range(2):
                with pytest.raises(KeyboardInterrupt):
                    next(training)
        found.append(timeless(next(training)))
    found += [timeless(record) for record in training]
    assert found == wanted
    assert digest(training) == digest(whole)


def test_other_workers_may_go_on(tmp_path: Path) -> None:
    first, _ = run(workers=2, epochs=1, steps=3)
    corpus = charrnn.Corpus.from_text(whole_text())
    again = charrnn.train(corpus, model=first.model, epochs=1, workers=1)
    assert again.options.workers == 1
    assert any("workers: 1 instead of 2" in note for note in again.notes)
    assert next(again).step == 4


@LINUX
def test_workers_without_standard_streams(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text(TEXT)
    command = f"{sys.executable} -m charrnn train corpus.txt {' '.join(TINY)} --steps 3 --workers 2 -q <&- >&-"
    done = subprocess.run(command, shell=True, cwd=tmp_path, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@LINUX
def test_killing_the_parent_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text(TEXT)
    command = ["train", "corpus.txt", *TINY, "--steps", "1000000", "--workers", "3", "--json"]
    training = process(command, tmp_path)
    assert training.stdout is not None
    training.stdout.readline()
    pids = children(training.pid)
    assert len(pids) == 2
    training.kill()
    training.communicate()
    assert gone(pids)


@LINUX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGUSR1])
def test_a_signal_to_all_processes(number: int, tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text(TEXT)
    training = process(["train", "corpus.txt", *TINY, "--steps", "1000000", "--workers", "2", "--json"], tmp_path)
    assert training.stdout is not None
    training.stdout.readline()
    pids = children(training.pid)
    for pid in (*pids, training.pid):
        os.kill(pid, number)
    _, err = training.communicate(timeout=30)
    assert training.returncode == 128 + number
    assert b"To continue: charrnn train --resume" in err
    assert gone(pids)
    run = load(tmp_path / "model.npz").run
    assert run is not None
    steps = str(run.step + 3)
    resumed = process(["train", "--resume", "--steps", steps, "-q"], tmp_path)
    assert resumed.communicate(timeout=60) == (b"", b"")
    assert resumed.returncode == 0


def test_training_continues_after_an_interrupt_in_the_middle_of_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    training = begin(workers=2, steps=20)
    next(training)

    def interrupt(*args: object) -> float:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training.learner.pool.worker.streams, "run", interrupt)
        with pytest.raises(KeyboardInterrupt):
            next(training)
    assert [record.step for record in training] == list(range(2, 21))


def test_no_memory_to_share(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("posix_fallocate", "ftruncate"):
        monkeypatch.setattr(os, name, full, raising=False)
    with pytest.raises(CharRNNError, match=r"the workers cannot share 1 MB of memory .*`workers=1`"):
        Block(1_000_000)


def test_a_worker_that_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(WorkerError, match="could not be started"):
        begin(workers=2, steps=2)


def test_workers_import_the_same_package() -> None:
    """Also where charrnn is not installed, but found by the path of the program."""
    assert Path(charrnn.__file__).parent == HOME / "charrnn"


def test_a_worker_reports_its_failure() -> None:
    command = [sys.executable, "-P", "-c", "from charrnn.training.worker import main; main()"]
    done = subprocess.run(command, input=b"nonsense\n", capture_output=True, check=True)
    assert done.stdout == ANSWER.pack(0, 0, 0.0)
    assert done.stderr == b""


def test_threads_for_products_are_lent_and_given_back() -> None:
    before = set_threads(2)
    if not before:
        pytest.skip("not the OpenBLAS that comes with NumPy")
    try:
        training = begin(workers=2, steps=2)
        assert set_threads(0) == 1
        list(training)
        assert set_threads(0) == 2
    finally:
        set_threads(before)
