"""What to write instead of what cannot be read: a value that YAML takes for another kind, or a name that is near."""

import re
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from math import isfinite
from typing import Any, get_args

from msgspec import Meta, inspect

from wine_slo.slo.span import PATTERN, format_seconds

LONGEST_SHOWN = 200  # letters of a wrong value in a sentence
LEAST_OF_MILLISECONDS = 10  # a plain number from here on may be one of them
UNIT_WORDS = {
    "ms": ("msec", "msecs", "millis", "millisecond", "milliseconds"),
    "s": ("sec", "secs", "second", "seconds"),
    "m": ("min", "mins", "minute", "minutes"),
    "h": ("hr", "hrs", "hour", "hours"),
    "d": ("day", "days"),
    "w": ("week", "weeks"),
}


def instead(value: Any, written: str | None, wanted_type: Any) -> str:
    """Return what is wrong with a value, and what to write.

    Args:
        value: As YAML reads it.
        written: As it stands there; None where it is no scalar.
        wanted_type: The type of the field, which says in words what is wanted.
    """
    said_of_type = (each.extra["wanted"] for each in _metas(wanted_type) if each.extra and "wanted" in each.extra)
    wanted = next(said_of_type, "cannot be read")  # a test holds each field to say it
    said = repr(value) if isinstance(value, str) or written is None else written
    if value is None:
        return f"is empty; it {wanted}"
    hint = _hint(value, shown(written or ""), wanted_type)
    return f"is {shown(said)}; {hint}" if hint else f"is {shown(said)}; it {wanted}"


def shown(text: str) -> str:
    """Return a text as a sentence can show it: on one line, and no longer than people read."""
    visible = text if text.isprintable() else repr(text)[1:-1]
    return visible if len(visible) <= LONGEST_SHOWN else f"{visible[:LONGEST_SHOWN]}…"


def near(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence on a name that is not known: the one that is meant, or nothing."""
    found = get_close_matches(name, [each for each in known if each], n=1, cutoff=0.75)
    return f"; write {found[0]}" if found else ""


def is_span(wanted_type: Any) -> bool:
    """Return whether a field holds a span."""
    return any(each.pattern is not None and each.pattern.endswith(PATTERN) for each in _metas(wanted_type))


def _is_window(wanted_type: Any) -> bool:
    """Return whether a field holds a span or a name of the calendar; such a span is one of days."""
    return is_span(wanted_type) and all(each.pattern != PATTERN for each in _metas(wanted_type))


def _hint(value: Any, written: str, wanted_type: Any) -> str:
    """Return what to write; empty where that is not clear."""
    wants = _basic_types(inspect.type_info(wanted_type))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and is_span(wanted_type):
        return _unit_hint(value, written, *(("d",) if _is_window(wanted_type) else ("s", "ms")))
    if not isinstance(value, str):
        is_for_text = isinstance(value, int | float | date) and inspect.StrType in wants
        read_as = "true or false" if isinstance(value, bool) else "a number" if is_number else "a date"
        return f'YAML reads that as {read_as}, so write "{written}"' if is_for_text else ""
    if is_span(wanted_type):
        return _span_hint(value)
    if _is_list_of_texts(inspect.type_info(wanted_type)) and inspect.StrType not in wants and value.strip():
        return f"write a list: [{shown(value)}]"
    if inspect.FloatType in wants or inspect.IntType in wants:
        return _number_hint(value)
    return ""


def _unit_hint(value: float, written: str, unit: str, finer: str = "") -> str:
    if value < 0 or not isfinite(value) or ":" in written:  # 1:30 is 90 to YAML
        return ""
    number = format_seconds(value)
    is_fine = finer and value >= LEAST_OF_MILLISECONDS
    return f"write its unit: {number}{unit}" + (f" or {number}{finer}" if is_fine else "")


def _span_hint(text: str) -> str:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*", text, re.ASCII)
    if found is None:
        return ""
    word = found[2].lower()
    unit = next((unit for unit, words in UNIT_WORDS.items() if word == unit or word in words), None)
    return f"write {found[1][:LEAST_OF_MILLISECONDS]}{unit}" if unit else ""


def _number_hint(text: str) -> str:
    found = re.fullmatch(r"\s*(\d{1,9}(?:[.,]\d{1,9})?)\s*(%?)\s*", text, re.ASCII)
    if found is None:
        return ""
    number = float(found[1].replace(",", "."))
    return f"write {number / 100:.10g}" if found[2] else f"write {number:.10g}, without quotes"


def _metas(wanted_type: Any) -> list[Meta]:
    """Return what is said of a type and of the types in it, its own first."""
    found = [each for each in getattr(wanted_type, "__metadata__", ()) if isinstance(each, Meta)][::-1]
    for each in get_args(wanted_type):
        found += [] if isinstance(each, Meta) else _metas(each)
    return found


def _is_list_of_texts(info: inspect.Type) -> bool:
    if isinstance(info, inspect.Metadata):
        return _is_list_of_texts(info.type)
    if isinstance(info, inspect.UnionType):
        return any(map(_is_list_of_texts, info.types))
    return isinstance(info, inspect.ListType) and inspect.StrType in _basic_types(info.item_type)


def _basic_types(info: inspect.Type) -> set[type[inspect.Type]]:
    if isinstance(info, inspect.Metadata):
        return _basic_types(info.type)
    if isinstance(info, inspect.UnionType):
        return {basic for each in info.types for basic in _basic_types(each)}
    return {inspect.StrType} if isinstance(info, inspect.LiteralType) else {type(info)}
