"""`charrnn train --resume`: the run in a model file, or the command of a new run where it cannot be resumed."""

import os
import shlex
from itertools import count
from typing import TYPE_CHECKING, Any

from charrnn.checks import declared, flag
from charrnn.cli.inputs import read_text
from charrnn.cli.options import model_argument
from charrnn.cli.train_plan import TASK_FLAGS, read
from charrnn.display.charts import counted
from charrnn.display.terminal import remark
from charrnn.errors import TextError, UsageError
from charrnn.options import STDIN, TEXT, Options

if TYPE_CHECKING:
    from charrnn.checkpoint.run import Run
    from charrnn.training.group import Group
    from charrnn.training.loop import Training

WEIGHTS = ("cell", "layers", "hidden_size", "unit")  # options that follow from the weights of a model


def resume_training(
    texts: tuple[str, ...], path: str, given: dict[str, Any], quiet: bool, group: "Group"
) -> "Training | None":
    """The run in a model file, ready to continue; None if it is complete."""
    from charrnn.checkpoint.model import load
    from charrnn.training.loop import Training

    model = load(path)
    model.of_network()
    run = model.run
    if run is None:
        raise UsageError(f"{path} contains no training run: it can be sampled, but not resumed.")
    if name := run.options.contradicted(given):
        stored = getattr(run.options, name)
        option = flag(name) if given[name] is True else f"{flag(name)} {given[name]}"
        trained = f"with {'none' if stored == '' else stored}" if stored is not False else "without it"
        raise UsageError(
            f"{option} contradicts the model file, which was trained {trained}: leave it out to resume."
            f"{new_run(texts, path, run, given, name)}"
        )
    options = run.options.resumed(given)
    options.check_order(given)
    # a signal after the last step, or too little memory, left no n-gram model
    unmixed = options.with_ngram and model.ngram is None and run.best_loss is not None
    if not texts and not unmixed and is_complete(run, options, path, quiet):
        return None
    command = f"charrnn train --resume{model_argument(path)}"
    if not texts and STDIN in run.texts:
        raise UsageError(f"{path} was trained on standard input: pass the text again, {command} - < TEXT.")
    advice = f"name the text, {command} TEXT"
    corpus = read_text(path, model, texts, None, advice, lambda names, _: read(names, options, quiet, model.vocab))
    if corpus.sha256 != run.sha256:
        what = f"is not the text that {path} was" if texts else f"has changed since {path} was"
        instead = new_run(texts or corpus.names, path, run, given)
        label = "standard input" if corpus.label == STDIN else corpus.label
        raise TextError(f"{label} {what} trained on{'' if texts else ' it'}.{instead}")
    training = Training.resume(corpus, options, model, group)
    return None if not unmixed and is_complete(run, options, path, quiet) else training


def is_complete(run: "Run", options: Options, path: str, quiet: bool) -> bool:
    """Whether a run has no steps left, which is printed."""
    end = options.length(run.windows)[1]
    if run.step >= end and not quiet:
        length = f"--steps {2 * end}"
        if options.epochs is not None:  # its step limit may have ended the run early
            length = f"--epochs {options.epochs * (1 if options.epochs * run.windows > end else 2)}"
        rate = "" if options.lr == run.options.lr else f" --lr {options.lr}"
        command = f"charrnn train --resume{model_argument(path)} {length}{rate}"
        remark(f"{path} has already finished its {counted(end, 'step')}. To continue: {command}")
    return run.step >= end


def new_run(texts: tuple[str, ...], path: str, run: "Run", given: dict[str, Any], contradicted: str = "") -> str:
    """The command of a new run with the options that were `given`, from the weights of the model unless they contradict
    its sizes; "" if no command is likely to work.
    """
    if contradicted == "task":
        return ""
    restart = contradicted in WEIGHTS
    names = texts or next(iter(run.places(path)), ("TEXT",))
    words = ["charrnn", "train", *map(shlex.quote, names)]
    for name, _, _, _, default, setting in declared(Options):
        value = given.get(name, getattr(run.options, name))
        if name == "task":
            words += TASK_FLAGS[value]
        elif name in WEIGHTS and not restart:
            continue
        elif name in given or (value != default and (setting.group == TEXT or name == "unit")):
            words += [flag(name)] if value is True else [flag(name), shlex.quote(str(value))]
    words += [] if restart else ["--init-from", shlex.quote(path)]
    stem, extension = os.path.splitext(path)
    free = next(name for number in count(2) if not os.path.exists(name := f"{stem}-{number}{extension}"))
    words += ["-m", shlex.quote(free), *(["<", "TEXT"] if STDIN in names else [])]
    return f" To start a new run{'' if restart else ' from its weights'}: {' '.join(words)}"
