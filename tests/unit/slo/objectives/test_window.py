"""Calendar windows: when each turn begins and ends, held to a walk through every quarter of an hour of local time."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wine_slo.slo.objectives.window import LONGEST, NOMINAL, Calendar, CalendarUnit

QUARTER_HOUR = timedelta(minutes=15)
ZONES = (  # with their clocks: no change, at 1 and 2 and 3 h, at midnight, by half an hour, a day that is missing
    "UTC",
    "Europe/Berlin",
    "Europe/Moscow",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Havana",
    "Asia/Kolkata",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
)
FIRST, LAST = datetime(1996, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
INSTANTS = st.timedeltas(timedelta(0), LAST - FIRST).map(lambda since: FIRST + since)
UNITS = st.sampled_from(CalendarUnit)


def turn(unit: CalendarUnit, day: date) -> tuple[int, int]:
    """What people call the week, month or quarter of a day."""
    year, week, _ = day.isocalendar()
    named = {
        CalendarUnit.WEEK: (year, week),
        CalendarUnit.MONTH: (day.year, day.month),
        CalendarUnit.QUARTER: (day.year, (day.month + 2) // 3),
    }
    return named[unit]


@given(INSTANTS, UNITS, st.sampled_from(ZONES))
def test_a_turn_holds_its_instant_and_touches_the_next_one(at: datetime, unit: CalendarUnit, zone: str) -> None:
    calendar = Calendar(unit, ZoneInfo(zone))
    period = calendar.period(at)
    assert period.begins_at <= at < period.ends_at
    assert calendar.period(period.ends_at).begins_at == period.ends_at
    assert calendar.period(period.ends_at - timedelta(microseconds=1)).begins_at == period.begins_at
    assert (period.passed + period.left, period.passed) == (period.length, at - period.begins_at)
    assert NOMINAL[unit] * 0.9 < period.length <= LONGEST[unit]


@given(INSTANTS, UNITS, st.sampled_from(ZONES))
def test_a_turn_is_that_of_the_local_calendar(at: datetime, unit: CalendarUnit, zone: str) -> None:
    local, period = ZoneInfo(zone), Calendar(unit, ZoneInfo(zone)).period(at)
    first = period.begins_at.astimezone(local)
    last = (period.ends_at - timedelta(hours=2)).astimezone(local)
    assert (first.hour, first.minute) in [(0, 0), (1, 0)]  # of a day whose midnight is skipped, it is one o'clock
    assert turn(unit, last.date()) == turn(unit, first.date()) < turn(unit, last.date() + timedelta(days=1))
    assert turn(unit, first.date()) == turn(unit, at.astimezone(local).date())


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("unit", CalendarUnit)
def test_turns_begin_where_a_walk_through_a_year_sees_the_local_calendar_turn(unit: CalendarUnit, zone: str) -> None:
    local, calendar = ZoneInfo(zone), Calendar(unit, ZoneInfo(zone))
    at, end = datetime(2011, 9, 20, tzinfo=UTC), datetime(2013, 1, 10, tzinfo=UTC)
    begins, seen = [], turn(unit, at.astimezone(local).date())
    while at < end:
        if (now := turn(unit, at.astimezone(local).date())) > seen:  # clocks that go back over midnight turn nothing
            begins.append(at)
            seen = now
        at += QUARTER_HOUR
    period, found = calendar.period(begins[0]), []
    while period.begins_at < end:
        found.append(period.begins_at)
        period = calendar.period(period.ends_at)
    assert found == begins


@pytest.mark.parametrize(
    ("unit", "zone", "at", "begins", "ends"),
    [
        pytest.param("month", "UTC", "2028-02-29T23:59", "2028-02-01T00:00", "2028-03-01T00:00", id="a leap day"),
        pytest.param("month", "Europe/Berlin", "2026-03-31T21:59", "2026-02-28T23:00", "2026-03-31T22:00", id="spring"),
        pytest.param("month", "Europe/Berlin", "2026-10-01T00:00", "2026-09-30T22:00", "2026-10-31T23:00", id="autumn"),
        pytest.param("week", "UTC", "2027-01-01T12:00", "2026-12-28T00:00", "2027-01-04T00:00", id="over a new year"),
        pytest.param("quarter", "UTC", "2026-12-31T12:00", "2026-10-01T00:00", "2027-01-01T00:00", id="the last one"),
        pytest.param(
            "month", "America/St_Johns", "2009-11-01T02:45", "2009-11-01T02:30", "2009-12-01T03:30", id="midnight twice"
        ),  # a minute of November, and then an hour that clocks show as October's once more
        pytest.param("month", "Asia/Kolkata", "2026-11-30T18:29", "2026-10-31T18:30", "2026-11-30T18:30", id="half"),
    ],
)
def test_turns_that_people_know(unit: str, zone: str, at: str, begins: str, ends: str) -> None:
    instants = [datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (at, begins, ends)]
    period = Calendar(CalendarUnit(unit), ZoneInfo(zone)).period(instants[0])
    assert [period.begins_at, period.ends_at] == instants[1:]
