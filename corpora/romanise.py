"""Romanise Korean by the Revised Romanization of 2000, which transcribes pronunciation rather than spelling.

These rules apply, in this order, at the boundary between two syllables:

- Palatalisation: ㄷ and ㅌ before 이, 히, 여 or 혀 become ㅈ and ㅊ: 해돋이 haedoji, 같이 gachi, 닫혀 dachyeo
- Aspiration: ㅎ and an adjacent ㄱ, ㄷ or ㅈ become ㅋ, ㅌ or ㅊ: 좋고 joko, 잡혀 japyeo; nouns keep the h: 묵호 mukho
- ㅎ is silent before a vowel or ㅅ: 좋아 joa, 싫소 silso; before ㄴ it becomes ㄴ, or ㄹ after ㄹ: 놓는 nonneun
- Liaison: a final consonant moves to a following vowel, the second one of two: 옷이 osi, 닭이 dalgi, 없어 eopseo
- Other syllables end in one of ㄱ ㄴ ㄷ ㄹ ㅁ ㅂ ㅇ: 꽃 kkot, 밖 bak, 값 gap, 닭 dak; 읽고 ilgo, 밟다 bapda
- Nasalisation: ㄱ, ㄷ, ㅂ become ㅇ, ㄴ, ㅁ before ㄴ and ㅁ: 백마 baengma, 없네 eomne
- ㄹ becomes ㄴ after ㄱ, ㄷ, ㅂ, ㅁ or ㅇ: 종로 jongno, 왕십리 wangsimni
- Lateralisation: ㄴ next to ㄹ becomes ㄹ: 신라 silla, 별내 byeollae
- ㄱ, ㄷ, ㅂ are g, d, b before vowels, otherwise k, t, p; ㄹ is r before vowels, otherwise l; ㄹㄹ is ll: 울릉 ulleung

Tense consonants are not transcribed (압구정 apgujeong). Two changes that spelling does not show are not implemented:
ㄴ-insertion in compounds (학여울 hangnyeoul), and ㄴㄴ for ㄴㄹ in some words (신문로 sinmunno).
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
# pronunciation at the end of a syllable
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
TREAD = "밟"  # the only stem in ㄼ that is pronounced with ㅂ

Syllable = tuple[str, str, str]


def letters(syllable: str) -> Syllable:
    """Initial consonant, vowel and final consonants ('' if there are none) of one syllable."""
    place = ord(syllable) - FIRST
    return LEADS[place // 588], VOWELS[place // 28 % 21], TAILS[place % 28].strip()


def romanise(word: str, verb: bool = False) -> str:
    """Romanise a word written in Hangul; `verb` marks an inflected verb or adjective, as opposed to a noun."""
    said = [letters(syllable) for syllable in word]
    for k in range(len(said) - 1):
        (lead, vowel, tail), (next_lead, next_vowel, next_tail) = said[k], said[k + 1]  # said[k] is up to date
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
    """The pronounced final and initial consonants at the boundary of two syllables."""
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
    """As `meet`, after ㅎ, ㄶ and ㅀ; `first` is the consonant before the ㅎ."""
    if lead in ASPIRATED:
        return first, ASPIRATED[lead]
    if lead == "ㅇ":
        return ("", first) if first else ("", lead)
    if lead == "ㅅ":
        return first, lead
    return assimilated(first or "ㄷ", lead)


def assimilated(sound: str, lead: str) -> tuple[str, str]:
    """Assimilate one of the seven final sounds and the initial consonant that follows it."""
    if (sound, lead) in (("ㄴ", "ㄹ"), ("ㄹ", "ㄴ")):
        return "ㄹ", "ㄹ"
    if lead == "ㄹ" and sound != "ㄹ":
        lead = "ㄴ"
    return (NASAL.get(sound, sound) if lead in "ㄴㅁ" else sound), lead
