"""When something is to end, as people write it: `1h`, `until 18:00`, `на полчаса`, `до понедельника`, `until recovery`.

What is read is a small grammar: spans in `spoken_span`, moments in `spoken_moment`, times of day in `spoken_clock`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from wine_slo.slo.oncall.not_understood import (
    NotUnderstoodError,
    SeveralEndsError,
    TooLongError,
    TooShortError,
)
from wine_slo.slo.oncall.spoken_clock import take_clock
from wine_slo.slo.oncall.spoken_moment import begins_with_moment, take_moment
from wine_slo.slo.oncall.spoken_span import number_of, spoken_span, take_span, times
from wine_slo.slo.oncall.time_words import (
    BEGINS,
    BEGINS_IN,
    BETWEEN,
    BETWEEN_TO,
    BY,
    DASHES,
    FILLERS,
    FOR,
    FOR_IN_WORDS,
    FOREVER,
    LENGTHS,
    MORE,
    MOST_SKIPPED,
    NIGHT,
    OVER,
    RECOVERY,
    THIS,
    TO,
    TODAY,
    TONIGHT,
    UNTIL,
    UNTIL_NOT,
    WEEKEND,
    low,
)
from wine_slo.slo.span import UNITS

Words = Sequence[str]
Taken = tuple[datetime | None, Words]

FEW = 15  # from so many on, a number without a unit is of minutes
USUAL_HOURS = (24, 48, 72)  # but not these
MINUTE, HOUR = UNITS["m"], UNITS["h"]
MINUS = ("-", "\N{MINUS SIGN}", "\N{EN DASH}")

FOR_WHOLE = {  # for the night, for the weekend, for today
    NIGHT: ("morning",),
    WEEKEND: ("end", "of", "week"),
    TODAY: ("end", "of", "day"),
}

_TIME = r"\d{1,2}(?:[:.]\d{2})?(?:am|pm)?"
_RANGE = re.compile(rf"({_TIME})[{''.join(DASHES)}]({_TIME})([^\W\d_]*)", re.ASCII)  # 9:00-10:00, 1-2h
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?")
_HOURS = re.compile(r"(\d{1,2}):([0-5]\d)", re.ASCII)


def take_end(words: Words, now: datetime, zone: tzinfo) -> Taken | None:
    """Return when something is to end that begins now, and the words after it; None where they do not begin with that.

    A span (`1h`, `for half an hour`), a moment (`until 18:00`, `tomorrow 9:00`) or a recovery, for which the instant is
    None.

    Args:
        words: As they were said.
        now: The instant from which a span is counted.
        zone: The zone in which a time of day is meant.

    Raises:
        NotUnderstoodError: They begin with such a thing and it says nothing that can be done.
    """
    if not words:
        return None
    kinds = (_take_tonight, _take_until, _take_for, _take_range, _take_beginning, _take_span, _take_named, _take_number)
    return next((found for kind in kinds if (found := kind(words, now, zone)) is not None), None)


def _take_tonight(words: Words, now: datetime, zone: tzinfo) -> Taken | None:
    """Return the end of tonight where an hour is said; None where nobody says tonight, or it is still to come.

    Raises:
        SeveralEndsError: It may be over at midnight, or in the morning.
    """
    rest = words
    while rest and low(rest[0]) in (*UNTIL, *FOR, "the"):
        rest = rest[1:]
    phrase = next((each for each in TONIGHT if tuple(map(low, rest[: len(each)])) == each), None)
    is_until_today = len(rest) < len(words) and low(words[0]) in UNTIL and bool(rest) and low(rest[0]) in TODAY
    if phrase is None and not (is_until_today and not _has_clock(rest[1:])):
        return None
    after = rest[len(phrase) if phrase else 1 :]
    if _has_clock(after):
        return take_moment(rest, now, zone)
    midnight, morning, evening = (take_moment([each], now, zone)[0] for each in ("midnight", "morning", "evening"))
    if phrase and low(words[0]) in UNTIL and evening < midnight:
        return evening, after
    ends = sorted((midnight, morning)) if phrase else [midnight]
    raise SeveralEndsError(" ".join(words[: len(words) - len(after)]), ends, after)


def _has_clock(words: Words) -> bool:
    """Return whether a time of day follows."""
    while words and low(words[0]) in FILLERS:
        words = words[1:]
    return bool(words) and words[0][0].isdecimal() and take_clock(words, is_sure=True) is not None


def _take_range(words: Words, now: datetime, zone: tzinfo) -> Taken | None:
    """Return nothing, or what a range may want: `9:00-10:00`, `19:00 - 20:00`, `9-10`, `1-2h`.

    Raises:
        SeveralEndsError: It is one.
    """
    is_apart = len(words) > 2 and words[1] in DASHES and all(":" in each for each in (words[0], words[2]))
    found = _RANGE.fullmatch(low("".join(words[:3]) if is_apart else words[0]))
    if found is None:
        return None
    rest = words[3 if is_apart else 1 :]
    said = " ".join(words[: len(words) - len(rest)])
    unit = found[3] or (low(rest[0]) if rest else "")
    is_clear = any(":" in each or "m" in each for each in found.groups()[:2])
    if unit in LENGTHS and not is_clear:
        spans = [times(float(found[each]), LENGTHS[unit]) for each in (1, 2)]
        ends = [end for each in spans if (end := _end(each, words, rest, now)[0]) is not None]
        raise SeveralEndsError(said, ends, rest if found[3] else rest[1:])
    if found[3] or (not is_clear and found[2].startswith("0")):
        return None  # 18-00
    try:
        end, rest = take_moment([found[2], *rest], now, zone)
    except NotUnderstoodError:
        return None
    if is_clear or len(found[2]) == 1:  # 9-5
        raise SeveralEndsError(said, (end,), rest, begins_later=True)
    raise SeveralEndsError(said, sorted({end, take_moment(words[:1], now, zone)[0]}), rest)


def _take_until(words: Words, now: datetime, zone: tzinfo) -> Taken | None:
    """Return the end that is said after `until`, or the recovery."""
    first = low(words[0])
    if tuple(map(low, words[:2])) == UNTIL_NOT:
        return _take_recovery(words[2:])
    if first in UNTIL:
        return _take_recovery(words[1:]) or take_moment(words[1:], now, zone)
    if first in FOREVER:
        raise TooLongError(words[0])
    if first in BY and begins_with_moment(words[1:], now, zone):
        return take_moment(words[1:], now, zone)
    return (None, words[1:]) if first in RECOVERY else None


def _take_named(words: Words, now: datetime, zone: tzinfo) -> Taken | None:
    """Return a moment that nobody has said `until` before: `18:00`, `tomorrow`, `overnight`, `the weekend`."""
    rest = words[1:] if words and low(words[0]) in (*THIS, "the") else words
    first = low(rest[0]) if rest else ""
    whole = next((meant for names, meant in FOR_WHOLE.items() if first in names), None)
    if whole is not None and not _has_clock(rest[1:]):
        return take_moment([*whole, *rest[1:]], now, zone)
    if begins_with_moment(rest, now, zone):
        return take_moment(rest, now, zone, is_after_until=False)
    return None


def _take_for(words: Words, now: datetime, zone: tzinfo) -> Taken | None:
    """Return the end of what is said after `for`: a span, the night, the weekend, or a moment."""
    if tuple(map(low, words[:2])) == FOR_IN_WORDS:
        words = words[1:]
    elif low(words[0]) not in (*FOR, *OVER):
        return None
    if len(words) < 2:
        return None
    rest = words[2:] if low(words[1]) == "the" and len(words) > 2 else words[1:]
    first = low(rest[0])
    whole = next((meant for names, meant in FOR_WHOLE.items() if first in names), None)
    if whole is not None:
        return take_moment([*whole, *rest[1:]], now, zone)
    if low(words[0]) in OVER:
        return None
    if clock := _HOURS.fullmatch(rest[0]):  # for 1:30
        return _end(int(clock[1]) * HOUR + int(clock[2]) * MINUTE, rest, rest[1:], now)
    kinds = (_take_span, _take_named, _take_number)
    return next((found for kind in kinds if (found := kind(rest, now, zone)) is not None), None)


def _take_span(words: Words, now: datetime, _zone: tzinfo) -> Taken | None:
    """Return when the span that the first words say is over, and the words after it; None where they say none.

    Raises:
        NotUnderstoodError: It is over at once, or in a time that no clock shows.
    """
    rest = words
    while rest and low(rest[0]) in (*MORE, *(FOR if len(rest) < len(words) else ())):
        rest = rest[1:]  # ещё на час
    if words[0][0] in MINUS and spoken_span(words[0][1:]) is not None:
        raise TooShortError(words[0])
    span, after = take_span(rest)
    if span is None:
        return None
    return _end(span, words, after, now)


def _end(span: timedelta, words: Words, rest: Words, now: datetime) -> Taken:
    """Return when a span is over that words say.

    Raises:
        NotUnderstoodError: It is over at once, or in a time that no clock shows.
    """
    said = " ".join(words[: len(words) - len(rest)])
    try:
        end = now + span
    except OverflowError as error:
        raise TooLongError(said) from error
    if end <= now:
        raise TooShortError(said)
    return end, rest


def _take_number(words: Words, now: datetime, _zone: tzinfo) -> Taken | None:
    """Return the end that a number without a unit says: of minutes, where as many hours are not usual.

    Raises:
        SeveralEndsError: It may as well be hours.
        NotUnderstoodError: It is over at once, or in a time that no clock shows.
    """
    number = number_of(words[0])
    if number is None:
        return None
    end, rest = _end(times(number, MINUTE), words, words[1:], now)
    if end is not None and (number < FEW or number in USUAL_HOURS):
        raise SeveralEndsError(words[0], (end, now + number * HOUR), rest)
    return end, rest


def _take_recovery(words: Words) -> Taken | None:
    """Return that something ends with a recovery, and the words after it; None where the words do not say so."""
    for skipped in range(min(len(words), MOST_SKIPPED + 1)):  # until it is fixed
        if low(words[skipped]) in RECOVERY:
            return None, words[skipped + 1 :]
    return None


def _take_beginning(words: Words, now: datetime, zone: tzinfo) -> Taken | None:
    """Return nothing, or what words may want that say when something is to begin: `at 18:00`, `from 22:00 to 23:30`.

    Raises:
        SeveralEndsError: They say so; everything begins at once.
    """
    first = low(words[0])
    span = _take_span(words[1:], now, zone) if first in BEGINS_IN and len(words) > 1 else None
    if span is None and first not in BEGINS:
        return None
    try:
        end, rest = (
            span
            or _take_end_of_weekend(words[1:], now, zone)
            or take_moment(words[1:], now, zone, is_after_until=first in BETWEEN or low(" ".join(words[2:3])) in TO)
        )
    except NotUnderstoodError:
        return None
    if rest and low(rest[0]) in (BETWEEN_TO if first in BETWEEN else TO):
        end, rest = take_moment(rest[1:], now, zone)
    if end is None:
        return None
    said = " ".join(words[: len(words) - len(rest)])
    raise SeveralEndsError(said, (end,), rest, begins_later=True)


def _take_end_of_weekend(words: Words, now: datetime, zone: tzinfo) -> Taken | None:
    rest = words[1:] if words and low(words[0]) in (*THIS, "the") else words
    if not rest or low(rest[0]) not in WEEKEND:
        return None
    return take_moment([*FOR_WHOLE[WEEKEND], *rest[1:]], now, zone)


def parse_clock(text: str) -> time | None:
    """Return a time of day as settings have it: `18:00`, `9:30`, `18`; None where it is none."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The part of each day in which nothing may make a sound; it may cross midnight.

    Attributes:
        begin: The time of day at which it begins.
        end: The time of day at which it is over.
    """

    begin: time
    end: time
    zone: tzinfo

    def __post_init__(self) -> None:
        """Refuse a part that is nothing, or all, of a day."""
        if self.begin == self.end:
            raise ValueError("quiet hours must begin and end at different times")

    @classmethod
    def parse(cls, text: str, zone: tzinfo) -> "QuietHours":
        """Return quiet hours as they are written in a setting: `22:00-07:00`.

        Raises:
            ValueError: They are not written so.
        """
        begin, dash, end = (each.strip() for each in text.replace("–", "-").partition("-"))
        times = parse_clock(begin), parse_clock(end)
        if not dash or times[0] is None or times[1] is None:
            raise ValueError("quiet hours are two times of day, such as 22:00-07:00")
        return cls(times[0], times[1], zone)

    def cover(self, instant: datetime) -> bool:
        """Return whether that instant is quiet."""
        clock = instant.astimezone(self.zone).time()
        if self.begin < self.end:
            return self.begin <= clock < self.end
        return clock >= self.begin or clock < self.end
