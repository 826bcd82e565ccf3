"""Options and help pages of commands: click options from field metadata, and options that commands share."""

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from functools import partial
from glob import escape, glob
from typing import Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from charrnn.checkpoint.builtin import MODELS
from charrnn.checks import Declared, declared, flag
from charrnn.cli.examples import examples_of
from charrnn.display.terminal import remark
from charrnn.options import BUILT_IN, Options
from charrnn.text.builtin import CORPORA, is_builtin

MODEL = "model.npz"
Decorator = Callable[[Any], Any]
Completions = list["CompletionItem[str]"]
EXIT_CODES = {
    "0": "success",
    "1": "failure, such as a file that cannot be read",
    "2": "wrong usage: an option, or a combination of options",
    "128 + N": "stopped by signal N",
}


class GroupedOption(click.Option):
    """An option that is listed under the heading `group`; its environment variable has its long name.

    `aliases` are further names, which the help does not show.
    """

    def __init__(
        self, names: Sequence[str], *args: Any, group: str = "Options", aliases: Sequence[str] = (), **kwargs: Any
    ) -> None:
        super().__init__([*names, *aliases], *args, **kwargs)
        self.group, self.aliases = group, aliases
        self.allow_from_autoenv = False  # click would use the name of the parameter

    def resolve_envvar_value(self, context: click.Context) -> str | None:
        if context.auto_envvar_prefix is not None:
            self.envvar = f"{context.auto_envvar_prefix}_{variable(self)}"
        return super().resolve_envvar_value(context)

    def get_help_record(self, context: click.Context) -> tuple[str, str] | None:
        shown = copy(self)
        shown.opts = [name for name in self.opts if name not in self.aliases]
        return super(GroupedOption, shown).get_help_record(context)


class HelpPage(click.Command):
    """A command whose help ends with examples, environment variables, exit codes, and where to read more."""

    def get_short_help_str(self, limit: int = 0) -> str:
        return super().get_short_help_str(1000)  # wrapped, never truncated

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        path, prefix = context.command_path, context.auto_envvar_prefix
        options = [each for each in self.params if isinstance(each, GroupedOption)]
        examples = examples_of(path)
        variables = ""
        if options:
            variables = f"{prefix}_<OPTION> sets the default of an option, such as {prefix}_{variable(options[0])}."
        elif isinstance(self, click.Group):
            names = self.list_commands(context)[:3]
            examples = dict(next(iter(examples_of(f"{path} {name}").items())) for name in names)
            variables = (
                f"{prefix}_<COMMAND>_<OPTION> sets the default of an option, such as {prefix}_{names[0].upper()}_MODEL."
            )
        with formatter.section("Examples"):
            indent = " " * formatter.current_indent
            for command, comment in examples.items():
                formatter.write(f"{indent}# {comment}\n{indent}$ {command}\n")
        if variables:
            with formatter.section("Environment variables"):
                formatter.write_text(f"{variables} The command line takes precedence.")
        with formatter.section("Exit codes"):
            formatter.write_dl(list(EXIT_CODES.items()))
        with formatter.section("Learn more"):
            formatter.write_text("docs/reference.md: all commands and options; README.md: introduction.")


class GroupedCommand(HelpPage):
    """A command whose help lists its options by group, in the order in which they are declared."""

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, options in groups(self, context).items():
            with formatter.section(heading):
                formatter.write_dl([record for option in options if (record := option.get_help_record(context))])


class Group(HelpPage, click.Group):
    """A group of commands, listed in the order in which they were added."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.commands)


def groups(command: click.Command, context: click.Context) -> dict[str, list[click.Option]]:
    """The options of a command by heading, --help under the last one."""
    found: dict[str, list[click.Option]] = {}
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option):
            found.setdefault(getattr(parameter, "group", "Options"), []).append(parameter)
    return found


def variable(option: click.Option) -> str:
    """The end of the environment variable of an option: its first long name."""
    name = next(name for name in option.opts if name.startswith("--"))
    return name.removeprefix("--").replace("-", "_").upper()


def command(name: str | None = None) -> Decorator:
    return click.command(name, cls=GroupedCommand)


def option(*names: str, group: str = "Options", **settings: Any) -> Decorator:
    """A click option under a heading; its default is shown, unless it is a flag or empty."""
    settings.setdefault("show_default", not settings.get("is_flag") and settings.get("default") != "")
    if settings.get("type") is int:
        settings["metavar"] = settings.get("metavar") or "N"
    return click.option(*names, cls=GroupedOption, group=group, **settings)


def options_from(options: type, *names: str, **changes: Any) -> Decorator:
    """Click options for the fields of a dataclass that have a `Setting` with a help text, in the order of the fields.

    `names` limits them to some fields; `changes` replaces arguments of `click.option`, such as `group` or `default`.
    """

    def decorate(command: Any) -> Any:
        for field in reversed(declared(options)):
            if field.setting.help and (not names or field.name in names):
                command = _option_for(field, changes)(command)
        return command

    return decorate


def _option_for(field: Declared, changes: dict[str, Any]) -> Decorator:
    setting, is_flag = field.setting, field.kind is bool
    settings: dict[str, Any] = {
        "group": setting.group,
        "help": setting.help,
        "type": click.Choice(setting.choices) if setting.choices else field.kind,
        "metavar": setting.metavar,
        "is_flag": is_flag,
        "multiple": field.multiple,
        "default": None if setting.chosen else field.default,
        "show_default": "chosen" if setting.chosen else setting.show_default and not is_flag,
    }
    return option(*(setting.flags or (flag(field.name),)), field.name, **settings | changes)


def complete_files(context: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """Files and folders, which the shell lists."""
    return [CompletionItem(incomplete, type="file")]


def complete_texts(context: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """Built-in corpora after a colon, else files and folders."""
    if is_builtin(incomplete):
        return builtin_names(CORPORA, incomplete)
    return complete_files(context, parameter, incomplete)


def complete_models(context: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """Built-in models after a colon, else model files, to which the shell adds folders."""
    if is_builtin(incomplete):
        return builtin_names(MODELS, incomplete)
    names = sorted(glob(f"{escape(incomplete)}*.npz"))
    return [CompletionItem(incomplete, type="dir"), *map(CompletionItem, names)]


def builtin_names(names: Iterable[str], incomplete: str) -> Completions:
    return [CompletionItem(BUILT_IN + name) for name in names if name.startswith(incomplete.removeprefix(BUILT_IN))]


def given(context: click.Context, names: set[str]) -> dict[str, Any]:
    """The options among `names` that the user set, on the command line or in the environment."""
    sources = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
    return {
        name: value
        for name, value in context.params.items()
        if name in names and context.get_parameter_source(name) in sources
    }


def set_by_environment(context: click.Context, name: str) -> bool:
    """Whether an option was set in the environment, which the command line overrules."""
    return context.get_parameter_source(name) == ParameterSource.ENVIRONMENT


def model_argument(*paths: str) -> str:
    """The -m of a suggested command, which can be pasted; empty for the default."""
    return "" if paths == (MODEL,) else "".join(f" -m {shlex.quote(path)}" for path in paths)


ARGUMENTS = {field.name for field in declared(Options)} | {"lags", "layer", "of", "text", "vocab"}


def with_options(text: str) -> str:
    """A message of the library with options in place of arguments in backquotes, such as `unit=byte`."""

    def option(match: "re.Match[str]") -> str:
        name, value = match[1], match[2]
        return flag(name) + (f" {value}" if value else "") if name in ARGUMENTS else match[0]

    return re.sub(r"`(\w+)(?:=([^`]*))?`", option, text)


def notes(texts: list[str], most: int = 10) -> None:
    """Notes to the user on stderr, at most `most` of them."""
    for text in texts[:most]:
        remark(f"note: {with_options(text)}")
    if len(texts) > most:
        remark(f"note: and {len(texts) - most:,} more like these.")


# The options that several commands have, as `@model_option()`; arguments replace those given here.
model_option = partial(
    option,
    "-m",
    "--model",
    metavar="FILE",
    default=MODEL,
    shell_complete=complete_models,
    help="Model file.",
)
models_option = partial(
    model_option, "models", multiple=True, default=[MODEL], help="Model file; repeat to compare several."
)
weights_option = partial(
    option,
    "--weights",
    type=click.Choice(("best", "last")),
    default="best",
    help="Weights to use: those with the lowest validation loss, or those of the last step.",
)
ngram_option = partial(
    option, "--no-ngram", is_flag=True, help="Use the network alone, without the n-gram model of train --with-ngram."
)
json_option = partial(option, "--json", "as_json", is_flag=True, help="Write JSON objects to stdout.")
encoding_option = partial(option, "--encoding", help="Encoding of TEXT.", show_default="that of the training")
seed_option = partial(option, "--seed", type=int, metavar="N", default=0, help="Seed of the random numbers.")
file_option = partial(option, metavar="FILE", show_default=False, shell_complete=complete_files)
output_option = partial(file_option, "-o", "--output", help="Write a figure to FILE: .html or .svg.")
plot_file_option = partial(output_option, help="Write a figure to FILE: .html, .svg, or (with matplotlib) .png, .pdf.")
plot_option = partial(option, "--plot", is_flag=True, help="With -o FILE.svg: draw with matplotlib.")
texts_argument = partial(click.argument, "texts", nargs=-1, type=str, shell_complete=complete_texts)
