"""One thread for matrix products, said before NumPy is loaded, as the command line does."""

from charrnn.__main__ import pin_threads

pin_threads()
