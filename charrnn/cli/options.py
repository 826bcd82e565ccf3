"""What commands share: options in groups in the help, and what the user gave rather than left to defaults."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from charrnn.display.terminal import remark

if TYPE_CHECKING:
    pass

MODEL = "model.npz"
STDIN = "-"


class GroupedOption(click.Option):
    """An option that stands under a heading in the help, and is set in the environment by its long name."""

    def __init__(self, *args: Any, group: str = "Options", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group
        self.allow_from_autoenv = False  # click would go by the parameter's name

    def resolve_envvar_value(self, context: click.Context) -> str | None:
        if context.auto_envvar_prefix is not None:
            self.envvar = f"{context.auto_envvar_prefix}_{long_name(self)}"
        return super().resolve_envvar_value(context)


class GroupedCommand(click.Command):
    """A command whose help lists its options under their headings, in the order in which they are declared."""

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        options = [p for p in self.get_params(context) if isinstance(p, GroupedOption)]
        groups: dict[str, list[tuple[str, str]]] = {option.group: [] for option in options}
        for parameter in self.get_params(context):
            record = parameter.get_help_record(context)
            if record is not None and isinstance(parameter, click.Option):
                groups.setdefault(getattr(parameter, "group", "Options"), []).append(record)
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def long_name(option: click.Option) -> str:
    """The first long name of an option, as the environment spells it."""
    name = next(name for name in option.opts if name.startswith("--"))
    return name.removeprefix("--").replace("-", "_").upper()


def option(*names: str, group: str = "Options", **settings: Any) -> Callable[[Any], Any]:
    """A click option under a heading; its default is shown."""
    settings.setdefault("show_default", True)
    return click.option(*names, cls=GroupedOption, group=group, **settings)


def given(context: click.Context, names: set[str]) -> dict[str, Any]:
    """The options among `names` that the user set, on the command line or in the environment."""
    sources = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
    return {
        name: value
        for name, value in context.params.items()
        if name in names and context.get_parameter_source(name) in sources
    }


def set_by_environment(context: click.Context, name: str) -> bool:
    """Whether an option was set in the environment, where what is on the command line overrules it."""
    return context.get_parameter_source(name) == ParameterSource.ENVIRONMENT


def notes(texts: list[str], most: int = 10) -> None:
    """Remarks to the user on stderr, not endlessly."""
    for text in texts[:most]:
        remark(f"note: {text}")
    if len(texts) > most:
        remark(f"note: and {len(texts) - most:,} more like these.")


several_models = option(
    "-m",
    "--model",
    "models",
    metavar="FILE",
    multiple=True,
    default=[MODEL],
    help="A model file; several are compared.",
)
one_model = option("-m", "--model", metavar="FILE", default=MODEL, help="The model file.")
weights = option(
    "--weights",
    type=click.Choice(("best", "last")),
    default="best",
    help="The weights with the best held-out loss, or the last ones.",
)
as_json = option("--json", "as_json", is_flag=True, show_default=False, help="JSON objects on stdout.")
drawing = option("-o", "--output", metavar="FILE", show_default=False, help="Draw into FILE: .html or .svg.")
plotting = option(
    "-o", "--output", metavar="FILE", show_default=False, help="Draw into FILE: .html or .svg; .png or .pdf are plots."
)
as_plot = option("--plot", is_flag=True, show_default=False, help="Make an .svg a plot with axes (matplotlib), too.")
