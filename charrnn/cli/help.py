"""`charrnn help` and `charrnn completion`."""

from collections.abc import Sequence

import click

from charrnn.cli.options import Completions, command


def find_command(context: click.Context, names: Sequence[str]) -> click.Context:
    """The context of the command with these names, such as see gradients. Raises click.UsageError."""
    found = context.find_root()
    for name in names:
        group = found.command
        if not isinstance(group, click.Group):
            raise click.UsageError(f"{found.command_path} has no subcommands", found)
        command = group.resolve_command(found, [name])[1]
        assert command is not None
        found = click.Context(command, parent=found, info_name=command.name)
    return found


def complete_commands(context: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """Commands below those that are already given."""
    found = find_command(context, context.params["names"])
    return found.command.shell_complete(found, incomplete) if isinstance(found.command, click.Group) else []


@command("help")
@click.argument("names", metavar="[COMMAND...]", nargs=-1, type=str, shell_complete=complete_commands)
@click.pass_context
def show_help(context: click.Context, names: tuple[str, ...]) -> None:
    """Show the help of a command."""
    click.echo(find_command(context, names).get_help())


@command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    The script completes options, choices, files, model files, labels and, after a colon, built-in corpora
    and models. Load it in the startup file of the shell.
    """
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    assert script is not None
    if shell == "bash":  # else :tales is two words
        click.echo("COMP_WORDBREAKS=${COMP_WORDBREAKS//:}")
    click.echo(script(context.find_root().command, {}, "charrnn", "_CHARRNN_COMPLETE").source())
