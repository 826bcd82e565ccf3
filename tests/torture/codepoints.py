"""Every code point and random strings through every output: terminals get no control codes, pipes the exact bytes."""

import io
import json
import random
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from rich.console import Console

from charrnn.checkpoint.model import Model
from charrnn.cli.options import notes
from charrnn.display.console import show
from charrnn.display.evaluation import scores
from charrnn.display.info import information
from charrnn.display.reading import ReadProgress
from charrnn.display.terminal import JOINERS, SIGNS, SPACE, UNSEEN, Answer, remark, safe
from charrnn.display.training import Screen
from charrnn.errors import TextError
from charrnn.evaluation.score import Score
from charrnn.nn.params import Config, fresh_params
from charrnn.text.vocab import Vocab
from tests.torture.common import Outcome, Stream, Tally, dice, tiny

COUNT = 1_114_112 + 100_000
POINTS = 1_114_112
WRITTEN = {*"\n\t", *JOINERS, *SPACE, *SIGNS, *map(chr, range(0xE0030, 0xE0080))}  # at least within words and emoji
CHUNK, ROW = 4096, 64
OURS = re.compile(
    rb"\x1b\[[0-9;]*[mA-HJK]|\x1b\[\?(?:25|7)[hl]|\r"
)  # colours, and cursor movements of the live display


@contextmanager
def streams(terminal: bool) -> Iterator[tuple[Stream, Stream]]:
    kept, out, err = (sys.stdout, sys.stderr), Stream(terminal), Stream(terminal)
    sys.stdout, sys.stderr = out, err
    try:
        yield out, err
    finally:
        sys.stdout, sys.stderr = kept


def harmless(data: bytes) -> bool:
    """Whether the output contains no control characters except our colours and cursor movements."""
    text = OURS.sub(b"", data).decode("utf-8")
    return not any(unicodedata.category(c) in UNSEEN for c in set(text) - WRITTEN)


def texts(count: int, seed: int) -> Iterator[str]:
    """All code points in long strings, then random strings of 1 to 40 characters, half of them control characters."""
    rng = dice(seed, "codepoints")
    every = count >= COUNT
    points = range(POINTS) if every else sorted({*range(0x800), *rng.sample(range(POINTS), min(POINTS, count // 2))})
    for begin in range(0, len(points), CHUNK):
        yield "".join(map(chr, points[begin : begin + CHUNK]))
    for _ in range(COUNT - POINTS if every else count // 10):
        yield "".join(chr(point(rng)) for _ in range(rng.randint(1, 40)))


def point(rng: random.Random) -> int:
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randrange(0xA0)
    if kind == 1:
        return rng.choice((0x1B, 0x9B, 0x5B, 0x5D, 0x07, 0x202E, 0x2028, 0xFEFF, 0xE0041, 0xD800, 0xDC80, 0xDCFF))
    return rng.randrange(POINTS) if kind == 2 else rng.randrange(0x20, 0x7F)


def plain_ways(text: str, tally: Tally) -> None:
    """Check the outputs without rich: sampled text, remarks, notes and errors."""
    shown = safe(text)
    tally.check(not any(unicodedata.category(c) in UNSEEN for c in set(shown) - WRITTEN), f"safe: {text!r:.200}")
    with streams(terminal=True) as (out, err):
        Answer().write(text)
        remark(text)
        notes([text])
        remark(f"error: {TextError(text)}")
        tally.check(harmless(out.taken()), f"stdout on a terminal: {text!r:.200}")
        line = shown.replace("\n", "\u240a")  # wrapped only at spaces
        same = re.sub(rb"[ \n]", b"", err.taken()) == f"{line}note:{line}error:{line}".replace(" ", "").encode()
        tally.check(harmless(err.taken()) and same, f"stderr on a terminal: {text!r:.200}")
    writable = "".join(c for c in text if not 0xD800 <= ord(c) < 0xDC80 and not 0xDD00 <= ord(c) < 0xE000)
    with streams(terminal=False) as (out, _):
        Answer().write(writable)
        Answer().line(json.dumps({"text": text}))
        wanted = writable.encode("utf-8", "surrogateescape")
        got = out.taken()
        tally.check(got.startswith(wanted), f"stdout to a pipe: {text!r:.200}")
        answer = got[len(wanted) :]
        same = json.loads(answer)["text"].encode("utf-16", "surrogatepass") == text.encode("utf-16", "surrogatepass")
        tally.check(same and answer.isascii(), f"JSON: {text!r:.200}")


def drawn_ways(row: str, model: Model, screen: Screen, tally: Tally) -> None:
    """Check what rich draws, the tables and the live display: file names, symbols, texts and generated text."""
    assert model.run is not None
    model.run.texts = (row,)
    symbols = sorted({ord(c) for c in row if not 0xD800 <= ord(c) < 0xE000})
    some = Model(model.config, Vocab("char", symbols), model.params, model.run)
    score = Score(total=1.0, symbols=1, correct=1, chars=1, bytes=1)
    with streams(terminal=True) as (out, err):
        answer = Answer()
        show(answer, lambda paper: information(paper, row, some, 1))
        show(answer, lambda paper: scores(paper, [(row, model, score), (row, model, score)]))
        ReadProgress((row, row), quiet=False).label.encode()
        tally.check(harmless(out.taken() + err.taken()), f"tables: {row!r:.200}")
    screen.lines.clear()
    screen.sample = lambda step: row
    screen.training.corpus.names = (row,)
    screen.add_line(1)
    screen.draw()
    file = cast(io.StringIO, screen.console.file)
    tally.check(harmless(file.getvalue().encode()), f"live display: {row!r:.200}")
    file.seek(0)
    file.truncate()


def run(count: int, seed: int) -> Outcome:
    tally, rows = Tally(), 0
    training = tiny(steps=4, eval_every=2)
    records = list(training)
    model = training.model
    tally.check(not harmless(b"\x1b]0;x\x07"), "the check does not detect a control sequence")
    console = Console(file=io.StringIO(), width=100, force_terminal=True, markup=False, highlight=False, emoji=False)
    screen = Screen(training, lambda step: "", console)
    screen.record = records[-1]
    for text in texts(count, seed):
        tally.count += len(text) if len(text) > 40 else 1
        plain_ways(text, tally)
        # only some of the short strings are drawn: rich is slow
        if len(text) > 40 or tally.count % 100 == 0:
            for begin in range(0, len(text), ROW):
                rows += 1
                drawn_ways(text[begin : begin + ROW], model, screen, tally)
    bytes_come_back(tally)
    return tally.outcome(f"code points and strings on a terminal and through a pipe; {rows:,} rows drawn by rich")


def bytes_come_back(tally: Tally) -> None:
    """Check that every byte that a byte model can generate reaches a pipe unchanged."""
    data = bytes(range(256)) * 2
    with streams(terminal=False) as (out, _):
        Answer().write(data.decode("utf-8", "surrogateescape"))
        tally.check(out.taken() == data, "bytes to a pipe are changed")
    vocab = Vocab("byte", range(256))
    config = Config("rnn", 1, 1, 256)
    model = Model(config, vocab, fresh_params(config, 0))
    with streams(terminal=True) as (out, _):
        show(Answer(), lambda paper: information(paper, "m", model, 1))
        tally.check(harmless(out.taken()), "vocabulary of bytes on a terminal")
