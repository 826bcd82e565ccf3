"""Korean to the Latin alphabet by the Revised Romanization of 2000, which follows the sound and not the letters.

The rules, in the order in which they are applied where one syllable meets the next:

- ㄷ and ㅌ before 이, 히 and what begins like them are said ㅈ and ㅊ: 해돋이 haedoji, 같이 gachi, 닫혀 dachyeo
- ㅎ with ㄱ, ㄷ, ㅈ gives ㅋ, ㅌ, ㅊ, also the other way round: 좋고 joko, 잡혀 japyeo; a noun keeps its h: 묵호 mukho
- ㅎ is not said before a vowel or ㅅ: 좋아 joa, 싫소 silso; before ㄴ it is said as ㄴ, or ㄹ after ㄹ: 놓는 nonneun
- a final letter is said with the vowel that follows, the second of two: 옷이 osi, 닭이 dalgi, 없어 eopseo
- else a syllable ends in one of ㄱ ㄴ ㄷ ㄹ ㅁ ㅂ ㅇ: 꽃 kkot, 밖 bak, 값 gap, 닭 dak; 읽고 ilgo, 밟다 bapda
- ㄱ, ㄷ, ㅂ become ㅇ, ㄴ, ㅁ before ㄴ and ㅁ: 백마 baengma, 없네 eomne
- ㄹ after any of them, ㅁ or ㅇ is said ㄴ: 종로 jongno, 왕십리 wangsimni
- ㄴ and ㄹ together are ㄹㄹ: 신라 silla, 별내 byeollae
- ㄱ, ㄷ, ㅂ are g, d, b before vowels, else k, t, p; ㄹ is r before vowels, else l, and ㄹㄹ is ll: 울릉 ulleung

Tense sounds are not written (압구정 apgujeong). Left out, because letters do not tell: ㄴ that is added in compounds
(학여울 hangnyeoul), and ㄴㄴ for ㄴㄹ in some (신문로 sinmunno).
"""

LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
TAILS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
FIRST = ord("가")

LATIN_LEADS = "g kk n d tt r m b pp s ss  j jj ch k t p h"
LATIN_VOWELS = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i"
LEAD = dict(zip(LEADS, LATIN_LEADS.split(" "), strict=True))
VOWEL = dict(zip(VOWELS, LATIN_VOWELS.split(" "), strict=True))
TAIL = {"": "", "ㄱ": "k", "ㄴ": "n", "ㄷ": "t", "ㄹ": "l", "ㅁ": "m", "ㅂ": "p", "ㅇ": "ng"}

SPLIT = {
    two: (one, other)
    for two, one, other in (
        "ㄳㄱㅅ",
        "ㄵㄴㅈ",
        "ㄶㄴㅎ",
        "ㄺㄹㄱ",
        "ㄻㄹㅁ",
        "ㄼㄹㅂ",
        "ㄽㄹㅅ",
        "ㄾㄹㅌ",
        "ㄿㄹㅍ",
        "ㅀㄹㅎ",
        "ㅄㅂㅅ",
    )
}
# what is said at the end of a syllable
SAID = {
    "ㄱ": "ㄱㄲㅋㄳㄺ",
    "ㄴ": "ㄴㄵㄶ",
    "ㄷ": "ㄷㅌㅅㅆㅈㅊㅎ",
    "ㄹ": "ㄹㄼㄽㄾㅀ",
    "ㅁ": "ㅁㄻ",
    "ㅂ": "ㅂㅍㅄㄿ",
    "ㅇ": "ㅇ",
}
SAID_OF = {letter: sound for sound, letters in SAID.items() for letter in letters}
ASPIRATED = {"ㄱ": "ㅋ", "ㄷ": "ㅌ", "ㅂ": "ㅍ", "ㅈ": "ㅊ"}
NASAL = {"ㄱ": "ㅇ", "ㄷ": "ㄴ", "ㅂ": "ㅁ"}
TREAD = "밟"  # the one stem in ㄼ that is said with ㅂ

Syllable = tuple[str, str, str]


def letters(syllable: str) -> Syllable:
    """The leading letter, the vowel and the trailing letters ('' for none) of one syllable."""
    place = ord(syllable) - FIRST
    return LEADS[place // 588], VOWELS[place // 28 % 21], TAILS[place % 28].strip()


def romanise(word: str, verb: bool = False) -> str:
    """The word, all Hangul, in Latin letters; `verb` tells a verb or adjective, with its endings, from a noun."""
    said = [letters(syllable) for syllable in word]
    for k in range(len(said) - 1):
        (lead, vowel, tail), (next_lead, next_vowel, next_tail) = said[k], said[k + 1]  # the first as it has become
        tail = "ㅂ" if word[k] == TREAD and next_lead not in "ㅇㅎ" else tail
        tail, next_lead = meet(tail, next_lead, next_vowel, verb)
        said[k], said[k + 1] = (lead, vowel, tail), (next_lead, next_vowel, next_tail)
    lead, vowel, tail = said[-1]
    said[-1] = lead, vowel, SAID_OF.get(tail, "")
    text, before = "", ""
    for lead, vowel, tail in said:
        text += ("l" if lead == "ㄹ" and before == "ㄹ" else LEAD[lead]) + VOWEL[vowel] + TAIL[tail]
        before = tail
    return text


def meet(tail: str, lead: str, vowel: str, verb: bool) -> tuple[str, str]:
    """What is said where the end of a syllable meets the next one's leading letter and vowel."""
    if not tail:
        return "", lead
    first, last = SPLIT.get(tail, ("", tail))
    if last in "ㄷㅌ" and vowel in "ㅣㅕ" and (lead == "ㅇ" or (lead == "ㅎ" and verb)):
        return first, "ㅈ" if (last, lead) == ("ㄷ", "ㅇ") else "ㅊ"
    if last == "ㅎ":
        return after_h(first, lead)
    if lead == "ㅎ" and verb:
        sound = last if last in ASPIRATED else SAID_OF[tail]
        if sound in ASPIRATED:
            return first if last == sound else "", ASPIRATED[sound]
    if lead == "ㅇ":
        return (tail, lead) if tail == "ㅇ" else (first, last)
    return assimilated("ㄹ" if (tail, lead, verb) == ("ㄺ", "ㄱ", True) else SAID_OF[tail], lead)


def after_h(first: str, lead: str) -> tuple[str, str]:
    """The same after ㅎ, ㄶ and ㅀ; `first` is what stands before the ㅎ."""
    if lead in ASPIRATED:
        return first, ASPIRATED[lead]
    if lead == "ㅇ":
        return ("", first) if first else ("", lead)
    if lead == "ㅅ":
        return first, lead
    return assimilated(first or "ㄷ", lead)


def assimilated(sound: str, lead: str) -> tuple[str, str]:
    """One of the seven sounds before a consonant: both may change."""
    if (sound, lead) in (("ㄴ", "ㄹ"), ("ㄹ", "ㄴ")):
        return "ㄹ", "ㄹ"
    if lead == "ㄹ" and sound != "ㄹ":
        lead = "ㄴ"
    return (NASAL.get(sound, sound) if lead in "ㄴㅁ" else sound), lead
