"""CPU cores, free memory, free disk space, names of BLAS thread variables; without NumPy."""

import os
from contextlib import suppress

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
CPUS = "/sys/devices/system/cpu"


def cores() -> int:
    """The number of CPU cores that this process may use: physical ones, where the system tells."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    return len(set(map(core_of, os.sched_getaffinity(0))))


def core_of(cpu: int) -> str:
    """The logical processors of the same core as this one, as the system lists them."""
    with suppress(OSError), open(f"{CPUS}/cpu{cpu}/topology/thread_siblings_list", encoding="ascii") as file:
        return file.read()
    return str(cpu)


def free_disk(folder: str | os.PathLike[str]) -> int | None:
    """Free bytes on the disk of the folder; None if unknown."""
    import shutil  # slow to import

    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def free_memory() -> int | None:
    """Bytes of memory that this process may still allocate, by machine, swap and limits; None if unknown."""
    limits: list[int] = []
    with suppress(AttributeError, ValueError, OSError):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(OSError, ValueError, LookupError), open("/proc/meminfo", encoding="ascii") as file:
        table = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in file)}
        limits.append(table["MemAvailable"] + table["SwapFree"])
    with suppress(OSError, ValueError), open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
        limits.append(int(file.read()))
    with suppress(ImportError, ValueError, OSError):
        import resource

        own = (resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
        limits += [limit for limit in own if limit != resource.RLIM_INFINITY]
    return min(limits, default=None)
