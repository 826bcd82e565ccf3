"""`charrnn corpora`: lists the built-in corpora, or writes one to stdout."""

from typing import Any

import click
from click.shell_completion import CompletionItem

from charrnn.cli.options import Completions, command, json_option
from charrnn.display.terminal import Answer
from charrnn.errors import UsageError
from charrnn.options import BUILT_IN
from charrnn.text.builtin import CORPORA, LICENCE, corpus_file, members


def complete_corpora(context: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """The names of single files."""
    names = [name for name in CORPORA if len(members(BUILT_IN + name)) == 1]
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@command()
@click.argument("name", required=False, shell_complete=complete_corpora)
@json_option(help="Write the list as JSON, one object per corpus.")
def corpora(name: str | None, as_json: bool) -> None:
    """List the built-in corpora, or write one to stdout.

    Other commands read the corpus NAME as :NAME where they expect TEXT: charrnn train :tales.
    """
    answer = Answer()
    if name is not None:
        return write(answer, BUILT_IN + name.removeprefix(BUILT_IN), as_json)
    rows: list[dict[str, Any]] = [
        {
            "corpus": BUILT_IN + name,
            "bytes": sum(corpus_file(file).stat().st_size for file in members(BUILT_IN + name)),
            "language": each.language,
            "licence": LICENCE,
            "contents": each.contents,
        }
        for name, each in CORPORA.items()
    ]
    if as_json:
        for row in rows:
            answer.json(row)
        return
    from charrnn.display.console import show
    from charrnn.display.tables import print_lines

    lines = [{**row, "bytes": f"{row['bytes']:,}"} for row in rows]
    show(answer, lambda out: print_lines(out, lines, list(rows[0])))


def write(answer: Answer, name: str, as_json: bool) -> None:
    if as_json:
        raise UsageError("--json is for the list of corpora: remove it, or the name.")
    [first, *others] = members(name)
    if others:
        command = f"charrnn corpora {first.removeprefix(BUILT_IN)}"
        raise UsageError(f"{name} is a folder of {len(others) + 1} corpora: name one of them, such as {command}.")
    answer.write_bytes(corpus_file(name).read_bytes())
