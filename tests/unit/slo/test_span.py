"""Spans as Prometheus writes them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wine_slo.slo.span import UNITS, WANTED, format_range, format_seconds, format_span, parse_span

MICROSECOND, MILLISECOND = timedelta(microseconds=1), timedelta(milliseconds=1)
YEARS = timedelta(days=3_652_059)  # that a date has
spans = st.integers(0, YEARS // MICROSECOND).map(lambda count: count * MICROSECOND)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("5s", 5),
        ("5m", 300),
        ("2h", 7200),
        ("30d", 2_592_000),
        ("1w", 604_800),
        ("1y", 31_536_000),
        ("1h30m", 5400),
        ("1d12h", 129_600),
        ("1m0s", 60),
        ("30m1h", 5400),
        ("0s", 0),
        ("0.5s", 0.5),
        ("2.5ms", 0.0025),
        ("1.5h", 5400),
        ("0.1s", 0.1),
        ("250us", 0.00025),
        ("250µs", 0.00025),
        ("250\N{GREEK SMALL LETTER MU}s", 0.00025),
        ("0.25ms", 0.00025),
        ("1.000001s", 1.000001),
        ("0.5d12h", 86_400),
    ],
)
def test_a_span_is_read_as_prometheus_writes_it(text: str, seconds: float) -> None:
    assert parse_span(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "s",
        "5 s",
        "-5s",
        "1.s",
        ".5s",
        "1,5s",
        "1.2.3s",
        "1e3s",
        "5ns",
        "5S",
        "5s!",
        "!5s",
        "5s5",
        "5s\n",
        " 5s",
        "\u0665s",
        "1mo",
    ],
)
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=WANTED):
        parse_span(text)


@pytest.mark.parametrize("text", ["9999999999y", "9" * 5000 + "ms", "9" * 400 + "d", "999999999d1d"])
def test_a_span_that_no_clock_holds_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a span that somebody lives to see$"):
        parse_span(text)


@pytest.mark.parametrize("text", ["0.5us", "2.5000001ms", "0.0000000001d"])
def test_a_span_finer_than_a_microsecond_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a span of whole microseconds$"):
        parse_span(text)


@given(spans)
def test_what_is_written_is_read_as_the_same_span(span: timedelta) -> None:
    assert parse_span(format_span(span)) == span


@given(st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(sorted(UNITS))), min_size=1, max_size=5))
def test_the_parts_of_a_span_add_up(parts: list[tuple[int, str]]) -> None:
    total = sum((count * UNITS[unit] for count, unit in parts), timedelta(0))
    assert parse_span("".join(f"{count}{unit}" for count, unit in parts)) == total


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=90), "90s"),
        (timedelta(minutes=5), "5m"),
        (timedelta(hours=36), "36h"),
        (timedelta(weeks=1), "7d"),
        (timedelta(days=365), "365d"),
        (timedelta(milliseconds=1500), "1500ms"),
        (timedelta(microseconds=1600), "1600us"),
        (timedelta(microseconds=250), "250us"),
        (timedelta(seconds=4, microseconds=999_999), "4999999us"),
        (timedelta(0), "0d"),
    ],
)
def test_a_span_is_written_in_the_largest_unit_in_which_it_is_whole(span: timedelta, text: str) -> None:
    assert format_span(span) == text


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(minutes=5), "5m"),
        (timedelta(microseconds=1600), "2ms"),
        (timedelta(seconds=4, microseconds=999_999), "5s"),
        (timedelta(days=12, microseconds=31), "12d"),
        (timedelta(microseconds=20), "1ms"),
        (timedelta(0), "1ms"),
    ],
)
def test_a_range_of_promql_has_no_microseconds_and_is_never_empty(span: timedelta, text: str) -> None:
    assert format_range(span) == text


@pytest.mark.parametrize(("seconds", "text"), [(1.0, "1"), (0.5, "0.5"), (0.000025, "0.000025"), (7200.0, "7200")])
def test_seconds_are_written_without_an_exponent(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
