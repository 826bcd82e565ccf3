"""CPU cores, free memory, free disk space, names of BLAS thread variables; without NumPy."""

import os
from contextlib import suppress

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def cores() -> int:
    """The processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def free_room(folder: str | os.PathLike[str]) -> int | None:
    """Bytes that are free on the folder's disk."""
    import shutil  # which takes its time

    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def free_memory() -> int | None:
    """Bytes of memory that may still be taken: of the machine, of its swap, and of this process's limits."""
    found: list[int] = []
    with suppress(AttributeError, ValueError, OSError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(OSError, ValueError, LookupError), open("/proc/meminfo", encoding="ascii") as file:
        table = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in file)}
        found.append(table["MemAvailable"] + table["SwapFree"])
    with suppress(OSError, ValueError), open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
        found.append(int(file.read()))
    with suppress(ImportError, ValueError, OSError):
        import resource

        limits = (resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
        found += [limit for limit in limits if limit != resource.RLIM_INFINITY]
    return min(found, default=None)
