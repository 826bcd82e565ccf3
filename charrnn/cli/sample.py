"""`charrnn sample`: new text on stdout, each character as soon as it is certain."""

import json
import sys
from collections.abc import Iterable
from typing import Any

import click

from charrnn.cli.common import MODEL, GroupedCommand, option
from charrnn.errors import TextError, UsageError
from charrnn.options import MOST_TEXTS, check_int
from charrnn.show.terminal import Answer, remark

BETWEEN = "---"
LONGEST_PRIME = 10_000_000  # bytes
CHOICE, OUTPUT, SOURCE = "Choosing characters", "Text", "Model"


@click.command(cls=GroupedCommand)
@option("-m", "--model", metavar="FILE", default=MODEL, group=SOURCE, help="The model file.")
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
@option("--seed", type=int, group=CHOICE, help="The same seed gives the same text.  [default: drawn, and shown]")
@option("-n", "--length", type=int, default=500, group=OUTPUT, help="How many characters to write.")
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
    model: str,
    weights: str,
    temp: float,
    top_k: int,
    top_p: float,
    seed: int | None,
    length: int,
    prime: str,
    prime_file: str | None,
    count: int,
    no_echo: bool,
    unknown: str,
    as_json: bool,
) -> None:
    """Write new text with a model.

    After the temperature --top-k applies, then --top-p.
    """
    check_int("length", length, 0)
    check_int("count", count, 1, MOST_TEXTS)
    if prime_file is not None:
        if prime:
            raise UsageError("--prime and --prime-file both say how the text begins: use one of them.")
        prime = read_prime(prime_file)
    from charrnn.checkpoint import load
    from charrnn.sampling import sample as characters
    from charrnn.sampling import sample_many

    loaded = load(model, weights)
    drawn = seed is None
    if seed is None:
        import secrets

        seed = secrets.randbelow(2**31)
    choice: dict[str, Any] = {
        "prime": prime,
        "temp": temp,
        "top_k": top_k,
        "top_p": top_p,
        "seed": seed,
        "unknown": unknown,
    }
    stream: Iterable[str]
    if count > 1:
        texts = stream = sample_many(loaded, count, length, **choice)
    else:
        stream = characters(loaded, length, **choice)
        texts = ["".join(stream)] if as_json else []
    answer, echo = Answer(), "" if no_echo else prime
    if as_json:
        for number, text in enumerate(texts):
            answer.line(json.dumps({"text": echo + text, "prime": prime, "seed": seed + number}))
        return
    if drawn:
        remark(f"seed {seed}")
    if count > 1:
        answer.write(f"\n{BETWEEN}\n".join(echo + text for text in texts))
    else:
        answer.write(echo)
        for piece in stream:
            answer.write(piece)
    if answer.terminal:
        answer.write("\n")


def read_prime(path: str) -> str:
    """A file's text, without the newline that ends it."""
    try:
        if path == "-":
            if sys.stdin is None:
                raise TextError("standard input is closed, so it cannot prime a model.")
            data = sys.stdin.buffer.read(LONGEST_PRIME + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(LONGEST_PRIME + 1)
        if len(data) > LONGEST_PRIME:
            raise TextError(f"{path} is too long to prime a model: more than {LONGEST_PRIME / 1e6:.0f} MB.")
        text = data.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise TextError(f"{path} is not UTF-8 (at offset {error.start:,}), so it cannot prime a model.") from None
    except (OSError, ValueError) as error:
        raise TextError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    return text.removesuffix("\n")
