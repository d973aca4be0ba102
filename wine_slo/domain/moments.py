"""Spans and moments as people write them: `30m`, `1h30m`, `2 d`, `until 18:00`, `until tomorrow 9:00`, `22:00-07:00`.

English and Russian units are both read, whatever the chat's language. Times of day are in the reader's zone; where a
clock is put forward or back, a time that there is twice is the next of the two, and one that there is not is moved on
by as much as the clock was.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

UNITS = {
    timedelta(seconds=1): ("s", "sec", "secs", "second", "seconds", "с", "сек", "секунд", "секунды", "секунду"),
    timedelta(minutes=1): ("m", "min", "mins", "minute", "minutes", "м", "мин", "минут", "минуты", "минуту"),
    timedelta(hours=1): ("h", "hr", "hrs", "hour", "hours", "ч", "час", "часа", "часов"),
    timedelta(days=1): ("d", "day", "days", "д", "дн", "день", "дня", "дней"),
    timedelta(weeks=1): ("w", "week", "weeks", "н", "нед", "неделю", "недели", "недель"),
}
LENGTHS = {name: length for length, names in UNITS.items() for name in names}
UNTIL = ("until", "till", "til", "до")
TOMORROW = ("tomorrow", "завтра")
TODAY = ("today", "сегодня")
RECOVERY = ("recovery", "recovered", "восстановления")
DAY = timedelta(days=1)

_PART = re.compile(r"(\d{1,6}(?:[.,]\d{1,3})?)\s*([^\W\d_]+)")
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?")


class NotUnderstoodError(ValueError):
    """Words that say no span and no moment.

    Attributes:
        word: What was not understood, as it was written; empty where something is missing.
    """

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def parse_span(text: str) -> timedelta | None:
    """The span that a word says: `30m`, `1h30m`, `1.5h`; None where it says none."""
    total, end = timedelta(0), 0
    for part in _PART.finditer(text):
        length = LENGTHS.get(part[2].lower())
        if part.start() != end or length is None:
            return None
        total += float(part[1].replace(",", ".")) * length
        end = part.end()
    return total if end and end == len(text) else None


def take_span(words: Sequence[str]) -> tuple[timedelta | None, Sequence[str]]:
    """The span that the first words say, `1h 30m` and `2 hours` among them, and the words after it."""
    total: timedelta | None = None
    while words:
        pair = "".join(words[:2]) if len(words) > 1 and words[0].isdecimal() and words[1].isalpha() else None
        span = parse_span(pair) if pair else None
        used = 2 if span is not None else 1
        if span is None:
            span = parse_span(words[0])
        if span is None:
            break
        total = span if total is None else total + span
        words = words[used:]
    return total, words


def take_moment(words: Sequence[str], now: datetime, zone: tzinfo) -> tuple[datetime, Sequence[str]]:
    """The moment that the words after `until` say, always after `now`, and the words after it.

    Raises:
        NotUnderstoodError: They say none.
    """
    days: int | None = None
    if words and words[0].lower() in (*TOMORROW, *TODAY):
        days = 1 if words[0].lower() in TOMORROW else 0
        words = words[1:]
    if not words:
        raise NotUnderstoodError("")
    clock = parse_clock(words[0])
    if clock is None:
        raise NotUnderstoodError(words[0])
    today = now.astimezone(zone).date()
    if days is not None:
        moment = _instant(datetime.combine(today + days * DAY, clock), zone, now)
        if moment <= now:
            raise NotUnderstoodError(" ".join((TODAY[0], words[0])))
        return moment, words[1:]
    moment = _instant(datetime.combine(today, clock), zone, now)
    return moment if moment > now else _instant(datetime.combine(today + DAY, clock), zone, now), words[1:]


def parse_clock(text: str) -> time | None:
    """A time of day: `18:00`, `9:30`, `18`; None where it is none."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _instant(local: datetime, zone: tzinfo, now: datetime) -> datetime:
    """The instant of a time on a wall; of two, the first that is still to come."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first if first > now else max(first, second)


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
        """Quiet hours as they are written in a setting: `22:00-07:00`.

        Raises:
            ValueError: They are not written so.
        """
        begin, dash, end = (each.strip() for each in text.replace("–", "-").partition("-"))
        times = parse_clock(begin), parse_clock(end)
        if not dash or times[0] is None or times[1] is None:
            raise ValueError("quiet hours are two times of day, such as 22:00-07:00")
        return cls(times[0], times[1], zone)

    def cover(self, instant: datetime) -> bool:
        """Whether that instant is quiet."""
        clock = instant.astimezone(self.zone).time()
        if self.begin < self.end:
            return self.begin <= clock < self.end
        return clock >= self.begin or clock < self.end
