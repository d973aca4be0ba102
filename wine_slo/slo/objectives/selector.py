"""The grammar of what may be written as a metric or a selector, so that an expression is refused where it stands.

Source: https://prometheus.io/docs/prometheus/latest/querying/basics/#instant-vector-selectors
"""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r"[a-zA-Z_][a-zA-Z0-9_]*"
STRING = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"""
MATCHER = rf"(?:(?:{LABEL}|{STRING})\s*(?:=~|!~|!=|=)\s*{STRING}|{STRING})"  # the last: a metric of any letters, quoted
MATCHERS = rf"\s*(?:{MATCHER}(?:\s*,\s*{MATCHER})*\s*(?:,\s*)?)?"
SELECTOR = rf"\s*(?:{NAME}\s*(?:\{{{MATCHERS}\}})?|\{{{MATCHERS}\}})\s*"
PARTS = ("_bucket", "_count", "_sum")  # of a histogram
EXAMPLE = 'http_requests_total{code=~"5.."}'

_name, _matchers, _selector = re.compile(NAME), re.compile(MATCHERS), re.compile(SELECTOR)
_label_matcher = re.compile(rf"({LABEL})\s*((?:=~|!~|!=|=)\s*{STRING})")


def quoted(text: str) -> str:
    """Return a text as a string of PromQL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def matchers(text: str) -> frozenset[tuple[str, str]]:
    """Return the label matchers that stand in selectors: each label, and what is wanted of it."""
    return frozenset((each[1], each[2]) for each in _label_matcher.finditer(text))


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
        return None
    if text.strip().startswith("{"):
        return "must be label matchers without the braces"
    return 'must be label matchers, such as endpoint!~"/metrics|/health", code="200"'


def wrong_with_selector(text: str) -> str | None:
    """Return what is wrong with a selector of a counter; None where nothing is."""
    if _selector.fullmatch(text):
        return None
    bare = re.sub(STRING, "", text)
    if "(" in bare:
        return f"is an expression; write the counter alone, as a selector such as {EXAMPLE}: rates are made of it"
    if "[" in bare:
        return f"has a time range; write the counter alone, as a selector such as {EXAMPLE}"
    return f"must be a selector, such as {EXAMPLE}: a metric with label matchers in braces"
