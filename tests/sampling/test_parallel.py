"""One text that several processes compute: the same text, and no process that outlives it."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from charrnn.errors import UsageError, WorkerError
from charrnn.nn.fast.parallel_stepper import SUPPORTED, ParallelStepper
from charrnn.nn.fast.stepper import Stepper
from charrnn.nn.params import Config, fresh_params
from charrnn.sampling.mixture import mix
from charrnn.sampling.sample import sample
from tests.sampling.test_sample import model_of

pytestmark = pytest.mark.skipif(not SUPPORTED, reason="needs Linux on x86-64")


@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_text_is_that_of_one_process(cell: str, workers: int) -> None:
    model = model_of("abcdefgh .\n", cell=cell)
    for seed in range(3):
        alone = "".join(sample(model, 100, seed=seed, prompt="ab"))
        assert "".join(sample(model, 100, seed=seed, prompt="ab", workers=workers)) == alone


def test_several_processes_need_a_single_network() -> None:
    model = model_of("abc")
    with pytest.raises(UsageError, match="a single network"):
        sample(mix([model, model], [1, 1]), 9, workers=2)
    with pytest.raises(UsageError, match="from 1 to 8, not 9"):
        sample(model, 9, workers=9)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_state_is_that_of_one_process(cell: str) -> None:
    config = Config(cell, 2, 8, 5)
    params = fresh_params(config, 1)
    one, two = Stepper(config, params), ParallelStepper(config, params, 2)
    for stepper in (one, two):
        stepper.step_all([1, 2, 3])
    (states, logits), (wanted, wanted_logits) = two.state(), one.state()
    assert states.keys() == wanted.keys()
    for name, values in states.items():
        np.testing.assert_allclose(values, wanted[name], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(logits, wanted_logits, rtol=1e-5, atol=1e-7)
    two.step([4])
    after = two.logits.copy()
    two.step([0])
    two.set_state((states, logits))
    np.testing.assert_array_equal(two.logits[0], logits)
    two.step([4])
    np.testing.assert_array_equal(two.logits, after)


def test_the_processes_end_with_the_text() -> None:
    config = Config("rnn", 1, 4, 3)
    stepper = ParallelStepper(config, fresh_params(config, 0), 3)
    children = list(stepper.children)
    assert len(children) == 2
    del stepper
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


def test_a_process_that_dies_ends_the_text() -> None:
    config = Config("rnn", 1, 4, 3)
    stepper = ParallelStepper(config, fresh_params(config, 0), 2)
    stepper.step([1])
    os.kill(stepper.children[0], signal.SIGKILL)
    with pytest.raises(WorkerError, match="a worker died"):
        stepper.step_all([1, 2] * 3)


def test_the_others_end_when_the_first_process_is_killed() -> None:
    program = (
        "import os\n"
        "from charrnn.nn.fast.parallel_stepper import ParallelStepper\n"
        "from charrnn.nn.params import Config, fresh_params\n"
        "config = Config('rnn', 1, 4, 3)\n"
        "stepper = ParallelStepper(config, fresh_params(config, 0), 2)\n"
        "stepper.step([1])\n"
        "os.kill(os.getpid(), 9)\n"
    )
    # the other process holds the pipe, so `run` returns only when it has ended
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, timeout=60)
    assert done.returncode == -signal.SIGKILL
