"""The makers of pairs: sums, dates, and Korean in Latin letters, against examples and laws."""

import re
import sys
import unicodedata
from datetime import date
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "corpora"))

from pairs import additions, dates, month_ko, ordinal, sino
from romanise import romanise
from words import romanisations

# most are the examples of the standard itself (Ministry of Culture and Tourism, proclamation 2000-8)
NAMES = """
구미 gumi, 영동 yeongdong, 백암 baegam, 옥천 okcheon, 합덕 hapdeok, 호법 hobeop, 월곶 wolgot, 벚꽃 beotkkot,
한밭 hanbat, 구리 guri, 설악 seorak, 칠곡 chilgok, 임실 imsil, 울릉 ulleung, 대관령 daegwallyeong,
백마 baengma, 종로 jongno, 왕십리 wangsimni, 별내 byeollae, 신라 silla, 해돋이 haedoji, 묵호 mukho, 집현전 jiphyeonjeon,
압구정 apgujeong,
낙동강 nakdonggang, 죽변 jukbyeon, 낙성대 nakseongdae, 합정 hapjeong, 팔당 paldang, 샛별 saetbyeol, 울산 ulsan,
독립문 dongnimmun, 광희문 gwanghuimun, 속리산 songnisan, 촉석루 chokseongnu, 부엌에 bueoke, 값 gap, 값이 gapsi,
닭이 dalgi, 닭과 dakgwa, 여덟 yeodeol, 밭이 bachi, 밖 bak, 삶도 samdo
"""
VERBS = """
좋고 joko, 놓다 nota, 잡혀 japyeo, 낳지 nachi, 굳이 guji, 같이 gachi, 닫혀 dachyeo, 맞히다 machida, 좋아 joa, 많아 mana,
싫소 silso, 놓는 nonneun, 뚫는 ttulleun, 않는 anneun, 읽고 ilgo, 읽다 ikda, 밟다 bapda, 밟는 bamneun, 밟아 balba,
밟히고 balpigo, 없네 eomne, 없어 eopseo, 앉아 anja, 앉히고 anchigo, 넓네 neolle, 핥네 halle, 있어 isseo,
붙여서 buchyeoseo, 밝혀서 balkyeoseo, 젊고 jeomgo, 읊고 eupgo, 먹는 meongneun
"""


def listed(text: str) -> list[tuple[str, str]]:
    return [tuple(pair.split()) for pair in text.split(",")]  # type: ignore[misc]


@pytest.mark.parametrize(("word", "wanted"), listed(NAMES))
def test_names_are_romanised_by_the_standard(word: str, wanted: str) -> None:
    assert romanise(word) == wanted


@pytest.mark.parametrize(("word", "wanted"), listed(VERBS))
def test_verbs_are_romanised_with_their_sound_changes(word: str, wanted: str) -> None:
    assert romanise(word, verb=True) == wanted


def test_romanised_words() -> None:
    pairs = romanisations(20_000)
    assert len({word for word, _ in pairs}) == len(pairs) == 20_000
    assert all(unicodedata.is_normalized("NFC", w) and all("가" <= c <= "힣" for c in w) for w, _ in pairs)
    assert all(re.fullmatch("[a-z]+", latin) for _, latin in pairs)
    assert pairs[:100] == romanisations(20_000)[:100] != romanisations(20_000, seed=1)[:100]


def test_additions_add() -> None:
    pairs = additions(2000)
    assert len(dict(pairs)) == 2000
    for source, target in pairs:
        a, b = source.split("+")
        assert int(a) + int(b) == int(target)
        assert max(int(a), int(b)) < 1000
    assert pairs == additions(2000) != additions(2000, seed=1)


def test_dates_say_their_day() -> None:
    pairs = dates(3000)
    assert len(dict(pairs)) == 3000
    for source, target in pairs:
        day = date.fromisoformat(target)
        assert 1900 <= day.year <= 2099
        # wherever a spelling says the year or the day in figures, they are those of the target
        figures = [int(number) for number in re.findall(r"\d+", source)]
        assert not figures or day.year in figures
        assert len(figures) < 2 or day.day in figures
    assert sum("가" <= source[-1] <= "힣" for source, _ in pairs) > 500


def test_numbers_in_words() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 31)] == (
        "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 23rd 31st".split()  # noqa: SIM905
    )
    assert [sino(n) for n in (1, 10, 15, 31, 1900, 2021)] == ["일", "십", "십오", "삼십일", "천구백", "이천이십일"]
    assert [month_ko(n) for n in (5, 6, 10, 11)] == ["오월", "유월", "시월", "십일월"]
