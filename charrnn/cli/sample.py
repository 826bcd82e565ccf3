"""`charrnn sample`: new text on stdout, each character as soon as it is certain."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from charrnn.checks import check_int
from charrnn.cli.inputs import copies, load_models, read_prime
from charrnn.cli.options import MODEL, GroupedCommand, option
from charrnn.cli.sample_examples import examples_asked, labelled, write_targets
from charrnn.display.terminal import Answer, remark
from charrnn.errors import UsageError
from charrnn.options import MOST_TEXTS

if TYPE_CHECKING:
    from charrnn.sampling.sample import Manner, Written

BETWEEN = "---"
LENGTH, LONGEST = 500, 10_000  # the most characters of a text; where it says itself when it ends
CHOICE, RULES, OUTPUT, SOURCE = "Choosing characters", "What must not come", "Text", "Model"
SHAPES = "Models of examples"


@click.command(cls=GroupedCommand)
@option(
    "-m",
    "--model",
    "models",
    metavar="FILE[:WEIGHT]",
    multiple=True,
    default=[MODEL],
    group=SOURCE,
    help="The model file. Several are mixed, by weights such as a.npz:0.7 and b.npz:0.3.",
)
@option(
    "--weights",
    type=click.Choice(("best", "last")),
    default="best",
    group=SOURCE,
    help="The weights with the best held-out loss, or the last ones.",
)
@option(
    "-t",
    "--temp",
    "--temperature",
    "temp",
    type=float,
    default=0.8,
    group=CHOICE,
    help="Below 1 more certain, above 1 wilder; 0 takes the likeliest each time.",
)
@option("--top-k", type=int, default=0, group=CHOICE, help="Choose among the K likeliest only; 0 for all.")
@option(
    "--top-p",
    type=float,
    default=1.0,
    group=CHOICE,
    help="Choose among the likeliest that make up this probability.",
)
@option(
    "--min-p",
    type=float,
    default=0.0,
    group=CHOICE,
    help="Choose among those at least so many times as likely as the likeliest.",
)
@option("--seed", type=int, group=CHOICE, help="The same seed gives the same text.  [default: drawn, and shown]")
@option("--ban", metavar="CHARS", default="", group=RULES, show_default=False, help="Characters that never come.")
@option(
    "--no-repeat",
    metavar="N",
    type=int,
    default=0,
    group=RULES,
    show_default=False,
    help="No sequence of N characters comes twice, the prime counted.",
)
@option(
    "--no-copy",
    metavar="N",
    type=int,
    default=0,
    group=RULES,
    show_default=False,
    help="Never N or more characters in a row that stand in the corpus.",
)
@option(
    "--corpus",
    metavar="TEXT",
    multiple=True,
    group=RULES,
    show_default=False,
    help="What --no-copy must not copy.  [default: what the model was trained on]",
)
@option(
    "--encoding",
    group=RULES,
    show_default=False,
    help="Encoding of the corpus.  [default: that of the training, or utf-8]",
)
@option(
    "--raw",
    is_flag=True,
    group=RULES,
    show_default=False,
    help="Let a model of bytes write what is no UTF-8.",
)
@option(
    "-n",
    "--length",
    type=int,
    group=OUTPUT,
    show_default=False,
    help=f"The most characters to write.  [default: {LENGTH}; with --stop or --lines {LONGEST:,}]",
)
@option(
    "--stop",
    metavar="TEXT",
    multiple=True,
    group=OUTPUT,
    show_default=False,
    help="End before this text comes; can be given several times.",
)
@option("--lines", metavar="N", type=int, group=OUTPUT, show_default=False, help="Write N whole lines.")
@option("-p", "--prime", default="", group=OUTPUT, show_default=False, help="Text to go on from.")
@option(
    "--prime-file",
    metavar="FILE",
    type=str,
    group=OUTPUT,
    help="The same from a file, or - for stdin.",
)
@option(
    "--count",
    type=int,
    default=1,
    group=OUTPUT,
    help="How many texts to write, side by side; text i by seed + i, a line of --- between them.",
)
@option(
    "--best-of",
    metavar="N",
    type=int,
    group=OUTPUT,
    show_default=False,
    help="Of N texts, keep the likeliest; with --count K the K likeliest, the best first.",
)
@option(
    "--label",
    "labels",
    metavar="LABEL[:WEIGHT]",
    multiple=True,
    group=SHAPES,
    show_default=False,
    help="Write for this label; several are mixed by their vectors. --lines N writes N examples.",
)
@option(
    "--source",
    "sources",
    metavar="TEXT",
    multiple=True,
    group=SHAPES,
    show_default=False,
    help="Write the target of this source; - for one source a line.",
)
@option("--beam", metavar="K", type=int, group=SHAPES, show_default=False, help="The K likeliest targets, by a search.")
@option("--no-echo", is_flag=True, group=OUTPUT, show_default=False, help="Leave the prime out of the output.")
@option(
    "--unknown",
    type=click.Choice(("error", "skip")),
    default="error",
    group=OUTPUT,
    help="What to do with characters of the prime that the model has never seen.",
)
@option("--json", "as_json", is_flag=True, group=OUTPUT, show_default=False, help="One JSON object a text.")
def sample(
    models: tuple[str, ...],
    weights: str,
    seed: int | None,
    no_copy: int,
    corpus: tuple[str, ...],
    encoding: str | None,
    length: int | None,
    prime: str,
    prime_file: str | None,
    count: int,
    best_of: int | None,
    labels: tuple[str, ...],
    sources: tuple[str, ...],
    beam: int | None,
    no_echo: bool,
    unknown: str,
    as_json: bool,
    **choices: Any,
) -> None:
    """Write new text with a model.

    What must not come is left out first. After the temperature --top-k applies, then --top-p, then --min-p.
    """
    if sources:
        return write_targets(models, weights, sources, beam, as_json)
    if beam is not None:
        raise UsageError("--beam is for --source: use both, or none.")
    if length is None:
        length = LONGEST if labels or choices["stop"] or choices["lines"] is not None else LENGTH
    check_int("length", length, 0)
    check_int("count", count, 1, MOST_TEXTS)
    if choices["lines"] is None:
        choices["lines"] = 0
    else:
        check_int("lines", choices["lines"], 1)
    if labels:
        count, choices["lines"] = examples_asked(count, choices["lines"]), 1
    if best_of is not None:
        check_int("best_of", best_of, count, MOST_TEXTS)
    check_int("no_copy", no_copy, 0)
    if (corpus or encoding) and not no_copy:
        raise UsageError(f"{'--corpus' if corpus else '--encoding'} is for --no-copy: use both, or none.")
    if prime_file is not None:
        if prime:
            raise UsageError("--prime and --prime-file both say how the text begins: use one of them.")
        prime = read_prime(prime_file)
    from charrnn.sampling.sample import Manner, begin, characters, sample_many

    paths, model = load_models(models, weights)
    if labels:
        model = labelled(paths, labels)
    for _, one in paths if not labels else []:
        one.of_text()
    manner = Manner(**choices)
    if no_copy:
        manner = replace(manner, copies=copies(no_copy, paths, corpus, encoding))
    answer, drawn = Answer(), seed is None
    if seed is None:
        import secrets

        seed = secrets.randbelow(2**31)
    echo = "" if no_echo else prime
    if count == 1 and best_of is None and not as_json:
        writers, steps = begin(model, manner, prime, [seed], unknown)
        if drawn:
            remark(f"seed {seed}")
        written = write_one(answer, echo, characters(writers[0], steps, length))
        explain([writers[0].end if written < length else None], manner, length)
        return
    scored = as_json or best_of is not None
    texts = sample_many(model, best_of or count, length, manner, prime=prime, seed=seed, unknown=unknown, scored=scored)
    if drawn and not as_json:
        remark(f"seed {seed}")
    if best_of is not None:
        texts = iter(sorted(texts, key=likeliness)[:count])
    ends = write_json(answer, echo, prime, texts) if as_json else write_many(answer, echo, texts, not labels)
    explain(ends, manner, length)


def write_one(answer: Answer, echo: str, stream: Iterator[str]) -> int:
    """Writes a text as it comes; how many characters it has."""
    answer.write(echo)
    count, last = 0, echo[-1:]
    for count, last in enumerate(stream, 1):  # noqa: B007
        answer.write(last)
    if answer.terminal and last != "\n":
        answer.write("\n")
    return count


def write_many(answer: Answer, echo: str, texts: "Iterator[Written]", apart: bool = True) -> list[str | None]:
    """Writes texts, with a line between them if they are to be kept `apart`; why each ended."""
    ends: list[str | None] = []
    broken = True
    for text in texts:
        whole = echo + text.text
        if ends and apart:
            answer.line(BETWEEN if broken else f"\n{BETWEEN}")
        answer.write(whole)
        ends.append(text.end)
        broken = whole.endswith("\n")
    if answer.terminal and not broken:
        answer.write("\n")
    return ends


def write_json(answer: Answer, echo: str, prime: str, texts: "Iterator[Written]") -> list[str | None]:
    ends: list[str | None] = []
    for text in texts:
        record = {"text": echo + text.text, "prime": prime, "seed": text.seed, "logprob_per_char": text.logprob}
        answer.line(json.dumps(record))
        ends.append(text.end)
    return ends


def likeliness(text: "Written") -> float:
    """The key that sorts the likeliest text first; one without a character comes last."""
    return math.inf if text.logprob is None else -text.logprob


def explain(ends: list[str | None], manner: "Manner", length: int) -> None:
    """Says on stderr why texts are shorter than was asked for."""
    which = "the text" if len(ends) == 1 else f"{{}} of {len(ends)} texts"
    if "stuck" in ends:
        remark(f"note: {which.format(ends.count('stuck'))} ended where nothing was left that may come.")
    if manner.lines and None in ends:
        remark(f"note: {which.format(ends.count(None))} ended at {length:,} characters, before line {manner.lines:,}.")
    elif manner.stop and None in ends:
        remark(f"note: {which.format(ends.count(None))} ended at {length:,} characters, before the text to stop at.")
