"""Spans and moments as people write them."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.scene import ALL
from wine_slo.config import translations
from wine_slo.slo.oncall import time_words
from wine_slo.slo.oncall.not_understood import NotUnderstoodError, SeveralEndsError
from wine_slo.slo.oncall.spoken_moment import take_moment
from wine_slo.slo.oncall.spoken_span import spoken_span, take_span
from wine_slo.slo.oncall.time_phrases import QuietHours, take_end
from wine_slo.slo.oncall.time_words import LENGTHS, UNIT_NAMES, WEEKDAYS
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.language import ENGLISH, Language

RUSSIAN = translations.load()["ru"]
VOCABULARY = sorted(
    {
        word
        for words in vars(time_words).values()
        if isinstance(words, (tuple, dict))
        for each in words
        for word in (each if isinstance(each, tuple) else (each,))
        if isinstance(word, str)
    }
    | {"1", "2", "9", "12", "30", "90", "18:00", "6pm", "1.5", "½", "01.12", "2026-12-01", "1h", "18ч30", "+3", "x"}
)
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


# The grammar

LOCALES = st.sampled_from([ENGLISH, RUSSIAN])
SPANS = st.one_of(
    st.integers(1, 59).map(lambda each: timedelta(seconds=each)),
    st.integers(1, 599).map(lambda each: timedelta(seconds=each)),
    st.integers(1, 599).map(lambda each: timedelta(minutes=each)),
    st.integers(1, 47).map(lambda each: timedelta(hours=each)),
    st.integers(2, 999).map(lambda each: timedelta(days=each)),
)
ENDS = st.integers(1, 7 * 24 * 60).map(lambda minute: timedelta(minutes=minute))
CLOCK_CHANGES = [datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)]


@given(SPANS, LOCALES)
def test_a_span_as_the_bot_writes_it_is_read_as_that_span(span: timedelta, language: Language) -> None:
    assert take_span([*language.span(span).split(), "latency"]) == (span, ["latency"])


@given(st.one_of(INSTANTS, st.sampled_from(CLOCK_CHANGES)), ENDS, ZONES, LOCALES)
def test_an_end_as_the_bot_confirms_it_is_read_as_that_end(
    now: datetime, span: timedelta, zone: ZoneInfo, language: Language
) -> None:
    end = now + span
    until = "до" if language is RUSSIAN else "until"
    said = Formatter(ALL, zone, language).end(end, now)
    found = take_end([until, *said.split(), "latency"], now, zone)
    assert found is not None
    assert found[0] is not None
    assert (f"{found[0].astimezone(zone):%F %R}", found[1]) == (f"{end.astimezone(zone):%F %R}", ["latency"])


@pytest.mark.parametrize(
    "form", ["{h}:{m:02}", "{h:02}:{m:02}", "{h}-{m:02}", "{h:02}{m:02}", "{h}h{m:02}", "{h}ч{m:02}"]
)
def test_every_minute_of_a_day_is_read_in_every_form(form: str) -> None:
    midnight = datetime(2026, 5, 1, 22, tzinfo=UTC)  # in Berlin
    for minute in range(1, 24 * 60):
        words = ["until", form.format(h=minute // 60, m=minute % 60), "latency"]
        assert take_end(words, midnight, BERLIN) == (midnight + timedelta(minutes=minute), ["latency"]), words


@pytest.mark.parametrize("form", ["{h}{half}", "{h} {half}", "{h}:30{half}", "{h}:30 {half}", "{h}.30 {half}."])
@pytest.mark.parametrize(("half", "first"), [("am", 0), ("pm", 12), ("AM", 0), ("p.m", 12), ("P.M", 12)])
def test_every_hour_of_a_face_is_read_in_every_form(form: str, half: str, first: int) -> None:
    for hour in range(1, 13):
        found = take_end([*form.format(h=hour, half=half).split(), "latency"], NOW, BERLIN)
        assert found is not None
        assert found[0] is not None
        local = found[0].astimezone(BERLIN)
        assert (local.hour, local.minute) == (hour % 12 + first, 30 if "30" in form else 0)


@given(INSTANTS, st.integers(0, 6), ZONES, st.data())
def test_every_weekday_is_the_next_of_its_name(now: datetime, number: int, zone: ZoneInfo, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(WEEKDAYS[number]))
    words = data.draw(st.sampled_from([["until", name], ["до", name], [name], ["until", "next", name], [name, "9:00"]]))
    found = take_end(words, now, zone)
    assert found is not None
    assert found[0] is not None
    assert now < found[0] <= now + timedelta(days=7, hours=1)
    assert (found[0].astimezone(zone).weekday(), found[0].astimezone(zone).hour) == (number, 9)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("18:00 UTC", datetime(2026, 5, 1, 18, tzinfo=UTC)),
        ("18:00 utc+3", datetime(2026, 5, 2, 15, tzinfo=UTC)),
        ("18:00 МСК", datetime(2026, 5, 2, 15, tzinfo=UTC)),
        ("19:00 по Москве", datetime(2026, 5, 1, 16, tzinfo=UTC)),
        ("18:00 CEST", datetime(2026, 5, 1, 16, tzinfo=UTC)),
        ("18:00 CET", datetime(2026, 5, 1, 16, tzinfo=UTC)),
        ("18:00 berlin time", datetime(2026, 5, 1, 16, tzinfo=UTC)),
        ("tomorrow 9:00 PST", datetime(2026, 5, 2, 17, tzinfo=UTC)),
        ("2026-05-02T09:00Z", datetime(2026, 5, 2, 9, tzinfo=UTC)),
    ],
)
def test_a_zone_that_is_said_is_the_one_that_is_meant(written: str, meant: datetime) -> None:
    assert take_end(["until", *written.split(), "latency"], NOW, BERLIN) == (meant, ["latency"])


@given(st.text(max_size=30), INSTANTS, ZONES)
def test_no_text_breaks_an_end_and_none_is_in_the_past(text: str, now: datetime, zone: ZoneInfo) -> None:
    check_end(text.split(), now, zone)


@given(st.lists(st.sampled_from(VOCABULARY), max_size=6), INSTANTS, ZONES)
def test_no_words_of_times_break_an_end_and_none_is_in_the_past(
    words: list[str], now: datetime, zone: ZoneInfo
) -> None:
    check_end(words, now, zone)


@pytest.mark.parametrize("word", ["at", "from", "in", "between", "с", "через"])
def test_a_word_that_something_should_follow_breaks_nothing_by_itself(word: str) -> None:
    check_end([word], NOW, BERLIN)


def check_end(words: list[str], now: datetime, zone: ZoneInfo) -> None:
    """See that words say an end that is to come, or none, or that it is said what is wrong."""
    ends: tuple[datetime | None, ...] = ()
    try:
        found = take_end(words, now, zone)
    except NotUnderstoodError as error:
        ends = error.ends if isinstance(error, SeveralEndsError) else ()
    else:
        ends = (found[0],) if found else ()
        assert found is None or len(found[1]) < len(words)
    assert all(each is None or each > now for each in ends)


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
