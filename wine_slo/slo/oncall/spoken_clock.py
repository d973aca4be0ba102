"""Times of day as people write them: `18:00`, `18.00`, `6pm`, `9 утра`, `half past six`, `без четверти семь`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from wine_slo.slo.oncall.time_words import (
    BEFORE,
    FRACTIONS,
    HALF_OF,
    HALF_TO,
    HALVES,
    HOUR,
    HOURS,
    IN_THE,
    MIDNIGHT,
    NOON,
    NUMBERS,
    ONE_O_CLOCK,
    PARTS,
    PAST,
    PM,
    POINTS,
    QUARTER_BEFORE,
    low,
)

Words = Sequence[str]

FACE = 12  # hours of a clock's face
LAST_HOUR = 24

_DIGITS = re.compile(r"(\d{1,2})(?:\s?[:.\-\N{EN DASH}h]\s?(\d{2})h?)?(?::00)?(am|pm|a\.m|p\.m)?", re.ASCII)
_SHORT = re.compile(r"(\d{1,2})(?:h|ч)(\d{2})?", re.ASCII)  # 18h, 18ч30
_MILITARY = re.compile(r"([01]\d|2[0-3])([0-5]\d)", re.ASCII)  # 1800


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day.

    Attributes:
        minutes: After midnight, at most those of a whole day.
        half: In which half of the day it is: hours before an hour of a clock's face; None where that is not said.
        is_part: Whether it is a part of a day, such as the evening, and no hour.
    """

    minutes: int
    half: int | None = None
    is_part: bool = False

    def in_half_of(self, part: "Clock") -> "Clock":
        """Return this time in the half of the day in which another one is: `вечером в 8`."""
        return self if self.half is not None or part.half is None else _in_half(self, part.half)


def take_clock(words: Words, *, is_sure: bool) -> tuple[Clock, Words] | None:
    """Return the time of day that the first words say, and the words after it; None where they say none.

    Args:
        words: The words.
        is_sure: Whether a time of day must follow, so that `6`, `nine` and `1800` are hours.
    """
    if not words:
        return None
    first = low(words[0])
    if first in POINTS:
        return Clock(POINTS[first], PM), words[1:]
    taken = _take_digits(words, is_sure=is_sure)
    if taken is None and is_sure:
        taken = take_part(words) or _take_in_words(words)
    return taken


def take_part(words: Words) -> tuple[Clock, Words] | None:
    """Return a part of a day: `evening`, `утра`."""
    part = PARTS.get(low(words[0]))
    return part and (Clock(part[0], part[1], is_part=True), words[1:])


def _take_digits(words: Words, *, is_sure: bool) -> tuple[Clock, Words] | None:
    """Return a time of day in digits."""
    first = low(words[0])
    if is_sure and (found := _MILITARY.fullmatch(first)):
        return Clock(int(found[1]) * HOUR + int(found[2])), words[1:]
    found, half = _DIGITS.fullmatch(first), None
    if found is not None and found[3]:
        half = HALVES[found[3]]
    elif found is None and is_sure:
        found = _SHORT.fullmatch(first)
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    if hour > LAST_HOUR or minute >= HOUR or hour * HOUR + minute > MIDNIGHT:
        return None
    clock, rest = Clock(hour * HOUR + minute), words[1:]
    if half is not None:
        return _in_half(clock, half), rest
    has_half, clock, rest = _with_half(clock, rest, has_minutes=found[2] is not None)
    is_clear = found[2] is not None or has_half
    return (clock, rest) if is_sure or is_clear else None


def _with_half(clock: Clock, words: Words, *, has_minutes: bool) -> tuple[bool, Clock, Words]:
    """Return whether the words say in which half of the day a time is, that time, and the words after it."""
    rest = words
    if rest and not has_minutes and low(rest[0]) in HOURS:
        rest = rest[1:]  # 9 часов утра
    following = rest
    while following and low(following[0]) in IN_THE:
        following = following[1:]  # seven in the evening
    name = low(following[0]) if following else ""
    half = HALVES.get(name)
    if half is None and len(following) < len(rest):
        half = PARTS[name][1] if name in PARTS else PM if name == "afternoon" else None
    if half is None:
        return False, clock, rest
    return True, _in_half(clock, half), following[1:]


def _in_half(clock: Clock, half: int) -> Clock:
    hour, minute = divmod(clock.minutes, HOUR)
    if not 1 <= hour <= FACE:
        return clock
    return replace(clock, minutes=(hour % FACE + half) * HOUR + minute, half=half)


def _take_in_words(words: Words) -> tuple[Clock, Words] | None:
    """Return a time of day in words: `nine`, `quarter to seven`, `половины седьмого`, `девяти утра`."""
    first, rest = low(words[0]), words[1:]
    clock: Clock | None = None
    if first in HALF_OF and rest and low(rest[0]) in HALF_TO:
        clock, rest = _half_to(low(rest[0])), rest[1:]
    elif first.startswith("пол") and first[3:] in HALF_TO:
        clock = _half_to(first[3:])
    elif tuple(map(low, words[:2])) == QUARTER_BEFORE and (hour := _hour(words[2:3])):
        clock, rest = Clock(hour * HOUR - HOUR // 4), words[3:]
    elif first in ("a", *FRACTIONS):
        rest = rest[1:] if first == "a" else rest
        share = FRACTIONS.get(first) or (FRACTIONS.get(low(words[1])) if rest or len(words) > 1 else None)
        joint, hour = low(rest[0]) if rest else "", _hour(rest[1:2])
        if share is not None and hour and joint in (*PAST, *BEFORE):
            minutes = int(share * HOUR)
            clock, rest = Clock(hour * HOUR + (minutes if joint in PAST else -minutes)), rest[2:]
    elif first in ONE_O_CLOCK:
        clock = Clock(HOUR)
    elif hour := _hour(words[:1]):
        clock = Clock(hour * HOUR)
    if clock is None:
        return None
    _, clock, rest = _with_half(clock, rest, has_minutes=False)
    return clock, rest


def _half_to(name: str) -> Clock:
    """Return half an hour before an hour, from 12:30 on."""
    minutes = HALF_TO[name] * HOUR - HOUR // 2
    return Clock(minutes if minutes >= HOUR else minutes + NOON)


def _hour(words: Words) -> int | None:
    """Return the hour that a word says, in words or in digits; None where it says none."""
    word = low(words[0]) if words else ""
    if word.isascii() and word.isdecimal() and len(word) <= 2:
        return int(word) if 1 <= int(word) < LAST_HOUR else None
    number = NUMBERS.get(word)
    return int(number) if number is not None and number == int(number) <= FACE and word not in ("a", "an") else None
