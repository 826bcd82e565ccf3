"""`charrnn see`: a group of commands that are imported only when they are needed."""

from importlib import import_module

import click

from charrnn.cli.options import Group

COMMANDS = ("curve", "gradients", "memory", "neurons", "surprise", "step")


class LazyGroup(Group):
    """A group that imports a command only to run it or to show its help."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command = getattr(import_module(f"charrnn.cli.see.{name}"), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, invoke_without_command=True)
@click.pass_context
def see(context: click.Context) -> None:
    """Look inside a network: gradients, memory, neurons, surprise."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
