"""Spans as people write them: `30m`, `1h30`, `half an hour`, `1,5 ч`, `½ h`, `полтора часа`, `минут двадцать`.

A span is a sum of quantities, and a quantity is a number and a unit, in digits or in words, glued together or not.
"""

import re
from collections.abc import Sequence
from datetime import timedelta

from wine_slo.slo.oncall.time_words import (
    ALONE,
    AND_A_HALF,
    ARTICLES,
    FRACTIONS,
    FROM_NOW,
    LENGTHS,
    NUMBERS,
    ON,
    PLURAL,
    QUARTERS,
    SUM,
    WHOLE,
    low,
)
from wine_slo.slo.span import UNITS

Words = Sequence[str]
Taken = tuple[timedelta, Words]

HOUR, MINUTE = UNITS["h"], UNITS["m"]
VULGAR = {"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3}
TENS, ONES = range(20, 100, 10), range(1, 10)
THREE_QUARTERS = 0.75
AFTER = ("after",)  # of the day after tomorrow
FEWEST = 5  # minutes that are said after hours without a unit

_DIGITS = r"[1-3]/[2-4]|\d{1,15}(?:[.,]\d{1,3})?[½¼¾⅓⅔]?|\.\d{1,3}|[½¼¾⅓⅔]"
_NUMBER = re.compile(_DIGITS, re.ASCII)
_GLUED = re.compile(rf"({_DIGITS})\s*([^\W\d_]+)\+?")
_HOURS = re.compile(r"(\d{1,2}):([0-5]\d)(?:h|ч)", re.ASCII)  # 1:30h
_MINUTES = re.compile(r"[0-5]\d", re.ASCII)


def times(number: float, length: timedelta) -> timedelta:
    """Return a length so many times, or the longest that there is: a message holds enough digits for more."""
    try:
        return number * length
    except OverflowError:
        return timedelta.max


def number_of(word: str) -> float | None:
    """Return the number that digits say: `90`, `1,5`, `1½`, `3/4`; None where they say none."""
    if not _NUMBER.fullmatch(word):
        return None
    if "/" in word:
        return int(word[0]) / int(word[-1])
    digits = word.rstrip("".join(VULGAR)).replace(",", ".")
    return float(digits or 0) + sum(VULGAR[each] for each in word if each in VULGAR)


def spoken_span(text: str) -> timedelta | None:
    """Return the span that a word says: `30m`, `1h30m`, `1h30`, `1.5h`; None where it says none."""
    if hours := _HOURS.fullmatch(text):
        return int(hours[1]) * HOUR + int(hours[2]) * MINUTE
    total, end, length = timedelta(0), 0, None
    for part in _GLUED.finditer(text):
        length = LENGTHS.get(low(part[2]))
        number = number_of(part[1])
        if part.start() != end or length is None or number is None:
            return None
        total = _sum(total, times(number, length))
        end = part.end()
    if length == HOUR and _MINUTES.fullmatch(text, end):
        return _sum(total, int(text[end:]) * MINUTE)
    return total if end and end == len(text) and text[-1] != "+" else None


def take_span(words: Words) -> tuple[timedelta | None, Words]:
    """Return the span that the first words say, and the words after it; None where they say none."""
    taken = _take_quantity(words)
    if taken is None:
        return None, words
    total, rest = taken
    while True:
        following = rest[1:] if rest and low(rest[0]) in SUM else rest
        more = _take_quantity(following, is_more=True)
        if more is None:
            break
        total, rest = _sum(total, more[0]), more[1]
    used = words[: len(words) - len(rest)]
    if rest and _ends_with_hours(used) and (minutes := _minutes(rest[0])) is not None:
        total, rest = _sum(total, minutes * MINUTE), rest[1:]
    for phrase in FROM_NOW:
        if _begins_with(rest, phrase):
            rest = rest[len(phrase) :]
    return total, rest


def _take_quantity(words: Words, *, is_more: bool = False) -> Taken | None:
    """Return one number of one unit, or several that are glued together; None where the words begin with none.

    Args:
        words: The words.
        is_more: Whether it follows another one, so that a unit alone is none: `1h day` is not 25 hours.
    """
    if not words:
        return None
    first = low(words[0])
    if first in WHOLE:
        return WHOLE[first], words[1:]
    glued = spoken_span(first)
    if glued is not None:
        return _with_half(glued, glued, words[1:], first)
    if not is_more and first in PLURAL and len(words) > 1:
        number, rest = _take_number(words[2:] if low(words[1]) in ON else words[1:])
        if number is not None and not (rest and low(rest[0]) in LENGTHS):
            return times(number, LENGTHS[first]), rest
    number, rest = _take_number(words)
    is_alone = not is_more and first in ALONE and low(" ".join(words[1:2])) not in AFTER
    if number is None:
        return _with_half(LENGTHS[first], LENGTHS[first], words[1:], first) if is_alone else None
    while rest and low(rest[0]) in ARTICLES:
        rest = rest[1:]
    if not rest or (length := LENGTHS.get(low(rest[0]))) is None:
        return None
    return _with_half(times(number, length), length, rest[1:], low(rest[0]))


def _take_number(words: Words) -> tuple[float | None, Words]:
    """Return the number that the first words say, in digits or in words, and the words after it."""
    rest = words
    while len(rest) > 1 and low(rest[0]) in ARTICLES and low(rest[1]) in (*NUMBERS, *FRACTIONS):
        rest = rest[1:]  # a couple, a quarter
    if not rest:
        return None, words
    first = low(rest[0])
    number = number_of(first)
    if number is None:
        number = NUMBERS.get(first, FRACTIONS.get(first))
    if number is None:
        return None, words
    rest = rest[1:]
    following = low(rest[0]) if rest else ""
    if first in NUMBERS and number in TENS and NUMBERS.get(following) in ONES:
        return number + NUMBERS[following], rest[1:]
    if number == 3 and following in QUARTERS:
        return THREE_QUARTERS, rest[1:]
    if following in VULGAR and number == int(number):
        return number + VULGAR[following], rest[1:]
    for phrase in AND_A_HALF:
        if _begins_with(rest, phrase) and len(rest) > len(phrase) and low(rest[len(phrase)]) in LENGTHS:
            return number + 0.5, rest[len(phrase) :]
    return number, rest


def _with_half(span: timedelta, length: timedelta, words: Words, unit: str) -> Taken:
    """Return a span, and half a unit more where the words after it say so: `an hour and a half`."""
    for phrase in AND_A_HALF:
        if unit in LENGTHS and _begins_with(words, phrase):
            return _sum(span, times(0.5, length)), words[len(phrase) :]
    return span, words


def _minutes(word: str) -> float | None:
    """Return the minutes that a number after hours says: `1h 30`, `час пятнадцать`; None where it is none."""
    number = float(word) if _MINUTES.fullmatch(word) else NUMBERS.get(low(word))
    return number if number is not None and FEWEST <= number < HOUR / MINUTE else None


def _ends_with_hours(words: Words) -> bool:
    """Return whether the last unit of a span is hours, so that a number after it is minutes: `1h 30`."""
    found = re.search(r"[^\W\d_]+$", low(words[-1]))
    return found is not None and LENGTHS.get(found[0]) == HOUR


def _begins_with(words: Words, phrase: Words) -> bool:
    return len(words) >= len(phrase) and all(low(word) == own for word, own in zip(words, phrase, strict=False))


def _sum(one: timedelta, other: timedelta) -> timedelta:
    """Return both together, or the longest that there is."""
    try:
        return one + other
    except OverflowError:
        return timedelta.max
