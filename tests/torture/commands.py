"""Random command lines, made by hypothesis: in this process, and as processes of their own."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import hypothesis
from hypothesis import strategies as st

from tests.torture.common import TEXT, TINY, Outcome, Tally, command, errors, folder, start

COUNT = 21_000
PROCESSES = 21  # one command line in so many is a process of its own
CODES = {0, 1, 2}

NUMBERS = [
    "0",
    "1",
    "2",
    "3",
    "7",
    "-1",
    "1e3",
    "0x10",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "1e-320",
    "0.5",
    "1.0",
    "2.5",
    "",
    " 3 ",
    "1_0",
    "١٢",
    "9" * 400,
    "9223372036854775807",
    "9223372036854775808",
    "x",
    "\x1b[31m",
    "\udcff",
    "-",
]
FILES = [
    "corpus.txt",
    "model.npz",
    "new.npz",
    "missing",
    "empty",
    "folder",
    "latin.txt",
    "-",
    "",
    ".",
    "a\nb",
    "\udcff",
    "loop",
    "x" * 300,
    "nul",
    "one.txt",
    "/dev/null",
    "\x1b[31m.npz",
    "cut.npz",
]
TEXTS = ["the cat", "", "é", "\udcff", "\ud800", "\x1b[31m", "[red]", "a\nb", "the " * 50, "\0", "한글", "🙂"]
SMALL = [*TINY, "--steps", "3", "--workers", "1", "-q"]  # before what is drawn, so that it may be overruled

number, path, text = (st.sampled_from(words) for words in (NUMBERS, FILES, TEXTS))
word = st.one_of(number, path, text)


def options(names: dict[str, "st.SearchStrategy[str] | None"]) -> st.SearchStrategy[list[str]]:
    """Any of these options, in any order, each with a value of its kind."""
    each = [
        st.tuples(st.just(name), values) if values is not None else st.just((name,)) for name, values in names.items()
    ]
    return st.lists(st.one_of(each), max_size=4).map(lambda found: [word for words in found for word in words])


# sizes stay small or absurd, and no option makes a command line that rightly takes long
size = st.sampled_from([n for n in NUMBERS if n not in ("1e3",)])
TRAIN = options(
    {
        "--cell": st.sampled_from(["lstm", "gru", "rnn", "cnn", ""]),
        "--layers": size,
        "--hidden-size": size,
        "--epochs": st.just("1"),
        "--steps": st.sampled_from(["1", "2", "0", "-1", "x"]),
        "--unit": st.sampled_from(["char", "byte", "jamo", "word"]),
        "--resume": None,
        "--force": None,
        "--dropout": number,
        "--encoding": st.sampled_from(["utf-8", "latin-1", "utf-16", "hex", "x", ""]),
        "--val-fraction": number,
        "--seq-length": size,
        "--batch-size": size,
        "--lr": number,
        "--clip": number,
        "--seed": number,
        "--optimizer": st.sampled_from(["adam", "sgd", "x"]),
        "--schedule": st.sampled_from(["cosine", "constant", "x"]),
        "--workers": st.sampled_from(["1", "0", "-1", "1025", "x"]),
        "--eval-every": number,
        "--save-every": number,
        "--log-every": number,
        "--json": None,
        "-q": None,
        "-m": path,
        "--nonsense": None,
        "--help": None,
    }
)
SAMPLE = options(
    {
        "-m": path,
        "--weights": st.sampled_from(["best", "last", "x"]),
        "--temp": number,
        "--top-k": number,
        "--top-p": number,
        "--seed": number,
        "-n": st.sampled_from(["0", "1", "20", "-1", "x", "1e3"]),
        "-p": text,
        "--prime-file": path,
        "--count": st.sampled_from(["1", "2", "0", "-1", "10001", "x"]),
        "--no-echo": None,
        "--unknown": st.sampled_from(["skip", "error", "x"]),
        "--json": None,
        "--help": None,
    }
)
EVAL = options(
    {
        "-m": path,
        "--weights": st.sampled_from(["best", "last"]),
        "--all": None,
        "--json": None,
        "--encoding": st.sampled_from(["utf-8", "latin-1", "x"]),
    }
)
INFO = options({"-m": path, "--json": None})
LINES = st.one_of(
    st.tuples(path, TRAIN).map(lambda drawn: ["train", drawn[0], *SMALL, *drawn[1]]),
    st.tuples(path, TRAIN).map(lambda drawn: ["train", "corpus.txt", *SMALL, "--force", *drawn[1]]),
    SAMPLE.map(lambda drawn: ["sample", "-n", "20", *drawn]),
    st.tuples(st.lists(path, max_size=2), EVAL).map(lambda drawn: ["eval", *drawn[0], *drawn[1]]),
    INFO.map(lambda drawn: ["info", *drawn]),
    st.lists(word, max_size=4),
    st.tuples(
        st.sampled_from(["train", "sample", "eval", "info", "--version", "--help"]), st.lists(word, max_size=4)
    ).map(lambda drawn: [drawn[0], *drawn[1]]),
)


def furnish(home: Path) -> None:
    """The files that a command line may name."""
    os.chdir(home)
    Path("corpus.txt").write_text(TEXT)
    command(["train", "corpus.txt", *TINY, "--steps", "3", "--workers", "1", "-q"])
    for name, data in {"empty": b"", "latin.txt": b"caf\xe9", "nul": bytes(100), "one.txt": b"a"}.items():
        Path(name).write_bytes(data)
    Path("cut.npz").write_bytes(Path("model.npz").read_bytes()[:-300])
    Path("folder").mkdir()
    Path("loop").symlink_to("loop")


def run(count: int, seed: int) -> Outcome:
    tally, processes = Tally(), [0]
    with folder() as top:
        home, work = top / "home", top / "work"
        home.mkdir()
        furnish(home)

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=count,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate],
        )
        @hypothesis.given(LINES)
        def once(line: list[str]) -> None:
            os.chdir(top)
            shutil.rmtree(work, ignore_errors=True)
            shutil.copytree(home, work, symlinks=True)
            os.chdir(work)
            tally.count += 1
            if tally.count % PROCESSES == 0 and not any("\0" in word for word in line):
                processes[0] += 1
                look(line, *apart(line), tally)
            else:
                look(line, *here(line), tally)

        kept = tempfile.tempdir
        try:
            once()
        finally:
            tempfile.tempdir = kept
            os.chdir(top)
    return tally.outcome(f"command lines, {processes[0]:,} of them as processes")


def here(line: list[str]) -> tuple[int, str]:
    try:
        code, _, err = command(line, stdin=TEXT.encode())
    except SystemExit as leaving:
        return int(leaving.code or 0), ""
    except Exception as error:
        return -1, f"Traceback of {type(error).__name__}: {error}"
    return code, err


def apart(line: list[str]) -> tuple[int, str]:
    process = start(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _, err = process.communicate(TEXT.encode())
    return process.returncode, err.decode("utf-8", "replace")


def look(line: list[str], code: int, err: str, tally: Tally) -> None:
    what = f"{line}: {code} {err[-300:]!r}"
    tally.check(code in CODES and "Traceback" not in err, what)
    tally.check(len(errors(err)) == (code != 0), what)
    left = [name for name in os.listdir() if name.startswith(".")]
    tally.check(not left, f"{what}: left {left}")
    tally.check(Path("corpus.txt").read_text() == TEXT, f"{what}: the text has changed")
