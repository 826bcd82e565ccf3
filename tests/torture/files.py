"""Damaged and hostile model files, passed to every command that reads a model."""

import contextlib
import hashlib
import io
import itertools
import json
import os
import stat
import struct
import time
import tracemalloc
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from charrnn.checkpoint.model import load
from charrnn.errors import ModelFileError
from tests.torture.common import Outcome, Tally, command, digest, errors, folder, tiny

COUNT = 200
COMMANDS = (["sample", "-m"], ["train", "--resume", "-m"], ["eval", "-m"], ["info", "-m"])
MEMORY, SECONDS = 64 << 20, 1.0

Arrays = dict[str, Any]


def npy(values: Any, **more: Any) -> bytes:
    data = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.lib.format.write_array(data, values, **more)
    return data.getvalue()


def with_header(text: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """An `.npy` file with an arbitrary header."""
    size = struct.pack("<H" if version[0] == 1 else "<I", len(text))
    return b"\x93NUMPY" + version + size + text.encode("latin-1") + data


def sealed(members: dict[str, bytes]) -> dict[str, bytes]:
    """The members with a correct digest, as an attacker who knows the format would write them."""
    whole = b"".join(name.encode() + data for name, data in members.items() if name != "sha256")
    return {**members, "sha256": npy(np.frombuffer(hashlib.sha256(whole).digest(), dtype=np.uint8))}


def archive(members: dict[str, bytes], kind: int = zipfile.ZIP_STORED, suffix: str = ".npy") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", kind) as out:
        for name, content in members.items():
            out.writestr(name + suffix, content)
    return data.getvalue()


def members_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {info.filename.removesuffix(".npy"): file.read(info) for info in file.infolist()}


def good_file() -> bytes:
    """The file of a trained LSTM with an n-gram model, which contains every kind of array."""
    training = tiny(cell="lstm", steps=30, epochs=50, eval_every=4, lr=0.2, with_ngram=True, order=2)
    list(training)
    training.run.texts = ("corpus.txt",)
    training.model.save("good.npz")
    return Path("good.npz").read_bytes()


def hostile(good: bytes) -> Iterator[tuple[str, bytes]]:
    """All damaged and hostile variants of a good file, with a description."""
    yield from containers(good)
    yield from zips(good)
    yield from headers(good)
    yield from arrays(good)
    yield from metas(good)


def containers(good: bytes) -> Iterator[tuple[str, bytes]]:
    yield from {
        "empty": b"",
        "text": b"hello\n",
        "nul": bytes(5000),
        "png": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "elf": b"\x7fELF" + bytes(200),
        "gzip": b"\x1f\x8b\x08" + bytes(200),
        "tar": b"a" + bytes(1023),
        "pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x06system\x94\x93\x94.",
        "a bare array": npy(np.zeros(3)),
        "an empty archive": archive({}),
        "only an end": b"PK\x05\x06" + bytes(18),
        "only a start": b"PK\x03\x04" + bytes(26),
        "another npz": archive({"a": npy(np.zeros(3))}),
        "a pickled npz": archive({"meta": npy(np.array([{}], dtype=object))}),
        "letters": b"\x93NUMPY" * 500,
        "trailing garbage": good + b"garbage",
        "trailing nul": good + b"\0",
        "leading garbage": b"garbage" + good,
        "twice": good + good,
        "with a comment": good[:-2] + b"\x03\x00abc",
        "backwards": good[::-1],
    }.items()
    for part in range(1, 16):
        yield f"cut at {part}/16", good[: len(good) * part // 16]
    for cut in (1, 2, 10, 21, 22, 23, 46, 98, 99):
        yield f"cut by {cut}", good[:-cut]
    for place in range(0, len(good), len(good) // 12):
        yield f"a byte removed at {place}", good[:place] + good[place + 1 :]
        yield f"a byte added at {place}", good[:place] + b"\x00" + good[place:]


def zips(good: bytes) -> Iterator[tuple[str, bytes]]:
    members = members_of(good)
    for name, kind in (("deflated", zipfile.ZIP_DEFLATED), ("bzip2", zipfile.ZIP_BZIP2), ("lzma", zipfile.ZIP_LZMA)):
        yield name, archive(members, kind)
    yield "no suffixes", archive(members, suffix="")
    yield "other suffixes", archive(members, suffix=".NPY")
    for gone in members:
        yield f"without {gone}", archive({name: data for name, data in members.items() if name != gone})
    more = {
        "a foreign array": {"evil": npy(np.zeros(3))},
        "an empty name": {"": npy(np.zeros(3))},
        "a path as a name": {"../../evil": npy(np.zeros(3))},
        "a name with an escape": {"\x1b[31mevil": npy(np.zeros(3))},
        "a name in markup": {"[red]by": npy(np.zeros(3))},
        "a name with a line break": {"by\nerror: fake": npy(np.zeros(3))},
        "60,000 members": {f"m{i}": b"" for i in range(60_000)},
    }
    for name, extra in more.items():
        yield name, archive(sealed({**members, **extra}))
    for name, order in (("backwards", list(members)[::-1]), ("digest first", ["sha256", *list(members)[:-1]])):
        yield f"members {name}", archive({key: members[key] for key in order})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = io.BytesIO(good)
        with zipfile.ZipFile(data, "a") as file:
            file.writestr("by.npy", npy(np.zeros(3, dtype=np.float32)))
        yield "a member twice", data.getvalue()
    data = io.BytesIO(good)
    with zipfile.ZipFile(data, "a") as file:
        file.writestr("by", members["by"])
    yield "an extra member without suffix", data.getvalue()
    evil = zipfile.ZipInfo("by.npy")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy" if name != "by" else "bz.npy", content)
        evil.filename = evil.orig_filename = "by.npyXevil"
        file.writestr(evil, npy(np.zeros(3, dtype=np.float32)))
    yield "a name with NUL", data.getvalue().replace(b"by.npyXevil", b"by.npy\0evil")
    bomb = npy(np.zeros(1 << 24, dtype=np.float32))
    for name, kind in (("a deflated bomb", zipfile.ZIP_DEFLATED), ("a bzip2 bomb", zipfile.ZIP_BZIP2)):
        yield name, archive({**members, "by": bomb}, kind)
    for field, size, values in (
        ("local signature", 4, [0]),
        ("flags: encrypted", 2, [1]),
        ("method", 2, [8, 99]),
    ):
        place = {"local signature": 0, "flags: encrypted": 6, "method": 8}[field]
        for value in values:
            yield f"{field} {value}", patched(good, b"PK\x03\x04", place, size, value)
    for field, place, size, values in (
        ("listed flags: encrypted", 8, 2, [1]),
        ("listed method", 10, 2, [8, 99]),
        ("listed CRC", 16, 4, [0]),
        ("listed packed size", 20, 4, [0, 1, 1 << 30, 2**32 - 1]),
        ("listed size", 24, 4, [0, 1, 1 << 30, 2**32 - 1]),
        ("listed name", 28, 2, [0, 60_000]),
        ("listed extra", 30, 2, [4, 60_000]),
        ("listed disk", 34, 2, [1, 9]),
        ("listed offset", 42, 4, [1, 4000, 2**32 - 1]),
    ):
        for value in values:
            yield f"{field} {value}", patched(good, b"PK\x01\x02", place, size, value)
    for field, place, size, values in (
        ("end: disk", 4, 2, [1]),
        ("end: size", 12, 4, [0, 10, 2**31, 2**32 - 1]),
        ("end: offset", 16, 4, [0, 10, 2**31, 2**32 - 1]),
        ("end: comment", 20, 2, [1, 60_000]),
    ):
        for value in values:
            yield f"{field} {value}", patched(good, b"PK\x05\x06", place, size, value)
    locator = b"PK\x06\x07" + struct.pack("<LQL", 0, 0, 1)
    yield "a locator without a target", good[:-22] + locator + good[-22:]
    wide = b"PK\x06\x06" + struct.pack("<Q2H2L4Q", 44, 45, 45, 0, 0, 9, 9, 1 << 40, 0)
    yield "a directory of a terabyte", good[:-22] + wide + locator + good[-22:]
    yield "overlapping members", overlapping(members)


def patched(good: bytes, mark: bytes, place: int, size: int, value: int) -> bytes:
    """The file with a field of the first record that starts with `mark` replaced."""
    at = good.index(mark) + place
    return good[:at] + value.to_bytes(size, "little") + good[at + size :]


def overlapping(members: dict[str, bytes], count: int = 50) -> bytes:
    """An archive in which 50 directory entries refer to the same large member."""
    content = bytes(60_000)
    local = struct.pack(
        "<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 33, zlib.crc32(content), len(content), len(content), 4, 0
    )
    body = local + b"aaaa" + content
    listed = b"".join(
        struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            20,
            20,
            0,
            0,
            0,
            33,
            zlib.crc32(content),
            len(content),
            len(content),
            4,
            0,
            0,
            0,
            0,
            0,
            0,
        )
        + b"%04d" % i
        for i in range(count)
    )
    return body + listed + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(listed), len(body), 0)


def headers(good: bytes) -> Iterator[tuple[str, bytes]]:
    members = members_of(good)
    by = members["by"]
    data, shape = by[128:], (len(by) - 128) // 4
    plain = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape},), }}"
    texts = {
        "no dictionary": "[]",
        "nothing": "",
        "an open bracket": "(" * 2000,
        "minus signs": "-" * 9000,
        "sums": "+1j" * 3000,
        "a call": "__import__('os').system('echo evil')",
        "no shape": plain.replace("shape", "form"),
        "an extra key": plain.replace("}", "'x': 1}"),
        "a key twice": plain.replace("}", "'shape': (1,)}"),
        "Fortran order": plain.replace("False", "True"),
        "order 0": plain.replace("False", "0"),
        "a huge shape": plain.replace(str(shape), str(2**62)),
        "a negative shape": plain.replace(str(shape), "-3"),
        "a fractional shape": plain.replace(str(shape), "3.0"),
        "a shape of strings": plain.replace(str(shape), "'3'"),
        "two axes": plain.replace(f"({shape},)", f"({shape}, 1)"),
        "no axes": plain.replace(f"({shape},)", "()"),
        "an axis of length 0": plain.replace(f"({shape},)", f"({shape}, 0)"),
        "a list of axes": plain.replace(f"({shape},)", f"[{shape}]"),
        "not padded": plain,
        "shifted": plain.ljust(100) + "\n",
        "nul": "\0" * 118,
        "long": plain.ljust(60_000) + "\n",
    }
    for dtype in (
        "<f8",
        ">f4",
        "<f2",
        "<i4",
        "|b1",
        "|u1",
        "<c8",
        "|O",
        "|V4",
        "|V0",
        "<U1",
        "|S4",
        "<M8[s]",
        "<f4,<f4",
        "x",
    ):
        texts[f"type {dtype}"] = plain.replace("<f4", dtype).ljust(117) + "\n"
    for name, text in texts.items():
        yield f"header: {name}", archive(sealed({**members, "by": with_header(text, data)}))
    for version in (b"\x02\x00", b"\x03\x00", b"\x00\x00", b"\x01\x01", b"\xff\xff"):
        text = plain.ljust(115 if version[0] > 1 else 117) + "\n"
        yield f"header: version {tuple(version)}", archive(sealed({**members, "by": with_header(text, data, version)}))
    yield "header: no mark", archive(sealed({**members, "by": b"\x00" + by[1:]}))
    yield "header: none", archive(sealed({**members, "by": data}))
    yield "header: more numbers", archive(sealed({**members, "by": by + bytes(4)}))
    yield "header: fewer numbers", archive(sealed({**members, "by": by[:-4]}))


def arrays(good: bytes) -> Iterator[tuple[str, bytes]]:
    members = members_of(good)
    kinds = ("l0.Wx", "Wy", "last.l0.Wh", "optimizer.m", "optimizer.v", "state.h", "state.c")
    for name, value in itertools.product(kinds, (np.nan, np.inf, -np.inf)):
        values = np.frombuffer(members[name], dtype="<f4", offset=128).copy()
        values[len(values) // 2] = value
        yield f"{value} in {name}", archive(sealed({**members, name: members[name][:128] + values.tobytes()}))
    for name in ("vocab", "by", "state.h", "last.by"):
        values = np.load(io.BytesIO(members[name]))
        for how, other in {"shorter": values[:-1], "longer": np.concatenate([values, values[:1]])}.items():
            yield f"{name} {how}", archive(sealed({**members, name: npy(other)}))
    vocab = np.load(io.BytesIO(members["vocab"]))
    for what, codes in {
        "unsorted": vocab[::-1].copy(),
        "repeated": np.concatenate([vocab[:1], vocab[:-1]]),
        "beyond Unicode": np.concatenate([vocab[:-1], [0x110000]]).astype("<u4"),
        "a surrogate": np.concatenate([vocab[:-1], [0xD800]]).astype("<u4"),
        "signed": vocab.astype("<i4"),
        "of letters": np.array([chr(c) for c in vocab]),
    }.items():
        yield f"vocabulary {what}", archive(sealed({**members, "vocab": npy(codes)}))
    yield "a wrong digest", archive({**members, "sha256": npy(np.zeros(32, dtype=np.uint8))})
    yield "a short digest", archive({**members, "sha256": npy(np.zeros(31, dtype=np.uint8))})
    yield (
        "weights changed, CRC repaired",
        archive({**members, "by": members["by"][:128] + bytes(len(members["by"]) - 128)}),
    )


def metas(good: bytes) -> Iterator[tuple[str, bytes]]:
    members = members_of(good)
    text = members["meta"][128:]
    meta = json.loads(text)

    def file(text: bytes) -> bytes:
        return archive(sealed({**members, "meta": npy(np.frombuffer(text, dtype=np.uint8))}))

    raw = {
        "empty": b"",
        "not JSON": b"{",
        "a list": b"[]",
        "a number": b"3",
        "null": b"null",
        "deep": b"[" * 100_000,
        "deep objects": b'{"a":' * 50_000,
        "a long number": b'{"version": ' + b"9" * 5000 + b"}",
        "UTF-16": text.decode().encode("utf-16"),
        "a byte order mark": b"\xef\xbb\xbf" + text,
        "NaN": text.replace(b"0.2", b"NaN"),
        "infinity": text.replace(b"0.2", b"1e999"),
        "a key twice": text[:-1] + b', "version": 1}',
        "bytes": b"\xff" * 100,
        "two documents": text + text,
        "many empty lists": b"[" + b"[]," * 650_000 + b"[]]",
        "longer than the limit": b" " * (1 << 22) + text,
    }
    for name, content in raw.items():
        yield f"meta: {name}", file(content)
    odd: list[Any] = [None, True, -1, 0, 1.5, 10**9, 10**30, "x", [], {}, "\x1b[31m"]
    places = [
        ("version",),
        ("config",),
        ("config", "cell"),
        ("config", "layers"),
        ("config", "hidden_size"),
        ("config", "vocab_size"),
        ("unit",),
        ("run", "options"),
        ("run", "step"),
        ("run", "streams"),
        ("run", "history"),
        ("run", "texts"),
        ("run", "sha256"),
        ("run", "best_loss"),
        ("run", "versions"),
        ("run", "options", "lr"),
        ("run", "options", "optimizer"),
        ("run", "options", "seed"),
        ("run", "history", "points"),
        ("run", "history", "val"),
        ("run", "history", "stride"),
    ]
    for place, value in itertools.product(places, odd):
        changed = json.loads(text)
        inner = changed
        for key in place[:-1]:
            inner = inner[key]
        if inner[place[-1]] == value:
            continue
        inner[place[-1]] = value
        if not plausible(place, value):
            yield f"meta: {'.'.join(place)} is {value!r}"[:60], file(json.dumps(changed).encode())
    for key in ("version", "config", "unit", "run"):
        yield f"meta: no {key}", file(json.dumps({k: v for k, v in meta.items() if k != key}).encode())
    for key in ("cell", "layers", "hidden_size", "vocab_size"):
        config = {k: v for k, v in meta["config"].items() if k != key}
        yield f"meta: no {key}", file(json.dumps({**meta, "config": config}).encode())


def plausible(place: tuple[str, ...], value: Any) -> bool:
    """Whether the value is valid, so that the change cannot be detected."""
    return (
        (place in (("run", "history", "val"), ("run", "history", "points"), ("run", "texts")) and value == [])
        or (place in (("run", "versions"), ("run", "history")) and value == {})
        or (place == ("run", "step") and value == 10**9)
        or (place == ("run", "best_loss") and value in (-1, 0, 1.5, 10**9, 10**30))
        or (place == ("run", "options", "lr") and value in (1.5, 10**9, 10**30))
        or (place == ("run", "options", "seed") and value in (0, 10**9))
        or (place == ("run", "history", "stride") and value == 10**9)
    )


def nodes(here: Path) -> Iterator[tuple[str, Path]]:
    """Paths that are not regular files: folders, FIFOs, devices, symbolic links, invalid names."""
    (here / "folder").mkdir()
    os.mkfifo(here / "fifo")
    (here / "loop").symlink_to("loop")
    yield from (
        (name, here / name) for name in ("folder", "fifo", "loop", "missing", "x" * 300, "a\nerror: b", "\udcff")
    )
    for name, number in (("null", 3), ("zero", 5), ("full", 7)):
        try:
            os.mknod(here / name, stat.S_IFCHR | 0o600, os.makedev(1, number))
        except (OSError, AttributeError):
            continue
        yield name, here / name


def look(name: str, path: str, same: str, tally: Tally) -> int:
    """Run all commands on one file. Returns 1 if it contains exactly the good model, which is acceptable."""
    try:
        if digest(load(path)) == same and not name.startswith("meta"):
            return 1
    except ModelFileError:
        pass
    for words in COMMANDS:
        tally.count += 1
        code, out, err = command([*words, path])
        what = f"{name}, {words[0]}: {code} {err[-200:]!r}"
        tally.check((code, out) == (1, b"") and len(errors(err)) == 1 and err.count("\n") == 1, what)
        tally.check(all(c == "\n" or ord(c) >= 32 for c in err), what)
    return 0


def cost(path: str) -> tuple[float, int]:
    """Time in seconds and peak memory in bytes to read the file."""
    begin = time.perf_counter()
    for measure in (False, True):
        if measure:
            tracemalloc.start()
        with contextlib.suppress(ModelFileError):
            load(path)
        if not measure:
            seconds = time.perf_counter() - begin
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return seconds, peak


def run(count: int, seed: int) -> Outcome:
    tally, files, alike = Tally(), 0, 0
    slowest, largest = 0.0, 0
    with folder() as here:
        good = good_file()
        Path("again.npz").write_bytes(archive(members_of(good)))
        same = digest(load("again.npz"))  # verifies that the helpers of this file produce readable files
        cases: list[tuple[str, Callable[[], str]]] = []

        def written(data: bytes) -> str:
            Path("bad.npz").write_bytes(data)
            return "bad.npz"

        made = list(hostile(good))
        if count < COUNT:
            made = made[:: max(1, len(made) // count)]
        cases += [(name, lambda data=data: written(data)) for name, data in made]  # type: ignore[misc]
        cases += [(name, lambda path=path: path.name) for name, path in nodes(here)]  # type: ignore[misc]
        for name, place in cases:
            path = place()
            files += 1
            alike += look(name, path, same, tally)
            seconds, peak = cost(path)
            slowest, largest = max(slowest, seconds), max(largest, peak)
            tally.check(seconds < SECONDS and peak < MEMORY, f"{name}: {seconds:.2f} s, {peak:,} bytes")
        tally.check(not any(name.startswith((".bad", ".again")) for name in os.listdir()), f"leftover: {os.listdir()}")
    return tally.outcome(
        f"refusals of {files - alike} files ({alike} more contain the same arrays); "
        f"at most {slowest:.2f} s and {largest / 1e6:.1f} MB"
    )
