"""Spans and moments as people write them."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wine_slo.slo.oncall.not_understood import NotUnderstoodError
from wine_slo.slo.oncall.spoken_moment import take_moment
from wine_slo.slo.oncall.spoken_span import spoken_span, take_span
from wine_slo.slo.oncall.time_phrases import QuietHours
from wine_slo.slo.oncall.time_words import LENGTHS, UNIT_NAMES

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 5, 1, 15, 30, tzinfo=UTC)  # 17:30 in Berlin
ZONES = st.sampled_from([UTC, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")])
INSTANTS = st.integers(0, 15 * 366 * 24 * 60).map(
    lambda minute: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("30m", timedelta(minutes=30)),
        ("1h", timedelta(hours=1)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("90MIN", timedelta(minutes=90)),
        ("2d", timedelta(days=2)),
        ("1w", timedelta(weeks=1)),
        ("1.5h", timedelta(minutes=90)),
        ("1,5h", timedelta(minutes=90)),
        ("45s", timedelta(seconds=45)),
        ("1ч30м", timedelta(hours=1, minutes=30)),
        ("1h30", timedelta(hours=1, minutes=30)),
        ("½ч", timedelta(minutes=30)),
        ("1½h", timedelta(minutes=90)),
        ("2дня", timedelta(days=2)),
    ],
)
def test_a_span_is_read(written: str, meant: timedelta) -> None:
    assert spoken_span(written) == meant


@pytest.mark.parametrize(
    "written", ["", "1", "h", "1x", "1h300", "1h3", "30m30", "-1h", "1h-", "tomorrow", "1h 30m", "١h x", "1hh"]
)
def test_what_says_no_span_is_none(written: str) -> None:
    assert spoken_span(written) is None


@pytest.mark.parametrize(
    ("written", "meant", "rest"),
    [
        ("1h latency", timedelta(hours=1), ["latency"]),
        ("1h 30m latency", timedelta(hours=1, minutes=30), ["latency"]),
        ("2 hours because of it", timedelta(hours=2), ["because", "of", "it"]),
        ("latency 1h", None, ["latency", "1h"]),
        ("", None, []),
    ],
)
def test_a_span_may_be_several_words(written: str, meant: timedelta | None, rest: list[str]) -> None:
    span, words = take_span(written.split())
    assert (span, list(words)) == (meant, rest)


@given(st.lists(st.tuples(st.integers(0, 999), st.sampled_from(sorted(LENGTHS))), min_size=1, max_size=4))
def test_whatever_is_put_together_is_the_sum(parts: list[tuple[int, str]]) -> None:
    total = sum((count * LENGTHS[unit] for count, unit in parts), timedelta(0))
    assert spoken_span("".join(f"{count}{unit}" for count, unit in parts)) == total
    assert take_span([f"{count}{unit}" for count, unit in parts]) == (total, [])


@given(st.text(max_size=20))
def test_no_text_breaks_it(text: str) -> None:
    spoken_span(text)
    take_span(text.split())


def test_every_unit_has_a_short_name_that_no_other_has() -> None:
    names = [name for unit, names in UNIT_NAMES.items() for name in (unit, *names)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("18:00", datetime(2026, 5, 1, 16, 0, tzinfo=UTC)),
        ("18", datetime(2026, 5, 1, 16, 0, tzinfo=UTC)),
        ("9:00", datetime(2026, 5, 2, 7, 0, tzinfo=UTC)),
        ("17:30", datetime(2026, 5, 2, 15, 30, tzinfo=UTC)),
        ("tomorrow 9:00", datetime(2026, 5, 2, 7, 0, tzinfo=UTC)),
        ("tomorrow 18:00", datetime(2026, 5, 2, 16, 0, tzinfo=UTC)),
        ("today 18:00", datetime(2026, 5, 1, 16, 0, tzinfo=UTC)),
        ("завтра 9:00", datetime(2026, 5, 2, 7, 0, tzinfo=UTC)),
        ("tomorrow", datetime(2026, 5, 2, 7, 0, tzinfo=UTC)),
        ("24:00", datetime(2026, 5, 1, 22, 0, tzinfo=UTC)),
        ("12 am", datetime(2026, 5, 1, 22, 0, tzinfo=UTC)),
        ("12pm", datetime(2026, 5, 2, 10, 0, tzinfo=UTC)),
    ],
)
def test_a_moment_is_the_next_such_time_on_the_readers_wall(written: str, meant: datetime) -> None:
    assert take_moment([*written.split(), "latency"], NOW, BERLIN) == (meant, ["latency"])


@pytest.mark.parametrize(
    ("written", "word"),
    [("tomorow 9:00", "tomorow"), ("25:00", "25:00"), ("", ""), ("today", "today"), ("today 9:00", "today 9:00")],
)
def test_of_what_says_no_moment_the_word_is_quoted(written: str, word: str) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        take_moment(written.split(), NOW, BERLIN)
    assert caught.value.word == word


def test_a_time_that_there_is_twice_is_the_next_of_the_two() -> None:
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))  # both 2:30 in Berlin
    assert take_moment(["2:30"], first - timedelta(hours=1), BERLIN)[0] == first
    assert take_moment(["2:30"], first, BERLIN)[0] == second
    assert take_moment(["2:30"], second, BERLIN)[0] == second + timedelta(days=1)


@given(INSTANTS, st.times(), ZONES)
def test_a_moment_is_always_to_come_and_within_a_day_and_the_change_of_a_clock(
    now: datetime, clock: time, zone: ZoneInfo
) -> None:
    moment, _ = take_moment([f"{clock:%H:%M}"], now, zone)
    assert now < moment <= now + timedelta(days=1, hours=2)
    local = moment.astimezone(zone)
    shift = abs(timedelta(hours=local.hour - clock.hour, minutes=local.minute - clock.minute))
    assert min(shift, timedelta(days=1) - shift) <= timedelta(hours=1), "the clock says so, or was put forward there"


# Quiet hours


@pytest.mark.parametrize(
    ("hours", "quiet", "loud"),
    [
        ("22:00-07:00", ["22:00", "23:59", "00:00", "06:59"], ["07:00", "12:00", "21:59"]),
        ("0:30-6", ["00:30", "05:59"], ["00:29", "06:00", "23:00"]),
        ("12:00 – 13:00", ["12:00", "12:59"], ["11:59", "13:00"]),
    ],
)
def test_quiet_hours_begin_and_end_on_the_readers_wall(hours: str, quiet: list[str], loud: list[str]) -> None:
    those = QuietHours.parse(hours, BERLIN)
    for clock in (*quiet, *loud):
        instant = datetime.combine(NOW.date(), time.fromisoformat(clock), BERLIN)
        assert those.cover(instant) is (clock in quiet), clock


@pytest.mark.parametrize("text", ["", "22:00", "22:00-22:00", "25:00-7:00", "22:00-07:61", "a-b", "22.00-07.00"])
def test_what_are_no_quiet_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quiet hours"):
        QuietHours.parse(text, UTC)


def test_a_night_in_which_the_clock_is_put_forward_is_an_hour_shorter() -> None:
    def duration(first: datetime) -> int:
        hours = QuietHours.parse("22:00-07:00", BERLIN)
        return sum(hours.cover(first + timedelta(minutes=minute)) for minute in range(24 * 60)) // 60

    assert duration(datetime(2026, 3, 28, 12, tzinfo=UTC)) == 8
    assert duration(datetime(2026, 5, 1, 12, tzinfo=UTC)) == 9
    assert duration(datetime(2026, 10, 24, 12, tzinfo=UTC)) == 10


@given(INSTANTS, st.times(), st.times(), ZONES)
def test_an_instant_is_in_a_part_of_the_day_or_in_the_rest_of_it(
    now: datetime, begin: time, end: time, zone: ZoneInfo
) -> None:
    if begin != end:
        assert QuietHours(begin, end, zone).cover(now) is not QuietHours(end, begin, zone).cover(now)


@pytest.mark.parametrize("written", ["999999w " * 200, "999999w" * 200])
def test_more_weeks_than_can_be_counted_are_the_longest_span(written: str) -> None:
    assert take_span(written.split()) == (timedelta.max, [])
