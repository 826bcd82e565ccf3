"""`python -m charrnn`, and the `charrnn` command."""

import os
import sys

from charrnn.cli.signals import at_once


def pin_threads() -> None:
    """One thread for matrix products, unless the environment says otherwise; said before NumPy is loaded.

    More of them stall for each other as soon as another process wants a core.
    """
    from charrnn.system.resources import BLAS_THREADS

    for name in BLAS_THREADS:
        os.environ.setdefault(name, "1")


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    at_once()
    pin_threads()
    from charrnn.cli.main import run

    sys.exit(run())


if __name__ == "__main__":
    main()
