"""How one language says things: sentences, numbers and units. In the catalogue each goes by its English.

Sentences are whole: what stands in their holes are names, numbers and spans, never pieces of grammar. Holes are HTML
as the caller gives it. English needs no catalogue; every other language has one, see `adapters.catalogue`.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from gettext import NullTranslations
from html import escape
from math import floor, log10
from typing import Any

from wine_slo.slo.reason import Reason, phrase
from wine_slo.slo.redaction import redact

Hole = str | int | timedelta
LONGEST_NAME = 120  # characters; a label's value can be of any length
MOST_DIGITS = 7  # that a number needs to be distinguished from another
MILLISECONDS_BELOW = 0.01  # seconds
LEAST_SECONDS = 1e-6  # what is shorter is written as less than this
LEAST_PERCENT = 0.001  # what is nearer to nothing or to all is written as nearer than this
NARROW = 1.15  # a bucket whose upper bound is at most so many times its lower one is written as one number
ROUNDING = 1e-9  # of a ratio; 1 - 0.99 is a little more than a hundredth
SHA = re.compile(r"[0-9a-f]{40,}")
SHA_LETTERS = 4  # of a checksum; enough to distinguish two


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    Attributes:
        code: As in the settings: `en`.
        name: What it calls itself.
        decimal: The sign before the decimals.
        thousands: The sign between groups of three digits.
        translations: Its sentences, by their English.
    """

    code: str
    name: str
    decimal: str
    thousands: str
    translations: NullTranslations = field(default_factory=NullTranslations, compare=False, repr=False)

    def say(self, sentence: str, /, **holes: Hole) -> str:
        """Return a sentence with its holes filled: spans read as people say them, whole numbers as names: `#1910`."""
        return self.translations.gettext(sentence).format_map(self._filled(holes))

    def count(self, n: int, one: str, many: str, /, **holes: Hole) -> str:
        """Return a sentence about so many; its hole `{n}` is that number."""
        holes = {"n": self.number(n), **holes}
        return self.translations.ngettext(one, many, n).format_map(self._filled(holes))

    def explain(self, reason: Reason | str) -> str:
        """Return a reason as HTML, on one line and no longer than people read.

        One that was kept as text reads as it is.
        """
        return shortened(self._plain(reason))

    def number(self, value: float) -> str:
        """Return a whole number, or one rounded to it: `1,910`."""
        return f"{value:,.0f}".replace(",", self.thousands)

    def rate(self, value: float) -> str:
        """Return a number as exact as people need it: `9.8`, `123`."""
        return self._decimal(_significant(value, 2))

    def decimal_of(self, value: float) -> str:
        """Return any number, as exact as six digits are: `480`, `0.25`, `1.5e+09`."""
        return self._decimal(f"{value:.6g}")

    def seconds(self, value: float, *, apart_from: float | None = None) -> str:
        """Return a request's duration: `0.04 s`, `2.4 s`, `12 s`.

        Args:
            value: Seconds.
            apart_from: Another duration that this one must not read like where it differs: a target.
        """
        texts = [self._seconds(value, digits) for digits in range(2, MOST_DIGITS)]
        return _apart(texts, "" if apart_from in (None, value) else self._seconds(apart_from or 0.0, 2))

    def latency(self, value: float, bounds: Sequence[float] = (), *, apart_from: float | None = None) -> str:
        """Return a quantile of a histogram, no more exact than its buckets: `2.4 s`, `2–2.5 s`, `< 1 ms`, `≥ 10 s`.

        Args:
            value: Seconds, interpolated as Prometheus does.
            bounds: The finite bounds of the buckets in seconds, ascending; empty where they are not known.
            apart_from: As for `seconds`.
        """
        if not bounds or value > bounds[-1]:
            return self.seconds(value, apart_from=apart_from)
        place = bisect_left(bounds, value)
        if place == 0:
            return f"< {self._seconds(bounds[0], 3)}"
        if value == bounds[-1]:  # which Prometheus answers for all that took longer
            return f"≥ {self._seconds(value, 3)}"
        low, high = bounds[place - 1], bounds[place]
        if high <= NARROW * low:
            return self.seconds(value, apart_from=apart_from)
        unit, scale = ("{number} ms", 1000) if low < MILLISECONDS_BELOW else ("{number} s", 1)
        ends = (self._decimal(_significant(each * scale, 3)) for each in (low, high))
        return self.say(unit, number="–".join(ends))

    def percent(self, ratio: float, *, apart_from: float | None = None) -> str:
        """Return a ratio as people say it: `97 %`, `0.4 %`, `0 %`; never 0 or 100 when it is not.

        Args:
            ratio: 0 to 1.
            apart_from: Another ratio that this one must not read like where it differs: a target.
        """
        value = ratio * 100
        if 0 < value < LEAST_PERCENT:
            return self.say("under {number} %", number=self._decimal(str(LEAST_PERCENT)))
        if 100 - LEAST_PERCENT < value < 100:
            return self.say("over {number} %", number=self._decimal(str(100 - LEAST_PERCENT)))
        first = 0
        if 0 < value < 10 or 99 < value < 100:
            first = next((digits for digits in (1, 2, 3) if 0 < round(value, digits) < 100), 3)
        texts = [self._percent(value, decimals) for decimals in range(first, MOST_DIGITS)]
        is_close = apart_from is not None and abs(ratio - apart_from) > ROUNDING
        return _apart(texts, self.percent(apart_from) if apart_from is not None and is_close else "")

    def span(self, duration: timedelta) -> str:
        """Return how long, in words a phone can show: `30 s`, `1 min 40 s`, `14 min`, `1 h 20 min`, `3 days`."""
        whole = max(0, round(duration.total_seconds()))  # clocks differ a little
        minutes = whole // 60
        hours = minutes // 60
        if whole < 60:
            return self.say("{number} s", number=whole)
        if minutes < 10 and whole % 60:
            return self.say("{minutes} min {seconds} s", minutes=minutes, seconds=whole % 60)
        if hours < 1:
            return self.say("{number} min", number=minutes)
        if hours < 10 and minutes % 60:
            return self.say("{hours} h {minutes} min", hours=hours, minutes=minutes % 60)
        if hours < 48:
            return self.say("{number} h", number=hours)
        return self.count(hours // 24, "{n} day", "{n} days")

    def date(self, day: datetime) -> str:
        """Return a day of the year, by the instant's own zone: `3 November`."""
        return self.say(MONTHS[day.month - 1], day=day.day)

    def _seconds(self, value: float, digits: int) -> str:
        """Return a duration with so many significant digits, in milliseconds below a hundredth of a second."""
        if 0 < value < LEAST_SECONDS:
            return self.say("{number} ms", number=f"< {self._decimal(str(LEAST_SECONDS * 1000))}")
        if value < MILLISECONDS_BELOW:
            return self.say("{number} ms", number=self._decimal(_significant(value * 1000, digits)))
        return self.say("{number} s", number=self._decimal(_significant(value, digits)))

    def _percent(self, value: float, decimals: int) -> str:
        return f"{self._decimal(_trimmed(f'{value:.{decimals}f}'))} %"

    def _decimal(self, digits: str) -> str:
        return digits.replace(".", self.decimal)

    def _filled(self, holes: dict[str, Any]) -> dict[str, str]:
        return {name: self.span(each) if isinstance(each, timedelta) else str(each) for name, each in holes.items()}

    def _plain(self, reason: Reason | str) -> str:
        if isinstance(reason, str):
            return reason
        holes = {
            name: self._plain(each) if isinstance(each, Reason) else str(each) for name, each in reason.holes.items()
        }
        return self.translations.gettext(reason.sentence).format_map(holes)


MONTHS = (
    phrase("{day} January"),
    phrase("{day} February"),
    phrase("{day} March"),
    phrase("{day} April"),
    phrase("{day} May"),
    phrase("{day} June"),
    phrase("{day} July"),
    phrase("{day} August"),
    phrase("{day} September"),
    phrase("{day} October"),
    phrase("{day} November"),
    phrase("{day} December"),
)

ENGLISH = Language("en", "English", decimal=".", thousands=",")
RUSSIAN = Language("ru", "Русский", decimal=",", thousands="\N{NO-BREAK SPACE}")  # its sentences are the catalogue's
LANGUAGES = (ENGLISH, RUSSIAN)


def _significant(value: float, digits: int) -> str:
    """Return a number with so many significant digits and no exponent: `0.031`, `123`.

    All of its whole part is among them.
    """
    decimals = digits - 1 - floor(log10(abs(value))) if value else 0
    return _trimmed(f"{value:.{max(0, decimals)}f}")


def _trimmed(digits: str) -> str:
    """Return digits without what says nothing: zeros after the point, a minus before nothing."""
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return "0" if digits in ("-0", "") else digits


def _apart(texts: Sequence[str], other: str) -> str:
    """Return the shortest text that differs from another."""
    return next((each for each in texts if each != other), texts[-1])


# What is not seen, or changes how the rest of a line is seen: controls, zero widths, turns of direction, half letters.
INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def shortened(name: str) -> str:
    """Return a name that others chose, as a part of a line: HTML, on one line, and no longer than people read."""
    words = redact(" ".join(INVISIBLE.sub(" ", name).split()))  # a target's address may hold a password
    return escape(words if len(words) <= LONGEST_NAME else f"{words[: LONGEST_NAME - 1].rstrip()}…")


def version_of(version: str) -> str:
    """Return a version as HTML; of a checksum only the beginning."""
    return f"{version[:SHA_LETTERS]}…" if SHA.fullmatch(version) else shortened(version)
