r"""Regular expressions of label matchers, as Prometheus reads them: what its language, RE2, does not have.

It has no lookaround and no reference back to a group, so that no match takes very long. Strings of PromQL know few
escapes: `"5\d\d"` is a mistake, and `"5\\d\\d"` and a string in backquotes are none.

Sources: https://github.com/google/re2/wiki/Syntax and
https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals
"""

import re

ESCAPES = frozenset("abfnrtvAbBCdDpPsSwWxzQE")  # letters after a backslash
MOST_REPEATS = 1000
OCTAL = "01234567"

_group = re.compile(r"\(\?(?:P?<[A-Za-z_]\w*>|[imsU]*(?:-[imsU]+)?[:)])")
_repeat = re.compile(r"[*+?]|\{(\d+)(?:,(\d*))?\}")
_class = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]", re.DOTALL)
_escape = re.compile(r"\\(?:[pP]\{\^?\w+\}|[pP]\w|x\{[0-9a-fA-F]+\}|x[0-9a-fA-F]{2}|Q.*?(?:\\E|$)|.)", re.DOTALL)
_string_escape = re.compile(r"""\\(?:[abfnrtv\\'"]|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})|\\(.)""")


def wrong_with_string(text: str) -> str | None:
    """Return what is wrong with a string of PromQL, as it is written with its quotes; None where nothing is."""
    if text.startswith("`"):
        return None
    unknown = next((found[1] for found in _string_escape.finditer(text) if found[1]), None)
    if unknown is None:
        return None
    return rf"has \{unknown} in a string, which is no escape there; write \\{unknown}, or the string in backquotes"


def wrong_with_expression(text: str) -> str | None:
    """Return what is wrong with a regular expression; None where nothing is."""
    at, depth, can_repeat = 0, 0, False
    while at < len(text):
        char = text[at]
        repeat = _repeat.match(text, at)
        wrong = _wrong_with_repeat(repeat, can_repeat=can_repeat) if repeat else _wrong_at(text, at)
        if wrong is not None:
            return wrong
        if char == ")":
            depth -= 1
            if depth < 0:
                return "has a ) without its ("
        group = _group.match(text, at)
        depth += char == "(" and not (group and group[0].endswith(")"))
        can_repeat = repeat is None and char not in "(|"
        part = repeat or group or _class.match(text, at) or _escape.match(text, at)
        at += len(part[0]) if part else 1
        at += repeat is not None and text.startswith("?", at)  # as few as possible
    return "has a ( that is not closed" if depth else None


def _wrong_with_repeat(repeat: re.Match[str], *, can_repeat: bool) -> str | None:
    if not can_repeat:
        return f"repeats nothing with {repeat[0]}"
    if any(int(each) > MOST_REPEATS for each in repeat.groups() if each):
        return f"repeats more than {MOST_REPEATS} times with {repeat[0]}"
    return None


def _wrong_at(text: str, at: int) -> str | None:
    """Return what is wrong with what begins there and is no repetition."""
    if text[at] == "\\":
        return _wrong_with_escape(text, at)
    if text[at] == "[" and _class.match(text, at) is None:
        return "has a [ that is not closed"
    if text.startswith("(?", at) and _group.match(text, at) is None:
        return f"has {text[at : at + 4].rstrip('()')}, which is not known in RE2, the language of Prometheus"
    return None


def _wrong_with_escape(text: str, at: int) -> str | None:
    after = text[at + 1 : at + 2]
    if not after:
        return "ends with a backslash"
    is_octal = after == "0" or (after in OCTAL and text[at + 2 : at + 3] in tuple(OCTAL))
    if after.isdigit() and not is_octal:
        return rf"refers back to a group with \{after}, which RE2, the language of Prometheus, does not have"
    if after.isascii() and after.isalpha() and after not in ESCAPES:
        return rf"has \{after}, which is not known in RE2, the language of Prometheus"
    return None
