"""How one language says things: sentences, numbers and units. In the catalogue each goes by its English.

Sentences are whole: what stands in their holes are names, numbers and spans, never pieces of grammar. Holes are HTML
as the caller gives it. English needs no catalogue; every other language has one, see `adapters.catalogue`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from gettext import NullTranslations
from html import escape
from typing import Any

from wine_slo.domain.redaction import redact

Hole = str | int | timedelta
LONGEST_NAME = 120  # characters; a label's value can be of any length
LONGEST_TEXT = 300  # characters of what others say of a failure of theirs


def phrase(sentence: str) -> str:
    """A sentence that is said elsewhere; marks it for the catalogue."""
    return sentence


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something cannot be, as a sentence that can be said in any language and kept until then.

    Attributes:
        sentence: In English, with named holes.
        holes: What stands in them; text of others as it is, without markup.
    """

    sentence: str
    holes: "Mapping[str, str | int | Reason]" = field(default_factory=dict)

    def __str__(self) -> str:
        """In English, for the log."""
        return self.sentence.format_map({name: str(each) for name, each in self.holes.items()})


class ReasonedError(Exception):
    """Something failed, and people are told why.

    Attributes:
        reason: Why, in any language; the text of the exception is its English.
    """

    def __init__(self, sentence: str | Reason, /, **holes: str | int | Reason) -> None:
        shown = {name: redact(each)[:LONGEST_TEXT] if isinstance(each, str) else each for name, each in holes.items()}
        self.reason = sentence if isinstance(sentence, Reason) else Reason(sentence, shown)
        super().__init__(str(self.reason))


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
        """A sentence with its holes filled: spans read as people say them, whole numbers as names: `#1910`."""
        return self.translations.gettext(sentence).format_map(self._filled(holes))

    def count(self, n: int, one: str, many: str, /, **holes: Hole) -> str:
        """A sentence about so many; its hole `{n}` is that number."""
        holes = {"n": self.number(n), **holes}
        return self.translations.ngettext(one, many, n).format_map(self._filled(holes))

    def tell(self, reason: Reason | str) -> str:
        """A reason as HTML, on one line and no longer than people read; one that was kept as text reads as it is."""
        return shortened(self._plain(reason))

    def number(self, value: float) -> str:
        """A whole number, or one rounded to it: `1,910`."""
        return f"{value:,.0f}".replace(",", self.thousands)

    def rate(self, value: float) -> str:
        """A number as exact as people need it: `9.8`, `123`."""
        return self._decimal(f"{value:.0f}" if value >= 10 else f"{value:.2g}")

    def seconds(self, value: float, *, exactly: bool = False) -> str:
        """A request's duration: `0.04 s`, `2.4 s`, `12 s`; `1.02 s` where asked for exactly."""
        if exactly:
            return self.say("{number} s", number=self._decimal(f"{value:.3g}"))
        if value < 0.01:
            return self.say("{number} ms", number=self._decimal(f"{value * 1000:.2g}"))
        decimals = f"{value:.2g}" if value < 1 else f"{value:.1f}".removesuffix(".0") if value < 10 else f"{value:.0f}"
        return self.say("{number} s", number=self._decimal(decimals))

    def percent(self, ratio: float) -> str:
        """A ratio as people say it: `97 %`, `0.4 %`, `0 %`; never 0 or 100 when it is not."""
        value = ratio * 100
        if 0 < value < 0.001:
            return self.say("under {number} %", number=self._decimal("0.001"))
        if 99.999 < value < 100:
            return self.say("over {number} %", number=self._decimal("99.999"))
        if 0 < value < 10 or 99 < value < 100:
            decimals = next((digits for digits in (1, 2, 3) if 0 < round(value, digits) < 100), 3)
            return f"{self._decimal(f'{value:.{decimals}f}'.rstrip('0').rstrip('.'))} %"
        return f"{value:.0f} %"

    def span(self, duration: timedelta) -> str:
        """How long, in words a phone can show: `30 s`, `14 min`, `4 h`, `1 h 20 min`, `3 days`."""
        whole = max(0, round(duration.total_seconds()))  # clocks differ a little
        minutes = whole // 60
        hours = minutes // 60
        if whole < 60:
            return self.say("{number} s", number=whole)
        if hours < 1:
            return self.say("{number} min", number=minutes)
        if hours < 10 and minutes % 60:
            return self.say("{hours} h {minutes} min", hours=hours, minutes=minutes % 60)
        if hours < 48:
            return self.say("{number} h", number=hours)
        return self.count(hours // 24, "{n} day", "{n} days")

    def date(self, day: datetime) -> str:
        """A day of the year, by the instant's own zone: `3 November`."""
        return self.say(MONTHS[day.month - 1], day=day.day)

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


def shortened(name: str) -> str:
    """A name that others chose, as a part of a line: HTML, on one line, and no longer than people read."""
    words = redact(" ".join(name.split()))  # a target's address may hold a password
    return escape(words if len(words) <= LONGEST_NAME else f"{words[: LONGEST_NAME - 1].rstrip()}…")
