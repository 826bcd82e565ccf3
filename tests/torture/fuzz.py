"""Structure-aware fuzzing of the reader: half of the files are resealed, so that only their content is wrong."""

import io
import json
import random
import struct
import zlib
from copy import deepcopy
from pathlib import Path
from typing import Any

from charrnn.checkpoint.model import read
from charrnn.checkpoint.npz import refusing
from charrnn.errors import ModelFileError
from tests.torture.bits import small_file
from tests.torture.common import Outcome, Tally, dice
from tests.torture.files import members_of, npy, sealed
from tests.torture.longrun import resident

COUNT = 1_000_000
GROWTH = 8 << 20  # bytes, for any number of cases
ODD: list[Any] = [None, True, -1, 0, 1, 2, 3, 1.5, 2**31, 2**63, 10**30, "", "x", "lstm", "adam", [], [[]], {}, [1, 2]]
MARKS = (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"\x93NUMPY", b"shape", b"descr", b".npy", b"{", b"\xff\xff")


def archive(members: dict[str, bytes]) -> bytes:
    """An uncompressed archive of the members; faster than `zipfile`."""
    body, listed = bytearray(), bytearray()
    for name, data in members.items():
        word, crc, at = name.encode() + b".npy", zlib.crc32(data), len(body)
        body += struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 33, crc, len(data), len(data), len(word), 0)
        body += word + data
        listed += (
            struct.pack(
                "<4s6H3L5H2L",
                b"PK\x01\x02",
                20,
                20,
                0,
                0,
                0,
                33,
                crc,
                len(data),
                len(data),
                len(word),
                0,
                0,
                0,
                0,
                0,
                at,
            )
            + word
        )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(members), len(members), len(listed), len(body), 0)
    return bytes(body + listed + end)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a JSON value, with each of its keys."""
    found = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += [(value, key), *places(inner)]
    return found


def wrong_meta(rng: random.Random, text: bytes) -> bytes:
    meta = json.loads(text)
    for _ in range(rng.randint(1, 3)):
        at, key = rng.choice(places(meta) or [(meta, "version")])
        if rng.random() < 0.2:
            del at[key]
        else:
            at[key] = deepcopy(rng.choice(ODD))  # a later change must not reach into ODD
    return json.dumps(meta).encode()


def wrong_bytes(rng: random.Random, data: bytes) -> bytes:
    """Change, move, delete or insert bytes, mostly near structural marks."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        mark = rng.choice(MARKS)
        near = changed.find(mark, rng.randrange(len(changed))) if rng.random() < 0.7 else -1
        at = min(len(changed) - 1, near + rng.randrange(50)) if near >= 0 else rng.randrange(len(changed))
        kind = rng.randrange(5)
        if kind == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed[at : at + 4] = rng.choice((bytes(4), b"\xff" * 4, rng.randbytes(4)))
        elif kind == 2:
            del changed[at : at + rng.randint(1, 64)]
        elif kind == 3:
            changed[at:at] = rng.choice((mark, rng.randbytes(rng.randint(1, 64))))
        else:
            other = rng.randrange(len(changed))
            changed[at : at + 32] = changed[other : other + 32]
        if not changed:
            break
    return bytes(changed)


def wrong_file(rng: random.Random, good: bytes, members: dict[str, bytes]) -> bytes:
    if rng.random() < 0.4:
        return wrong_bytes(rng, good)
    changed = dict(members)
    name = "meta" if rng.random() < 0.5 else rng.choice(list(changed))
    if name == "meta":
        text = wrong_meta(rng, members["meta"][128:])
        head = npy_head(len(text))
        changed["meta"] = head + text
    elif rng.random() < 0.3:
        changed = {key: changed[key] for key in rng.sample(list(changed), len(changed) - rng.randrange(2))}
    else:
        changed[name] = wrong_bytes(rng, changed[name])
    return archive(sealed(changed) if rng.random() < 0.9 else changed)


def npy_head(length: int) -> bytes:
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({length},), }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + text.ljust(117).encode() + b"\n"


def run(count: int, seed: int) -> Outcome:
    rng, tally, good = dice(seed, "fuzz"), Tally(), small_file("rnn", 4)
    members, accepted, early = members_of(good), 0, 0
    tally.check(read(io.BytesIO(archive(sealed(members)))).run is not None, "the helpers produce no readable file")
    assert npy_head(7) == npy(__import__("numpy").zeros(7, dtype="u1"))[:128]
    for tally.count in range(1, count + 1):
        data = wrong_file(rng, good, members)
        try:
            with refusing("m.npz"):
                read(io.BytesIO(data))
            accepted += 1
        except ModelFileError as error:
            tally.check("\n" not in str(error), str(error))
        except BaseException as error:
            Path(f"fuzz-{tally.count}.npz").write_bytes(data)
            tally.check(False, f"{type(error).__name__}: {error}, saved as fuzz-{tally.count}.npz")
        if tally.count == max(1, min(count // 10, 10_000)):
            early = resident()
    late = resident()
    tally.check(late < early + GROWTH, f"memory grew from {early:,} to {late:,} bytes")
    return tally.outcome(
        f"files, {accepted:,} of them with different but valid content; memory constant at {late / 1e6:.0f} MB"
    )
