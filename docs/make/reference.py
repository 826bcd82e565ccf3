"""Writes docs/reference.md: every command and option, from the click commands.

python docs/make/reference.py
"""

from collections.abc import Iterator, Sequence
from inspect import cleandoc
from pathlib import Path

import click

from charrnn.cli.main import SETTINGS, cli
from charrnn.cli.options import EXIT_CODES, GroupedOption, groups, variable

PAGE = Path(__file__).parents[1] / "reference.md"
START = """# Command reference

This page is generated from the options of the commands by `python docs/make/reference.py`.

Results (text, JSON, tables) are written to stdout; progress, notes and warnings to stderr.

The command line takes precedence over environment variables. In these, flags are set by `1`, and an option that can be
given several times takes several values, separated by spaces.
"""


def reference() -> str:
    """The page as Markdown."""
    codes = table(("exit code", "meaning"), list(EXIT_CODES.items()))
    return "\n".join([START, codes, *sections(cli, click.Context(cli, info_name="charrnn", **SETTINGS))])


def sections(command: click.Command, context: click.Context) -> Iterator[str]:
    """The section of a command, and those of its subcommands."""
    yield f"## `{context.command_path}`\n"
    yield f"```\n{' '.join([context.command_path, *command.collect_usage_pieces(context)])}\n```\n"
    yield f"{cleandoc(command.help or '')}\n"
    if isinstance(command, click.Group):
        names = command.list_commands(context)
        subcommands = {name: one for name in names if (one := command.get_command(context, name))}
        summaries = [(f"`{name}`", one.get_short_help_str()) for name, one in subcommands.items()]
        yield table(("command", "meaning"), summaries)
        for name, one in subcommands.items():
            yield from sections(one, click.Context(one, parent=context, info_name=name))
        return
    for heading, options in groups(command, context).items():
        rows = [row(option, context) for option in options if isinstance(option, GroupedOption)]
        if rows:
            yield f"{heading}:\n"
            yield table(("option", "meaning", "default", "environment variable"), rows)


def row(option: click.Option, context: click.Context) -> tuple[str, ...]:
    names, _ = option.get_help_record(context) or ("", "")
    default = option.get_help_extra(context).get("default", "")
    return (
        f"`{names}`",
        option.help or "",
        default.removeprefix("(").removesuffix(")"),
        f"`{context.auto_envvar_prefix}_{variable(option)}`",
    )


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(reference(), "utf-8")
