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
_repeat = re.compile(r"[*+?]|\{(0|[1-9]\d*)(?:,(0|[1-9]\d*)?)?\}", re.ASCII)  # {01} is a text
_class = re.compile(r"\[\^?+\]?+(?:\[:\^?\w+:\]|\\.|[^\]\\])*+\]", re.DOTALL)
_escape = re.compile(r"\\(?:[pP]\{\^?\w+\}|[pP]\w|x\{[0-9a-fA-F]+\}|x[0-9a-fA-F]{2}|Q.*?\\E|.)", re.DOTALL)
_hex = r"x[0-9a-fA-F]{2}|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}|U(?!0000[dD][89a-fA-F])00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4}"
_string_escape = re.compile(rf"""\\(?:([abfnrtv\\'"])|([0-3][0-7]{{2}})|({_hex})|(.))""", re.DOTALL)
_letters = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def wrong_with_string(text: str) -> str | None:
    """Return what is wrong with a string of PromQL, as it is written with its quotes; None where nothing is."""
    if text.startswith("`"):
        return None
    other_quote = "'" if text.startswith('"') else '"'
    escaped = (found[4] or found[1] for found in _string_escape.finditer(text) if found[4] or found[1] == other_quote)
    unknown = next(escaped, None)
    if unknown is None:
        return None
    if unknown == other_quote:
        return rf"has \{unknown} in a string of other quotes; write {unknown} alone there"
    return rf"has \{unknown} in a string, which is no escape there; write \\{unknown}, or the string in backquotes"


def unquoted(text: str) -> str:
    """Return the value of a string of PromQL that nothing is wrong with."""
    return text[1:-1] if text.startswith("`") else _string_escape.sub(_meant, text[1:-1])


def _meant(escape: re.Match[str]) -> str:
    """Return the letter that an escape stands for."""
    letter, octal, hexadecimal, unknown = escape.groups()
    if octal or hexadecimal:
        return chr(int(octal, 8) if octal else int(hexadecimal[1:], 16))
    return unknown or _letters.get(letter, letter)


def matches_all(expression: str, value: str) -> bool | None:
    """Return whether an expression matches all of a value; None where Python reads it in another way, or not at all."""
    if "[[" in expression or "[:" in expression:  # [[:digit:]]
        return None
    try:
        return re.fullmatch(expression, value, re.DOTALL) is not None
    except re.error:
        return None


def wrong_with_expression(text: str) -> str | None:
    """Return what is wrong with a regular expression; None where nothing is."""
    at, depth = 0, 0
    is_first, was_repeat = True, False  # nothing is there that could be repeated; it is repeated already
    while at < len(text):
        char = text[at]
        repeat = _repeat.match(text, at)
        wrong = (
            _wrong_with_repeat(repeat, can_repeat=not is_first and not was_repeat) if repeat else _wrong_at(text, at)
        )
        if wrong is not None:
            return wrong
        if char == ")":
            depth -= 1
            if depth < 0:
                return "has a ) without its ("
        group = _group.match(text, at)
        are_flags = group is not None and group[0].endswith(")")  # what is before them can be repeated behind them
        depth += char == "(" and not are_flags
        is_first, was_repeat = (is_first if are_flags else char in "(|"), repeat is not None
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
    if after == "Q" and r"\E" not in text[at:]:
        return r"has \Q without its \E"
    is_octal = after == "0" or (after in OCTAL and text[at + 2 : at + 3] in tuple(OCTAL))
    if after.isdigit() and not is_octal:
        return rf"refers back to a group with \{after}, which RE2, the language of Prometheus, does not have"
    if after.isascii() and after.isalpha() and after not in ESCAPES:
        return rf"has \{after}, which is not known in RE2, the language of Prometheus"
    return None
