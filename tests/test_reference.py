"""docs/reference.md is generated from the commands: it is current, and every command and option is in it."""

import runpy
from pathlib import Path

import click
import pytest

from tests.cli.test_eval_tables import COMMANDS

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "reference.md").read_text("utf-8")


def test_the_reference_is_current() -> None:
    page = runpy.run_path(str(DOCS / "make" / "reference.py"))["reference"]()
    assert page == PAGE, "run python docs/make/reference.py"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_in_the_reference(name: str) -> None:
    section = PAGE.split(f"\n## `charrnn {name}`\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    for option in COMMANDS[name].params:
        if isinstance(option, click.Option):
            long = next(each for each in option.opts if each.startswith("--"))
            row = next(line for line in rows if long in line.split("|")[1].replace(",", " ").replace("`", " ").split())
            assert f"{name}_{long.removeprefix('--')}`".replace("-", "_").replace(" ", "_").upper() in row
            assert not option.help or option.help.replace("|", "\\|") in row
