"""`charrnn sample`: writes new text to stdout, each character as soon as it is certain."""

import math
from collections.abc import Generator, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from charrnn.checks import LARGEST, check_int
from charrnn.cli.inputs import corpus_ngrams, load_models
from charrnn.cli.options import (
    MODEL,
    command,
    complete_texts,
    file_option,
    json_option,
    model_option,
    ngram_option,
    option,
    options_from,
    weights_option,
)
from charrnn.cli.sample_examples import complete_labels, labelled, write_targets
from charrnn.cli.typed import known_forms, read_prompt, unescaped
from charrnn.display.terminal import Answer, remark
from charrnn.errors import UsageError
from charrnn.options import MOST_TEXTS
from charrnn.sampling.options import CONSTRAINTS, MAIN, SAMPLING, SamplingOptions
from charrnn.system.resources import cores

if TYPE_CHECKING:
    from charrnn.sampling.sample import Sample

SEPARATOR = "---"
LENGTH, LONGEST = 500, 10_000  # the default of --length, without and with another condition that ends a text or line
CONDITIONAL, OUTPUT = "Conditional generation", "Output"
main_option, constraint, conditional, result_option = (
    partial(option, group=group) for group in (MAIN, CONSTRAINTS, CONDITIONAL, OUTPUT)
)


@command()
@model_option(
    "models",
    metavar="FILE[:WEIGHT]",
    multiple=True,
    default=[MODEL],
    group=MAIN,
    help="Model file, or :names (built in); repeat to mix several, with optional weights: -m a.npz:0.7 -m b.npz:0.3.",
)
@main_option("-p", "--prompt", aliases=("--prime",), default="", show_default=False, help="Text to continue.")
@file_option("--prompt-file", aliases=("--prime-file",), group=MAIN, help="File of the prompt; - is stdin.")
@main_option(
    "-n",
    "--length",
    type=int,
    show_default=f"{LENGTH}, or {LONGEST:,} with --stop, --texts or --label and per line of --lines",
    help="Write at most N characters.",
)
@options_from(SamplingOptions)
@main_option(
    "--count",
    type=int,
    default=1,
    help=f"Write N texts, separated by lines of {SEPARATOR}; their seeds are SEED, SEED + 1, ...",
)
@option(
    "--seed",
    type=int,
    group=SAMPLING,
    show_default="random, and shown",
    help="Seed of the random numbers; the same seed gives the same text.",
)
@option(
    "--workers",
    type=int,
    default=1,
    group=SAMPLING,
    help="Number of processes, which divide several texts among them or compute one text together.",
)
@constraint(
    "--no-copy",
    type=int,
    default=0,
    show_default=False,
    help="Never copy N or more consecutive characters from the corpus; 0 disables it.",
)
@constraint(
    "--corpus",
    metavar="TEXT",
    multiple=True,
    shell_complete=complete_texts,
    show_default="the training text",
    help="File or folder that --no-copy compares with.",
)
@constraint("--encoding", show_default="that of the training, or utf-8", help="Encoding of the corpus.")
@conditional(
    "--label",
    "labels",
    metavar="LABEL[:WEIGHT]",
    multiple=True,
    shell_complete=complete_labels,
    help="Generate an example with this label, or N examples with --lines N; repeat to mix labels.",
)
@conditional(
    "--source",
    "sources",
    metavar="TEXT",
    multiple=True,
    help="Generate the target of this source; - reads one source per line from standard input.",
)
@conditional("--beam", metavar="K", type=int, help="With --source: show the K most likely targets (beam search).")
@result_option(
    "--best-of",
    type=int,
    help="Generate N texts and keep the most likely one; with --count K, the K most likely, best first.",
)
@result_option("--no-echo", is_flag=True, help="Leave the prompt out of the output.")
@result_option(
    "--unknown",
    type=click.Choice(("error", "skip")),
    default="error",
    help="Refuse or skip symbols of the prompt that the model does not know.",
)
@json_option(group=OUTPUT, help="Write one JSON object per text.")
@weights_option(group=OUTPUT)
@ngram_option(group=OUTPUT)
def sample(
    models: tuple[str, ...],
    prompt: str,
    prompt_file: str | None,
    length: int | None,
    count: int,
    seed: int | None,
    workers: int,
    no_copy: int,
    corpus: tuple[str, ...],
    encoding: str | None,
    labels: tuple[str, ...],
    sources: tuple[str, ...],
    beam: int | None,
    best_of: int | None,
    no_echo: bool,
    unknown: str,
    as_json: bool,
    weights: str,
    no_ngram: bool,
    **fields: Any,
) -> None:
    """Generate text with a model.

    Generates new text, or continues --prompt; with --label or --source, an example or a target. At each step, symbols
    that the constraints exclude are removed first; then temperature, --top-k, --top-p and --min-p apply, in this order.
    """
    if sources:
        return write_targets(models, weights, sources, beam, as_json)
    fields["ban"] = unescaped("--ban", fields["ban"])
    fields["stop"] = tuple(unescaped("--stop", text) for text in fields["stop"])
    options = SamplingOptions(**fields)
    if labels:  # an example is a line
        if count > 1:
            raise UsageError("with --label, --lines N writes N examples: use it instead of --count.")
        if "\n" in options.ban:
            raise UsageError("an example ends with a newline, which --ban excludes: remove it from --ban.")
        count, options = options.lines or 1, replace(options, lines=1)
    if options.texts:
        if count > 1:
            raise UsageError("--texts N and --count N both set the number of texts: use one of them.")
        count, options = options.texts, replace(options, texts=1)
    if length is None:
        ended = options.lines or options.stop or options.texts
        length = min(LONGEST * (options.lines or 1), LARGEST) if ended else LENGTH
    check_usage(count, best_of, beam, no_copy, corpus, encoding)
    check_int("workers", workers, 1)
    if workers > cores():
        raise UsageError(f"{workers} workers need as many cores, and this process may use {cores()}: use fewer.")
    if prompt_file is not None:
        if prompt:
            raise UsageError("--prompt and --prompt-file both set the prompt: use one of them.")
        prompt = read_prompt(prompt_file)
    import secrets

    from charrnn.sampling.sample import sample as sample_one
    from charrnn.sampling.sample import sample_many

    paths, mixture = load_models(models, weights, no_ngram)
    model = labelled(paths, labels) if labels else mixture.of_text()
    if no_copy:
        options = replace(options, copies=corpus_ngrams(no_copy, paths, corpus, encoding))
    if prompt:
        [prompt] = known_forms(model.vocab, [prompt], "prompt")
    drawn = secrets.randbelow(2**31) if seed is None else seed
    settings: dict[str, Any] = {
        "options": options,
        "prompt": prompt,
        "seed": drawn,
        "unknown": unknown,
        "workers": workers,
    }
    seed_line = f"seed {drawn}" if seed is None and options.random and not as_json else ""
    answer, echo = Answer(), "" if no_echo else prompt
    if count == 1 and best_of is None and not as_json:
        characters = sample_one(model, length, **settings)
        if seed_line:
            remark(seed_line)
        ends = [write_one(answer, echo, characters)]
    else:
        scored = as_json or best_of is not None
        texts: Iterable[Sample] = sample_many(model, best_of or count, length, scored=scored, **settings)
        if seed_line:
            remark(seed_line)
        if best_of is not None:
            texts = sorted(texts, key=lambda text: math.inf if text.logprob is None else -text.logprob)[:count]
        ends = (
            write_json(answer, echo, prompt, texts, options.random)
            if as_json
            else write_many(answer, echo, texts, not labels)
        )
    explain(ends, options, length)


def check_usage(
    count: int, best_of: int | None, beam: int | None, no_copy: int, corpus: tuple[str, ...], encoding: str | None
) -> None:
    """Checks the options that only the command line has."""
    check_int("count", count, 1, MOST_TEXTS)
    check_int("no_copy", no_copy, 0)
    if best_of is not None:
        check_int("best_of", best_of, count, MOST_TEXTS)
    if beam is not None:
        raise UsageError("--beam works with --source only: add --source, or remove --beam.")
    if (corpus or encoding) and not no_copy:
        name = "--corpus" if corpus else "--encoding"
        raise UsageError(f"{name} works with --no-copy only: add --no-copy N, or remove {name}.")


def write_one(answer: Answer, echo: str, characters: Generator[str, None, str | None]) -> str | None:
    """Writes a text character by character; returns why it ended."""
    answer.write(echo)
    last = echo[-1:]
    try:
        while True:
            last = next(characters)
            answer.write(last)
    except StopIteration as stop:
        end: str | None = stop.value
    if answer.terminal and last != "\n":
        answer.write("\n")
    return end


def write_many(answer: Answer, echo: str, texts: "Iterable[Sample]", separated: bool) -> list[str | None]:
    """Writes texts, with a line between them if they are `separated`, else each on its own line; returns why each
    ended.
    """
    ends: list[str | None] = []
    open_line = True
    for text in texts:
        whole = echo + text.text
        if ends and (separated or open_line):
            answer.line(("\n" if separated and open_line else "") + (SEPARATOR if separated else ""))
        answer.write(whole)
        ends.append(text.end)
        open_line = not whole.endswith("\n")
    if answer.terminal and open_line:
        answer.write("\n")
    return ends


def write_json(answer: Answer, echo: str, prompt: str, texts: "Iterable[Sample]", random: bool) -> list[str | None]:
    """Writes texts as JSON objects; a seed is null if no random numbers are used. Returns why each ended."""
    ends: list[str | None] = []
    for text in texts:
        figures = {"seed": text.seed if random else None, "logprob_per_char": text.logprob}
        answer.json({"text": echo + text.text, "prompt": prompt, **figures})
        ends.append(text.end)
    return ends


def explain(ends: list[str | None], options: SamplingOptions, length: int) -> None:
    """Writes to stderr why texts are shorter than requested."""
    which = "the text" if len(ends) == 1 else f"{{}} of {len(ends)} texts"
    if "stuck" in ends:
        remark(f"note: {which.format(ends.count('stuck'))} ended early: the constraints allow no further character.")
    if "length" in ends and (options.lines or options.stop or options.texts):
        missing = (
            f"line {options.lines:,}" if options.lines else "a stop string" if options.stop else "the end of a text"
        )
        remark(f"note: {which.format(ends.count('length'))} ended at {length:,} characters, before {missing}.")
