"""`charrnn train`: starts a run, or resumes the one in the model file."""

import os
import time
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from charrnn.checks import check_int, declared
from charrnn.cli import train_plan
from charrnn.cli.inputs import refuse_overwriting
from charrnn.cli.options import (
    command,
    complete_models,
    given,
    json_option,
    model_option,
    notes,
    option,
    options_from,
    set_by_environment,
    texts_argument,
)
from charrnn.cli.resume import resume_training
from charrnn.cli.signals import stopping, watch
from charrnn.cli.train_session import Records, Session
from charrnn.display.terminal import remark
from charrnn.errors import UsageError
from charrnn.options import LENGTHS, MAIN, MINUTES, NGRAM, STDIN, Options

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.text.corpus import Corpus
    from charrnn.text.examples import Examples
    from charrnn.training.group import Group

OUTPUT = "Output"
main_option, result_option = (partial(option, group=group) for group in (MAIN, OUTPUT))


@command()
@texts_argument(metavar="TEXT...")
@model_option(group=MAIN, help="Model file to write.")
@main_option(
    "--minutes",
    type=float,
    show_default=f"{MINUTES:g}, without --epochs and --steps",
    help="Time limit in minutes; the sizes and the number of steps that are not given are chosen to fit.",
)
@options_from(Options)
@main_option("--resume", is_flag=True, help="Resume the run in the model file with its options; TEXT is optional.")
@main_option("--labelled", is_flag=True, help="TEXT contains labelled examples.")
@main_option(
    "--task",
    type=click.Choice(train_plan.LABEL_TASKS),
    show_default=train_plan.LABEL_TASKS[0],
    help="With --labelled: generate a text for a label, or classify a text.",
)
@main_option("--pairs", is_flag=True, help="TEXT contains pairs of source and target.")
@main_option(
    "--init-from",
    metavar="MODEL",
    shell_complete=complete_models,
    help="Start from the weights of this model, with its cell, sizes and unit.",
)
@result_option(
    "--save-every",
    type=int,
    default=0,
    help="Save every N steps as well as about once a minute; 0 disables the former.",
)
@result_option("--force", is_flag=True, help="Replace an existing model file.")
@json_option(group=OUTPUT, help="Write one JSON object per step to stdout.")
@result_option("--log-every", type=int, default=1, help="With --json: write every N steps.")
@result_option("--no-baselines", is_flag=True, help="Skip the final comparison with baselines.")
@result_option("-q", "--quiet", is_flag=True, help="Print no progress and no notes.")
@click.pass_context
def train(
    context: click.Context,
    /,
    texts: tuple[str, ...],
    model: str,
    minutes: float | None,
    resume: bool,
    labelled: bool,
    pairs: bool,
    task: str | None,
    init_from: str | None,
    force: bool,
    save_every: int,
    as_json: bool,
    log_every: int,
    no_baselines: bool,
    quiet: bool,
    **_: Any,
) -> int:
    """Train a model on text files.

    TEXT is one or more files or folders, a built-in corpus such as :tales (see charrnn corpora), or - for standard
    input. With --labelled, each line of a text file is an example, labelled with the file name; in a folder of folders,
    each file is an example, labelled with the name of its folder; a table (.tsv, .csv) has the columns label and text,
    or with --pairs source and target. --cell ngram counts an n-gram model in place of a network.
    """
    start_time = time.monotonic()
    check_int("save_every", save_every, 0)
    check_int("log_every", log_every, 1)
    chosen = given(context, {field.name for field in declared(Options)})
    chosen |= train_plan.task_from_flags(labelled, pairs, task, resume)
    counting = chosen.get("cell") == NGRAM
    unused = [name for name in chosen if set_by_environment(context, name) and not applies(name, chosen)]
    chosen = {name: value for name, value in chosen.items() if name not in unused}
    if set_by_environment(context, "minutes") and (counting or resume or not chosen.keys().isdisjoint(LENGTHS)):
        minutes = None
    if counting and set_by_environment(context, "init_from"):
        init_from = None
    if log_every > 1 and not as_json and not set_by_environment(context, "log_every"):
        raise UsageError("--log-every only applies to --json: use both, or neither.")
    if counting:
        from charrnn.training.ngram_training import refuse_training

        refuse_training({**chosen, "resume": resume, "init_from": init_from, "minutes": minutes})
    seconds = train_plan.clock_seconds(minutes, chosen)
    check_new_or_resumed(texts, model, resume, force, minutes, init_from)
    from charrnn.checkpoint.model import load
    from charrnn.cli.baselines import announce
    from charrnn.system.atomic import check_room, claimed
    from charrnn.training.group import start_group
    from charrnn.training.ngram_training import NgramTraining
    from charrnn.training.plan import plan_training
    from charrnn.training.transfer import options_from_model

    group = start_group()
    if group.rank:
        return follow_orders(group)
    with claimed(model):
        repeat = None
        if resume:
            training = resume_training(texts, model, chosen, quiet, group)
            if training is None:
                return group.end(0)
        else:
            source = None if init_from is None else load(init_from)
            chosen = options_from_model(source, chosen) if source else chosen
            options = Options(**chosen)
            options.check_order(chosen)
            corpus = read_new(texts, model, options, quiet, source)
            if counting:
                announce(corpus.symbols, (lambda _: None) if quiet else remark, "n-grams")
                training = NgramTraining(corpus, options)
            else:
                training, plan = plan_training(corpus, options, chosen, seconds, start_time, source, group)
                if not quiet:
                    train_plan.print_plan(plan, training, seconds, init_from)
            repeat = partial(train_plan.repeating_command, training, model, init_from)
        check_room(model, training.model.room)
        if not quiet:
            notes([*group.notes, *training.notes])
        records = Records(log_every) if as_json else None
        session = Session(training, model, save_every, records, quiet, not no_baselines, repeat)
        if counting:
            session.save_finally()
            session.conclude()
            return group.end(0)
        with stopping() as stop:
            return group.end(session.run(stop))


def applies(name: str, chosen: dict[str, Any]) -> bool:
    """Whether an option applies to the cell, and an order to a model with n-grams."""
    from charrnn.training.ngram_training import NGRAM_OPTIONS

    if chosen.get("cell") == NGRAM:
        return name in NGRAM_OPTIONS and name != "with_ngram"
    return name != "order" or bool(chosen.get("with_ngram"))


def follow_orders(group: "Group") -> int:
    """A rank other than 0: the signals that it receives stop the training."""
    from charrnn.training.follower import follow

    def receive(number: int, _: FrameType | None) -> None:
        group.received = group.received or number

    watch(receive)
    return follow(group)


def check_new_or_resumed(
    texts: tuple[str, ...], model: str, resume: bool, force: bool, minutes: float | None, init_from: str | None
) -> None:
    """Raises UsageError for options that contradict each other or the existence of the model file."""
    exists = f"{model} already exists: use --resume to continue its run, --force to replace it, or -m for another file."
    for wrong, message in (
        (resume and minutes is not None, "--minutes plans a new run: use --steps or --epochs with --resume."),
        (resume and init_from, "--resume continues a run and --init-from starts a new one: use one of them."),
        (resume and force, "--resume continues the run in the model file and --force replaces it: use one of them."),
        (not (texts or resume), "no text to train on: use charrnn train TEXT, or - for standard input."),
        (not (resume or force) and os.path.isfile(model), exists),
    ):
        if wrong:
            raise UsageError(message)


def read_new(
    texts: tuple[str, ...], model: str, options: Options, quiet: bool, source: "Model | None"
) -> "Corpus | Examples":
    """The text of a new run, which the model file must not replace; `source` is the model to start from."""
    from charrnn.nn.params import Config

    if options.cell != NGRAM:
        Config(options.cell, options.layers, options.hidden_size, 1)  # an unknown cell is an error before reading
    for text in texts:
        refuse_overwriting(model, 0 if text == STDIN else text)
    corpus = train_plan.read(texts, options, quiet, beside=source.vocab if source else None)
    for file in corpus.files:
        refuse_overwriting(model, file)
    if corpus.summary and not quiet:
        remark(corpus.summary)
    return corpus
