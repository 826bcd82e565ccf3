"""`CHARRNN_REQUIRE`: what it names must be there, and it names only what is known."""

import pytest

from tests.optional import lacking, package


def test_what_is_missing_is_skipped_or_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARRNN_REQUIRE", "node,mpi")
    with pytest.raises(pytest.skip.Exception, match="no_such_module is not installed"):
        package("no_such_module", "onnx")
    with pytest.raises(pytest.fail.Exception, match="CHARRNN_REQUIRE names mpi: no mpiexec"):
        lacking("mpi", "no mpiexec")


def test_a_name_that_is_not_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARRNN_REQUIRE", "node,brwoser")
    with pytest.raises(pytest.UsageError, match="CHARRNN_REQUIRE names brwoser, which is not known: it names some of"):
        lacking("node", "no Node.js")
