"""Moments as people write them: `18:00`, `18.00`, `6:30 pm`, `tomorrow 9am`, `до понедельника в 9`, `2026-12-01 12:00`.

A moment is a day, a time of day and a zone, in any order, each at most once; a day without a time means its morning.
Times of day are in the reader's zone where none is said; where a clock is put forward or back, a time that there is
twice is the next of the two, and one that there is not is moved on by as much as the clock was.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import TypeVar

from wine_slo.slo.oncall.not_understood import NotUnderstoodError, PastError, SeveralEndsError, SlipError, TooLongError
from wine_slo.slo.oncall.spoken_clock import Clock, take_clock, take_part
from wine_slo.slo.oncall.time_words import (
    DAY_NAMES,
    DAYS,
    DAYS_IN_WORDS,
    END,
    END_OF_DAY,
    END_OF_WEEK,
    END_OF_WORK,
    EVENING,
    FILLERS,
    FROM_NOW,
    HOUR,
    MIDNIGHT,
    MONTH_NAMES,
    MONTHS,
    MORNING,
    OF_END,
    OF_WORK,
    ORDINAL,
    SLIPS,
    WEEK_NAMES,
    WEEKDAYS,
    WEEKEND,
    ZONES,
    low,
)

T = TypeVar("T")
Words = Sequence[str]
Taken = tuple[T, Words]

DAY = timedelta(days=1)
WEEK = 7  # days
SATURDAY = 5
NEAR = 0.75  # how alike a word must be to another one to be a slip of it
MOST_OFFSET = 14  # hours between a zone and Greenwich
LAST_YEAR = 9000  # whose dates an arithmetic with days survives
SOON = timedelta(days=7)  # in which a date is likelier than a time of day that is written like it

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:t(\d{1,2}:\d{2})(?::\d{2})?(z?))?", re.ASCII)
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})(?:\.(\d{4}|\d{2}))?", re.ASCII)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?", re.ASCII)
_OF_MONTH = re.compile(rf"(\d{{1,2}})(?:-?(?:{'|'.join(ORDINAL)}))?", re.ASCII)
_OFFSET = re.compile(r"(?:utc|gmt|мск|msk)?([+-]\d{1,2})(?::?(\d{2}))?", re.ASCII)
_YEAR = re.compile(r"2\d{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Day:
    """A day that somebody names.

    Attributes:
        first: The next of that name, today among them.
        every: How long until the next one; None where there is none.
        minutes: The time of day that it means by itself, in minutes after midnight.
        is_date: Whether it is a date, and not only the name of a day.
    """

    first: date
    every: timedelta | None = None
    minutes: int = MORNING
    is_date: bool = False


@dataclass(slots=True)
class _Found:
    """What of a moment is understood so far."""

    now: datetime
    zone: tzinfo
    day: _Day | None = None
    clock: Clock | None = None
    is_zone_said: bool = False
    used: list[str] = field(default_factory=list)

    @property
    def today(self) -> date:
        """Return the day that it is in the zone."""
        return self.now.astimezone(self.zone).date()


def take_moment(words: Words, now: datetime, zone: tzinfo, *, is_after_until: bool = True) -> tuple[datetime, Words]:
    """Return the moment that the first words say, always after `now`, and the words after it.

    Args:
        words: As they were said.
        now: The instant of the request.
        zone: The zone in which a time of day is meant where none is said.
        is_after_until: Whether it is sure that a moment follows, so that a bare number is an hour.

    Raises:
        NotUnderstoodError: They say none.
    """
    found, rest = _Found(now, zone), words
    while True:
        following = rest
        while following and low(following[0]) in (*FILLERS, ","):
            following = following[1:]
        after = _take_piece(found, following, is_sure=is_after_until or found.day is not None)
        if after is None:
            break
        rest = after
    said = " ".join(words[: len(words) - len(rest)])
    if found.day is None and found.clock is None:
        raise _not_understood(following or words)
    for phrase in FROM_NOW:
        if [low(each) for each in rest[: len(phrase)]] == list(phrase):
            rest = rest[len(phrase) :]
    return _combined(found, said), rest


def begins_with_moment(words: Words, now: datetime, zone: tzinfo) -> bool:
    """Return whether words begin with a moment although nobody has said `until`: a bare `18` does not."""
    return _take_piece(_Found(now, zone), words, is_sure=False) is not None


def slip_of(word: str) -> str:
    """Return the word of times of which a word is a slip; empty where it is of none."""
    return next(iter(difflib.get_close_matches(low(word), SLIPS, n=1, cutoff=NEAR)), "")


def _not_understood(words: Words) -> NotUnderstoodError:
    """Return what is wrong with words of which the first says no part of a moment."""
    word = words[0] if words else ""
    if near := slip_of(word):
        return SlipError(word, near)
    return NotUnderstoodError(word)


def _take_piece(found: _Found, words: Words, *, is_sure: bool) -> Words | None:
    """Take a day, a time of day or a zone that is not known yet; the words after it, or None where there is none.

    A date is taken beside the name of a day, as both are often written: `Monday, 7 December`.
    """
    if not words:
        return None
    day = _take_day(words, found, is_sure=is_sure)
    if day is not None and (found.day is None or (day[0].is_date and not found.day.is_date)):
        found.day = day[0]
        return day[1]
    if found.clock is None and (clock := take_clock(words, is_sure=is_sure)) is not None:
        found.clock = clock[0]
        return clock[1]
    if found.clock is not None and not found.clock.is_part and (part := take_part(words)) is not None:
        found.clock = found.clock.in_half_of(part[0])  # 9 tomorrow morning
        return part[1]
    if found.clock is not None and found.clock.is_part and (clock := take_clock(words, is_sure=True)) is not None:
        found.clock = clock[0].in_half_of(found.clock)  # in the evening at 8
        return clock[1]
    if (found.clock or found.day) and not found.is_zone_said and (zone := _take_zone(words, found)) is not None:
        found.zone, found.is_zone_said = zone[0], True
        return zone[1]
    return None


def _take_day(words: Words, found: _Found, *, is_sure: bool) -> Taken[_Day] | None:
    first, today = low(words[0]), found.today
    for phrase in DAYS_IN_WORDS:
        if [low(each) for each in words[: len(phrase)]] == list(phrase):
            return _Day(today + 2 * DAY), words[len(phrase) :]
    if first in DAYS:
        return _Day(today + DAYS[first] * DAY), words[1:]
    for number, names in enumerate(WEEKDAYS):
        if first in names:
            return _Day(today + (number - today.weekday()) % WEEK * DAY, WEEK * DAY), words[1:]
    if first in WEEKEND:
        return _Day(today + (SATURDAY - today.weekday()) % WEEK * DAY, WEEK * DAY, 0), words[1:]
    if first in WEEK_NAMES:  # next week
        return _Day(today + (WEEK - today.weekday()) * DAY), words[1:]
    return _take_end_of(words, today) or _take_date(words, found, is_sure=is_sure)


def _take_end_of(words: Words, today: date) -> Taken[_Day] | None:
    """Return the day that ends with what the words say: `end of day`, `конца недели`, `EOD`."""
    first, monday = low(words[0]), today + (WEEK - today.weekday()) * DAY
    short = {END_OF_DAY: (today, MIDNIGHT), END_OF_WORK: (today, EVENING), END_OF_WEEK: (monday, 0)}
    for names, (day, minutes) in short.items():
        if first in names:
            return _Day(day, None, minutes), words[1:]
    if first not in END:
        return None
    rest, is_of_work = words[1:], False
    while rest and low(rest[0]) in OF_END:
        is_of_work = is_of_work or low(rest[0]) in OF_WORK
        rest = rest[1:]
    name = low(rest[0]) if rest else ""
    if name in DAY_NAMES:
        return _Day(today, None, EVENING if is_of_work else MIDNIGHT), rest[1:]
    if is_of_work:
        return _Day(today, None, EVENING), rest
    if name in (*WEEK_NAMES, *WEEKEND):
        return _Day(monday, None, 0), rest[1:]
    if name in MONTH_NAMES:
        return _Day((today.replace(day=28) + 4 * DAY).replace(day=1), None, 0), rest[1:]
    return None


def _take_date(words: Words, found: _Found, *, is_sure: bool) -> Taken[_Day] | None:
    """Return the date that the words say: `2026-12-01`, `01.12.2026`, `1/12`, `1 December`, `dec 1st`, `1 декабря`."""
    first = low(words[0])
    if slashed := _SLASHED.fullmatch(first):
        one, other, year = int(slashed[1]), int(slashed[2]), _year(slashed[3])
        days = [each for each in (_date(found, one, other, year), _date(found, other, one, year)) if each is not None]
        return (min(days, key=lambda each: each.first), words[1:]) if days else None  # whichever is meant, the next one
    if iso := _ISO.fullmatch(first):
        day = _date(found, int(iso[3]), int(iso[2]), int(iso[1]))
        return None if day is None else (day, [*filter(None, (iso[4], iso[5])), *words[1:]])
    if dotted := _DOTTED.fullmatch(first):
        year = _year(dotted[3])
        day = _date(found, int(dotted[1]), int(dotted[2]), year)
        is_clear = year is not None or (found.clock is None and is_sure and _has_clock(words[1:]))
        if day is None or (not is_clear and (found.clock is not None or not is_sure)):
            return None
        return (day, words[1:]) if is_clear else _doubtful(words, day, found)
    return _take_named_date(words, found)


def _year(digits: str | None) -> int | None:
    """Return a year in two digits or in four."""
    return None if not digits else int(digits) if len(digits) > 2 else 2000 + int(digits)


def _take_named_date(words: Words, found: _Found) -> Taken[_Day] | None:
    """Return the date that is said with the name of its month: `1 December`, `dec 1st`, `1 декабря 2026`."""
    for one, other in ((0, 1), (1, 0)):
        number = _OF_MONTH.fullmatch(low(words[one])) if len(words) > 1 else None
        month = (
            next((place for place, names in enumerate(MONTHS, 1) if low(words[other]) in names), None)
            if number
            else None
        )
        if number is None or month is None:
            continue
        year = _YEAR.fullmatch(low(words[2])) if len(words) > 2 else None
        day = _date(found, int(number[1]), month, int(year[0]) if year else None)
        return None if day is None else (day, words[3 if year else 2 :])
    return None


def _doubtful(words: Words, day: _Day, found: _Found) -> Taken[_Day] | None:
    """Return a day that is written as a time of day may be; None where that is likelier.

    Raises:
        SeveralEndsError: Nobody can know which is meant.
    """
    clock = take_clock(words, is_sure=True)
    if clock is None:
        return day, words[1:]
    those = [replace(found, day=day), replace(found, clock=clock[0])]
    ends = [_combined(each, words[0]) for each in those]
    if ends[0] - found.now > SOON:
        return None
    raise SeveralEndsError(words[0], ends, words[1:])


def _has_clock(words: Words) -> bool:
    """Return whether a time of day follows a date."""
    while words and low(words[0]) in FILLERS:
        words = words[1:]
    return bool(words) and any(map(str.isdigit, words[0])) and take_clock(words, is_sure=False) is not None


def _date(found: _Found, day: int, month: int, year: int | None) -> _Day | None:
    """Return a date, the next one where no year is said; None where there is none."""
    for each in (year,) if year is not None else (found.today.year, found.today.year + 1):
        try:
            that = date(each, month, day)
        except ValueError:
            continue
        if year is not None or that >= found.today:
            return _Day(that, is_date=True) if each < LAST_YEAR else None
    return None


def _take_zone(words: Words, found: _Found) -> Taken[tzinfo] | None:
    """Return the zone that is said after a time: `UTC`, `utc+3`, `МСК`, `по Москве`, `moscow time`."""
    rest = words[1:] if low(words[0]) == "по" else words
    if not rest:
        return None
    name, after = low(rest[0]), rest[1:]
    if after and low(after[0]) in ("time", "времени"):
        after = after[1:]
    own = {low(f"{found.now.astimezone(found.zone) + number * DAY:%Z}") for number in (0, 91, 182, 273)}
    city = low(str(found.zone).rpartition("/")[2])
    if name in (*own, city) or name in ("local", "местному"):
        return found.zone, after
    if name in ZONES:
        return timezone(timedelta(hours=ZONES[name])), after
    if (offset := _OFFSET.fullmatch(name)) and abs(int(offset[1])) <= MOST_OFFSET:
        minutes = int(offset[1]) * HOUR + int(offset[2] or 0) * (-1 if offset[1][0] == "-" else 1)
        return timezone(timedelta(minutes=minutes)), after
    return None


def _combined(found: _Found, said: str) -> datetime:
    """Return the moment.

    Raises:
        NotUnderstoodError: It is over, or is no time of a clock.
    """
    minutes = found.clock.minutes if found.clock else None
    day = found.day
    if day is None:
        day = _Day(found.today, DAY)
    try:
        moment = _instant(found, day.first, day.minutes if minutes is None else minutes)
        if moment <= found.now and day.every is not None:
            moment = _instant(found, day.first + day.every, day.minutes if minutes is None else minutes)
    except OverflowError as error:
        raise TooLongError(said) from error
    if day == _Day(found.today) and minutes is None:
        raise NotUnderstoodError(said)  # until today
    if moment <= found.now:
        raise PastError(said)
    return moment


def _instant(found: _Found, day: date, minutes: int) -> datetime:
    """Return the instant of a time on a wall; of two, the first that is still to come."""
    midnight = datetime(day.year, day.month, day.day) + minutes // MIDNIGHT * DAY  # noqa: DTZ001 - it gets its zone next
    local = midnight + timedelta(minutes=minutes % MIDNIGHT)
    first, second = (local.replace(tzinfo=found.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first if first > found.now else max(first, second)
