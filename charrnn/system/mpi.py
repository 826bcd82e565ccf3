"""MPI: whether this process is one of several ranks, and how all of them end together; mpi4py is imported if it is."""

import os
import signal
import sys
import time
from contextlib import suppress
from typing import Any

from charrnn.errors import UsageError

# set by MPICH, Open MPI, and Slurm in a job step; SLURM_NTASKS is also set in the plain shell of a job
VARIABLES = (
    ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"),
)
LONGEST_START = 300  # seconds that a rank waits for others, one of which may have ended
FORWARDING = 0.2  # seconds in which mpiexec forwards an error, before it ends with the ranks
FIRST_TURN, LAST_TURN = 0.5, 2.5  # seconds after which a rank reports an error that rank 0 does not report


def announced() -> tuple[int, int, int]:
    """The rank of this process, the number of ranks, and the rank among those of its machine, by the environment;
    (0, 1, 0) for an ordinary process.
    """
    for names in VARIABLES:
        with suppress(KeyError, ValueError):
            rank, size, local = (int(os.environ[name]) for name in names)
            if size > 1:
                return rank, size, local
    return 0, 1, 0


def connect() -> Any:
    """The module `mpi4py.MPI`, initialised. Raises UsageError if it is missing or belongs to another MPI."""
    size = announced()[1]
    try:
        import mpi4py

        # at its exit, a process that failed would otherwise wait for the others, and they for it
        mpi4py.rc.initialize = mpi4py.rc.finalize = False
        from mpi4py import MPI

        if not MPI.Is_initialized():
            set_alarm = getattr(signal, "alarm", int)  # not on Windows
            set_alarm(LONGEST_START)  # its signal ends this process, and then mpiexec ends the others
            MPI.Init_thread(MPI.THREAD_FUNNELED)
            set_alarm(0)
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


def connected() -> Any:
    """The module `mpi4py.MPI` if ranks are connected by it; else None."""
    module = sys.modules.get("mpi4py.MPI")
    in_use = module and module.Is_initialized() and not module.Is_finalized() and module.COMM_WORLD.size > 1
    return module if in_use else None


def may_report() -> bool:
    """Whether this rank prints an error, called before it does: an error of all ranks is printed once, or once per
    machine if they cannot be connected. It connects them, so that `abort` ends those that have no error.
    """
    rank, size, local = announced()
    module = sys.modules.get("mpi4py.MPI")
    if size == 1 or (module and module.Is_finalized()):
        return True
    if connected() is None:
        try:
            connect()
        except UsageError:
            return local == 0
    if rank:  # if rank 0 has the same error, it ends this process now
        time.sleep(FIRST_TURN + (LAST_TURN - FIRST_TURN) * rank / size)
    return True


def abort(code: int) -> int:
    """Ends all ranks with this exit code if they are connected; else returns it."""
    if module := connected():
        time.sleep(FORWARDING)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # MPI would add a message of its own
        module.COMM_WORLD.Abort(code)
    return code
