"""The types of the fields of `slo.yml`: each says in words what is wanted."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from wine_slo.slo.objectives.window import CalendarUnit
from wine_slo.slo.span import PATTERN, WANTED


def wanted(sentence: str, **limits: Any) -> Meta:
    """Return what is wanted of a field in words, and the limits of its values."""
    return Meta(extra={"wanted": sentence}, **limits)


Span = Annotated[str, wanted(WANTED, pattern=PATTERN)]
Window = Annotated[
    str,
    wanted(
        "must be a span such as 7d, 28d or 30d, or week, month or quarter",
        pattern=rf"^({'|'.join(CalendarUnit)})$|{PATTERN}",
    ),
]
Name = Annotated[
    str,
    wanted("must be up to 100 small letters, digits, - and _, a letter first", pattern=r"^[a-z][a-z0-9_-]{0,99}$"),
]
Text = Annotated[str, wanted("must be text")]
Title = Annotated[str, wanted("must be text of at most 200 letters", max_length=200)]
Number = Annotated[float, wanted("must be a number")]
Count = Annotated[int, wanted("must be a whole number")]
Names = Annotated[list[str], wanted("must be a list of names")]
Filled = Annotated[str, Meta(min_length=1)]
JobNames = Annotated[Filled | Annotated[list[Filled], Meta(min_length=1)], wanted("must be a name or a list of names")]
Selectors = Annotated[
    Filled | Annotated[list[Filled], Meta(min_length=1)], wanted("must be a selector or a list of selectors")
]
Patterns = Annotated[list[Filled], wanted("must be a list of files, such as teams/*.yml")]
HistogramUnit = Annotated[Literal["s", "ms", "us", "ns"], wanted("must be s, ms, us or ns")]
Flag = Annotated[bool, wanted("must be true or false")]
OWN_KEYS = "x-"  # keys of the file that begin so are its writer's own: a place for what anchors name
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}  # in seconds
Urgency = Annotated[Literal["page", "ticket"], wanted("must be page or ticket")]
