"""`charrnn`: the group of commands, error messages and exit codes."""

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import click

from charrnn._version import __version__
from charrnn.checks import flag
from charrnn.cli.bench import bench
from charrnn.cli.classify import classify
from charrnn.cli.corpora import corpora
from charrnn.cli.eval import evaluate
from charrnn.cli.export import export
from charrnn.cli.help import completion, show_help
from charrnn.cli.import_model import import_model
from charrnn.cli.info import info
from charrnn.cli.novelty import novelty
from charrnn.cli.options import Group, with_options
from charrnn.cli.sample import sample
from charrnn.cli.see import see
from charrnn.cli.train import train
from charrnn.cli.write import write
from charrnn.display.terminal import ReaderLeft, remark, settle, silence
from charrnn.errors import CharRNNError, UsageError
from charrnn.system.mpi import abort, may_report

SIGINT, SIGPIPE = 2, 13

SETTINGS: dict[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "auto_envvar_prefix": "CHARRNN",
    "max_content_width": 100,
}


@click.group(cls=Group, context_settings=SETTINGS, invoke_without_command=True)
@click.version_option(__version__, "-V", "--version", prog_name="charrnn", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Train a character-level RNN, GRU or LSTM on a text, and generate new text with it."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


COMMANDS = (train, sample, write, classify, evaluate, novelty, info, see, export, import_model, bench, corpora)
for each in (*COMMANDS, show_help, completion):
    cli.add_command(each)


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code: 0 success, 1 failure, 2 wrong usage, 128 + signal."""
    words = sys.argv[1:] if arguments is None else arguments
    fail = partial(end_with_error, once=train.name in words[:1])  # ranks of MPI have other commands each to itself
    try:
        code = cli.main(args=arguments, prog_name="charrnn", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except CharRNNError as error:
        argument = error.argument if isinstance(error, UsageError) else ""
        text = str(error).replace(argument, flag(argument), 1) if argument else str(error)
        return fail(with_options(text), error.exit_code)
    except click.ClickException as error:
        place = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "charrnn"
        text = error.format_message().rstrip(".")
        return fail(f"{text}{'' if text.endswith('?') else '.'} See {place} --help.", error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return abort(128 + SIGINT)
    except (ReaderLeft, BrokenPipeError):
        silence(sys.stdout)
        return abort(128 + SIGPIPE)
    except MemoryError:
        return fail("out of memory.", 1)
    except OSError as error:
        silence(sys.stdout)
        return fail(f"{error.strerror or error}.", 1)
    finally:
        settle(sys.stderr)


def end_with_error(message: str, code: int, once: bool) -> int:
    """Prints an error, `once` for all ranks of MPI, ends them, and returns the exit code."""
    if not once or may_report():
        remark(f"error: {message}")
    return abort(code)
