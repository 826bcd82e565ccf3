"""Hashes of runs, and the runs of a corpus."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.text.rolling_hash import Hashed, HashSet, NgramFilter, hash_of, overlapping
from charrnn.text.units import UNITS

TEXTS = st.text("ab가\U0001f600", max_size=40)


def codes_of(text: str) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    return UNITS["char"].codes(text)


@settings(deadline=None)
@given(text=TEXTS, n=st.integers(1, 6))
def test_equal_runs_have_equal_hashes_and_others_not(text: str, n: int) -> None:
    hashed = Hashed(codes_of(text))
    found = hashed.hashes(n).tolist()
    runs = [text[i : i + n] for i in range(len(text) - n + 1)]
    assert found == [hash_of(run) for run in runs]
    assert len(set(found)) == len(set(runs))
    places = np.arange(len(runs))[::2]
    assert hashed.hashes_at(places, n).tolist() == found[::2]


def test_bytes_and_code_points_have_the_same_hashes() -> None:
    narrow = np.frombuffer(b"abcabc", dtype=np.uint8)
    np.testing.assert_array_equal(Hashed(narrow).hashes(3), Hashed(narrow.astype(np.uint32)).hashes(3))


def test_long_runs() -> None:
    """No two of many long runs that differ in one character fall together."""
    rng = np.random.default_rng(0)
    runs = np.tile(rng.integers(97, 123, 300).astype(np.uint32), (500, 1))
    runs[np.arange(300), np.arange(300)] ^= 1
    hashes = {int(Hashed(run).hashes(300)[0]) for run in runs}
    assert len(hashes) == 301


def test_overlapping_chunks() -> None:
    chunks = [np.arange(3), np.arange(3, 4), np.arange(4, 9)]
    found = [chunk.tolist() for chunk in overlapping([chunk.astype(np.uint32) for chunk in chunks], 2)]
    assert found == [[0, 1, 2], [1, 2, 3], [2, 3, 4, 5, 6, 7, 8]]


def test_a_sieve_finds_what_is_there() -> None:
    rng = np.random.default_rng(0)
    wanted, stream = (rng.integers(0, 2**63, size, dtype=np.uint64) for size in (100, 5000))
    stream[[7, 70, 700]] = wanted[[3, 5, 3]]
    sieve = HashSet(wanted)
    places, found = sieve.find(stream)
    assert places.tolist() == [7, 70, 700]
    np.testing.assert_array_equal(sieve.hashes[found], wanted[[3, 5, 3]])
    sieve.keep(sieve.hashes == wanted[5])
    assert 70 in sieve.find(stream)[0]


@settings(deadline=None)
@given(text=TEXTS, more=TEXTS, n=st.integers(1, 5))
def test_every_run_of_the_texts_is_known(text: str, more: str, n: int) -> None:
    runs = NgramFilter(n, len(text) + len(more))
    for part in (text, more):
        runs.add([codes_of(part[:7]), codes_of(part[7:])])
    known = {part[i : i + n] for part in (text, more) for i in range(len(part) - n + 1)}
    for run in known:
        assert run[-1] in runs.completing(run[:-1])


def test_few_others_are_taken_for_them() -> None:
    rng = np.random.default_rng(0)
    letters = rng.integers(97, 123, 300_000).astype(np.uint32)
    runs = NgramFilter(12, len(letters))
    runs.add([letters])
    others = ["".join(map(chr, rng.integers(97, 123, 11).tolist())) for _ in range(1000)]
    wrong = sum(len(runs.completing(other)) for other in others)
    assert wrong / (26 * 1000) < 0.004
