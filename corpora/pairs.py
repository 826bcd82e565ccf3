"""Sequence-to-sequence pairs: sums of two numbers, and dates with their ISO 8601 form."""

import random
from collections.abc import Callable
from datetime import date, timedelta

MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905
WEEKDAYS_KO = "월화수목금토일"
FIRST, DAYS = date(1900, 1, 1), 73_049  # number of days until the end of 2099


def additions(count: int = 50_000, seed: int = 0) -> list[tuple[str, str]]:
    """Pairs such as `57+5` and `62`: one to three digits with equal probability; all pairs are distinct."""
    rng = random.Random(seed)
    found: dict[str, str] = {}
    while len(found) < count:
        a, b = (
            rng.randrange(10 ** (digits - 1) if digits > 1 else 0, 10**digits) for digits in rng.choices((1, 2, 3), k=2)
        )
        found[f"{a}+{b}"] = str(a + b)
    return list(found.items())


def dates(count: int = 50_000, seed: int = 0) -> list[tuple[str, str]]:
    """Dates from 1900 to 2099 in an English or Korean spelling, and as `2021-05-03`; all spellings are distinct."""
    rng = random.Random(seed)
    found: dict[str, str] = {}
    while len(found) < count:
        day = FIRST + timedelta(rng.randrange(DAYS))
        found[rng.choice(SPELLINGS)(day)] = day.isoformat()
    return list(found.items())


def ordinal(n: int) -> str:
    """An English ordinal: 3rd, 11th, 21st."""
    return f"{n}{'th' if n in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


def sino(n: int) -> str:
    """A number below 10,000 in Sino-Korean words: 이천이십일. A 1 before 십, 백 or 천 is omitted (천구백, 십일)."""
    words = ""
    for place, name in ((1000, "천"), (100, "백"), (10, "십"), (1, "")):
        digit = n // place % 10
        words += ("" if digit == 1 and name else " 일이삼사오육칠팔구"[digit] if digit else "") + (
            name if digit else ""
        )
    return words


def month_ko(month: int) -> str:
    """The Korean name of a month: 오월. June and October are irregular: 유월 and 시월."""
    return {6: "유", 10: "시"}.get(month, sino(month)) + "월"


SPELLINGS: tuple[Callable[[date], str], ...] = (
    lambda d: f"{d.day} {MONTHS[d.month - 1]} {d.year}",
    lambda d: f"{MONTHS[d.month - 1]} {d.day}, {d.year}",
    lambda d: f"{ordinal(d.day)} of {MONTHS[d.month - 1]} {d.year}",
    lambda d: f"{MONTHS[d.month - 1]} {ordinal(d.day)}, {d.year}",
    lambda d: f"the {ordinal(d.day)} of {MONTHS[d.month - 1]}, {d.year}",
    lambda d: f"{d.day} {MONTHS[d.month - 1][:3]} {d.year}",
    lambda d: f"{d.day}-{MONTHS[d.month - 1][:3].upper()}-{d.year}",
    lambda d: f"{WEEKDAYS[d.weekday()]}, {d.day} {MONTHS[d.month - 1]} {d.year}",
    lambda d: f"{WEEKDAYS[d.weekday()][:3]} {MONTHS[d.month - 1][:3]} {d.day:02d} {d.year}",
    lambda d: f"{d.year}/{d.month}/{d.day}",
    lambda d: f"{d.year}년 {d.month}월 {d.day}일",
    lambda d: f"{d.year}년{d.month}월{d.day}일",
    lambda d: f"{d.year}년 {d.month:02d}월 {d.day:02d}일",
    lambda d: f"{d.year}년 {d.month}월 {d.day}일 {WEEKDAYS_KO[d.weekday()]}요일",
    lambda d: f"{d.year}년 {d.month}월 {d.day}일({WEEKDAYS_KO[d.weekday()]})",
    lambda d: f"{d.year}. {d.month}. {d.day}.",
    lambda d: f"{sino(d.year)}년 {month_ko(d.month)} {sino(d.day)}일",
    lambda d: f"{d.year}년 {month_ko(d.month)} {sino(d.day)}일",
)
