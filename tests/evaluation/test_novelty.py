"""Copied runs and new n-grams, against brute force on small texts."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import charrnn.text.source
from charrnn.errors import TextError
from charrnn.evaluation.novelty import LENGTHS, Novelty, novelty
from charrnn.text.raw_text import RawText, read_samples
from charrnn.text.units import UNITS

WORDS = "the fox and the moon went over the hill to see the sea, said the bear. "


def novelty_of(
    folder: Path, samples: list[str], corpus: list[str], val_fraction: float = 0.0
) -> tuple[Novelty, Novelty | None]:
    names = []
    for number, text in enumerate(corpus):
        names.append(str(folder / f"corpus-{number}.txt"))
        Path(names[-1]).write_text(text, "utf-8")
    library = RawText.read(names, val_fraction=val_fraction)
    return novelty([UNITS["char"].codes(sample) for sample in samples], library)


def longest(samples: list[str], corpus: list[str]) -> int:
    return max(
        (
            n
            for sample in samples
            for i in range(len(sample))
            for n in range(1, len(sample) - i + 1)
            if any(sample[i : i + n] in text for text in corpus)
        ),
        default=0,
    )


def new(samples: list[str], corpus: list[str], n: int) -> float | None:
    grams = [sample[i : i + n] for sample in samples for i in range(len(sample) - n + 1)]
    return sum(not any(gram in text for text in corpus) for gram in grams) / len(grams) if grams else None


TEXT = st.text("ab\n가", max_size=50)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    samples=st.lists(TEXT, min_size=1, max_size=3),
    corpus=st.lists(TEXT.filter(bool), min_size=1, max_size=3),
    chunk=st.sampled_from([3, 7, 1 << 20]),
)
def test_results_agree_with_the_definition(samples: list[str], corpus: list[str], chunk: int, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charrnn.text.source, "CHUNK", chunk)
        found, held = novelty_of(tmp_path, samples, corpus)
    assert held is None
    assert found.chars == sum(map(len, samples))
    assert found.new == {n: pytest.approx(new(samples, corpus, n)) for n in LENGTHS}
    whole, run = "".join(samples), found.longest
    assert (run.length if run else 0) == longest(samples, corpus)
    if run:
        text = Path(run.file).read_text("utf-8")
        assert text[run.offset : run.offset + run.length] == whole[run.at : run.at + run.length] == found.words(run)
        assert run.line == text[: run.offset].count("\n") + 1


def test_held_out_text_is_searched_for_in_the_training_part(tmp_path: Path) -> None:
    first, last = "abcdefghij" * 30, "abcdefghXYZ" + "0123456789" * 3
    text = first + last
    fraction = len(last) / len(text) + 1e-9
    found, held = novelty_of(tmp_path, ["0123456789" * 3 + "!"], [text], fraction)
    assert held is not None
    assert (held.text, held.chars) == (last, len(last))
    assert held.new == {n: pytest.approx(new([last], [first], n)) for n in LENGTHS}
    assert held.longest is not None
    assert held.words(held.longest) == "abcdefgh"
    # the sample is looked for everywhere, in the held-out part as well
    assert found.longest is not None
    assert found.longest.length == 30
    assert found.longest.offset == text.index("0123")


def test_held_out_text_of_several_files(tmp_path: Path) -> None:
    found, held = novelty_of(tmp_path, ["xyz"], ["a" * 90 + "b" * 10, "c" * 90 + "d" * 10], 0.1)
    assert held is not None
    assert held.text == "b" * 10 + "d" * 10
    assert held.new[4] == 1.0
    assert held.longest is None
    assert found.longest is None


def test_copied_runs_are_marked(tmp_path: Path) -> None:
    corpus = WORDS * 2
    sample = "zzz" + corpus[5:25] + "zzz" + corpus[10:25] + "zzz" + corpus[:40]
    found, _ = novelty_of(tmp_path, [sample], [corpus])
    marked = [sample[begin:end] for begin, end in found.runs]
    assert marked == [corpus[5:25], corpus[:40]]  # 15 characters are too few
    assert int(found.copied.sum()) == 60


def test_copied_runs_stay_inside_one_text(tmp_path: Path) -> None:
    found, _ = novelty_of(tmp_path, ["abcd", "efgh"], ["abcdefgh"])
    assert found.longest is not None
    assert found.longest.length == 4
    assert found.new[8] is None
    found, _ = novelty_of(tmp_path, ["abcdefgh"], ["abcd", "efgh"])
    assert found.longest is not None
    assert found.longest.length == 4
    assert found.new[8] == 1.0


def test_samples_are_read_like_the_corpus(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_bytes("가나\r\n다".encode())
    (tmp_path / "sample.txt").write_bytes("\u1100\u1161나\n".encode())
    texts = {}
    for unit in UNITS:
        library = RawText.read([str(tmp_path / "corpus.txt")], unit)
        notes, (codes,) = read_samples([str(tmp_path / "sample.txt")], library)
        assert ["were composed: 1." in note for note in notes] == [True] * (unit == "char")
        (source,) = library.sources
        corpus = np.concatenate([np.asarray(part, np.uint32) for part in library.codes(source)])
        texts[unit] = UNITS["char"].text(corpus), UNITS["char"].text(codes)
    assert texts["char"] == ("가나\n다", "가나\n")
    assert texts["byte"] == ("가나\r\n다", "\u1100\u1161나\n")
    assert texts["jamo"] == ("가나\n다", "가나\n")


@pytest.mark.parametrize("unit", UNITS)
def test_chunks_may_end_anywhere(unit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charrnn.text.source, "CHUNK", 5)
    text = "각하고 나는 abc 안 갔다.\n" * 3
    (tmp_path / "a.txt").write_text(text, "utf-8")
    library = RawText.read([str(tmp_path / "a.txt")], unit)
    (source,) = library.sources
    assert "".join(UNITS["char"].text(np.asarray(part, np.uint32)) for part in library.codes(source)) == text
    assert library.chars == len(text)


def test_files_that_are_not_text(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "latin.txt").write_bytes("é".encode("latin-1"))
    (tmp_path / "a.txt").write_text("text")
    for name in ("empty.txt", "latin.txt", "missing.txt"):
        with pytest.raises(TextError, match=name):
            RawText.read([str(tmp_path / name)])
    library = RawText.read([str(tmp_path)])
    assert [Path(source.name).name for source in library.sources] == ["a.txt"]
    assert any("latin.txt" in note for note in library.notes)
    with pytest.raises(TextError, match=r"empty\.txt contains no text"):
        read_samples([str(tmp_path / "empty.txt")], library)
