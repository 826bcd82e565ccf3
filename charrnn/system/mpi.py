"""MPI: whether this process is one of several ranks, and how all of them end together; mpi4py is imported if it is."""

import os
import sys
import time
from contextlib import suppress
from typing import Any

from charrnn.errors import UsageError

# set by MPICH, Open MPI, and Slurm in a job step; SLURM_NTASKS is also set in the plain shell of a job
VARIABLES = (
    ("PMI_RANK", "PMI_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
)
FIRST_TURN, LAST_TURN = 0.5, 4.5  # seconds after which a rank reports an error that rank 0 does not report


def announced() -> tuple[int, int]:
    """The rank of this process and the number of ranks, by the environment; (0, 1) for an ordinary process."""
    for rank, size in VARIABLES:
        with suppress(KeyError, ValueError):
            found = int(os.environ[rank]), int(os.environ[size])
            if found[1] > 1:
                return found
    return 0, 1


def connect() -> Any:
    """The module `mpi4py.MPI`, initialised. Raises UsageError if it is missing or belongs to another MPI."""
    size = announced()[1]
    try:
        import mpi4py

        # at its exit, a process that failed would otherwise wait for the others, and they for it
        mpi4py.rc.initialize = mpi4py.rc.finalize = False
        from mpi4py import MPI

        MPI.Init_thread(MPI.THREAD_FUNNELED)
    except (ImportError, RuntimeError) as error:
        raise UsageError(
            f"this process is one of {size} MPI ranks, and mpi4py cannot be loaded ({str(error).splitlines()[0]}): "
            "pip install 'charrnn[mpi]'."
        ) from None
    if MPI.COMM_WORLD.size != size:
        raise UsageError(
            f"this process is one of {size} MPI ranks, and mpi4py, which uses another MPI than mpiexec, finds "
            f"{MPI.COMM_WORLD.size}: pip install --force-reinstall --no-binary mpi4py mpi4py."
        )
    return MPI


def await_turn() -> None:
    """Called before an error is printed: if all ranks have the same error, rank 0 ends them before another prints."""
    rank, size = announced()
    if rank:
        time.sleep(FIRST_TURN + (LAST_TURN - FIRST_TURN) * rank / size)


def abort(code: int) -> None:
    """Ends all ranks with this exit code, if MPI is in use."""
    mpi = sys.modules.get("mpi4py.MPI")
    if mpi is not None and announced()[1] > 1 and mpi.Is_initialized() and not mpi.Is_finalized():
        sys.stderr.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # MPI would add a message of its own
        mpi.COMM_WORLD.Abort(code)
