"""One thread for matrix products, said before NumPy is loaded, as the command line does; no test is timed."""

from charrnn.__main__ import pin_threads

pin_threads()

from hypothesis import settings  # noqa: E402

from tests.optional import required  # noqa: E402

settings.register_profile("charrnn", deadline=None)
settings.load_profile("charrnn")


def pytest_configure() -> None:
    required()
