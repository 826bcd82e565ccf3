"""The operating system and the hardware.

portability.py  locks, synced folders, signal masks and renames that an operating system may lack
mpi.py          ranks of MPI: detection, initialisation, and how all of them end
resources.py    cores, free memory, free disk space; without NumPy
blas.py         OpenBLAS: threads, core type, versions
lock.py         one writer per model file
atomic.py       files that are replaced as a whole
"""
