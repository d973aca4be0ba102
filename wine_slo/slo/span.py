"""Spans of time as Prometheus, slo.yml and the command line write them: `500ms`, `90s`, `1h30m`, `30d`.

Beyond Prometheus, slo.yml may write fractions and microseconds, `2.5ms` and `250us`, as bucket bounds are; a range in
PromQL may not, see `format_range`. People in the chat write and read spans otherwise, see `slo.oncall.time_phrases` and
`slo.text.language`.
Source: https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations
"""

import re
from datetime import timedelta
from fractions import Fraction

UNITS = {
    "us": timedelta(microseconds=1),
    "\N{MICRO SIGN}s": timedelta(microseconds=1),
    "\N{GREEK SMALL LETTER MU}s": timedelta(microseconds=1),
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}
PATTERN = r"^(\d+(\.\d+)?([u\u00b5\u03bcm]s|[smhdwy]))+$"  # also of the JSON schema
WANTED = "must be a span such as 25s, 5m or 30d"
WRITTEN_IN = ("d", "h", "m", "s", "ms")  # else in microseconds; a week is 7d
MICROSECOND = UNITS["us"]
LONGEST = timedelta.max // MICROSECOND
LONGEST_NUMBER = 30  # digits


def parse_span(text: str) -> timedelta:
    """Read a span, exactly as it is written; the order of its units and their number are free.

    Raises:
        ValueError: It is none; the text says what is wanted.
    """
    if not re.fullmatch(PATTERN, text, re.ASCII):
        raise ValueError(WANTED)
    parts = re.findall(r"([\d.]+)([^\d.]+)", text, re.ASCII)
    if any(len(number) > LONGEST_NUMBER for number, _ in parts):
        raise ValueError("must be a span that somebody lives to see")
    microseconds = sum(Fraction(number) * (UNITS[unit] // MICROSECOND) for number, unit in parts)
    if microseconds > LONGEST:
        raise ValueError("must be a span that somebody lives to see")
    if microseconds.denominator != 1:
        raise ValueError("must be a span of whole microseconds")
    return int(microseconds) * MICROSECOND


def format_span(span: timedelta) -> str:
    """Write a span in the largest unit in which it is a whole number: `90s`, `5m`, `30d`, `250us`."""
    unit = next((each for each in WRITTEN_IN if not span % UNITS[each]), "us")
    return f"{span // UNITS[unit]}{unit}"


def format_range(span: timedelta) -> str:
    """Write a span as a range in PromQL, which knows no microseconds: a millisecond at the least."""
    return format_span(max(round(span / UNITS["ms"]), 1) * UNITS["ms"])


def format_seconds(seconds: float) -> str:
    """Write seconds in digits alone, `0.000025`: who reads a bucket bound compares it with what a client exports."""
    return f"{seconds:.12f}".rstrip("0").rstrip(".")
