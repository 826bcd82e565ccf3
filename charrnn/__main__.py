"""`python -m charrnn`, and the `charrnn` command."""

import os
import sys

# One thread for matrix products: more of them stall for each other as soon as another process wants a core.
# It has to be said before NumPy is loaded; what the user set stays.
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def pin_threads() -> None:
    """One thread for matrix products, unless the environment says otherwise."""
    for name in BLAS_THREADS:
        os.environ.setdefault(name, "1")


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    try:
        pin_threads()
        from charrnn.cli.main import run

        sys.exit(run())
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
