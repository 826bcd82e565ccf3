"""`python -m charrnn`, and the `charrnn` command."""

import os
import sys

from charrnn.cli.signals import end_at_once, ignore


def pin_threads() -> None:
    """Limits BLAS to one thread unless the environment sets a number; has to run before NumPy is loaded.

    Several threads wait for each other as soon as another process needs a core.
    """
    from charrnn.system.resources import BLAS_THREADS

    for name in BLAS_THREADS:
        os.environ.setdefault(name, "1")


def main() -> None:
    """Runs the command line and exits with its exit code."""
    end_at_once()
    pin_threads()
    from charrnn.cli.main import run

    code = run()
    ignore()
    sys.exit(code)


if __name__ == "__main__":
    main()
