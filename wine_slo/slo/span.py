"""Spans of time as Prometheus, slo.yml and the command line write them: `500ms`, `90s`, `1h30m`, `30d`.

People in the chat write and read them otherwise, see `slo.oncall.time_phrases` and `slo.text.language`.
Source: https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations
"""

import re
from datetime import timedelta

UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}
PATTERN = r"^(\d+(ms|[smhdwy]))+$"  # also of the JSON schema
WANTED = "must be a span such as 25s, 5m or 30d"
WRITTEN_IN = ("d", "h", "m", "s")  # else in milliseconds; a week is 7d


def parse_span(text: str) -> timedelta:
    """Read a span; the order of its units and their number are free.

    Raises:
        ValueError: It is none; the text says what is wanted.
    """
    if not re.fullmatch(PATTERN, text, re.ASCII):
        raise ValueError(WANTED)
    parts = re.findall(r"(\d+)(\D+)", text, re.ASCII)
    try:
        return sum((int(count) * UNITS[unit] for count, unit in parts), timedelta(0))
    except (OverflowError, ValueError):  # a ValueError is about the number of digits
        raise ValueError("must be a span that somebody lives to see") from None


def format_span(span: timedelta) -> str:
    """Write a span in the largest unit in which it is a whole number: `90s`, `5m`, `30d`; milliseconds at the least."""
    span = round(span / UNITS["ms"]) * UNITS["ms"]
    unit = next((each for each in WRITTEN_IN if not span % UNITS[each]), "ms")
    return f"{span // UNITS[unit]}{unit}"
