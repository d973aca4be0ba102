"""The grammar of what may be written as a metric or a selector, so that an expression is refused where it stands.

And why a selector matches no series: a label that they do not have, or a value that they write in another way. A
counter of failures has no series before the first one, which is no mistake. `status="5xx"` where the others are 200 and
404 is one: it will never match, and the objective would be met whatever fails.

Source: https://prometheus.io/docs/prometheus/latest/querying/basics/#instant-vector-selectors
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from wine_slo.slo.objectives.expression import matches_all, unquoted, wrong_with_expression, wrong_with_string
from wine_slo.slo.span import format_span, parse_span

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*"
STRING = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"""
MATCHER = rf"(?:(?:{LABEL}|{STRING})\s*(?:=~|!~|!=|=)\s*{STRING}|{STRING})"  # the last: a metric of any letters, quoted
MATCHERS = rf"\s*(?:{MATCHER}(?:\s*,\s*{MATCHER})*\s*(?:,\s*)?)?"
SELECTOR = rf"\s*(?:{NAME}\s*(?:\{{{MATCHERS}\}})?|\{{{MATCHERS}\}})\s*"
MOST_SECONDS = 1e9  # of an age that is written as a number
PARTS = ("_bucket", "_count", "_sum")  # of a histogram
EXAMPLE = 'http_requests_total{code=~"5.."}'

SIGN = r"==|!=|<=|>=|<|>"
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
COMPARISON = rf"\s*(?P<age>time\s*\(\s*\)\s*-)?(?P<selector>{SELECTOR})(?P<sign>{SIGN})\s*(?P<limit>\S+)\s*"
COMPARISONS = 'probe_success{job="blackbox"} == 1, queue_length < 100 or time() - last_success_timestamp_seconds < 1h'
SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")  # of a regular expression

_name, _matchers, _selector = re.compile(NAME), re.compile(MATCHERS), re.compile(SELECTOR)
_comparison, _number = re.compile(COMPARISON), re.compile(NUMBER)
MOST_SHOWN = 6  # values or labels in one sentence
STATUS = re.compile(r"[1-5]\d\d")
STATUS_CLASS = re.compile(r"[1-5](?:xx|XX)")
FORMS = (  # of a status code: a pattern, and all that it matches
    (STATUS, tuple(str(code) for code in range(100, 600))),
    (STATUS_CLASS, tuple(f"{first}{rest}" for first in range(1, 6) for rest in ("xx", "XX"))),
)

_one_matcher = re.compile(rf"({LABEL})\s*(=~|!~|!=|=)\s*({STRING})")
_metric = re.compile(rf"\s*({NAME})\s*(?:\{{|$)")
_label_matcher = re.compile(rf"({LABEL})\s*((?:=~|!~|!=|=)\s*{STRING})")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A condition on the value of each series of a selector, or on the age of the instant that the value is.

    Attributes:
        selector: Selects the series.
        sign: One of `==`, `!=`, `<`, `<=`, `>` and `>=`.
        limit: What it is compared with; seconds, where it is an age.
        is_age: Whether the value is seconds since the epoch, and how long ago that was is compared.
        text: The limit as it is written.
    """

    selector: str
    sign: str
    limit: float
    is_age: bool
    text: str

    @property
    def value(self) -> str:
        """Return what is compared, in PromQL."""
        return f"time() - {self.selector}" if self.is_age else self.selector


def quoted(text: str) -> str:
    """Return a text as a string of PromQL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def wrong_with_histogram(text: str) -> str | None:
    """Return what is wrong with the name of a histogram; None where nothing is."""
    part = next((each for each in PARTS if text.endswith(each)), None)
    if part is not None and _name.fullmatch(text):
        return f"is {text}; write {text.removesuffix(part)}, without {part}"
    return None if _name.fullmatch(text) else "must be the name of a histogram, without _bucket, labels and functions"


def wrong_with_metric(text: str) -> str | None:
    """Return what is wrong with the name of a metric; None where nothing is."""
    return None if _name.fullmatch(text) else "must be the name of a metric, without labels and functions"


def wrong_with_matchers(text: str) -> str | None:
    """Return what is wrong with label matchers; None where nothing is."""
    if _matchers.fullmatch(text):
        return _wrong_with_values(text)
    if text.strip().startswith("{"):
        return "must be label matchers without the braces"
    return 'must be label matchers, such as endpoint!~"/metrics|/health", code="200"'


def wrong_with_selector(text: str) -> str | None:
    """Return what is wrong with a selector of a counter; None where nothing is."""
    if _selector.fullmatch(text):
        return _wrong_with_values(text)
    bare = re.sub(STRING, "", text)
    if "(" in bare:
        return f"is an expression; write the counter alone, as a selector such as {EXAMPLE}: rates are made of it"
    if "[" in bare:
        return f"has a time range; write the counter alone, as a selector such as {EXAMPLE}"
    return f"must be a selector, such as {EXAMPLE}: a metric with label matchers in braces"


def _wrong_with_values(text: str) -> str | None:
    """Return what is wrong with the first value of label matchers with which anything is; None where nothing is."""
    for label, operator, value in _one_matcher.findall(text):
        wrong = wrong_with_string(value)
        if wrong is None and operator in ("=~", "!~"):
            wrong = wrong_with_expression(unquoted(value))
        if wrong is not None:
            return f"has {label}{operator}{value}, which {wrong}"
    return None


def comparison_of(text: str) -> Comparison:
    """Return a condition: `SELECTOR < 30`, or `time() - SELECTOR < 1h` of an instant.

    Raises:
        ValueError: It is none; the text says what is wrong.
    """
    found = _comparison.fullmatch(text)
    if found is None:
        raise ValueError(_wrong_with_comparison(text))
    if (wrong := _wrong_with_values(found["selector"])) is not None:
        raise ValueError(wrong)
    limit, is_age = found["limit"], found["age"] is not None
    if _number.fullmatch(limit):
        number = float(limit)
        shown = format_span(_span(f"{round(number * 1000)}ms")) if is_age and 0 <= number < MOST_SECONDS else limit
        return Comparison(found["selector"].strip(), found["sign"], number, is_age, shown)
    if not is_age:
        raise ValueError(f"compares with {limit}; write a number after {found['sign']}, such as {COMPARISONS}")
    return Comparison(found["selector"].strip(), found["sign"], _span(limit).total_seconds(), is_age, limit)


def one_of(values: Iterable[str]) -> str:
    """Return a regular expression, as a string of PromQL, that matches these values and no other."""
    return quoted("|".join(SPECIAL.sub(r"\\\1", each) for each in values))


def _span(text: str) -> timedelta:
    try:
        return parse_span(text)
    except ValueError as error:
        raise ValueError(f"compares an age with {text}, which {error}") from error


def _wrong_with_comparison(text: str) -> str:
    """Return what is wrong with what is no condition."""
    bare = re.sub(STRING, "", re.sub(r"^\s*time\s*\(\s*\)\s*-", "", text))
    if re.search(r"\b(and|or|unless)\b", bare):
        return "joins conditions; write one objective for each"
    if "(" in bare:
        return f"is an expression; write a selector and one comparison, such as {COMPARISONS}"
    if re.search(r"(?<![=!<>~])=(?![=~])", re.sub(r"\{[^{}]*\}", "", bare)):
        return f"compares with =; write ==, such as {COMPARISONS}"
    if not re.search(SIGN, bare):
        return f"compares nothing; write what a good value is, such as {COMPARISONS}"
    return f"must be a selector and one comparison with a number, such as {COMPARISONS}"


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
        is_match = matches_all(self.value, value)
        return is_match is None or is_match == (self.operator == "=~")

    def __str__(self) -> str:
        """Return it as it stands in a selector."""
        return f"{self.label}{self.operator}{quoted(self.value)}"


def parts_of(selector: str) -> tuple[str, tuple[Matcher, ...]]:
    """Return the metric of a selector, empty where none is named in front of the braces, and its matchers."""
    name = _metric.match(selector)
    matchers = (Matcher(label, operator, unquoted(value)) for label, operator, value in _one_matcher.findall(selector))
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
