"""`charrnn train`: reads the text, trains, shows, saves; and goes on where a run stopped."""

import os
import time
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from charrnn.checks import check_int
from charrnn.cli.options import MODEL, STDIN, GroupedCommand, given, notes, option, set_by_environment
from charrnn.cli.signals import stopping
from charrnn.cli.train_plan import LABEL_TASKS, Start, check_recorded, chosen_task, clock_seconds, planned, started
from charrnn.cli.train_session import Records, Session
from charrnn.display.terminal import remark
from charrnn.errors import UsageError
from charrnn.options import CELLS, LENGTHS, MINUTES, OPTIMIZERS, SCHEDULES, UNITS, Options

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Model
    from charrnn.text.corpus import Corpus
    from charrnn.text.examples import Examples
    from charrnn.text.vocab import Vocab
    from charrnn.training.loop import Training
from charrnn.cli.inputs import refuse_overwriting

DEFAULTS = Options()
CHOSEN = "chosen"
FIRST, NETWORK, TEXT, LEARNING, OUTPUT = "First of all", "Network", "Text", "Learning", "Saving and showing"


@click.command(cls=GroupedCommand)
@click.argument("texts", metavar="TEXT...", nargs=-1, type=str)
@option("-m", "--model", metavar="FILE", default=MODEL, group=FIRST, help="The model file to write.")
@option("--cell", metavar="NAME", show_default=CHOSEN, group=FIRST, help=f"Recurrent cell: {', '.join(CELLS)}.")
@option("--layers", type=int, show_default=CHOSEN, group=FIRST, help="Layers of cells.")
@option("--hidden-size", type=int, show_default=CHOSEN, group=FIRST, help="Size of each layer's state.")
@option(
    "--minutes",
    type=float,
    group=FIRST,
    show_default=f"{MINUTES:g}, if neither --epochs nor --steps",
    help="Time for the run: sizes and steps are chosen to suit it.",
)
@option("--epochs", type=int, group=FIRST, help="How often to read the text, in the whole run.")
@option("--steps", type=int, group=FIRST, help="Steps of the whole run; the first reached of both ends it.")
@option(
    "--unit",
    type=click.Choice(UNITS),
    default=DEFAULTS.unit,
    group=FIRST,
    help="What a symbol is: a code point, a byte, or a code point with Hangul syllables as their letters.",
)
@option(
    "--resume",
    is_flag=True,
    group=FIRST,
    show_default=False,
    help="Go on with the run in the model file; its options hold, TEXT may be left out.",
)
@option("--labelled", is_flag=True, group=FIRST, show_default=False, help="TEXT holds examples with labels.")
@option("--pairs", is_flag=True, group=FIRST, show_default=False, help="TEXT holds sources and targets.")
@option(
    "--task",
    type=click.Choice(LABEL_TASKS),
    show_default=LABEL_TASKS[0],
    group=FIRST,
    help="With --labelled: write a text for a label, or tell the label of a text.",
)
@option(
    "--init-from",
    metavar="MODEL",
    group=FIRST,
    help="Start from this model's weights, on another TEXT: with its cell, sizes and unit.",
)
@option(
    "--dropout",
    type=float,
    show_default=CHOSEN,
    group=NETWORK,
    help="Share of activations dropped between layers and before the output.",
)
@option("--encoding", default=DEFAULTS.encoding, group=TEXT, help="Encoding of the text files.")
@option(
    "--val-fraction",
    type=float,
    default=DEFAULTS.val_fraction,
    group=TEXT,
    help="Last part of each file to hold out; 0 for none.",
)
@option(
    "--min-count",
    type=int,
    default=DEFAULTS.min_count,
    group=TEXT,
    metavar="N",
    help="What occurs fewer times is one symbol, never written; 1 for all, 0 to choose where they are very many.",
)
@option(
    "--seq-length",
    type=int,
    show_default=CHOSEN,
    group=LEARNING,
    help="Steps of a window: how far the gradient reaches back.",
)
@option("--batch-size", type=int, show_default=CHOSEN, group=LEARNING, help="Streams read side by side.")
@option("--lr", type=float, show_default=CHOSEN, group=LEARNING, help="Learning rate at its peak.")
@option(
    "--optimizer",
    type=click.Choice(OPTIMIZERS),
    default=DEFAULTS.optimizer,
    group=LEARNING,
    help="How a gradient becomes a step.",
)
@option(
    "--schedule",
    type=click.Choice(SCHEDULES),
    default=DEFAULTS.schedule,
    group=LEARNING,
    help="The learning rate after its warm-up; over --epochs if given, else --steps.",
)
@option("--clip", type=float, default=DEFAULTS.clip, group=LEARNING, help="Largest norm of a gradient; 0 for any.")
@option(
    "--weight-decay",
    type=float,
    show_default=CHOSEN,
    group=LEARNING,
    help="How fast weights shrink by themselves, times the learning rate.",
)
@option(
    "--patience",
    type=int,
    show_default=CHOSEN,
    group=LEARNING,
    metavar="N",
    help="Evaluations without a better one that end the run; 0 for any number.",
)
@option(
    "--cut",
    metavar="STEP:TOTAL",
    group=LEARNING,
    help="Shorten the schedule after STEP, to end at TOTAL, as a run did that was late.",
)
@option("--seed", type=int, default=DEFAULTS.seed, group=LEARNING, help="The same seed gives the same run.")
@option(
    "--workers",
    type=int,
    default=DEFAULTS.workers,
    group=LEARNING,
    metavar="N",
    help="Processes that share the streams; 0 to choose by the sizes and the cores.",
)
@option(
    "--eval-every",
    type=int,
    default=DEFAULTS.eval_every,
    group=LEARNING,
    metavar="N",
    help="Steps between scorings of the held-out text; 0 to choose by its size.",
)
@option(
    "--save-every",
    type=int,
    default=0,
    group=OUTPUT,
    metavar="N",
    help="Steps between savings, beside one about each minute; 0 for that alone.",
)
@option("--force", is_flag=True, group=OUTPUT, show_default=False, help="Replace a model file that exists.")
@option(
    "--json",
    "as_json",
    is_flag=True,
    group=OUTPUT,
    show_default=False,
    help="One JSON object a step on stdout.",
)
@option("--log-every", type=int, default=1, group=OUTPUT, metavar="N", help="Steps between JSON objects.")
@option(
    "--no-baselines",
    is_flag=True,
    group=OUTPUT,
    show_default=False,
    help="At the end, no comparison with n-grams and xz.",
)
@option("-q", "--quiet", is_flag=True, group=OUTPUT, show_default=False, help="No progress and no notes.")
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
    """Train on TEXT: one or more files, folders, or - for standard input.

    With --labelled each line is an example, and the file's name its label; or a table (.tsv) has rows of label, tab
    and text. With --pairs a table has rows of source, tab and target.
    """
    begin = time.monotonic()
    check_int("save_every", save_every, 0)
    check_int("log_every", log_every, 1)
    chosen = given(context, {field.name for field in fields(Options)})
    chosen |= chosen_task(labelled, pairs, task, resume)
    if set_by_environment(context, "minutes") and (resume or not chosen.keys().isdisjoint(LENGTHS)):
        minutes = None
    if log_every > 1 and not as_json and not set_by_environment(context, "log_every"):
        raise UsageError("--log-every is for --json: use both, or none.")
    seconds = clock_seconds(minutes, chosen)
    if resume and minutes is not None:
        raise UsageError("--minutes plans a new run: --resume goes on by --steps or --epochs.")
    if resume and init_from:
        raise UsageError("--resume goes on with a run and --init-from begins a new one: use one of them.")
    from charrnn.system.atomic import check_room, claimed

    if not (texts or resume):
        raise UsageError("name a text to train on: charrnn train TEXT, or - for standard input.")
    if not (resume or force) and os.path.isfile(model):
        raise UsageError(f"{model} exists. Use --resume to go on, --force to replace it, or -m for another file.")
    with claimed(model):
        if resume:
            training, deadline = taken_up(texts, model, force, chosen, quiet), None
            if training is None:
                return 0
        else:
            start = started(init_from)
            chosen = start.settled(chosen)
            corpus = read_new(texts, model, Options(**chosen), quiet, start)
            training, deadline = planned(corpus, chosen, seconds, begin, quiet, model, start)
            if not quiet:
                start.explain(training)
        check_room(model, training.model.room)
        if not quiet:
            notes(training.notes)
        session = Session(training, model, save_every, Records(log_every) if as_json else None, quiet, not no_baselines)
        session.deadline = deadline
        with stopping() as stop:
            return session.run(stop)


def read_new(texts: tuple[str, ...], model: str, options: Options, quiet: bool, start: Start) -> "Corpus | Examples":
    """The text of a new run, which the model is not written over."""
    for text in texts:
        refuse_overwriting(model, 0 if text == STDIN else text)
    corpus = read(texts, options, quiet, beside=start.vocab)
    for file in corpus.files:
        refuse_overwriting(model, file)
    return corpus


def taken_up(texts: tuple[str, ...], model: str, force: bool, chosen: dict[str, Any], quiet: bool) -> "Training | None":
    """The run in the model file, ready to go on; None where nothing is left to do."""
    if force:
        raise UsageError("--resume goes on with the model file and --force replaces it: use one of them.")
    from charrnn.checkpoint.model import load
    from charrnn.training.loop import Training

    found = load(model)
    if found.run is None:
        raise UsageError(f"{model} holds no training to go on from: it can be sampled, not resumed.")
    options = found.run.options.resumed(chosen)
    if not texts:
        if finished(found, options, model, quiet):
            return None
        check_recorded(found.run.texts, model)
    corpus = read(texts or found.run.texts, options, quiet, found.vocab)
    training = Training.resume(corpus, options, found)
    return None if finished(found, options, model, quiet) else training


def read(
    texts: tuple[str, ...],
    options: Options,
    quiet: bool,
    vocab: "Vocab | None" = None,
    beside: "Vocab | None" = None,
) -> "Corpus | Examples":
    """The text as numbers, by `vocab` or its own symbols and those of `beside`; a large one is seen to be read."""
    from charrnn.display.reading import Reading
    from charrnn.text.dataset import read_texts

    with Reading(texts, quiet) as reading:
        return read_texts(texts, options, vocab, beside, reading.progress)


def finished(found: "Model", options: Options, model: str, quiet: bool) -> bool:
    if found.run is None:
        return False
    end = options.length(found.run.windows)[1]
    if found.run.step < end:
        return False
    if not quiet:
        more = "--steps" if options.epochs is None else "--epochs"
        remark(f"{model} has all of its {end:,} steps: nothing is left to do. More {more} go on.")
    return True
