"""The folder of files for the tests of bad input."""

import gzip
import os
import stat
import unicodedata
from pathlib import Path

from safetensors.numpy import save_file

from charrnn.checkpoint.pytorch import to_pytorch
from charrnn.cli.main import run
from tests.cli.test_train import TEXT, TINY
from tests.sampling.test_sample import model_of


def furnish(here: Path) -> None:
    """Creates the files that the rows of the table name in `here`, the current folder."""
    (here / "corpus.txt").write_text(TEXT)
    assert run(["train", "corpus.txt", *TINY, "--steps", "12", "--workers", "1", "-q"]) == 0
    assert (
        run(["train", "corpus.txt", *TINY, "--epochs", "9", "--steps", "3", "--workers", "1", "-q", "-m", "part.npz"])
        == 0
    )
    Path("gone.txt").write_text(TEXT)
    assert run(["train", "gone.txt", *TINY, "--steps", "3", "--workers", "1", "-q", "-m", "gone.npz"]) == 0
    Path("gone.txt").unlink()
    model = Path("model.npz").read_bytes()
    files = {
        "empty.txt": b"",
        "bom.txt": b"\xef\xbb\xbf",
        "one.txt": b"a",
        "two.txt": b"ab",
        "same.txt": b"a" * 200,
        "spaces.txt": b" \n" * 100,
        "latin.txt": b"caf\xe9 " * 40,
        "late.txt": b"a" * 3_000_000 + b"\xff",
        "cut-short.txt": "한글".encode()[:-1],
        "overlong.txt": b"abc\xc0\xafdef",
        "surrogates.txt": b"abc\xed\xa0\x80def",
        "beyond.txt": b"abc\xf4\x90\x80\x80",
        "five.txt": b"abc\xf8\x88\x80\x80\x80",
        "utf16.txt": TEXT.encode("utf-16"),
        "utf16be.txt": b"\xfe\xff" + TEXT.encode("utf-16-be"),
        "utf16-bare.txt": TEXT.encode("utf-16-le"),
        "utf32.txt": TEXT.encode("utf-32"),
        "utf16-bare-be.txt": TEXT.encode("utf-16-be"),
        "cp1252.txt": b"\x93No\x94 \x97 it\x92s late\x85\n" * 10,
        "cp949.txt": "그는 학교에 갔다.\n".encode("cp949"),
        "mac.txt": TEXT.replace("\n", "\r").encode(),
        "marks.txt": "a\ufeffbc\n".encode() * 40,
        "jamo.txt": unicodedata.normalize("NFD", "한글 " * 40).encode(),
        "page.html": f"<!DOCTYPE html>{TEXT}".encode(),
        "notes.rtf": b"{\\rtf1" + TEXT.encode(),
        "book.pdf": b"%PDF-1.7\n" + TEXT.encode(),
        "corpus.txt.gz": gzip.compress(TEXT.encode()),
        "three.csv": b"a,x,1\nb,y,2\n",
        "quotes.csv": b'a,"x" y\nb,z\n',
        "header.csv": b"label,text\n" + b"a,x\nb,y\n" * 20,
        "accents.txt": "the cat e\u0301 \ufe0f\n".encode(),
        "odd.txt": "abc".encode("utf-16-le") + b"a",
        "nul.txt": bytes(500),
        "some-nul.txt": (TEXT + "\0").encode(),
        "elf.txt": b"\x7fELF\x02\x01\x01" + bytes(500),
        "png.txt": b"\x89PNG\r\n\x1a\n" + bytes(50),
        "escapes.txt": b"\x1b[31mred\x1b[0m \x07\x7f\n" * 30,
        "crlf.txt": b"one\r\ntwo\r" * 40,
        "distinct.txt": "".join(map(chr, range(0x10000, 0x10000 + 60_000))).encode(),
        "decomposed.txt": "e\u0301t\u00e9 ".encode() * 40,
        "utf7.txt": b"abc+2AA-def" * 20,
        "a\nb.txt": b"",
        "\x1b[31mred.txt": b"",
        "foreign.txt": b"\xc3\xa9\xc3\xa9",
        "part-foreign.txt": "the cat \u00e9\u00e9".encode(),
        "model.txt": model,
        "cut.npz": model[:-300],
        "flipped.npz": model[:900] + bytes([model[900] ^ 1]) + model[901:],
        "text.npz": TEXT.encode(),
        "empty.npz": b"",
        "long-prime.txt": b"the cat " * 1_300_000,
    }
    for name, data in files.items():
        Path(name).write_bytes(data)
    untrained = model_of("abcd")
    save_file(to_pytorch(untrained.config, untrained.params), "net.safetensors")
    Path(os.fsdecode(b"undecodable\xff.txt")).write_bytes(b"")
    Path("folder").mkdir()
    train_bytes = ["train", "mac.txt", *TINY, "--unit", "byte", "--steps", "3", "--workers", "1", "-q", "-m", "mac.npz"]
    assert run(train_bytes) == 0
    for name, text in {"pos/1.txt": "good", "neg/1.txt": "bad", "notes.txt": "x", "README.md": "y"}.items():
        Path("mixed", name).parent.mkdir(parents=True, exist_ok=True)
        Path("mixed", name).write_text(text)
    Path("ones").mkdir()
    for k in range(5):
        Path("ones", f"{k}.txt").write_text(TEXT.replace("\n", " "))
    Path("binaries").mkdir()
    Path("binaries", "a.bin").write_bytes(bytes(100))
    Path("loop").symlink_to("loop")
    Path("dangling").symlink_to("nowhere/model.npz")
    os.link("corpus.txt", "hard.txt")
    Path("soft.txt").symlink_to("corpus.txt")
    os.mkfifo("fifo")


def device(name: str, number: int) -> bool:
    """Creates a memory device (3 is null, 5 zero, 7 full); returns False if that is not permitted."""
    try:
        os.mknod(name, stat.S_IFCHR | 0o600, os.makedev(1, number))
        return True
    except (OSError, AttributeError):
        return False
