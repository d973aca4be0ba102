"""Spans and moments as people write them: `30m`, `half an hour`, `1,5 ч`, `until 18:00`, `до понедельника`.

English and Russian units are both read, whatever the chat's language. Times of day are in the reader's zone; where a
clock is put forward or back, a time that there is twice is the next of the two, and one that there is not is moved on
by as much as the clock was.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from wine_slo.slo.span import UNITS

UNIT_NAMES = {  # beside the short one
    "s": ("sec", "secs", "second", "seconds", "с", "сек", "секунд", "секунды", "секунду"),
    "m": ("min", "mins", "minute", "minutes", "м", "мин", "минут", "минуты", "минуту"),
    "h": ("hr", "hrs", "hour", "hours", "ч", "час", "часа", "часов"),
    "d": ("day", "days", "д", "дн", "день", "дня", "дней", "сутки", "суток"),
    "w": ("week", "weeks", "н", "нед", "неделю", "недели", "недель"),
}
LENGTHS = {name: UNITS[unit] for unit, names in UNIT_NAMES.items() for name in (unit, *names)}
ALONE = ("minute", "hour", "day", "week", "минуту", "час", "часик", "день", "сутки", "неделю")  # one of it
WHOLE = {  # a span in one word
    "полминуты": timedelta(seconds=30),
    "полчаса": timedelta(minutes=30),
    "полчасика": timedelta(minutes=30),
    "часик": timedelta(hours=1),
    "полдня": timedelta(hours=12),
    "полсуток": timedelta(hours=12),
}
NUMBERS = {
    **dict.fromkeys(("half", "пол"), 0.5),
    **dict.fromkeys(("a", "an", "one", "один", "одну", "одни"), 1.0),
    **dict.fromkeys(("полтора", "полторы"), 1.5),
    **dict.fromkeys(("two", "couple", "два", "две", "двое", "пару"), 2.0),
    **dict.fromkeys(("three", "три", "трое"), 3.0),
    **dict.fromkeys(("four", "четыре"), 4.0),
    **dict.fromkeys(("five", "пять"), 5.0),
    **dict.fromkeys(("six", "шесть"), 6.0),
    **dict.fromkeys(("ten", "десять"), 10.0),
    **dict.fromkeys(("fifteen", "пятнадцать"), 15.0),
    **dict.fromkeys(("twenty", "двадцать"), 20.0),
    **dict.fromkeys(("thirty", "тридцать"), 30.0),
}
ARTICLES = ("a", "an", "of", "the")  # between a number and its unit: half an hour
AND_A_HALF = (("and", "a", "half"), ("с", "половиной"))
UNTIL = ("until", "till", "til", "untill", "до")
FOR = ("for", "на")
NEXT = ("the", "next", "another", "ближайший", "ближайшие", "следующий")  # for the next hour
AT = ("at", "в", "на", "on", "next", "the", "до")
TOMORROW = ("tomorrow", "завтра", "завтрашнего")
TODAY = ("today", "сегодня")
AFTER_TOMORROW = ("послезавтра",)
DAYS = {
    **dict.fromkeys(TODAY, 0),
    **dict.fromkeys(TOMORROW, 1),
    **dict.fromkeys(AFTER_TOMORROW, 2),
}
WEEKDAYS = (
    ("monday", "mon", "понедельник", "понедельника", "пн"),
    ("tuesday", "tue", "tues", "вторник", "вторника", "вт"),
    ("wednesday", "wed", "среда", "среду", "среды", "ср"),
    ("thursday", "thu", "thurs", "четверг", "четверга", "чт"),
    ("friday", "fri", "пятница", "пятницу", "пятницы", "пт"),
    ("saturday", "sat", "суббота", "субботу", "субботы", "сб"),
    ("sunday", "sun", "воскресенье", "воскресенья", "вс"),
)
MORNING = time(9)  # when people are back, where no hour is said
CLOCKS = {
    **dict.fromkeys(("morning", "утра", "утром", "утро"), MORNING),
    **dict.fromkeys(("noon", "midday", "полудня", "полдень"), time(12)),
    **dict.fromkeys(("lunch", "обеда"), time(13)),
    **dict.fromkeys(("evening", "вечера", "вечером", "вечер"), time(18)),
    **dict.fromkeys(("midnight", "полуночи", "полночь"), time(0)),
}
HALVES = {  # which half of the day an hour is in
    **dict.fromkeys(("am", "a.m", "утра", "ночи"), 0),
    **dict.fromkeys(("pm", "p.m", "дня", "вечера"), 12),
}
HOURS = ("h", "o'clock", "oclock", "ч", "час", "часа", "часов")  # after an hour, where they say nothing more
RECOVERY = ("recovery", "recovered", "recovers", "resolved", "resolution", "восстановления", "восстановится")
FOREVER = ("forever", "always", "indefinitely", "навсегда", "бессрочно")
DAY = timedelta(days=1)
WEEK = 7  # days

_PART = re.compile(r"(\d{1,6}(?:[.,]\d{1,3})?)\s*([^\W\d_]+)")
_NUMBER = re.compile(r"\d{1,6}(?:[.,]\d{1,3})?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?")
_SAID_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?(am|pm|a\.m|p\.m)?", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)


class NotUnderstoodError(ValueError):
    """Words that say no span and no moment.

    Attributes:
        word: What was not understood, as it was written; empty where something is missing.
    """

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class TooLongError(NotUnderstoodError):
    """A span that has no end, or none that can be counted."""


class PastError(NotUnderstoodError):
    """A moment that is over."""


class NoUnitError(NotUnderstoodError):
    """A number without a unit: `90`.

    Attributes:
        number: The number.
        rest: The words after it.
    """

    def __init__(self, word: str, number: float, rest: Sequence[str]) -> None:
        super().__init__(word)
        self.number = number
        self.rest = rest


def _sum(one: timedelta, other: timedelta) -> timedelta:
    """Return both together, or the longest that there is: a message holds enough weeks for more."""
    try:
        return one + other
    except OverflowError:
        return timedelta.max


def spoken_span(text: str) -> timedelta | None:
    """Return the span that a word says: `30m`, `1h30m`, `1.5h`; None where it says none."""
    total, end = timedelta(0), 0
    for part in _PART.finditer(text):
        length = LENGTHS.get(part[2].lower())
        if part.start() != end or length is None:
            return None
        total = _sum(total, float(part[1].replace(",", ".")) * length)
        end = part.end()
    return total if end and end == len(text) else None


def take_span(words: Sequence[str]) -> tuple[timedelta | None, Sequence[str]]:
    """Return the span that the first words say, and the words after it.

    `1h 30m`, `half an hour` and `1,5 ч` are among them.
    """
    total, words = _take_words(words)
    while words:
        pair = "".join(words[:2]) if len(words) > 1 and _NUMBER.fullmatch(words[0]) else None
        span = spoken_span(pair.rstrip(".")) if pair else None
        used = 2 if span is not None else 1
        if span is None:
            span = spoken_span(words[0].rstrip("."))
        if span is None:
            break
        total = span if total is None else _sum(total, span)
        words = words[used:]
        if len(words) > 1 and words[0].lower() in ("and", "и") and spoken_span("".join(words[1:3])) is not None:
            words = words[1:]  # 1 hour and 30 minutes
    return total, words


def _take_words(words: Sequence[str]) -> tuple[timedelta | None, Sequence[str]]:
    """Return a span without a digit: `an hour`, `полчаса`, `two hours`, `an hour and a half`; None where it is none."""
    low = [each.lower() for each in words[:6]]
    if not low:
        return None, words
    if low[0] in WHOLE:
        return WHOLE[low[0]], words[1:]
    number, used = (NUMBERS[low[0]], 1) if low[0] in NUMBERS else (1.0, 0)
    while used and used < len(low) and low[used] in ARTICLES:
        used += 1
    if used >= len(low) or low[used] not in (LENGTHS if used else ALONE):
        return None, words
    length = LENGTHS[low[used]]
    used += 1
    for half in AND_A_HALF:
        if tuple(low[used : used + len(half)]) == half:
            return (number + 0.5) * length, words[used + len(half) :]
    return number * length, words[used:]


def take_end(words: Sequence[str], now: datetime, zone: tzinfo) -> tuple[datetime | None, Sequence[str]] | None:
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
    low = [each.lower().rstrip(".") for each in words[:3]]
    if not low:
        return None
    if low[0] in UNTIL:
        for skipped in (1, 2):  # until it recovers
            if len(low) > skipped and low[skipped] in RECOVERY:
                return None, words[skipped + 1 :]
        return take_moment(words[1:], now, zone)
    if low[0] in RECOVERY:
        return None, words[1:]
    if low[0] in FOREVER:
        raise TooLongError(words[0])
    rest = (_without(NEXT, words[1:]) or words) if low[0] in FOR else words
    if (found := _take_end_of_span(rest, now)) is not None:
        return found
    if _NUMBER.fullmatch(rest[0]) and not _is_clock(rest):
        raise NoUnitError(rest[0], float(rest[0].replace(",", ".")), rest[1:])
    if _is_clock(rest) or _day(rest[0], now, zone) is not None:
        return take_moment(rest, now, zone)
    return None


def _take_end_of_span(words: Sequence[str], now: datetime) -> tuple[datetime, Sequence[str]] | None:
    """Return when the span that the first words say is over, and the words after it; None where they say none.

    Raises:
        NotUnderstoodError: It is over at once, or in a time that no clock shows.
    """
    try:
        span, rest = take_span(words)
        if span is None:
            return None
        end = now + span
    except OverflowError as error:
        raise TooLongError(words[0]) from error
    if end <= now:
        raise NotUnderstoodError(words[0])
    return end, rest


def take_moment(words: Sequence[str], now: datetime, zone: tzinfo) -> tuple[datetime, Sequence[str]]:
    """Return the moment that the words after `until` say, always after `now`, and the words after it.

    A day without an hour means its morning.

    Raises:
        NotUnderstoodError: They say none.
    """
    said, words = words, _without(AT, words)
    if not words:
        raise NotUnderstoodError("")
    day = _day(words[0], now, zone)
    if day is not None:
        words = words[1:]
    clock, after = _take_clock(_without(AT, words))
    if clock is not None:
        words = after
    if day is None and words and words[0].lower() in DAYS:  # 9:00 tomorrow
        day, words = _day(words[0], now, zone), words[1:]
    if clock is None and (day is None or said[0].lower() in TODAY):
        raise NotUnderstoodError(words[0] if words and day is None else " ".join(said[: len(said) - len(words)]))
    if day is None:
        today = now.astimezone(zone).date()
        moment = _instant(datetime.combine(today, clock or MORNING), zone, now)
        if moment <= now:
            moment = _instant(datetime.combine(today + DAY, clock or MORNING), zone, now)
        return moment, words
    moment = _instant(datetime.combine(day.first, clock or MORNING), zone, now)
    if moment <= now and day.every is not None:
        moment = _instant(datetime.combine(day.first + day.every, clock or MORNING), zone, now)
    if moment <= now:
        raise PastError(" ".join(said[: len(said) - len(words)]))
    return moment, words


@dataclass(frozen=True, slots=True)
class _Day:
    """A day that somebody names.

    Attributes:
        first: The next of that name, today among them.
        every: How long until the next one; None where there is none.
    """

    first: date
    every: timedelta | None = None


def _day(word: str, now: datetime, zone: tzinfo) -> _Day | None:
    today, low = now.astimezone(zone).date(), word.lower().rstrip(".")
    if low in DAYS:
        return _Day(today + DAYS[low] * DAY)
    for number, names in enumerate(WEEKDAYS):
        if low in names:
            return _Day(today + (number - today.weekday()) % WEEK * DAY, WEEK * DAY)
    if found := _DATE.fullmatch(word):
        try:
            return _Day(date(int(found[1]), int(found[2]), int(found[3])))
        except ValueError:
            return None
    return None


def _take_clock(words: Sequence[str]) -> tuple[time | None, Sequence[str]]:
    """Return the time of day that the first words say, and the words after it.

    `18:00`, `18.00`, `6pm`, `9 утра`, `noon`.
    """
    if not words:
        return None, words
    low = words[0].lower().rstrip(".")
    if low in CLOCKS:
        return CLOCKS[low], words[1:]
    found = _SAID_CLOCK.fullmatch(low)
    if found is None:
        return None, words
    hour, minute, half = int(found[1]), int(found[2] or 0), HALVES.get(found[3] or "")
    rest = words[1:]
    following = rest[0].lower().rstrip(".") if rest else ""
    if half is None and following in HALVES:
        half, rest = HALVES[following], rest[1:]
    elif half is None and found[2] is None and following in HOURS:
        rest = rest[1:]
    if half is not None and 1 <= hour <= 12:  # of a clock's face
        hour = hour % 12 + half
    if hour == 24 and minute == 0:  # the end of the day is the start of the next one
        hour = 0
    return (time(hour, minute), rest) if hour < 24 and minute < 60 else (None, words)


def _is_clock(words: Sequence[str]) -> bool:
    """Return whether the words begin with a time of day even where nobody has said `until`: a bare `18` does not."""
    if _NUMBER.fullmatch(words[0]) and "." not in words[0]:
        return len(words) > 1 and words[1].lower().rstrip(".") in HALVES
    return any(map(str.isdigit, words[0])) and _take_clock(words)[0] is not None


def _without(fillers: Sequence[str], words: Sequence[str]) -> Sequence[str]:
    while words and words[0].lower() in fillers:
        words = words[1:]
    return words


def parse_clock(text: str) -> time | None:
    """Return a time of day as settings have it: `18:00`, `9:30`, `18`; None where it is none."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _instant(local: datetime, zone: tzinfo, now: datetime) -> datetime:
    """Return the instant of a time on a wall; of two, the first that is still to come."""
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
