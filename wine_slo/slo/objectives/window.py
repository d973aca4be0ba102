"""Calendar windows: error budgets that begin anew with each week, month or quarter of a time zone.

A rolling window is a span that always ends now. A calendar window has a beginning and an end, and its length is that
of the calendar: a month of 28 to 31 days, of which one with a change of the clocks is an hour shorter or longer.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum


class CalendarUnit(StrEnum):
    """After how long a budget begins anew; as slo.yml and metrics write it."""

    WEEK = "week"  # from Monday on, as ISO 8601 has it
    MONTH = "month"
    QUARTER = "quarter"  # from January, April, July and October on


NOMINAL = {
    CalendarUnit.WEEK: timedelta(days=7),
    CalendarUnit.MONTH: timedelta(days=30),
    CalendarUnit.QUARTER: timedelta(days=90),
}
LONGEST = {
    CalendarUnit.WEEK: timedelta(days=7, hours=1),
    CalendarUnit.MONTH: timedelta(days=31, hours=1),
    CalendarUnit.QUARTER: timedelta(days=92, hours=1),
}
MONTHS_OF_A_QUARTER = 3
DECEMBER = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One turn of a calendar window, as it is at an instant.

    Attributes:
        begins_at: Its first instant.
        ends_at: The first instant of the next one.
        at: An instant in it.
    """

    begins_at: datetime
    ends_at: datetime
    at: datetime

    @property
    def length(self) -> timedelta:
        """Return how long it is in all."""
        return self.ends_at - self.begins_at

    @property
    def passed(self) -> timedelta:
        """Return how much of it has passed."""
        return self.at - self.begins_at

    def is_over(self, at: datetime) -> bool:
        """Return whether the next one has begun."""
        return self.ends_at <= at

    @property
    def left(self) -> timedelta:
        """Return how much of it is still to come."""
        return self.ends_at - self.at


@dataclass(frozen=True, slots=True)
class Calendar:
    """A window that begins anew with the calendar.

    Attributes:
        unit: After how long.
        zone: The time zone of its midnights.
    """

    unit: CalendarUnit
    zone: tzinfo = UTC

    @property
    def nominal(self) -> timedelta:
        """Return how long it is by and large: by this span burn rates scale."""
        return NOMINAL[self.unit]

    @property
    def longest(self) -> timedelta:
        """Return how long it can be."""
        return LONGEST[self.unit]

    def period(self, at: datetime) -> Period:
        """Return the turn in which an instant lies."""
        first = self._first_day(at.astimezone(self.zone).date())
        begins_at, ends_at = self._midnight(first), self._midnight(self._next(first))
        if ends_at <= at:  # clocks that went back over midnight show the day before once more
            first = self._next(first)
            begins_at, ends_at = ends_at, self._midnight(self._next(first))
        return Period(begins_at=begins_at, ends_at=ends_at, at=at)

    def _first_day(self, day: date) -> date:
        match self.unit:
            case CalendarUnit.WEEK:
                return day - timedelta(days=day.weekday())
            case CalendarUnit.MONTH:
                return day.replace(day=1)
            case CalendarUnit.QUARTER:
                return day.replace(month=day.month - (day.month - 1) % MONTHS_OF_A_QUARTER, day=1)

    def _next(self, first: date) -> date:
        if self.unit is CalendarUnit.WEEK:
            return first + timedelta(days=7)
        month = first.month + (MONTHS_OF_A_QUARTER if self.unit is CalendarUnit.QUARTER else 1)
        return first.replace(year=first.year + (month > DECEMBER), month=month - DECEMBER * (month > DECEMBER))

    def _midnight(self, day: date) -> datetime:
        """Return the first instant of a day; where its midnight is skipped, the instant at which it is."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)
