"""Why a selector matches no series: a label that they do not have, or a value that they write in another way.

A counter of failures has no series before the first one, which is no mistake. `status="5xx"` where the others are 200
and 404 is one: it will never match, and the objective would be met whatever fails.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from wine_slo.slo.objectives.selector import LABEL, NAME, STRING, quoted

MOST_SHOWN = 6  # values or labels in one sentence
STATUS = re.compile(r"[1-5]\d\d")
STATUS_CLASS = re.compile(r"[1-5](?:xx|XX)")
FORMS = (  # of a status code: a pattern, and all that it matches
    (STATUS, tuple(str(code) for code in range(100, 600))),
    (STATUS_CLASS, tuple(f"{first}{rest}" for first in range(1, 6) for rest in ("xx", "XX"))),
)

_one_matcher = re.compile(rf"({LABEL})\s*(=~|!~|!=|=)\s*({STRING})")
_name = re.compile(rf"\s*({NAME})\s*(?:\{{|$)")


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label matcher of a selector, its value without quotes."""

    label: str
    operator: str
    value: str

    @property
    def is_for_a_value(self) -> bool:
        """Return whether series without the label cannot match."""
        return self.operator in ("=", "=~") and not self.matches("")

    def matches(self, value: str) -> bool:
        """Return whether a value matches; an expression that Python does not know matches everything."""
        if self.operator in ("=", "!="):
            return (self.value == value) == (self.operator == "=")
        try:
            return bool(re.fullmatch(self.value, value)) == (self.operator == "=~")
        except re.error:
            return True

    def __str__(self) -> str:
        """Return it as it stands in a selector."""
        return f"{self.label}{self.operator}{quoted(self.value)}"


def parts_of(selector: str) -> tuple[str, tuple[Matcher, ...]]:
    """Return the metric of a selector, empty where none is named in front of the braces, and its matchers."""
    name = _name.match(selector)
    matchers = (Matcher(label, operator, _unquoted(value)) for label, operator, value in _one_matcher.findall(selector))
    return (name[1] if name else ""), tuple(matchers)


def with_matchers(metric: str, matchers: Sequence[Matcher]) -> str:
    """Return the selector of a metric with these matchers."""
    return f"{metric}{{{', '.join(map(str, matchers))}}}"


def mismatch(matcher: Matcher, values: Collection[str], labels: Collection[str]) -> str | None:
    """Return why a matcher will never match, as the end of a sentence; None where it may yet.

    Args:
        matcher: It matches none of the values.
        values: Those that the label has in the series that all else matches; an empty one is no label.
        labels: The labels of these series.
    """
    if not matcher.is_for_a_value:
        return None
    there = sorted(filter(None, values))
    if not there:
        others = few(sorted({*labels} - {"__name__", "job", "instance"}))
        return f"names the label {matcher.label}, which these series do not have" + (f": {others}" if others else "")
    is_near = any(matcher.value.casefold() == each.casefold() for each in there)
    for form, all_values in FORMS:
        if all(map(form.fullmatch, there)) and not any(map(matcher.matches, all_values)):
            is_near = True
    return f"has {matcher}, and {matcher.label} is {few(there)}" if is_near else None


def few(names: Sequence[str]) -> str:
    """Return some names, and how many more there are."""
    more = len(names) - MOST_SHOWN
    shown = ", ".join(names[:MOST_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def _unquoted(text: str) -> str:
    return text[1:-1] if text.startswith("`") else re.sub(r"\\(.)", r"\1", text[1:-1])
